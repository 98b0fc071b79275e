"""Choose the storage of an index by its location: a path, ":memory:", or the URL of a server."""

from pathlib import Path

from dedup.errors import IndexingError
from dedup.index.storage.backend import StorageBackend
from dedup.index.storage.memory import MemoryBackend
from dedup.index.storage.sqlite import SqliteBackend

MEMORY_LOCATION = ":memory:"
POSTGRES_PREFIXES = ("postgresql://", "postgres://")


def open_backend(location: str | Path, *, create: bool) -> StorageBackend:
    """Return the storage at a location."""
    named = str(location)
    if named == MEMORY_LOCATION:
        return MemoryBackend()
    if not named:
        raise IndexingError("an index needs a place, such as the file seen.db; none was given")
    if named.startswith(POSTGRES_PREFIXES):
        return open_postgres(named, create=create)
    return SqliteBackend(location, create=create)


def open_postgres(location: str, *, create: bool) -> StorageBackend:
    """Return the storage on a PostgreSQL server; IndexingError where the package psycopg is missing."""
    try:
        from dedup.index.storage.postgres import PostgresBackend
    except ImportError as error:
        raise IndexingError(
            "an index in PostgreSQL needs the package psycopg: pip install 'news-dedup[postgres]'"
        ) from error
    return PostgresBackend(location, create=create)
