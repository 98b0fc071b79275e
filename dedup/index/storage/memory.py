"""An index in memory: as the others, and gone with the process."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import TypeVar

from dedup.index.storage.backend import IndexRow, IndexState

T = TypeVar("T")

ROWS_AT_ONCE = 4096


class MemoryBackend:
    """Rows and sketches in dictionaries by position."""

    name = ":memory:"

    def __init__(self) -> None:
        self._meta: dict[str, str] = {}
        self._rows: dict[int, IndexRow] = {}
        self._sketches: dict[int, bytes] = {}
        self._positions_by_id: dict[str, list[int]] = {}
        self._duplicates: dict[int, list[int]] = {}
        self._followers: dict[int, list[int]] = {}
        self._state = IndexState(0, 0)
        self._lock = RLock()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Give one writer the word; nothing here can fail halfway."""
        with self._lock:
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let nobody write meanwhile."""
        with self._lock:
            yield

    def read_meta(self) -> dict[str, str]:
        """Return what the index says of itself."""
        return dict(self._meta)

    def create_index(self, meta: Mapping[str, str]) -> None:
        """Make an empty index."""
        self._meta = dict(meta)

    def read_state(self) -> IndexState:
        """Return how far the index has come."""
        return self._state

    def iter_rows(self, start: int = 0) -> Iterator[list[IndexRow]]:
        """Yield the rows from a position on."""
        positions = [position for position in self._rows if position >= start]
        for first in range(0, len(positions), ROWS_AT_ONCE):
            yield self.get_rows_at(positions[first : first + ROWS_AT_ONCE])

    def get_rows_at(self, positions: Sequence[int]) -> list[IndexRow]:
        """Return the rows at some positions."""
        return [self._rows[position] for position in positions if position in self._rows]

    def get_rows_by_id(self, ids: Sequence[str]) -> list[IndexRow]:
        """Return the rows of some ids."""
        return self.get_rows_at(sorted({p for name in ids for p in self._positions_by_id.get(name, [])}))

    def get_duplicates(self, position: int) -> list[IndexRow]:
        """Return the rows of the articles that repeat a kept one."""
        return self.get_rows_at(self._duplicates.get(position, []))

    def get_sketches(self, positions: Sequence[int]) -> dict[int, bytes]:
        """Return the keys and packed sketches at some positions."""
        held = (position for position in positions if position in self._sketches)
        return {position: self._rows[position].keys + self._sketches[position] for position in held}

    def record(self, rows: Sequence[IndexRow], sketches: Mapping[int, bytes]) -> None:
        """Add rows and sketches."""
        for row in rows:
            self._rows[row.position] = row
            self._positions_by_id.setdefault(row.id, []).append(row.position)
            if row.leader != row.position:
                self._duplicates.setdefault(row.leader, []).append(row.position)
            if row.follows != row.position:
                self._followers.setdefault(row.follows, []).append(row.position)
        self._sketches.update(sketches)
        self._state = IndexState(self._state.articles + len(rows), self._state.generation)

    def remove(self, positions: Iterable[int]) -> None:
        """Take rows out."""
        for position in positions:
            row = self._rows.pop(position)
            self._sketches.pop(position, None)
            remove_position(self._positions_by_id, row.id, position)
            if row.leader != position:
                remove_position(self._duplicates, row.leader, position)
            if row.follows != position:
                remove_position(self._followers, row.follows, position)
            for follower in self._followers.pop(position, []):
                self._rows[follower] = self._rows[follower]._replace(follows=follower)
        self._state = IndexState(self._state.articles, self._state.generation + 1)

    def release_space(self) -> None:
        """Do nothing: what was removed is free already."""

    def get_size(self) -> int:
        """Return how many bytes the rows' own data and the sketches take."""
        return sum(map(len, self._sketches.values())) + sum(
            len(row.id) + len(row.keys) + len(row.evidence) for row in self._rows.values()
        )

    def find_damage(self) -> list[str]:
        """Return nothing: memory cannot be looked through."""
        return []

    def close(self) -> None:
        """Do nothing."""


def remove_position(positions: dict[T, list[int]], key: T, position: int) -> None:
    """Take a position out of the list under a key, and the key where none is left."""
    positions[key].remove(position)
    if not positions[key]:
        del positions[key]
