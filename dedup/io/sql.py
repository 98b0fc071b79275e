"""Read the rows of a query in DuckDB or PostgreSQL as articles.

The rows go into a temporary Arrow file, which is then read as a corpus: a corpus is read twice, and a second query could
give other rows. DuckDB streams them itself; PostgreSQL through ADBC, which gives Arrow as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from dedup.errors import InputError

__all__ = ["export_query"]

POSTGRES_SCHEMES = ("postgresql", "postgres")
PACKAGES = {"duckdb": "duckdb", "adbc_driver_postgresql": "adbc-driver-postgresql"}


def export_query(database: str, query: str, folder: Path) -> Path:
    """Write the rows of a query into a new Arrow file in a folder; return its path.

    The database is a file of DuckDB, or the URL of a PostgreSQL server; it is opened to be read only. `InputError` if it
    cannot be opened, or the query fails.
    """
    is_server = database.partition("://")[0] in POSTGRES_SCHEMES
    name = "query" if is_server else Path(database).stem
    path = folder / f"{name}.arrow"
    open_rows = open_postgres_rows if is_server else open_duckdb_rows
    try:
        with (
            open_rows(database, query) as rows,
            pa.OSFile(str(path), "wb") as file,
            pa.ipc.new_file(file, rows.schema) as out,
        ):
            for batch in rows:
                out.write_batch(batch)
    except ModuleNotFoundError as error:
        package = PACKAGES.get(str(error.name).partition(".")[0])
        if package is None:
            raise
        raise InputError(f"--sql needs the package {package}: pip install 'news-dedup[sql]'") from None
    return path


@contextmanager
def open_duckdb_rows(path: str, query: str) -> Iterator[pa.RecordBatchReader]:
    """Open the rows of a query in a file of DuckDB."""
    import duckdb

    if not Path(path).is_file():
        raise InputError(f"there is no database {path}")
    try:
        with duckdb.connect(path, read_only=True) as connection:
            yield pa.RecordBatchReader.from_stream(connection.sql(query))
    except (duckdb.Error, AttributeError) as error:
        raise InputError(f"cannot query {path}: {shorten(error)}") from error


@contextmanager
def open_postgres_rows(url: str, query: str) -> Iterator[pa.RecordBatchReader]:
    """Open the rows of a query on a PostgreSQL server; no message has the URL, which may have a password."""
    from adbc_driver_manager import Error
    from adbc_driver_postgresql import dbapi

    try:
        with dbapi.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(query)
            yield cursor.fetch_record_batch()
    except Error as error:
        raise InputError(f"cannot query the PostgreSQL server: {shorten(error)}") from error


def shorten(error: Any) -> str:
    """Return the first line of the message of an error."""
    return str(error).strip().partition("\n")[0]
