"""A home → what a process holds of it in memory: who can be found by which key, and the latest sketches.

In: a home, in which other processes may write too. Out: positions near an article, and their sketches. What others have recorded
since is learned at the beginning of each turn; where articles were taken out, all is learned anew.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np

from dedup.errors import IndexingError
from dedup.index.lookup import Keys, Known
from dedup.index.storage.backend import Home, Row
from dedup.settings.settings import Settings
from dedup.sketches.codec import unpacked
from dedup.sketches.sketch import Sketches

AT_HAND_BYTES = 64 << 20
"""So many bytes of keys and packed sketches are kept at hand: stories are told again within hours."""
KEY_BYTES = 4
MUCH = 4096
"""Articles that are learned in about a tenth of a second."""
MOST_POSITIONS = 1 << 48
"""No index has seen more articles."""


class Recalled:
    """What is recalled of a home."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._salient, self._bands = settings.salient_terms, settings.bands
        self._at_hand: OrderedDict[int, bytes] = OrderedDict()
        self._bytes = 0
        self._generation = 0
        self.known = Known(self._salient, self._bands)

    def is_far_behind(self) -> bool:
        """Return whether others have recorded so much that nobody should wait for their turn while it is learned."""
        state = self._home.state()
        return state.generation != self._generation or state.articles - self.known.count > MUCH

    def catch_up(self) -> None:
        """Learn what others have recorded."""
        state = self._home.state()
        if state.generation != self._generation:
            self._at_hand.clear()
            self._bytes, self._generation = 0, state.generation
            self.known = Known(self._salient, self._bands)
        if state.articles > self.known.count:
            for rows in self._home.rows(self.known.count):
                self.learn(rows)
        if not self.known.count <= state.articles <= MOST_POSITIONS:
            raise self._damaged(f"it says that {state.articles} articles have come, and holds others")
        self.known.reach(state.articles)

    def remember(self, rows: Sequence[Row], sketches: Mapping[int, bytes]) -> None:
        """Take in what was recorded here, with its packed sketches."""
        self.learn(rows)
        self._put_at_hand({row.position: row.keys + sketches[row.position] for row in rows if row.mark})

    def sketches(self, positions: np.ndarray, days: np.ndarray, threads: int = 1) -> Sketches:
        """Return the sketches at some positions, whose days are given; IndexingError where one is missing or damaged."""
        wanted = positions.tolist()
        missing = [position for position in wanted if position not in self._at_hand]
        found = self._home.sketches(missing) if missing else {}
        try:
            parts = [self._at_hand.get(position) or found[position] for position in wanted]
            width = KEY_BYTES * (self._salient + self._bands)
            keys = self.keys(b"".join(part[:width] for part in parts))
            sketches = unpacked([part[width:] for part in parts], days, *keys, threads)
        except (KeyError, ValueError) as error:
            what = f"it has no sketch of article {error}" if isinstance(error, KeyError) else str(error)
            raise self._damaged(what) from error
        self._put_at_hand(found)
        return sketches

    def keys(self, data: bytes) -> Keys:
        """Return the keys of some articles from their bytes; IndexingError where there are too few."""
        if len(data) % (KEY_BYTES * (self._salient + self._bands)):
            raise self._damaged("the keys of an article are cut short")
        table = np.frombuffer(data, "<u4").reshape(-1, self._salient + self._bands)
        return Keys(
            np.ascontiguousarray(table[:, : self._salient]), np.ascontiguousarray(table[:, self._salient :])
        )

    def learn(self, rows: Sequence[Row]) -> None:
        """Take in the next rows; IndexingError, and nothing is taken in, where they are none that an index has."""
        try:
            self.known.add(
                positions=np.array([row.position for row in rows], np.int64),
                days=days_of(rows),
                leaders=np.array([row.leader for row in rows], np.int64),
                follows=np.array([row.follows for row in rows], np.int64),
                relations=np.array([row.relation for row in rows], np.int64),
                marks=np.array([row.mark for row in rows], np.int64),
                keys=self.keys(b"".join(row.keys for row in rows if row.mark)),
            )
        except ValueError as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, what: str) -> IndexingError:
        """Return the error of an index that holds what it cannot."""
        return IndexingError(
            f"the index {self._home.name} is damaged: {what}; `dedup index verify` says where"
        )

    def _put_at_hand(self, parts: Mapping[int, bytes]) -> None:
        """Keep some keys and sketches, and let go of the oldest where there are too many."""
        self._at_hand.update(parts)
        self._bytes += sum(map(len, parts.values()))
        while self._bytes > AT_HAND_BYTES:
            self._bytes -= len(self._at_hand.popitem(last=False)[1])


def days_of(rows: Sequence[Row]) -> np.ndarray:
    """Return the days (float64) of some rows, NaN where they are not known."""
    return np.array([np.nan if row.published is None else row.published for row in rows], np.float64)
