"""Find the indexed articles whose sketches a new article must be compared with.

The lookup holds the keys of all articles, in order of arrival, in memory. It selects the sketches to fetch, and must miss none;
`clustering.assign_leaders` then looks the fetched ones up again, by the same rules as in a run without an index. Postings are
kept in tables that double in size: none is ever built anew.
"""

from typing import NamedTuple

import numpy as np

from dedup.jit import jit
from dedup.matching.assignments import PriorAssignments
from dedup.matching.candidates import LookupScratch, fill_candidates, fill_lookup_keys, make_lookup_scratch
from dedup.matching.classifier import FOLLOWUP, NO_RELATION, REWRITE
from dedup.matching.clustering import MIN_ARTICLES_PER_THREAD
from dedup.matching.inverted_index import USED_KEYS, InvertedIndex, insert_postings, make_index_for_postings
from dedup.matching.match_params import MatchParams
from dedup.parallel import run_on_threads, split_evenly
from dedup.sketches.sketch import Sketches

LEVEL_NONE, LEVEL_BANDS, LEVEL_ALL = 0, 1, 2
"""The ways to look an article up: not at all, by its bands, or by its terms too."""
DISTINCT_KEY_SHARE = 0.5
"""The expected share of distinct keys; a table with more of them is full earlier."""
MIN_TABLE_ARTICLES = 1 << 14
"""The capacity of the smallest table."""


class LookupKeys(NamedTuple):
    """The keys of n articles: the part of a sketch that `fill_lookup_keys` reads."""

    salient: np.ndarray
    """n × salient terms, uint32."""
    bands: np.ndarray
    """n × bands, uint32."""


class PostingsTable:
    """The postings of a range of articles."""

    def __init__(self, articles: int, keys_each: int) -> None:
        self._keys_each, self._free_articles = keys_each, articles
        self.postings: InvertedIndex = make_index_for_postings(
            max(int(DISTINCT_KEY_SHARE * articles * keys_each), keys_each), articles * keys_each
        )
        self.latest = -np.inf
        """The latest day of its articles; infinity where one has no date."""

    @property
    def free_articles(self) -> int:
        """Return the number of further articles that surely fit."""
        free = 2 * len(self.postings.slots) // 3 - int(self.postings.used[USED_KEYS])
        return max(0, min(self._free_articles, free // self._keys_each))

    def insert(
        self, keys: LookupKeys, slots: np.ndarray, marks: np.ndarray, days: np.ndarray, scratch: np.ndarray
    ) -> None:
        """Insert articles, at most `free_articles`."""
        insert_lookup_keys(keys, self.postings, slots, marks, scratch)
        self._free_articles -= len(slots)
        self.latest = float(np.where(np.isnan(days), np.inf, days).max(initial=self.latest))


class ArticleLookup:
    """The n articles of an index in order of arrival, each at a slot from 0 to n - 1.

    A slot is not a position: where articles were removed, positions have gaps, and slots have none.
    """

    def __init__(self, salient: int, bands: int) -> None:
        self.next_position = 0
        """The position that the next article takes."""
        self.article_count = 0
        """n."""
        self.positions = np.zeros(0, np.int64)
        self.days = np.zeros(0)
        self.leaders = np.zeros(0, np.int64)
        """The slot of the kept article that each repeats; its own if it is kept."""
        self.storylines = np.zeros(0, np.int64)
        """The slot of the first article of the storyline of each."""
        self.marks = np.zeros(0, np.uint8)
        self.witnesses = np.zeros(0, np.int32)
        self._shape = salient, bands
        self._tables: list[PostingsTable] = []
        self._scratches = [make_lookup_scratch(0, salient + bands)]
        """One for each thread."""
        self._is_dated_in_order = True
        """Whether all articles came in order of date, undated ones last: then a lookup may stop where its window ends."""
        self._latest_day = self._last_day = -np.inf

    def add(
        self,
        positions: np.ndarray,
        days: np.ndarray,
        leaders: np.ndarray,
        follows: np.ndarray,
        relations: np.ndarray,
        marks: np.ndarray,
        keys: LookupKeys,
    ) -> None:
        """Add articles with rising positions; `keys` holds those of all marked articles, in order.

        ValueError, and none is added, where one is impossible: a number out of range, or a leader that is not kept.
        """
        if not len(positions):
            return
        old, new = self.article_count, self.article_count + len(positions)
        if positions[0] < self.next_position or (np.diff(positions) <= 0).any():
            raise ValueError("its articles are out of order")
        if np.isinf(days).any():
            raise ValueError("the date of an article is infinite")
        if ((marks < LEVEL_NONE) | (marks > LEVEL_ALL)).any() or (
            (relations < NO_RELATION) | (relations > FOLLOWUP)
        ).any():
            raise ValueError("the mark or the relation of an article is out of range")
        if np.count_nonzero(marks) != len(keys.salient):
            raise ValueError("the keys of an article are cut short")
        self._reserve_room(new)
        self.positions[old:new] = positions
        self.leaders[old:new] = led_by = self._find_slots(leaders, new)
        if (self.leaders[led_by] != led_by).any():
            raise ValueError("an article repeats one that is not kept")
        followed, is_kept = self._find_slots(follows, new), led_by == np.arange(old, new)
        # A dropped article belongs to the storyline of the one that it repeats, which stands before it.
        self.storylines[old:new] = followed
        self.storylines[old:new] = np.where(is_kept, followed, self.storylines[led_by])
        firsts = followed[is_kept]
        if (self.leaders[firsts] != firsts).any() or (self.storylines[firsts] != firsts).any():
            raise ValueError("an article follows one that does not begin a storyline")
        self.days[old:new], self.marks[old:new], self.witnesses[old:new] = days, marks, 0
        np.add.at(self.witnesses, led_by[relations >= REWRITE], 1)
        self.article_count, self.next_position = new, int(positions[-1]) + 1
        dates = np.concatenate([[self._last_day], np.where(np.isnan(days), np.inf, days)])
        self._is_dated_in_order = self._is_dated_in_order and bool((dates[1:] >= dates[:-1]).all())
        self._last_day = float(dates[-1])
        self._latest_day = float(np.fmax.reduce(days, initial=self._latest_day))
        self._insert_keys(np.arange(old, new)[marks > 0], marks[marks > 0], keys)

    def update_count(self, count: int) -> None:
        """Raise the next position to `count`, where the last articles were removed."""
        self.next_position = max(self.next_position, count)

    def find_near(
        self, s: Sketches, members: np.ndarray, rules: MatchParams, threads: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the slots (int64, rising) of all articles to compare `members` of a batch with, and of their leaders.

        Also return (bool) whether each member's lookup reached a bound on the work, so that there may be more.
        """
        threads = min(threads, 1 + len(members) // MIN_ARTICLES_PER_THREAD)
        wanted, bounded = np.zeros(self.article_count, bool), np.zeros(len(members), bool)
        in_order = self._is_dated_in_order and not (s.days[members] < self._latest_day).any()
        known = self.days, self.leaders, self.storylines, self.marks, in_order
        # One article without a date, whose day is NaN, may find any other.
        first, window = s.days[members].min(initial=np.inf), max(rules.window_days, rules.copy_window_days)
        tables = [table for table in self._tables if not first - table.latest > window]
        while len(self._scratches) < threads:
            self._scratches.append(make_lookup_scratch(len(self.days), sum(self._shape)))

        def mark_share(share: slice, scratch: LookupScratch) -> None:
            """Look up a share of the members; two threads that mark the same article write the same value."""
            for table in tables:
                mark_near_articles(
                    s, members[share], rules, table.postings, *known, scratch, wanted, bounded[share]
                )

        run_on_threads(mark_share, split_evenly(len(members), threads), self._scratches[:threads])
        return np.flatnonzero(wanted), bounded

    def get_prior_assignments(self, places: np.ndarray) -> PriorAssignments:
        """Return the articles at the given slots, as `assign_leaders` takes them; their leaders must be among them."""
        return PriorAssignments(
            leaders=np.searchsorted(places, self.leaders[places]),
            storylines=np.searchsorted(places, self.storylines[places]),
            indexed_by_terms=self.marks[places] == LEVEL_ALL,
            witnesses=self.witnesses[places],
        )

    def find_kept(self) -> np.ndarray:
        """Return the slots (int64, rising) of the articles that are kept and looked up."""
        own = self.leaders[: self.article_count] == np.arange(self.article_count)
        return np.flatnonzero(own & (self.marks[: self.article_count] == LEVEL_ALL))

    def _find_slots(self, positions: np.ndarray, held: int) -> np.ndarray:
        """Return the slots of positions among the first `held`; ValueError where one is missing."""
        places = np.searchsorted(self.positions[:held], positions)
        if not held and len(places):
            raise ValueError("it holds no article")
        if (self.positions[np.minimum(places, held - 1)] != positions).any():
            raise ValueError("it holds no such article")
        return places

    def _reserve_room(self, held: int) -> None:
        """Make room for `held` articles in all."""
        if held <= len(self.days):
            return
        more = max(held, 2 * len(self.days), MIN_TABLE_ARTICLES) - len(self.days)
        self.positions = np.concatenate([self.positions, np.zeros(more, np.int64)])
        self.days = np.concatenate([self.days, np.full(more, np.nan)])
        self.leaders = np.concatenate([self.leaders, np.zeros(more, np.int64)])
        self.storylines = np.concatenate([self.storylines, np.zeros(more, np.int64)])
        self.marks = np.concatenate([self.marks, np.zeros(more, np.uint8)])
        self.witnesses = np.concatenate([self.witnesses, np.zeros(more, np.int32)])
        self._scratches = [make_lookup_scratch(len(self.days), sum(self._shape))]

    def _insert_keys(self, places: np.ndarray, marks: np.ndarray, keys: LookupKeys) -> None:
        """Insert articles into the tables, and start a new table where the last is full."""
        done = 0
        while done < len(places):
            if not self._tables or not self._tables[-1].free_articles:
                room = max(MIN_TABLE_ARTICLES, self.article_count)
                self._tables.append(PostingsTable(room, sum(self._shape)))
            table = self._tables[-1]
            end = min(len(places), done + table.free_articles)
            part = LookupKeys(keys.salient[done:end], keys.bands[done:end])
            days = self.days[places[done:end]]
            table.insert(part, places[done:end], marks[done:end], days, self._scratches[0].keys)
            done = end


@jit
def insert_lookup_keys(keys, index, slots, marks, scratch):
    """Insert the articles at the given slots by their keys."""
    for k in range(len(slots)):
        terms, n = fill_lookup_keys(keys, k, scratch)
        insert_postings(index, scratch, 0 if marks[k] == LEVEL_ALL else terms, n, slots[k])


@jit
def mark_near_articles(
    s, members, rules, index, days, leaders, storylines, marks, in_order, scratch, wanted, bounded
):
    """Mark in `wanted` the indexed candidates of all members, their leaders, and the first articles of their storylines.

    Mark in `bounded` the members whose lookup reached a bound on the work.
    """
    for i, a in enumerate(members):
        if s.lengths[a] < rules.min_words:
            continue
        terms, n = fill_lookup_keys(s, a, scratch.keys)
        m, _, was_bounded = fill_candidates(index, days, terms, n, s.days[a], rules, in_order, scratch)
        bounded[i] |= was_bounded != 0
        kept, dropped = 0, 0
        for k in range(m):
            member = scratch.candidates[k]
            if marks[member] == LEVEL_NONE:
                continue
            is_kept = leaders[member] == member
            kept += is_kept
            dropped += not is_kept
            if (kept if is_kept else dropped) <= rules.max_candidates:
                wanted[member] = True
                wanted[leaders[member]] = True
                wanted[storylines[member]] = True
            else:
                bounded[i] = True
