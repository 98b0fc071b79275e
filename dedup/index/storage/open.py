"""The name of a place → the home of the index that lives there.

In: a path, ":memory:", or the address of a server. Out: a home; nothing is made there before the index begins.
"""

from pathlib import Path

from dedup.errors import IndexingError
from dedup.index.storage.backend import Home
from dedup.index.storage.memory import MemoryHome
from dedup.index.storage.sqlite import SqliteHome

IN_MEMORY = ":memory:"
ON_A_SERVER = ("postgresql://", "postgres://")


def home_at(place: str | Path, *, create: bool) -> Home:
    """Return the home that a place names."""
    named = str(place)
    if named == IN_MEMORY:
        return MemoryHome()
    if not named:
        raise IndexingError("an index needs a place, a file such as seen.db; none was named")
    if named.startswith(ON_A_SERVER):
        return postgres_home(named, create=create)
    return SqliteHome(place, create=create)


def postgres_home(place: str, *, create: bool) -> Home:
    """Return the home on a PostgreSQL server; IndexingError where the package that talks to it is missing."""
    try:
        from dedup.index.storage.postgres import PostgresHome
    except ImportError as error:
        raise IndexingError(
            "an index in PostgreSQL needs the package psycopg: pip install 'news-dedup[postgres]'"
        ) from error
    return PostgresHome(place, create=create)
