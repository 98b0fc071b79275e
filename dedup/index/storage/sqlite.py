"""Keep an index in one SQLite file: for one machine, any number of processes, one writer at a time.

Each transaction is written ahead (WAL) and synced before it counts as done. The schema is in `sql/sqlite-N.sql`;
`PRAGMA user_version` names the N of a file, and an older file is upgraded when it is opened. Only the owner may read the file.

Rows, sketches, state and settings have checksums, which are compared at each read. A lost row has none: so once a connection,
before the first lookup, SQLite compares the pages of the articles and their indexes with each other.
"""

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from dedup.errors import IndexingError
from dedup.index.storage.backend import Checksums, IndexRow, IndexState, make_damage_error
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

SCHEMA_VERSION = 4
"""The newest version of the schema."""
APPLICATION_ID = 0x64656475
"""The mark of our indexes in the header of a file ("dedu")."""
FILE_MODE = 0o600
"""The mode of a new file; SQLite gives its journal, -wal and -shm files the same."""
LOCK_TIMEOUT_SECONDS = 60.0
"""Seconds that a process waits for the right to write."""
PAGE_BYTES = 16_384
"""A packed sketch takes 3,000 to 4,000 bytes, and must not leave half a page empty."""
CACHE_KIB = 65_536
ROWS_AT_ONCE = 4096
IDS_AT_ONCE = 500
JSON_VALUES = "SELECT value FROM json_each(?)"
"""A list of positions as a parameter."""
COLUMNS = ", ".join(IndexRow._fields[:-1])
ROWS_QUERY = (
    f"SELECT {COLUMNS}, coalesce(follows, position), checksum FROM articles LEFT JOIN links USING (position)"  # noqa: S608 - our own names
)
SKETCHES_QUERY = "SELECT position, keys, sketch, sketch_checksum FROM sketches JOIN articles USING (position)"
RUN_TYPES, POSITION_TYPES, COUNT_TYPES = {(bytes,)}, {(int,)}, {(int, int)}
STATE_TYPES, META_TYPES = {(int, int, int)}, {(str, str)}
CHECKSUM_TYPES = {(int, int, checksum) for checksum in (int, type(None))}
SKETCH_TYPES = {(int, bytes, bytes, checksum) for checksum in (int, type(None))}
ROW_TYPES = {
    (int, str, int, int, published, int, int, float, bytes, float, int, bytes, int, int)
    for published in (float, type(None))
}
"""The types of the values of a row. SQLite itself lets any column hold any type."""


class SqliteBackend(CheckedBackend):
    """An index in a file."""

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.name = str(path)
        self._has_checked_pages = False
        if not create and not Path(path).is_file():
            raise IndexingError(f"there is no index {path}")
        create_private_file(path)
        with self._wrap_errors():
            self._db = sqlite3.connect(
                path,
                timeout=LOCK_TIMEOUT_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=64,
            )
        try:
            with self._wrap_errors():
                self._migrate_schema()
        except BaseException:
            self._db.close()
            raise

    def _migrate_schema(self) -> None:
        """Set the connection up, and make or upgrade the schema."""
        db = self._db
        with self.snapshot():  # another process may be upgrading it
            made_by, version = (
                self._fetch_value("PRAGMA application_id"),
                self._fetch_value("PRAGMA user_version"),
            )
            tables = self._fetch_value("SELECT count(*) FROM sqlite_master")
            foreign = 0 <= version <= SCHEMA_VERSION and not self._has_schema(version)
        if (tables and made_by != APPLICATION_ID) or version < 0 or foreign:
            raise IndexingError(f"{self.name} is a database, but not an index of dedup")
        if version > SCHEMA_VERSION:
            raise IndexingError(
                f"{self.name} is an index of a newer format ({version}; this version knows {SCHEMA_VERSION}): update dedup"
            )
        if not tables:
            db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if version < SCHEMA_VERSION:
            register_checksum_functions(db)
            with self.transaction():
                version = self._fetch_value("PRAGMA user_version")
                for number in range(version + 1, SCHEMA_VERSION + 1):
                    for statement in read_statements(f"sqlite-{number}.sql"):
                        db.execute(statement)
                    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    db.execute(f"PRAGMA user_version = {number}")
                if meta := dict(self._fetch_checked(META_TYPES, "SELECT key, value FROM meta")):
                    meta.pop(META_CHECKSUM_KEY, None)
                    db.execute(
                        "REPLACE INTO meta VALUES (?, ?)", [META_CHECKSUM_KEY, compute_meta_checksum(meta)]
                    )

    def _has_schema(self, version: int) -> bool:
        """Return whether the file holds our tables, and no triggers or views, which could run anything."""
        held = self._fetch_all(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        )
        return sorted(sql for (sql,) in held) == sorted(list_table_statements(version))

    def transaction(self) -> AbstractContextManager[None]:
        """Wait for the write lock; commit at the end, roll back where it fails."""
        return self._run_transaction("BEGIN IMMEDIATE")

    def snapshot(self) -> AbstractContextManager[None]:
        """Read from one snapshot; a writer is not held up."""
        return self._run_transaction("BEGIN DEFERRED")

    @contextmanager
    def _run_transaction(self, opening: str) -> Iterator[None]:
        """Run the block in one transaction."""
        with self._wrap_errors():
            self._db.execute(opening)
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise

    def read_meta(self) -> dict[str, str]:
        """Return the settings and versions that the index was made with."""
        return self._parse_meta(self._fetch_checked(META_TYPES, "SELECT key, value FROM meta"))

    def create_index(self, meta: Mapping[str, str]) -> None:
        """Make an empty index."""
        self._db.executemany("INSERT INTO meta VALUES (?, ?)", sorted(add_meta_checksum(meta).items()))

    def read_state(self) -> IndexState:
        """Return the state of the index."""
        query = "SELECT articles, generation, checksum FROM state"
        return self._parse_state(self._fetch_checked(STATE_TYPES, query))

    def write_state(self, state: IndexState) -> None:
        """Write the state, with its checksum."""
        with self._wrap_errors():
            self._db.execute("DELETE FROM state")
            self._db.execute("INSERT INTO state VALUES (?, ?, ?)", [*state, compute_state_checksum(state)])

    def iter_rows(self, start: int = 0) -> Iterator[list[IndexRow]]:
        """Yield the rows from a position on."""
        query = f"{ROWS_QUERY} WHERE position >= ? ORDER BY position LIMIT ?"
        while found := self._select_rows(query, start, ROWS_AT_ONCE):
            yield found
            start = found[-1].position + 1

    def get_rows_at(self, positions: Sequence[int]) -> list[IndexRow]:
        """Return the rows at the given positions."""
        query = f"{ROWS_QUERY} WHERE position IN ({JSON_VALUES})"
        by_position = {row.position: row for row in self._select_rows(query, json.dumps(list(positions)))}
        return [by_position[position] for position in positions if position in by_position]

    def get_rows_by_id(self, ids: Sequence[str]) -> list[IndexRow]:
        """Return the rows of the given ids."""
        found: list[IndexRow] = []
        for first in range(0, len(ids), IDS_AT_ONCE):
            chunk = ids[first : first + IDS_AT_ONCE]
            marks = ", ".join("?" * len(chunk))  # no list in JSON: SQLite would cut an id off at a NUL
            found += self._select_rows(f"{ROWS_QUERY} WHERE id IN ({marks})", *chunk)
        return sorted(found)

    def get_duplicates(self, position: int) -> list[IndexRow]:
        """Return the rows of the articles that repeat a kept one."""
        query = f"{ROWS_QUERY} WHERE leader = ? AND leader <> position ORDER BY position"
        return self._select_rows(query, position)

    def count_duplicates(self, positions: Sequence[int]) -> dict[int, int]:
        """Return how many articles repeat the kept one at each of the given positions."""
        query = (
            f"SELECT leader, count(*) FROM articles WHERE leader IN ({JSON_VALUES}) "  # noqa: S608 - our own names
            "AND leader <> position GROUP BY leader"
        )
        return dict(self._fetch_checked(COUNT_TYPES, query, json.dumps(list(positions))))

    def get_followers(self, position: int) -> list[IndexRow]:
        """Return the rows of the kept articles that follow another one."""
        return self._select_rows(f"{ROWS_QUERY} WHERE follows = ? ORDER BY position", position)

    def get_packed_sketches(self, positions: Sequence[int]) -> dict[int, bytes]:
        """Return the keys and packed sketches at the given positions."""
        query = f"{SKETCHES_QUERY} WHERE position IN ({JSON_VALUES})"
        return self._parse_sketches(self._fetch_checked(SKETCH_TYPES, query, json.dumps(list(positions))))

    def read_checksums(self, positions: Sequence[int]) -> dict[int, Checksums]:
        """Return the stored checksums at the given positions."""
        query = f"SELECT position, checksum, sketch_checksum FROM articles WHERE position IN ({JSON_VALUES})"  # noqa: S608 - our own names
        return parse_checksums(self._fetch_checked(CHECKSUM_TYPES, query, json.dumps(list(positions))))

    def record(self, rows: Sequence[IndexRow], sketches: Mapping[int, bytes]) -> None:
        """Add rows and sketches."""
        if not rows:
            return
        state = self.read_state()
        marks = ", ".join("?" * (len(IndexRow._fields) + 1))
        links = [(row.position, row.follows) for row in rows if row.follows != row.position]
        with self._wrap_errors():
            self._db.executemany(
                f"INSERT INTO articles ({COLUMNS}, checksum, sketch_checksum) VALUES ({marks})",  # noqa: S608 - our own names
                [
                    (
                        *row[:-1],
                        compute_row_checksum(row),
                        compute_sketch_checksum(row.keys, sketches.get(row.position)),
                    )
                    for row in rows
                ],
            )
            self._db.executemany("INSERT INTO links VALUES (?, ?)", links)
            self._db.executemany("INSERT INTO sketches VALUES (?, ?)", sketches.items())
        self.write_state(state._replace(articles=state.articles + len(rows)))

    def replace_damaged_rows(self, rows: Sequence[IndexRow], sketches: Mapping[int, bytes]) -> None:
        """Write restored rows and sketches in the place of damaged ones."""
        columns = ", ".join(f"{name} = ?" for name in IndexRow._fields[:-1])
        links = [(row.position, row.follows) for row in rows if row.follows != row.position]
        with self._wrap_errors():
            self._db.executemany(
                f"UPDATE articles SET {columns} WHERE position = ?",  # noqa: S608 - our own names
                [(*row[:-1], row.position) for row in rows],
            )
            self._db.executemany("DELETE FROM links WHERE position = ?", [[row.position] for row in rows])
            self._db.executemany("INSERT INTO links VALUES (?, ?)", links)
            self._db.executemany("REPLACE INTO sketches VALUES (?, ?)", sketches.items())

    def remove(self, positions: Iterable[int]) -> None:
        """Remove rows, their sketches and the links to them."""
        chosen = json.dumps(list(positions))
        followers = self._select_followers(chosen)
        state = self.read_state()
        with self._wrap_errors():
            for table in ("articles", "sketches", "links"):
                self._db.execute(f"DELETE FROM {table} WHERE position IN ({JSON_VALUES})", [chosen])  # noqa: S608 - our own names
            self._db.execute(f"DELETE FROM links WHERE follows IN ({JSON_VALUES})", [chosen])  # noqa: S608 - our own names
            self._db.execute("DELETE FROM runs")
            self._db.executemany(
                "UPDATE articles SET checksum = ? WHERE position = ?",
                [(compute_row_checksum(row), row.position) for row in followers],
            )
        self.write_state(state._replace(generation=state.generation + 1))

    def _select_followers(self, chosen: str) -> list[IndexRow]:
        """Return the sound rows that follow one of the chosen positions, as they are without their links."""
        query = f"{ROWS_QUERY} WHERE follows IN ({JSON_VALUES})"
        found = self._fetch_checked(ROW_TYPES, query, chosen)
        rows = [(IndexRow(*columns), checksum) for *columns, checksum in found]
        return [
            row._replace(follows=row.position)
            for row, checksum in rows
            if compute_row_checksum(row) == checksum
        ]

    def list_runs(self) -> list[int]:
        """Return the positions of the first articles of the stored runs."""
        return [
            row[0]
            for row in self._fetch_checked(POSITION_TYPES, "SELECT position FROM runs ORDER BY position")
        ]

    def read_run_columns(self, position: int) -> bytes | None:
        """Return the stored columns of a run."""
        return self._read_run_part("SELECT columns FROM runs WHERE position = ?", position)

    def read_run_keys(self, position: int) -> bytes | None:
        """Return the stored keys of a run."""
        return self._read_run_part("SELECT keys FROM runs WHERE position = ?", position)

    def _read_run_part(self, query: str, position: int) -> bytes | None:
        """Return a part of a run; None where it is missing."""
        found = self._fetch_checked(RUN_TYPES, query, position)
        return found[0][0] if found else None

    def write_key_run(self, position: int, columns: bytes, keys: bytes) -> None:
        """Store a run."""
        with self._wrap_errors():
            self._db.execute("REPLACE INTO runs VALUES (?, ?, ?)", [position, columns, keys])

    def rebuild_indexes(self) -> None:
        """Rebuild the indexes. Delete all runs, and the sketches and links that belong to no row."""
        with self._wrap_errors():
            self._db.execute("DELETE FROM runs")
            self._db.execute("REINDEX")
            for table in ("sketches", "links"):
                self._db.execute(
                    f"DELETE FROM {table} WHERE position NOT IN (SELECT position FROM articles)"  # noqa: S608 - our own names
                )
        self._has_checked_pages = False

    def release_space(self) -> None:
        """Shrink the file by the space of removed rows. While another process reads it, the last one to close it does this.

        To wait for readers here would hold up all writers.
        """
        with self._wrap_errors():
            self._db.executescript("PRAGMA incremental_vacuum")  # `execute` would free one page
            self._db.execute("PRAGMA busy_timeout = 0")
            try:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
            finally:
                self._db.execute(f"PRAGMA busy_timeout = {1000 * LOCK_TIMEOUT_SECONDS:.0f}")

    def get_size(self) -> int:
        """Return the size in bytes of the file and its log."""
        parts = (Path(f"{self.name}{suffix}") for suffix in ("", "-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    def find_damage(self) -> list[str]:
        """Return the faults that SQLite finds in the file."""
        try:
            return self._find_damage()
        except IndexingError as error:
            return [str(error)]

    def _find_damage(self) -> list[str]:
        """Return the faults that SQLite finds in the file; IndexingError where it cannot go on."""
        found = [row[0] for row in self._fetch_all("PRAGMA integrity_check")]
        damage = [] if found == ["ok"] else [f"the file is damaged: {sentence}" for sentence in found]
        lost = self._fetch_all("SELECT position FROM sketches EXCEPT SELECT position FROM articles")
        damage += [f"the sketch at {position} belongs to no article" for (position,) in lost]
        lost = self._fetch_all("SELECT position FROM links EXCEPT SELECT position FROM articles")
        return damage + [f"the link at {position} belongs to no article" for (position,) in lost]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _fetch_value(self, query: str) -> int:
        """Return the one number that a query asks for."""
        return int(self._fetch_all(query)[0][0])

    def _select_rows(self, query: str, *values: object) -> list[IndexRow]:
        """Return the rows of articles that a query selects; IndexingError where one is damaged."""
        if not self._compares_checksums:
            return [IndexRow(*row[:-1]) for row in self._fetch_checked(ROW_TYPES, query, *values)]
        if not self._has_checked_pages:
            self._check_pages()
        rows = []
        for *columns, checksum in self._fetch_checked(ROW_TYPES, query, *values):
            rows.append(row := IndexRow(*columns))
            check_row(row, checksum, self.name)
        return rows

    def _check_pages(self) -> None:
        """Raise IndexingError where a row of the articles is lost, or missing from an index."""
        found = [row[0] for row in self._fetch_all("PRAGMA integrity_check(articles)")]
        if found != ["ok"]:
            raise make_damage_error(
                self.name, f"its pages contradict each other ({' '.join(found[0].split())})"
            )
        self._has_checked_pages = True

    def _fetch_checked(self, types: Collection[tuple[type, ...]], query: str, *values: object) -> list[Any]:
        """Return all rows of a query; IndexingError where the types of their values are not as expected."""
        found = self._fetch_all(query, *values)
        if not all(tuple(map(type, row)) in types for row in found):
            raise make_damage_error(self.name, "it holds a value of another type than its column")
        return found

    def _fetch_all(self, query: str, *values: object) -> list[Any]:
        """Return all rows of a query."""
        with self._wrap_errors():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _wrap_errors(self) -> Iterator[None]:
        """Turn an error of SQLite into one sentence for the user."""
        try:
            yield
        except sqlite3.Error as error:
            raise IndexingError(f"the index {self.name}: {explain_sqlite_error(error)}") from error


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether another process is writing or reading."""
    return getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def explain_sqlite_error(error: sqlite3.Error) -> str:
    """Return a sentence that names the fault and the remedy."""
    code = getattr(error, "sqlite_errorname", "")
    if is_busy(error):
        return f"another process has been writing to it for {LOCK_TIMEOUT_SECONDS:.0f} seconds; try again"
    sentences = {
        "SQLITE_NOTADB": "it is not an index of dedup",
        "SQLITE_CORRUPT": "it is damaged; `dedup index verify --repair` restores all that can be restored",
        "SQLITE_CONSTRAINT": "it is damaged; `dedup index verify --repair` restores all that can be restored",
        "SQLITE_FULL": "the disk is full; nothing of this batch was recorded",
        "SQLITE_IOERR": "the disk is full, or failing; nothing of this batch was recorded",
        "SQLITE_READONLY": "it cannot be written to: it, its folder or the file system is read-only",
        "SQLITE_CANTOPEN": "it cannot be opened: there is no such folder, or it may not be written to",
    }
    return next((words for name, words in sentences.items() if code.startswith(name)), str(error))


def read_statements(name: str) -> list[str]:
    """Return the statements of a schema file."""
    text = (files("dedup") / "index" / "storage" / "sql" / name).read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]


def list_table_statements(version: int) -> list[str]:
    """Return the statements that make the tables of a version of the schema, as SQLite writes them down."""
    statements = {}
    for number in range(1, version + 1):
        for statement in read_statements(f"sqlite-{number}.sql"):
            if statement.startswith("CREATE"):
                statements[statement.split()[2]] = statement
    return list(statements.values())


def create_private_file(path: str | Path) -> None:
    """Create an empty file that only its owner may read, where there is none; SQLite names the reason where it cannot.

    An existing file is not even opened: to close it would end the locks that this process holds on it.
    """
    with suppress(OSError, ValueError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE))


def compute_sketch_checksum(keys: bytes, sketch: bytes | None) -> int | None:
    """Return the checksum of the keys and the packed sketch of an article; None where it has no sketch."""
    return None if sketch is None else compute_checksum(keys + sketch)


def register_checksum_functions(db: sqlite3.Connection) -> None:
    """Let the statements that upgrade a file compute checksums.

    A value of the wrong type gets 0, which never matches: such a row was damaged before.
    """

    def compute_row(*values: Any) -> int:
        return compute_row_checksum(IndexRow(*values)) if (*map(type, values), int) in ROW_TYPES else 0

    def compute_sketch(keys: Any, sketch: Any) -> int | None:
        if sketch is None:
            return None
        return compute_checksum(keys + sketch) if isinstance(keys, bytes) and isinstance(sketch, bytes) else 0

    def compute_state(*values: Any) -> int:
        return compute_state_checksum(IndexState(*values)) if (*map(type, values), int) in STATE_TYPES else 0

    db.create_function("compute_row_checksum", len(IndexRow._fields), compute_row)
    db.create_function("compute_sketch_checksum", 2, compute_sketch)
    db.create_function("compute_state_checksum", len(IndexState._fields), compute_state)
