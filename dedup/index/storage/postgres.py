"""An index in a PostgreSQL database: for any number of processes on any number of machines, one writer at a time.

Its place is a URL as PostgreSQL's own tools take it, `postgresql://user:password@host:port/database`. The index has a schema of
its own, made when there is none: `dedup`, or the one that `?schema=NAME` names. A password may as well come from PGPASSWORD or
~/.pgpass, and is never shown. Other parameters (`&sslmode=require` ...) are for the server's client library.

Each turn is one transaction, whose first act is to wait for the schema's advisory lock: it ends with the transaction, so a
process that dies lets go of it. Nothing outlives a transaction in a session, so a pool may stand before the server. The tables
are in `sql/postgres-N.sql`; `dedup_index` says which N a schema has, and an older one is brought forward when it is opened.
PostgreSQL 11 or later will do.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.resources import files
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from dedup.errors import IndexingError
from dedup.index.storage.backend import ConnectionLostError, IndexRow, IndexState
from dedup.index.storage.postgres_url import DEFAULT_SCHEMA, format_postgres_url, parse_postgres_url

SCHEMA_VERSION = 2
"""The newest version of the schema."""
MARKER_TABLE = "dedup_index"
"""The table that tells our schemas from others'."""
LOCK_TIMEOUT_SECONDS = 60
"""Seconds that a process waits for its turn."""
IDLE_TIMEOUT_SECONDS = 30
"""Seconds after which the server takes the turn of a process that says nothing, as one on a machine that is gone."""
CONNECT_OPTIONS = {
    "connect_timeout": 10,
    "fallback_application_name": "dedup",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""What a place may say otherwise: a server that is gone without a word is noticed in a minute, not in hours."""
ROWS_AT_ONCE = 4096
ROWS_QUERY: LiteralString = (
    "SELECT {columns}, coalesce(follows, position) FROM {schema}.articles "
    "LEFT JOIN {schema}.links USING (position) WHERE "
)
COLUMNS = sql.SQL(", ").join(map(sql.Identifier, IndexRow._fields[:-1]))
COLUMN_TYPES = {
    "position": "int4",
    "id": "bytea",
    "version": "int4",
    "telling": "int8",
    "published": "float8",
    "leader": "int4",
    "relation": "int2",
    "score": "float8",
    "evidence": "bytea",
    "decided": "float8",
    "mark": "int2",
    "keys": "bytea",
}
"""Of the columns of `articles`, in the order of `Row`."""
BEGIN_TRANSACTION = """
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL lock_timeout = {patience};
    SET LOCAL idle_in_transaction_session_timeout = {silence};
    SELECT pg_advisory_xact_lock({key})
"""
"""What was committed before the lock was had is seen after it: each statement looks anew."""
BEGIN_SNAPSHOT: LiteralString = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresBackend:
    """An index in a schema of a database."""

    def __init__(self, location: str, *, create: bool = True) -> None:
        self._parameters, self._schema = parse_postgres_url(location)
        self.name = format_postgres_url(self._parameters, self._schema)
        self._in_transaction = False
        self._db = self._connect()
        try:
            self._migrate_schema(create=create)
        except BaseException:
            self._db.close()
            raise

    def _connect(self) -> psycopg.Connection[Any]:
        """Return a new connection; each statement is planned anew, for a pool gives every transaction another session."""
        try:
            return psycopg.connect(
                **{**CONNECT_OPTIONS, **self._parameters}, autocommit=True, prepare_threshold=None
            )
        except psycopg.Error as error:
            raise ConnectionLostError(
                f"the index {self.name}: its server does not let us in: {format_error_line(error)}"
            ) from error

    def _migrate_schema(self, *, create: bool) -> None:
        """Bring the schema forward, or make it."""
        version = self._read_version()
        if version > SCHEMA_VERSION:
            raise IndexingError(
                f"{self.name} is an index of a newer format ({version}; this version knows "
                f"{SCHEMA_VERSION}): update dedup"
            )
        if not version and not create:
            raise IndexingError(f"there is no index {self.name}")
        if version == SCHEMA_VERSION:
            return
        with self.transaction():
            if not self._fetch_all("SELECT FROM pg_namespace WHERE nspname = %s", self._schema):
                self._run_statement("CREATE SCHEMA {schema}")
            for number in range(self._read_version() + 1, SCHEMA_VERSION + 1):
                self._run_statement("SET LOCAL search_path TO {schema}")
                with self._wrap_errors():
                    self._db.execute(
                        (files("dedup") / "index" / "storage" / "sql" / f"postgres-{number}.sql").read_bytes()
                    )
                self._run_statement("UPDATE {schema}.dedup_index SET format = %s", number)

    def _read_version(self) -> int:
        """Return the version of the schema, 0 where there is none; IndexingError where it is not ours."""
        found = self._fetch_all(
            "SELECT relname FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)",
            self._schema,
        )
        if not found:
            return 0
        if (MARKER_TABLE,) not in found:
            raise IndexingError(
                f"{self.name} is a schema with tables of others, but no index of dedup: name another, "
                f"as in ?schema={DEFAULT_SCHEMA}"
            )
        return int(self._fetch_all("SELECT format FROM {schema}.dedup_index")[0][0])

    def transaction(self) -> AbstractContextManager[None]:
        """Wait for the lock; commit at the end, roll back where it fails."""
        return self._run_transaction(
            sql.SQL(BEGIN_TRANSACTION).format(
                patience=sql.Literal(f"{LOCK_TIMEOUT_SECONDS}s"),
                silence=sql.Literal(f"{IDLE_TIMEOUT_SECONDS}s"),
                key=sql.Literal(compute_lock_key(self._schema)),
            )
        )

    def snapshot(self) -> AbstractContextManager[None]:
        """Read from one snapshot; a writer is not held up."""
        return self._run_transaction(BEGIN_SNAPSHOT)

    @contextmanager
    def _run_transaction(self, opening: LiteralString | sql.Composed) -> Iterator[None]:
        """Do all in one transaction, over a new connection where the last has broken."""
        if self._db.closed:
            self._db = self._connect()
        with self._wrap_errors():
            self._in_transaction = True
            try:
                self._db.execute(opening)
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._try_rollback()
                raise
            finally:
                self._in_transaction = False

    def _try_rollback(self) -> None:
        """Undo what was begun: the server does, where it cannot be told to."""
        try:
            self._db.execute("ROLLBACK")
        except psycopg.Error:
            self._db.close()

    def read_meta(self) -> dict[str, str]:
        """Return what the index says of itself."""
        return dict(self._fetch_all("SELECT key, value FROM {schema}.meta"))

    def create_index(self, meta: Mapping[str, str]) -> None:
        """Make an empty index."""
        for item in sorted(meta.items()):
            self._run_statement("INSERT INTO {schema}.meta VALUES (%s, %s)", *item)

    def read_state(self) -> IndexState:
        """Return how far the index has come."""
        found = self._fetch_all("SELECT articles, generation FROM {schema}.state")
        if len(found) != 1:
            raise IndexingError(f"the index {self.name} is damaged: it does not say how far it has come")
        return IndexState(*found[0])

    def iter_rows(self, start: int = 0) -> Iterator[list[IndexRow]]:
        """Yield the rows from a position on."""
        while found := self._select_rows("position >= %s ORDER BY position LIMIT %s", start, ROWS_AT_ONCE):
            yield found
            start = found[-1].position + 1

    def get_rows_at(self, positions: Sequence[int]) -> list[IndexRow]:
        """Return the rows at some positions."""
        found = self._select_rows("position = ANY(%s::integer[])", list(positions))
        by_position = {row.position: row for row in found}
        return [by_position[position] for position in positions if position in by_position]

    def get_rows_by_id(self, ids: Sequence[str]) -> list[IndexRow]:
        """Return the rows of some ids."""
        return self._select_rows("id = ANY(%s::bytea[]) ORDER BY position", [name.encode() for name in ids])

    def get_duplicates(self, position: int) -> list[IndexRow]:
        """Return the rows of the articles that repeat a kept one."""
        return self._select_rows("leader = %s AND leader <> position ORDER BY position", position)

    def get_sketches(self, positions: Sequence[int]) -> dict[int, bytes]:
        """Return the keys and packed sketches at some positions."""
        found = self._fetch_all(
            "SELECT position, keys, sketch FROM {schema}.articles WHERE position = ANY(%s::integer[]) AND sketch <> ''",
            list(positions),
        )
        return {position: keys + sketch for position, keys, sketch in found}

    def record(self, rows: Sequence[IndexRow], sketches: Mapping[int, bytes]) -> None:
        """Add rows and sketches."""
        if not rows:
            return
        query = self._format_query("COPY {schema}.articles ({columns}, sketch) FROM STDIN (FORMAT BINARY)")
        with self._wrap_errors():
            with self._db.cursor() as cursor, cursor.copy(query) as copy:
                copy.set_types([*COLUMN_TYPES.values(), "bytea"])
                for row in rows:
                    own = row._replace(id=row.id.encode())[:-1]  # type: ignore[arg-type]
                    copy.write_row((*own, sketches.get(row.position, b"")))
            links = [(row.position, row.follows) for row in rows if row.follows != row.position]
            if links:
                copied = self._format_query("COPY {schema}.links FROM STDIN (FORMAT BINARY)")
                with self._db.cursor() as cursor, cursor.copy(copied) as copy:
                    copy.set_types(["int4", "int4"])
                    for link in links:
                        copy.write_row(link)
            self._run_statement("UPDATE {schema}.state SET articles = articles + %s", len(rows))

    def remove(self, positions: Iterable[int]) -> None:
        """Take rows out."""
        chosen = list(positions)
        self._run_statement("DELETE FROM {schema}.articles WHERE position = ANY(%s::integer[])", chosen)
        self._run_statement(
            "DELETE FROM {schema}.links WHERE position = ANY(%s::integer[]) OR follows = ANY(%s::integer[])",
            chosen,
            chosen,
        )
        self._run_statement("UPDATE {schema}.state SET generation = generation + 1")

    def release_space(self) -> None:
        """Free what was removed for what is yet to come. The files do not shrink: that would hold everybody up."""
        self._run_statement("VACUUM (ANALYZE) {schema}.articles, {schema}.links")

    def get_size(self) -> int:
        """Return how many bytes the tables and their indexes take."""
        query = """SELECT sum(pg_total_relation_size(oid)) FROM pg_class
            WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)"""
        return int(self._fetch_all(query, self._schema)[0][0])

    def find_damage(self) -> list[str]:
        """Return what keeps the server from reading every row and sketch through."""
        try:
            self._fetch_all("SELECT count(sha256(sketch)), count(sha256(keys)) FROM {schema}.articles")
            lost = self._fetch_all(
                "SELECT position FROM {schema}.links EXCEPT SELECT position FROM {schema}.articles"
            )
        except ConnectionLostError:
            raise
        except IndexingError as error:
            return [str(error)]
        return [f"the link at {position} belongs to no article" for (position,) in lost]

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def _select_rows(self, condition: LiteralString, *values: object) -> list[IndexRow]:
        """Return the rows for which a condition holds."""
        found = self._fetch_all(ROWS_QUERY + condition, *values)
        try:
            return [IndexRow(position, name.decode(), *rest) for position, name, *rest in found]
        except UnicodeDecodeError as error:
            raise IndexingError(f"the index {self.name} is damaged: an id is not UTF-8") from error

    def _fetch_all(self, query: LiteralString, *values: object) -> list[Any]:
        """Return all rows of a query."""
        if self._db.closed and not self._in_transaction:
            self._db = self._connect()
        with self._wrap_errors():
            return self._db.execute(self._format_query(query), values, binary=True).fetchall()

    def _run_statement(self, statement: LiteralString, *values: object) -> None:
        """Execute a statement that returns nothing."""
        with self._wrap_errors():
            self._db.execute(self._format_query(statement), values or None)

    def _format_query(self, query: LiteralString) -> sql.Composed:
        """Return a query with the names of the schema and of the columns in it."""
        return sql.SQL(query).format(schema=sql.Identifier(self._schema), columns=COLUMNS)

    @contextmanager
    def _wrap_errors(self) -> Iterator[None]:
        """Tell a user in a sentence what the server says in its own words."""
        try:
            yield
        except psycopg.Error as error:
            kind = ConnectionLostError if self._db.closed or is_transient(error) else IndexingError
            raise kind(f"the index {self.name}: {explain_postgres_error(error)}") from error


def is_transient(error: psycopg.Error) -> bool:
    """Return whether a server that says this may do the same a moment later: it goes away, or takes a turn back."""
    state = error.sqlstate or ""
    return state.startswith(("08", "40", "57P")) or state == "25P03"


def explain_postgres_error(error: psycopg.Error) -> str:
    """Return what is wrong in words that say what to do."""
    said = {
        "55P03": f"another process has been writing to it for {LOCK_TIMEOUT_SECONDS} seconds; try again",
        "53100": "the server's disk is full; nothing of this batch was recorded",
        "25006": "it cannot be written to: this server is a read-only copy",
        "42501": f"this user may not do that there ({format_error_line(error)})",
        "XX001": f"it is damaged ({format_error_line(error)})",
        "XX002": f"it is damaged ({format_error_line(error)})",
    }
    return said.get(error.sqlstate or "", format_error_line(error))


def format_error_line(error: psycopg.Error) -> str:
    """Return what the server or its client library says, on one line."""
    return " ".join((error.diag.message_primary or str(error)).split())


def compute_lock_key(schema: str) -> int:
    """Return the key of a schema's advisory lock: 64 bits, signed."""
    digest = hashlib.blake2b(f"index of dedup: {schema}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
