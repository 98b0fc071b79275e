"""What an index asks of the place where it lives: look up, fetch, record, in turns that are whole or did not happen.

A home holds rows and bytes and decides nothing. Memory, SQLite and PostgreSQL have the same methods, and one suite of tests
runs over all three.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from dedup.errors import IndexingError


class ConnectionLostError(IndexingError):
    """The home broke off what it was doing, as a server does that goes away: the same may be tried again."""


class IndexRow(NamedTuple):
    """An article that was decided on, as an index keeps it: no title, no text."""

    position: int
    """Its place in the order in which articles came: 0, 1, 2 ..."""
    id: str
    """As it was given."""
    version: int
    """1, or more where the id came before with another text."""
    telling: int
    """The hash of its text (64 bits, signed)."""
    published: float | None
    """In days since 1970."""
    leader: int
    """The position of the kept article that it repeats; its own if it is kept."""
    relation: int
    """A position in `RELATIONS`; -1 if it is kept."""
    score: float
    """Of a kept article that follows another, the probability that they belong to one storyline."""
    evidence: bytes
    """Of the match or link: little-endian float32, the columns of `EVIDENCE_NAMES`; empty if it is kept and follows none."""
    decided: float
    """When, in seconds since 1970."""
    mark: int
    """How it is looked up (`dedup.index.lookup`)."""
    keys: bytes
    """Its salient terms and bands, little-endian uint32; empty where it is not looked up."""
    follows: int
    """The position of the kept article that it follows, the first of its storyline; its own if it is dropped or follows none."""


class IndexState(NamedTuple):
    """How far an index has come: what tells one process that another has written."""

    articles: int
    """The position that the next article takes."""
    generation: int
    """How often articles were taken out."""


class StorageBackend(Protocol):
    """A place for an index. What writes is called within a turn; what reads several things that agree, in one or in a view."""

    name: str
    """What a person calls it: a path, a server without its password."""

    def transaction(self) -> AbstractContextManager[None]:
        """Wait for one's turn to write: what is done in it is durable when it ends, or did not happen if it fails."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Show the index as it is now, until the end of the view, whatever others write in the meantime. Not within a turn."""

    def read_meta(self) -> dict[str, str]:
        """Return what the index says of itself; empty where there is no index yet."""

    def create_index(self, meta: Mapping[str, str]) -> None:
        """Make an empty index that says this of itself."""

    def read_state(self) -> IndexState:
        """Return how far the index has come."""

    def iter_rows(self, start: int = 0) -> Iterator[list[IndexRow]]:
        """Yield the rows from a position on, in order, some at a time."""

    def get_rows_at(self, positions: Sequence[int]) -> list[IndexRow]:
        """Return the rows at some positions, in the order of the positions; missing ones are left out."""

    def get_rows_by_id(self, ids: Sequence[str]) -> list[IndexRow]:
        """Return the rows of some ids, all versions, by position."""

    def get_duplicates(self, position: int) -> list[IndexRow]:
        """Return the rows of the articles that repeat a kept one, by position."""

    def get_sketches(self, positions: Sequence[int]) -> dict[int, bytes]:
        """Return the keys and then the packed sketch at some positions, end to end; missing ones are left out."""

    def record(self, rows: Sequence[IndexRow], sketches: Mapping[int, bytes]) -> None:
        """Add rows and sketches; the positions go on from where the state says."""

    def remove(self, positions: Iterable[int]) -> None:
        """Take rows out, and their sketches; what followed one of them follows none; the generation goes up."""

    def release_space(self) -> None:
        """Return the space of what was removed to the system. Not within a turn."""

    def get_size(self) -> int:
        """Return how many bytes the index takes."""

    def find_damage(self) -> list[str]:
        """Return what the home itself finds wrong, a sentence each."""

    def close(self) -> None:
        """Let go of the place."""
