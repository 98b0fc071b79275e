"""Keep an index in a PostgreSQL database: for any number of processes on any number of machines, one writer at a time.

Its location is a URL as PostgreSQL's own tools take it, `postgresql://user:password@host:port/database`. The index has a schema
of its own, made when there is none: `dedup`, or the one that `?schema=NAME` names. A password may also come from PGPASSWORD or
~/.pgpass, and is never shown. Other parameters (`&sslmode=require` ...) go to the server's client library.

Each turn to write is one transaction, which first waits for the schema's advisory lock. The lock ends with the transaction, so a
process that dies releases it. Nothing outlives a transaction in a session, so a connection pool may stand before the server. The
tables are in `sql/postgres-N.sql`; `dedup_index` records the N of a schema, and an older one is upgraded when it is opened. Rows,
sketches, state and settings have checksums, which are compared at each read. PostgreSQL 11 or later is needed.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.resources import files
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from dedup.errors import IndexingError
from dedup.index.storage.backend import (
    Checksums,
    ConnectionLostError,
    IndexRow,
    IndexState,
    ServerAbsentError,
    make_damage_error,
)
from dedup.index.storage.checked import CheckedBackend, parse_checksums
from dedup.index.storage.checksum import (
    META_CHECKSUM_KEY,
    add_meta_checksum,
    check_row,
    compute_checksum,
    compute_meta_checksum,
    compute_row_checksum,
    compute_state_checksum,
)
from dedup.index.storage.postgres_url import DEFAULT_SCHEMA, format_postgres_url, parse_postgres_url

SCHEMA_VERSION = 4
"""The newest version of the schema."""
CHECKSUM_VERSION = 3
"""The version of the schema that brought checksums."""
MARKER_TABLE = "dedup_index"
"""The table that marks a schema as ours."""
LOCK_TIMEOUT_SECONDS = 60
"""Seconds that a process waits for the right to write."""
IDLE_TIMEOUT_SECONDS = 30
"""Seconds after which the server ends the transaction of a silent process, such as one on a machine that is gone."""
CONNECT_OPTIONS = {
    "connect_timeout": 10,
    "fallback_application_name": "dedup",
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""Defaults that a URL may override: a server that vanishes is noticed within a minute, not after hours."""
ROWS_AT_ONCE = 4096
ROWS_QUERY: LiteralString = (
    "SELECT {columns}, coalesce(follows, position), checksum FROM {schema}.articles "
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
    "sketch": "bytea",
    "checksum": "int8",
    "sketch_checksum": "int8",
}
"""The types of the columns of `articles`, those of `IndexRow` first, in its order."""
BEGIN_TRANSACTION = """
    BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL lock_timeout = {patience};
    SET LOCAL idle_in_transaction_session_timeout = {silence};
    SELECT pg_advisory_xact_lock({key})
"""
"""READ COMMITTED: a statement after the lock sees all that was committed before it."""
BEGIN_SNAPSHOT: LiteralString = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresBackend(CheckedBackend):
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
        """Return a new connection; ConnectionLostError where the server is away, IndexingError where it refuses the connection.

        A server that is starting may refuse and then answer the ping, so the connection is tried twice.
        """
        parameters = {**CONNECT_OPTIONS, **self._parameters}
        for may_have_started in (True, False):
            try:
                # Each statement is planned anew, for a pool gives every transaction another session.
                return psycopg.connect(**parameters, autocommit=True, prepare_threshold=None)
            except psycopg.Error as error:
                kind = classify_connection_error(error, parameters)
                if kind is not IndexingError or not may_have_started:
                    raise kind(
                        f"the index {self.name}: its server does not let us in: {format_error_line(error)}"
                    ) from error
        raise AssertionError("a connection is returned, or an error raised")

    def _migrate_schema(self, *, create: bool) -> None:
        """Upgrade the schema, or make it."""
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
                if number == CHECKSUM_VERSION:
                    self._fill_checksums()
                self._run_statement("UPDATE {schema}.dedup_index SET format = %s", number)

    def _fill_checksums(self) -> None:
        """Give a checksum to every row, since earlier versions wrote none, and forbid rows without one."""
        with self.skip_checksums():
            self.write_state(self.read_state())
            for rows in self.iter_rows():
                sketches = self.get_packed_sketches([row.position for row in rows])
                self._run_statement(
                    "UPDATE {schema}.articles SET checksum = given.row_sum, sketch_checksum = given.sketch_sum "
                    "FROM unnest(%s::int4[], %s::int8[], %s::int8[]) AS given (place, row_sum, sketch_sum) "
                    "WHERE position = given.place",
                    [row.position for row in rows],
                    [compute_row_checksum(row) for row in rows],
                    [
                        compute_checksum(sketches[row.position]) if row.position in sketches else None
                        for row in rows
                    ],
                )
        if meta := dict(self._fetch_all("SELECT key, value FROM {schema}.meta")):
            self._run_statement(
                "INSERT INTO {schema}.meta VALUES (%s, %s)", META_CHECKSUM_KEY, compute_meta_checksum(meta)
            )
        self._run_statement("ALTER TABLE {schema}.articles ALTER COLUMN checksum SET NOT NULL")
        self._run_statement("ALTER TABLE {schema}.state ALTER COLUMN checksum SET NOT NULL")

    def _read_version(self) -> int:
        """Return the version of the schema, 0 if there is none; IndexingError if dedup did not make it."""
        found = self._fetch_all(
            "SELECT relname FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)",
            self._schema,
        )
        if not found:
            return 0
        if (MARKER_TABLE,) not in found:
            raise IndexingError(
                f"{self.name} is a schema with tables of others, but not an index of dedup: name another schema, "
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
        """Run the block in one transaction, over a new connection if the last has broken."""
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
        """Roll the transaction back; if the server cannot be asked, close the connection, and it rolls back by itself."""
        try:
            self._db.execute("ROLLBACK")
        except psycopg.Error:
            self._db.close()

    def read_meta(self) -> dict[str, str]:
        """Return the settings and versions that the index was made with."""
        return self._parse_meta(self._fetch_all("SELECT key, value FROM {schema}.meta"))

    def create_index(self, meta: Mapping[str, str]) -> None:
        """Make an empty index."""
        for item in sorted(add_meta_checksum(meta).items()):
            self._run_statement("INSERT INTO {schema}.meta VALUES (%s, %s)", *item)

    def read_state(self) -> IndexState:
        """Return the state of the index."""
        return self._parse_state(self._fetch_all("SELECT articles, generation, checksum FROM {schema}.state"))

    def write_state(self, state: IndexState) -> None:
        """Write the state, with its checksum."""
        self._run_statement("DELETE FROM {schema}.state")
        self._run_statement(
            "INSERT INTO {schema}.state VALUES (%s, %s, %s)", *state, compute_state_checksum(state)
        )

    def iter_rows(self, start: int = 0) -> Iterator[list[IndexRow]]:
        """Yield the rows from a position on."""
        while found := self._select_rows("position >= %s ORDER BY position LIMIT %s", start, ROWS_AT_ONCE):
            yield found
            start = found[-1].position + 1

    def get_rows_at(self, positions: Sequence[int]) -> list[IndexRow]:
        """Return the rows at the given positions."""
        found = self._select_rows("position = ANY(%s::integer[])", list(positions))
        by_position = {row.position: row for row in found}
        return [by_position[position] for position in positions if position in by_position]

    def get_rows_by_id(self, ids: Sequence[str]) -> list[IndexRow]:
        """Return the rows of the given ids."""
        return self._select_rows("id = ANY(%s::bytea[]) ORDER BY position", [name.encode() for name in ids])

    def get_duplicates(self, position: int) -> list[IndexRow]:
        """Return the rows of the articles that repeat a kept one."""
        return self._select_rows("leader = %s AND leader <> position ORDER BY position", position)

    def count_duplicates(self, positions: Sequence[int]) -> dict[int, int]:
        """Return how many articles repeat the kept one at each of the given positions."""
        query: LiteralString = (
            "SELECT leader, count(*) FROM {schema}.articles WHERE leader = ANY(%s::integer[]) "
            "AND leader <> position GROUP BY leader"
        )
        return dict(self._fetch_all(query, list(positions)))

    def get_followers(self, position: int) -> list[IndexRow]:
        """Return the rows of the kept articles that follow another one."""
        return self._select_rows("follows = %s ORDER BY position", position)

    def get_packed_sketches(self, positions: Sequence[int]) -> dict[int, bytes]:
        """Return the keys and packed sketches at the given positions."""
        found = self._fetch_all(
            "SELECT position, keys, sketch, sketch_checksum FROM {schema}.articles "
            "WHERE position = ANY(%s::integer[]) AND sketch <> ''",
            list(positions),
        )
        return self._parse_sketches(found)

    def read_checksums(self, positions: Sequence[int]) -> dict[int, Checksums]:
        """Return the stored checksums at the given positions."""
        found = self._fetch_all(
            "SELECT position, checksum, sketch_checksum FROM {schema}.articles WHERE position = ANY(%s::integer[])",
            list(positions),
        )
        return parse_checksums(found)

    def record(self, rows: Sequence[IndexRow], sketches: Mapping[int, bytes]) -> None:
        """Add rows and sketches."""
        if not rows:
            return
        state = self.read_state()
        links = [(row.position, row.follows) for row in rows if row.follows != row.position]
        self._copy_rows(
            "COPY {schema}.articles ({columns}, sketch, checksum, sketch_checksum) FROM STDIN (FORMAT BINARY)",
            list(COLUMN_TYPES.values()),
            [format_table_row(row, sketches.get(row.position)) for row in rows],
        )
        if links:
            self._copy_rows("COPY {schema}.links FROM STDIN (FORMAT BINARY)", ["int4", "int4"], links)
        self.write_state(state._replace(articles=state.articles + len(rows)))

    def _copy_rows(self, query: LiteralString, types: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Send rows of a table to the server."""
        with (
            self._wrap_errors(),
            self._db.cursor() as cursor,
            cursor.copy(self._format_query(query)) as copy,
        ):
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def replace_damaged_rows(self, rows: Sequence[IndexRow], sketches: Mapping[int, bytes]) -> None:
        """Write restored rows and sketches in the place of damaged ones."""
        for row in rows:
            self._run_statement(
                "UPDATE {schema}.articles SET ({columns}) = ROW (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) "
                "WHERE position = %s",
                *row._replace(id=row.id.encode())[:-1],  # type: ignore[arg-type]
                row.position,
            )
            self._run_statement("DELETE FROM {schema}.links WHERE position = %s", row.position)
            if row.follows != row.position:
                self._run_statement("INSERT INTO {schema}.links VALUES (%s, %s)", row.position, row.follows)
        for position, sketch in sketches.items():
            self._run_statement(
                "UPDATE {schema}.articles SET sketch = %s WHERE position = %s", sketch, position
            )

    def remove(self, positions: Iterable[int]) -> None:
        """Remove rows, their sketches and the links to them."""
        chosen = list(positions)
        state = self.read_state()
        followers = self._select_followers(chosen)
        self._run_statement("DELETE FROM {schema}.runs")
        self._run_statement("DELETE FROM {schema}.articles WHERE position = ANY(%s::integer[])", chosen)
        self._run_statement(
            "DELETE FROM {schema}.links WHERE position = ANY(%s::integer[]) OR follows = ANY(%s::integer[])",
            chosen,
            chosen,
        )
        self._run_statement(
            "UPDATE {schema}.articles SET checksum = given.row_sum "
            "FROM unnest(%s::int4[], %s::int8[]) AS given (place, row_sum) WHERE position = given.place",
            [row.position for row in followers],
            [compute_row_checksum(row) for row in followers],
        )
        self.write_state(state._replace(generation=state.generation + 1))

    def _select_followers(self, chosen: Sequence[int]) -> list[IndexRow]:
        """Return the sound rows that follow one of the chosen positions, as they are without their links."""
        with self.skip_checksums():
            rows = self._select_rows("follows = ANY(%s::integer[])", list(chosen))
        checksums = self.read_checksums([row.position for row in rows])
        return [
            row._replace(follows=row.position)
            for row in rows
            if compute_row_checksum(row) == checksums[row.position].row
        ]

    def list_runs(self) -> list[int]:
        """Return the positions of the first articles of the stored runs."""
        return [row[0] for row in self._fetch_all("SELECT position FROM {schema}.runs ORDER BY position")]

    def read_run_columns(self, position: int) -> bytes | None:
        """Return the stored columns of a run."""
        return self._read_run_part("SELECT columns FROM {schema}.runs WHERE position = %s", position)

    def read_run_keys(self, position: int) -> bytes | None:
        """Return the stored keys of a run."""
        return self._read_run_part("SELECT keys FROM {schema}.runs WHERE position = %s", position)

    def _read_run_part(self, query: LiteralString, position: int) -> bytes | None:
        """Return a part of a run; None where it is missing."""
        found = self._fetch_all(query, position)
        return found[0][0] if found else None

    def write_key_run(self, position: int, columns: bytes, keys: bytes) -> None:
        """Store a run."""
        self._run_statement("DELETE FROM {schema}.runs WHERE position = %s", position)
        self._run_statement("INSERT INTO {schema}.runs VALUES (%s, %s, %s)", position, columns, keys)

    def rebuild_indexes(self) -> None:
        """Rebuild the indexes of the tables. Delete all runs, and the links that belong to no row."""
        self._run_statement("DELETE FROM {schema}.runs")
        self._run_statement("REINDEX TABLE {schema}.articles")
        self._run_statement(
            "DELETE FROM {schema}.links WHERE position NOT IN (SELECT position FROM {schema}.articles)"
        )
        self._run_statement("REINDEX TABLE {schema}.links")

    def release_space(self) -> None:
        """Free the space of removed rows for new ones. The files do not shrink: that would hold up all others."""
        self._run_statement("VACUUM (ANALYZE) {schema}.articles, {schema}.links")

    def get_size(self) -> int:
        """Return the size in bytes of the tables and their indexes."""
        query = """SELECT sum(pg_total_relation_size(oid)) FROM pg_class
            WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = %s)"""
        return int(self._fetch_all(query, self._schema)[0][0])

    def find_damage(self) -> list[str]:
        """Return the faults that the server finds while it reads every row and sketch."""
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
        """Return the rows for which a condition holds; IndexingError where one is damaged."""
        rows = []
        for position, name, *rest, checksum in self._fetch_all(ROWS_QUERY + condition, *values):
            try:
                rows.append(row := IndexRow(position, name.decode(), *rest))
            except UnicodeDecodeError as error:
                raise make_damage_error(
                    self.name, f"the id of the article at position {position} is not UTF-8"
                ) from error
            if self._compares_checksums:
                check_row(row, checksum, self.name)
        return rows

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
        """Turn an error of the server into one sentence for the user."""
        try:
            yield
        except psycopg.Error as error:
            kind = ConnectionLostError if self._db.closed or is_transient(error) else IndexingError
            raise kind(f"the index {self.name}: {explain_postgres_error(error)}") from error


def format_table_row(row: IndexRow, sketch: bytes | None) -> tuple[object, ...]:
    """Return a row as the table of articles holds it: with its sketch (empty where it has none) and checksums."""
    own = row._replace(id=row.id.encode())[:-1]  # type: ignore[arg-type]
    sketch_checksum = None if sketch is None else compute_checksum(row.keys + sketch)
    return *own, sketch or b"", compute_row_checksum(row), sketch_checksum


def classify_connection_error(error: psycopg.Error, parameters: Mapping[str, Any]) -> type[IndexingError]:
    """Return the error to raise: no server answers, the server is starting or stopping, or it refused the connection."""
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return ServerAbsentError
    try:
        answer = psycopg.pq.PGconn.ping(make_conninfo(**parameters).encode())
    except psycopg.Error:
        return IndexingError
    if answer == psycopg.pq.Ping.NO_RESPONSE:
        return ServerAbsentError
    return ConnectionLostError if answer == psycopg.pq.Ping.REJECT else IndexingError


def is_transient(error: psycopg.Error) -> bool:
    """Return whether the same work may succeed a moment later: the server goes away, or ended the transaction."""
    state = error.sqlstate or ""
    return state.startswith(("08", "40", "57P")) or state == "25P03"


def explain_postgres_error(error: psycopg.Error) -> str:
    """Return a sentence that names the fault and the remedy."""
    sentences = {
        "55P03": f"another process has been writing to it for {LOCK_TIMEOUT_SECONDS} seconds; try again",
        "53100": "the server's disk is full; nothing of this batch was recorded",
        "25006": "it cannot be written to: this server is a read-only copy",
        "42501": f"this user may not do that there ({format_error_line(error)})",
        "XX001": f"it is damaged ({format_error_line(error)})",
        "XX002": f"it is damaged ({format_error_line(error)})",
    }
    return sentences.get(error.sqlstate or "", format_error_line(error))


def format_error_line(error: psycopg.Error) -> str:
    """Return the message of the server or its client library, on one line."""
    return " ".join((error.diag.message_primary or str(error)).split())


def compute_lock_key(schema: str) -> int:
    """Return the key of a schema's advisory lock: 64 bits, signed."""
    digest = hashlib.blake2b(f"index of dedup: {schema}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
