"""The interface between an index and its storage: look up, fetch and record rows, in atomic transactions.

A backend stores rows and bytes and decides nothing. Memory, SQLite and PostgreSQL have the same methods, and one suite of tests
runs over all three.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from dedup.errors import IndexingError


class ConnectionLostError(IndexingError):
    """The connection to the server broke: the same work may be tried again."""


class ServerAbsentError(ConnectionLostError):
    """Nothing answers at the address of the server: it is down, about to restart, or the address is wrong."""


class IndexRow(NamedTuple):
    """The record of an article in an index: the decision on it, without title and text."""

    position: int
    """Its rank in the order of arrival: 0, 1, 2 ..."""
    id: str
    """As given."""
    version: int
    """1 for the first text of an id, 2 for the second, and so on."""
    telling: int
    """The hash of its text (64 bits, signed)."""
    published: float | None
    """In days since 1970."""
    leader: int
    """The position of the kept article that it repeats; its own if it is kept."""
    relation: int
    """An index into `RELATIONS`; -1 if it is kept."""
    score: float
    """For a kept article that follows another, the probability that they belong to one storyline."""
    evidence: bytes
    """The evidence of the match or link: little-endian float32, the columns of `EVIDENCE_NAMES`. Empty if it is kept and
    follows no other."""
    decided: float
    """When it was decided on, in seconds since 1970."""
    mark: int
    """How it is looked up (`dedup.index.lookup`)."""
    keys: bytes
    """Its salient terms and bands, little-endian uint32; empty where it is not looked up."""
    follows: int
    """The position of the kept article that it follows, the first of its storyline; its own if it is dropped or follows no
    other."""


class IndexState(NamedTuple):
    """How many articles an index has taken and how often it lost some: a change shows that another process has written."""

    articles: int
    """The position that the next article takes."""
    generation: int
    """The number of times that articles were removed."""


class Checksums(NamedTuple):
    """The stored checksums of a row."""

    row: int
    """Of all its columns and its link."""
    sketch: int | None
    """Of its keys and packed sketch; None where it has no sketch."""


class StorageBackend(Protocol):
    """The storage of an index.

    Call methods that write within a transaction. Reads that must agree with each other belong in one transaction or snapshot.
    """

    name: str
    """The name to show: a path, or a server without its password."""

    def transaction(self) -> AbstractContextManager[None]:
        """Wait for the right to write; commit at the end, or roll everything back on an error."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Read the index as it is now until the block ends, even if other processes write. Not within a transaction."""

    def skip_checksums(self) -> AbstractContextManager[None]:
        """Read damaged rows, sketches and states too, instead of raising IndexingError: to find and repair damage."""

    def read_meta(self) -> dict[str, str]:
        """Return the settings and versions that the index was made with; empty where there is no index yet."""

    def create_index(self, meta: Mapping[str, str]) -> None:
        """Make an empty index with these settings and versions."""

    def read_state(self) -> IndexState:
        """Return the state, which changes with every write."""

    def iter_rows(self, start: int = 0) -> Iterator[list[IndexRow]]:
        """Yield the rows from a position on, in order, in chunks."""

    def get_rows_at(self, positions: Sequence[int]) -> list[IndexRow]:
        """Return the rows at the given positions, in their order; leave missing ones out."""

    def get_rows_by_id(self, ids: Sequence[str]) -> list[IndexRow]:
        """Return the rows of the given ids, all versions, by position."""

    def get_duplicates(self, position: int) -> list[IndexRow]:
        """Return the rows of the articles that repeat a kept one, by position."""

    def count_duplicates(self, positions: Sequence[int]) -> dict[int, int]:
        """Return how many articles repeat the kept one at each of the given positions; leave out those without any."""

    def get_followers(self, position: int) -> list[IndexRow]:
        """Return the rows of the kept articles that follow another one, by position."""

    def get_packed_sketches(self, positions: Sequence[int]) -> dict[int, bytes]:
        """Return the keys followed by the packed sketch at each of the given positions; leave missing ones out."""

    def record(self, rows: Sequence[IndexRow], sketches: Mapping[int, bytes]) -> None:
        """Add rows and sketches; the positions continue from the state."""

    def remove(self, positions: Iterable[int]) -> None:
        """Remove rows, their sketches and all runs, cut the links to them, and raise the generation."""

    def list_runs(self) -> list[int]:
        """Return the positions of the first articles of the stored runs (`dedup.index.key_run`), rising."""

    def read_run_columns(self, position: int) -> bytes | None:
        """Return the stored columns of the run that begins at a position; None where it is missing."""

    def read_run_keys(self, position: int) -> bytes | None:
        """Return the stored keys of the run that begins at a position; None where it is missing."""

    def write_key_run(self, position: int, columns: bytes, keys: bytes) -> None:
        """Store the run that begins at a position."""

    def release_space(self) -> None:
        """Return the space of removed rows to the system. Not within a transaction."""

    def get_size(self) -> int:
        """Return the size of the index in bytes."""

    def find_damage(self) -> list[str]:
        """Return a sentence for each fault that the storage itself finds."""

    def read_checksums(self, positions: Sequence[int]) -> dict[int, Checksums]:
        """Return the stored checksums at the given positions; empty where the storage keeps none."""

    def replace_damaged_rows(self, rows: Sequence[IndexRow], sketches: Mapping[int, bytes]) -> None:
        """Write restored rows and sketches in the place of damaged ones; their checksums stay as they are."""

    def write_state(self, state: IndexState) -> None:
        """Write the state."""

    def rebuild_indexes(self) -> None:
        """Rebuild the indexes of the storage. Delete all runs, and the sketches and links that belong to no row."""

    def close(self) -> None:
        """Close the file or connection."""


def make_damage_error(name: str, fault: str) -> IndexingError:
    """Return the error of a damaged index: it names the index, the fault and the remedy."""
    return IndexingError(
        f"the index {name} is damaged: {fault}; `dedup index verify --repair` restores all that can be restored"
    )
