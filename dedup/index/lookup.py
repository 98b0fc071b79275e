"""Find the indexed articles whose sketches a new article must be compared with.

The lookup holds the dates and leaders of all articles, in order of arrival, in memory. It selects the sketches to fetch, and must
miss none; `clustering.assign_leaders` then looks the fetched ones up again, by the same rules as in a run without an index.

The keys of the latest articles stand in a hash table. Each time that it holds `RUN_ARTICLES` articles, they become a `KeyRun`.
Stored runs are loaded when a batch may match their articles, and released when no batch has needed them for a while.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dedup.index.key_run import (
    LEVEL_ALL,
    LEVEL_NONE,
    RUN_ARTICLES,
    KeyRun,
    LookupKeys,
    build_key_run,
    mark_candidates,
    mark_near_in_run,
)
from dedup.jit import jit
from dedup.matching.assignments import PriorAssignments
from dedup.matching.candidates import LookupScratch, fill_candidates, fill_lookup_keys, make_lookup_scratch
from dedup.matching.classifier import FOLLOWUP, NO_RELATION, REWRITE
from dedup.matching.clustering import MIN_ARTICLES_PER_THREAD
from dedup.matching.inverted_index import InvertedIndex, insert_postings, make_index_for_postings
from dedup.matching.match_params import MatchParams
from dedup.parallel import run_on_threads, split_evenly
from dedup.sketches.sketch import Sketches

MIN_ROOM = 1 << 14
"""The number of articles that there is room for at first."""
MAX_IDLE_LOOKUPS = 64
"""The number of lookups without use after which a stored run is released."""


class ArticleColumns(NamedTuple):
    """The columns of the rows of n articles that a lookup needs, beside their keys."""

    positions: np.ndarray
    """n, int64: rising."""
    days: np.ndarray
    """n, float64: NaN where unknown."""
    leaders: np.ndarray
    """n, int64: the position of the kept article that each repeats; its own if it is kept."""
    follows: np.ndarray
    """n, int64: the position of the kept article that each follows; its own otherwise."""
    relations: np.ndarray
    """n, int8."""
    marks: np.ndarray
    """n, uint8: the levels."""


@dataclass(slots=True)
class LookupRun:
    """The articles at the slots from `first` to `end`, whose keys are a run."""

    first: int
    end: int
    latest: float
    """The latest day of its articles; infinity where one has no date."""
    keys: KeyRun | None
    """None while it is not loaded."""
    is_stored: bool = False
    idle_lookups: int = 0


def refuse_stored_run(first: int, end: int) -> KeyRun:
    """Raise ValueError: a lookup without storage has no stored runs."""
    raise ValueError(f"there is no stored run of the articles {first} to {end}")


class ArticleLookup:
    """The n articles of an index in order of arrival, each at a slot from 0 to n - 1.

    A slot is not a position: where articles were removed, positions have gaps, and slots have none.
    """

    run_articles = RUN_ARTICLES
    """The number of articles of a run."""

    def __init__(
        self, salient: int, bands: int, load_run: Callable[[int, int], KeyRun] = refuse_stored_run
    ) -> None:
        """Make an empty lookup; `load_run` returns the stored run of the articles at a range of slots."""
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
        self.relations = np.zeros(0, np.int8)
        self.marks = np.zeros(0, np.uint8)
        self.witnesses = np.zeros(0, np.int32)
        self.runs: list[LookupRun] = []
        self._load_run = load_run
        self._shape = salient, bands
        self._latest_table: InvertedIndex | None = None
        self._latest_keys: list[LookupKeys] = []
        """Those of the articles after the last run, which are in the table too."""
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
        keys: LookupKeys | None,
    ) -> None:
        """Add articles with rising positions; `keys` holds those of all marked articles, in order.

        Without `keys` the articles are those of a stored run, which is loaded when it is needed. If a row is impossible (a
        number out of range, or a leader that is not kept), raise ValueError and add none.
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
        if keys is None and (old % self.run_articles or len(positions) != self.run_articles):
            raise ValueError("its articles are not those of a run")
        if keys is not None and np.count_nonzero(marks) != len(keys.salient):
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
        self.relations[old:new] = relations
        np.add.at(self.witnesses, led_by[relations >= REWRITE], 1)
        self.article_count, self.next_position = new, int(positions[-1]) + 1
        dates = np.concatenate([[self._last_day], np.where(np.isnan(days), np.inf, days)])
        self._is_dated_in_order = self._is_dated_in_order and bool((dates[1:] >= dates[:-1]).all())
        self._last_day = float(dates[-1])
        self._latest_day = float(np.fmax.reduce(days, initial=self._latest_day))
        if keys is None:
            self._add_run(old, new, None)
        else:
            self._insert_keys(old, keys)

    def update_count(self, count: int) -> None:
        """Set the next position to `count`, which is higher if the last articles were removed."""
        self.next_position = max(self.next_position, count)

    def find_near(
        self, s: Sketches, members: np.ndarray, rules: MatchParams, threads: int = 1
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the slots (int64, rising) of the articles with which to compare `members` of a batch, and of their leaders.

        Also return (bool) whether the lookup of each member reached a limit on the work: then there may be more.
        """
        threads = min(threads, 1 + len(members) // MIN_ARTICLES_PER_THREAD)
        wanted, bounded = np.zeros(self.article_count, bool), np.zeros(len(members), bool)
        in_order = self._is_dated_in_order and not (s.days[members] < self._latest_day).any()
        known = self.days, self.leaders, self.storylines, self.marks, in_order
        # One article without a date, whose day is NaN, may find any other.
        first, window = s.days[members].min(initial=np.inf), max(rules.window_days, rules.copy_window_days)
        runs = self._select_runs(first - window)
        while len(self._scratches) < threads:
            self._scratches.append(make_lookup_scratch(len(self.days), sum(self._shape)))

        def mark_share(share: slice, scratch: LookupScratch) -> None:
            """Look up a share of the members; two threads that mark the same article write the same value."""
            own = members[share], rules
            for run in runs:
                place = run.keys, run.first, run.latest
                mark_near_in_run(s, *own, *place, *known, scratch, wanted, bounded[share])
            if self._latest_table is not None:
                mark_near_articles(s, *own, self._latest_table, *known, scratch, wanted, bounded[share])

        run_on_threads(mark_share, split_evenly(len(members), threads), self._scratches[:threads])
        return np.flatnonzero(wanted), bounded

    def get_columns(self, run: LookupRun) -> ArticleColumns:
        """Return the columns of the articles of a run."""
        slots = slice(run.first, run.end)
        positions = self.positions[slots]
        is_kept = self.leaders[slots] == np.arange(run.first, run.end)
        follows = np.where(is_kept, self.positions[self.storylines[slots]], positions)
        leaders = self.positions[self.leaders[slots]]
        return ArticleColumns(
            positions, self.days[slots], leaders, follows, self.relations[slots], self.marks[slots]
        )

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
        more = max(held, 2 * len(self.days), MIN_ROOM) - len(self.days)
        self.positions = np.concatenate([self.positions, np.zeros(more, np.int64)])
        self.days = np.concatenate([self.days, np.full(more, np.nan)])
        self.leaders = np.concatenate([self.leaders, np.zeros(more, np.int64)])
        self.storylines = np.concatenate([self.storylines, np.zeros(more, np.int64)])
        self.relations = np.concatenate([self.relations, np.zeros(more, np.int8)])
        self.marks = np.concatenate([self.marks, np.zeros(more, np.uint8)])
        self.witnesses = np.concatenate([self.witnesses, np.zeros(more, np.int32)])
        self._scratches = [make_lookup_scratch(len(self.days), sum(self._shape))]

    def _select_runs(self, earliest: float) -> list[LookupRun]:
        """Return the runs with an article of the `earliest` day or later, loaded; release those that are idle."""
        selected = []
        for run in self.runs:
            run.idle_lookups += 1
            if not run.latest < earliest:
                run.idle_lookups = 0
                if run.keys is None:
                    run.keys = self._load_run(run.first, run.end)
                selected.append(run)
            elif run.is_stored and run.idle_lookups > MAX_IDLE_LOOKUPS:
                run.keys = None
        return selected

    def _insert_keys(self, first: int, keys: LookupKeys) -> None:
        """Insert the articles from slot `first` on into the table, and make a run of each `RUN_ARTICLES`."""
        done = 0
        while first < self.article_count:
            end = min(self.article_count, (first // self.run_articles + 1) * self.run_articles)
            slots = first + np.flatnonzero(self.marks[first:end])
            part = LookupKeys(*(array[done : done + len(slots)] for array in keys))
            if self._latest_table is None:
                postings = self.run_articles * sum(self._shape)
                self._latest_table = make_index_for_postings(postings, postings)
            insert_lookup_keys(part, self._latest_table, slots, self.marks[slots], self._scratches[0].keys)
            self._latest_keys.append(part)
            if end % self.run_articles == 0:
                columns = zip(*self._latest_keys, strict=True)
                self._add_run(end - self.run_articles, end, LookupKeys(*map(np.concatenate, columns)))
                self._latest_table, self._latest_keys = None, []
            first, done = end, done + len(slots)

    def _add_run(self, first: int, end: int, keys: LookupKeys | None) -> None:
        """Add the run of the articles between two slots; without keys it is a stored one."""
        levels = self.marks[first:end]
        places = np.flatnonzero(levels)
        days = self.days[first:end][places]
        latest = float(np.where(np.isnan(days), np.inf, days).max(initial=-np.inf))
        run = None if keys is None else build_key_run(keys, places, levels[places])
        self.runs.append(LookupRun(first, end, latest, run, is_stored=keys is None))


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
        mark_candidates(m, rules, leaders, storylines, marks, scratch, wanted, bounded, i)
