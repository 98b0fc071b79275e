"""What an index holds in memory of the articles that it has seen: enough to say which sketches a new one must be compared with.

In: the keys of articles, in the order in which they came. Out: positions worth fetching. An article that is found here is a
candidate or not by the same rules as in a run without an index, for `clusters.assign` looks the fetched ones up again; here
nothing may be missed. Postings are kept in tables that double in size: none is ever built anew.
"""

from typing import NamedTuple

import numpy as np

from dedup.candidates import fill_candidates, keys_of, scratch_for
from dedup.clusters import Settled, rises
from dedup.kernel import kernel
from dedup.matches import REWRITE, Rules
from dedup.postings import Postings, insert, postings_for
from dedup.sketches import Sketches

UNSEEN, BANDS, FULL = 0, 1, 2
"""How an article is looked up: not at all, by its bands, by its terms too."""
FIRST_TABLE = 1 << 14
"""Articles in the smallest table."""


class Keys(NamedTuple):
    """The keys of n articles: what `keys_of` reads of a sketch."""

    salient: np.ndarray
    """n × salient terms, uint32."""
    bands: np.ndarray
    """n × bands, uint32."""


class Table:
    """The postings of some articles, and how many more it has room for."""

    def __init__(self, articles: int, keys_each: int) -> None:
        self.postings: Postings = postings_for(articles, keys_each)
        self.left = articles


class Known:
    """The articles that an index has seen, by position: n of them, in the order in which they came."""

    def __init__(self, salient: int, bands: int) -> None:
        self.count = 0
        self.days = np.zeros(0)
        self.leaders = np.zeros(0, np.int64)
        self.marks = np.zeros(0, np.uint8)
        self.witnesses = np.zeros(0, np.int32)
        self._shape = salient, bands
        self._tables: list[Table] = []
        self._scratch = scratch_for(0, salient + bands)
        self._in_order = True

    def add(
        self,
        positions: np.ndarray,
        days: np.ndarray,
        leaders: np.ndarray,
        relations: np.ndarray,
        marks: np.ndarray,
        keys: Keys,
    ) -> None:
        """Take in further articles, their positions rising; `keys` are those of all that are marked, in order."""
        if not len(positions):
            return
        count = int(positions[-1]) + 1
        self._grow(count)
        self.days[positions], self.leaders[positions], self.marks[positions] = days, leaders, marks
        np.add.at(self.witnesses, leaders[relations == REWRITE], 1)
        self.count = count
        self._in_order = self._in_order and rises(self.days[:count])
        self._insert(positions[marks > 0], marks[marks > 0], keys)

    def reach(self, count: int) -> None:
        """Take note that so many articles have come, though the last of them are gone."""
        self._grow(count)
        self.count = max(self.count, count)

    def near(self, s: Sketches, members: np.ndarray, rules: Rules) -> np.ndarray:
        """Return the positions (int64, rising) of all that `members` of a batch must be compared with."""
        wanted = np.zeros(self.count, bool)
        for table in self._tables:
            mark_near(
                s,
                members,
                rules,
                table.postings,
                self.days,
                self.leaders,
                self.marks,
                self._in_order,
                self._scratch,
                wanted,
            )
        return np.flatnonzero(wanted)

    def settled(self, positions: np.ndarray) -> Settled:
        """Return the articles at some positions, which hold their leaders, as `assign` takes them."""
        return Settled(
            leaders=np.searchsorted(positions, self.leaders[positions]),
            full=self.marks[positions] == FULL,
            witnesses=self.witnesses[positions],
        )

    def _grow(self, count: int) -> None:
        """Make room for so many articles in all."""
        if count <= len(self.days):
            return
        more = max(count, 2 * len(self.days), FIRST_TABLE) - len(self.days)
        self.days = np.concatenate([self.days, np.full(more, np.nan)])
        self.leaders = np.concatenate([self.leaders, np.zeros(more, np.int64)])
        self.marks = np.concatenate([self.marks, np.zeros(more, np.uint8)])
        self.witnesses = np.concatenate([self.witnesses, np.zeros(more, np.int32)])
        self._scratch = scratch_for(len(self.days), sum(self._shape))

    def _insert(self, positions: np.ndarray, marks: np.ndarray, keys: Keys) -> None:
        """Put articles into the tables, a new one where the last is full."""
        done = 0
        while done < len(positions):
            if not self._tables or not self._tables[-1].left:
                room = max(FIRST_TABLE, self.count)
                self._tables.append(Table(room, sum(self._shape)))
            table = self._tables[-1]
            end = min(len(positions), done + table.left)
            part = Keys(keys.salient[done:end], keys.bands[done:end])
            insert_all(part, table.postings, positions[done:end], marks[done:end], self._scratch.keys)
            table.left -= end - done
            done = end


@kernel
def insert_all(keys, index, positions, marks, scratch):
    """Index articles at some positions by their keys."""
    for k in range(len(positions)):
        terms, n = keys_of(keys, k, scratch)
        insert(index, scratch, 0 if marks[k] == FULL else terms, n, positions[k])


@kernel
def mark_near(s, members, rules, index, days, leaders, marks, in_order, scratch, wanted):
    """Mark in `wanted` the candidates of all members among those indexed, and the articles that these repeat."""
    for a in members:
        if s.lengths[a] < rules.min_words:
            continue
        terms, n = keys_of(s, a, scratch.keys)
        m, _, _ = fill_candidates(index, days, terms, n, s.days[a], rules, in_order, scratch)
        kept, dropped = 0, 0
        for k in range(m):
            member = scratch.found[k]
            if marks[member] == UNSEEN:
                continue
            is_kept = leaders[member] == member
            kept += is_kept
            dropped += not is_kept
            if (kept if is_kept else dropped) <= rules.max_candidates:
                wanted[member] = True
                wanted[leaders[member]] = True
