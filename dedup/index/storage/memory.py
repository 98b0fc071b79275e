"""Keep an index in memory: it works like the others, and ends with the process."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import TypeVar

from dedup.index.storage.backend import Checksums, IndexRow, IndexState

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
        """Let one writer in at a time; nothing here can fail halfway."""
        with self._lock:
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Keep writers out until the block ends."""
        with self._lock:
            yield

    @contextmanager
    def skip_checksums(self) -> Iterator[None]:
        """Do nothing: there are no checksums."""
        yield

    def read_meta(self) -> dict[str, str]:
        """Return the settings and versions that the index was made with."""
        return dict(self._meta)

    def create_index(self, meta: Mapping[str, str]) -> None:
        """Make an empty index."""
        self._meta = dict(meta)

    def read_state(self) -> IndexState:
        """Return the state of the index."""
        return self._state

    def iter_rows(self, start: int = 0) -> Iterator[list[IndexRow]]:
        """Yield the rows from a position on."""
        positions = [position for position in self._rows if position >= start]
        for first in range(0, len(positions), ROWS_AT_ONCE):
            yield self.get_rows_at(positions[first : first + ROWS_AT_ONCE])

    def get_rows_at(self, positions: Sequence[int]) -> list[IndexRow]:
        """Return the rows at the given positions."""
        return [self._rows[position] for position in positions if position in self._rows]

    def get_rows_by_id(self, ids: Sequence[str]) -> list[IndexRow]:
        """Return the rows of the given ids."""
        return self.get_rows_at(sorted({p for name in ids for p in self._positions_by_id.get(name, [])}))

    def get_duplicates(self, position: int) -> list[IndexRow]:
        """Return the rows of the articles that repeat a kept one."""
        return self.get_rows_at(self._duplicates.get(position, []))

    def count_duplicates(self, positions: Sequence[int]) -> dict[int, int]:
        """Return how many articles repeat the kept one at each of the given positions."""
        return {p: len(self._duplicates[p]) for p in positions if p in self._duplicates}

    def get_followers(self, position: int) -> list[IndexRow]:
        """Return the rows of the kept articles that follow another one."""
        return self.get_rows_at(self._followers.get(position, []))

    def get_packed_sketches(self, positions: Sequence[int]) -> dict[int, bytes]:
        """Return the keys and packed sketches at the given positions."""
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
        """Remove rows, their sketches and the links to them."""
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

    def list_runs(self) -> list[int]:
        """Return nothing: an index in memory is never opened again, so no runs are stored."""
        return []

    def read_run_columns(self, position: int) -> None:
        """Return None: no runs are stored."""

    def read_run_keys(self, position: int) -> None:
        """Return None: no runs are stored."""

    def write_key_run(self, position: int, columns: bytes, keys: bytes) -> None:
        """Do nothing: no runs are stored."""

    def release_space(self) -> None:
        """Do nothing: the space of removed rows is free already."""

    def get_size(self) -> int:
        """Return the size in bytes of the ids, keys, evidence and sketches."""
        return sum(map(len, self._sketches.values())) + sum(
            len(row.id) + len(row.keys) + len(row.evidence) for row in self._rows.values()
        )

    def find_damage(self) -> list[str]:
        """Return nothing: memory is not checked."""
        return []

    def read_checksums(self, positions: Sequence[int]) -> dict[int, Checksums]:  # noqa: ARG002
        """Return nothing: there are no checksums."""
        return {}

    def replace_damaged_rows(self, rows: Sequence[IndexRow], sketches: Mapping[int, bytes]) -> None:
        """Write rows and sketches in the place of damaged ones."""
        self._rows.update({row.position: row for row in rows})
        self._sketches.update(sketches)

    def write_state(self, state: IndexState) -> None:
        """Write the state."""
        self._state = state

    def rebuild_indexes(self) -> None:
        """Do nothing: they are never damaged."""

    def close(self) -> None:
        """Do nothing."""


def remove_position(positions: dict[T, list[int]], key: T, position: int) -> None:
    """Remove a position from the list under a key, and the key where the list is empty."""
    positions[key].remove(position)
    if not positions[key]:
        del positions[key]
