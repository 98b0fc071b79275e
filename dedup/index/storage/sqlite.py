"""An index in one SQLite file: for one machine, any number of processes, one writer at a time.

Each turn is one transaction, written ahead (WAL) and synced before it counts as done; processes take turns. The schema is in
`sql/sqlite-N.sql`, and `PRAGMA user_version` says which N a file has; an older file is brought forward when it is opened.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

from dedup.errors import IndexingError
from dedup.index.storage.backend import IndexRow, IndexState

SCHEMA_VERSION = 2
"""The newest version of the schema."""
APPLICATION_ID = 0x64656475
"""Says in the file's header that it is an index of ours ("dedu")."""
LOCK_TIMEOUT_SECONDS = 60.0
"""Seconds that a process waits for its turn."""
PAGE_BYTES = 16_384
"""Bytes of a page: a packed sketch takes three or four thousand, and must not leave half a page empty."""
CACHE_KIB = 65_536
ROWS_AT_ONCE = 4096
IDS_AT_ONCE = 500
JSON_VALUES = "SELECT value FROM json_each(?)"
"""A list of positions as a parameter."""
COLUMNS = ", ".join(IndexRow._fields[:-1])
ROWS_QUERY = f"SELECT {COLUMNS}, coalesce(follows, position) FROM articles LEFT JOIN links USING (position)"  # noqa: S608 - our own names
STATE_TYPES, META_TYPES, SKETCH_TYPES = {(int, int)}, {(str, str)}, {(int, bytes, bytes)}
ROW_TYPES = {
    (int, str, int, int, published, int, int, float, bytes, float, int, bytes, int)
    for published in (float, type(None))
}
"""What the values of a row are. SQLite itself lets any column hold anything."""


class SqliteBackend:
    """An index in a file."""

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.name = str(path)
        if not create and not Path(path).is_file():
            raise IndexingError(f"there is no index {path}")
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
        """Set the connection up, and bring the schema forward."""
        db = self._db
        with self.snapshot():  # another process may be bringing it forward
            made_by, version = (
                self._fetch_value("PRAGMA application_id"),
                self._fetch_value("PRAGMA user_version"),
            )
            tables = self._fetch_value("SELECT count(*) FROM sqlite_master")
            foreign = 0 <= version <= SCHEMA_VERSION and not self._has_schema(version)
        if (tables and made_by != APPLICATION_ID) or version < 0 or foreign:
            raise IndexingError(f"{self.name} is a database, but no index of dedup")
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
            with self.transaction():
                for number in range(self._fetch_value("PRAGMA user_version") + 1, SCHEMA_VERSION + 1):
                    for statement in read_statements(f"sqlite-{number}.sql"):
                        db.execute(statement)
                    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                    db.execute(f"PRAGMA user_version = {number}")

    def _has_schema(self, version: int) -> bool:
        """Return whether the file holds our tables, and no triggers or views that would run whatever they like."""
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
        """Do all in one transaction."""
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
        """Return what the index says of itself."""
        return dict(self._fetch_checked(META_TYPES, "SELECT key, value FROM meta"))

    def create_index(self, meta: Mapping[str, str]) -> None:
        """Make an empty index."""
        self._db.executemany("INSERT INTO meta VALUES (?, ?)", sorted(meta.items()))

    def read_state(self) -> IndexState:
        """Return how far the index has come."""
        found = self._fetch_checked(STATE_TYPES, "SELECT articles, generation FROM state")
        if len(found) != 1:
            raise self._make_damage_error("it does not say how far it has come")
        return IndexState(*found[0])

    def iter_rows(self, start: int = 0) -> Iterator[list[IndexRow]]:
        """Yield the rows from a position on."""
        query = f"{ROWS_QUERY} WHERE position >= ? ORDER BY position LIMIT ?"
        while found := self._select_rows(query, start, ROWS_AT_ONCE):
            yield found
            start = found[-1].position + 1

    def get_rows_at(self, positions: Sequence[int]) -> list[IndexRow]:
        """Return the rows at some positions."""
        query = f"{ROWS_QUERY} WHERE position IN ({JSON_VALUES})"
        by_position = {row.position: row for row in self._select_rows(query, json.dumps(list(positions)))}
        return [by_position[position] for position in positions if position in by_position]

    def get_rows_by_id(self, ids: Sequence[str]) -> list[IndexRow]:
        """Return the rows of some ids."""
        found: list[IndexRow] = []
        for first in range(0, len(ids), IDS_AT_ONCE):
            some = ids[first : first + IDS_AT_ONCE]
            marks = ", ".join("?" * len(some))  # no list in JSON: SQLite would cut an id off at a NUL
            found += self._select_rows(f"{ROWS_QUERY} WHERE id IN ({marks})", *some)
        return sorted(found)

    def get_duplicates(self, position: int) -> list[IndexRow]:
        """Return the rows of the articles that repeat a kept one."""
        query = f"{ROWS_QUERY} WHERE leader = ? AND leader <> position ORDER BY position"
        return self._select_rows(query, position)

    def get_sketches(self, positions: Sequence[int]) -> dict[int, bytes]:
        """Return the keys and packed sketches at some positions."""
        query = f"SELECT position, keys, sketch FROM sketches JOIN articles USING (position) WHERE position IN ({JSON_VALUES})"  # noqa: S608 - our own names
        found = self._fetch_checked(SKETCH_TYPES, query, json.dumps(list(positions)))
        return {position: keys + sketch for position, keys, sketch in found}

    def record(self, rows: Sequence[IndexRow], sketches: Mapping[int, bytes]) -> None:
        """Add rows and sketches."""
        marks = ", ".join("?" * len(IndexRow._fields[:-1]))
        links = [(row.position, row.follows) for row in rows if row.follows != row.position]
        with self._wrap_errors():
            self._db.executemany(
                f"INSERT INTO articles ({COLUMNS}) VALUES ({marks})",  # noqa: S608 - our own names
                [row[:-1] for row in rows],
            )
            self._db.executemany("INSERT INTO links VALUES (?, ?)", links)
            self._db.executemany("INSERT INTO sketches VALUES (?, ?)", sketches.items())
            self._db.execute("UPDATE state SET articles = articles + ?", [len(rows)])

    def remove(self, positions: Iterable[int]) -> None:
        """Take rows out."""
        chosen = json.dumps(list(positions))
        with self._wrap_errors():
            self._db.execute(f"DELETE FROM articles WHERE position IN ({JSON_VALUES})", [chosen])  # noqa: S608 - our own names
            self._db.execute(f"DELETE FROM sketches WHERE position IN ({JSON_VALUES})", [chosen])  # noqa: S608 - our own names
            for column in ("position", "follows"):
                self._db.execute(f"DELETE FROM links WHERE {column} IN ({JSON_VALUES})", [chosen])  # noqa: S608 - our own names
            self._db.execute("UPDATE state SET generation = generation + 1")

    def release_space(self) -> None:
        """Cut what was removed off the file; where somebody still looks at it, the next who closes it does.

        Who waits for readers here would hold all writers up.
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
        """Return how many bytes the file and its log take."""
        parts = (Path(f"{self.name}{suffix}") for suffix in ("", "-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    def find_damage(self) -> list[str]:
        """Return what SQLite finds wrong with the file."""
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
        """Return the rows of articles that a query asks for."""
        return [IndexRow(*row) for row in self._fetch_checked(ROW_TYPES, query, *values)]

    def _fetch_checked(self, kinds: Collection[tuple[type, ...]], query: str, *values: object) -> list[Any]:
        """Return all rows of a query; IndexingError where the values of one are of no such kinds."""
        found = self._fetch_all(query, *values)
        if not all(tuple(map(type, row)) in kinds for row in found):
            raise self._make_damage_error("it holds a value of another kind than its column")
        return found

    def _make_damage_error(self, fault: str) -> IndexingError:
        """Return the error of an index that holds what it cannot."""
        return IndexingError(f"the index {self.name} is damaged: {fault}")

    def _fetch_all(self, query: str, *values: object) -> list[Any]:
        """Return all rows of a query."""
        with self._wrap_errors():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _wrap_errors(self) -> Iterator[None]:
        """Tell a user in a sentence what SQLite says in its own words."""
        try:
            yield
        except sqlite3.Error as error:
            raise IndexingError(f"the index {self.name}: {explain_sqlite_error(error)}") from error


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether somebody else is writing or reading."""
    return getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def explain_sqlite_error(error: sqlite3.Error) -> str:
    """Return what is wrong in words that say what to do."""
    code = getattr(error, "sqlite_errorname", "")
    if is_busy(error):
        return f"another process has been writing to it for {LOCK_TIMEOUT_SECONDS:.0f} seconds; try again"
    said = {
        "SQLITE_NOTADB": "it is no index of dedup",
        "SQLITE_CORRUPT": "it is damaged; `dedup index verify` says where",
        "SQLITE_CONSTRAINT": "it is damaged; `dedup index verify` says where",
        "SQLITE_FULL": "the disk is full; nothing of this batch was recorded",
        "SQLITE_IOERR": "the disk is full, or failing; nothing of this batch was recorded",
        "SQLITE_READONLY": "it cannot be written to: it, its folder or the file system is read-only",
        "SQLITE_CANTOPEN": "it cannot be opened: there is no such folder, or it may not be written to",
    }
    return next((words for name, words in said.items() if code.startswith(name)), str(error))


def read_statements(name: str) -> list[str]:
    """Return the statements of a schema file."""
    text = (files("dedup") / "index" / "storage" / "sql" / name).read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]


def list_table_statements(version: int) -> list[str]:
    """Return how the tables of a version of the schema are made, as SQLite writes it down."""
    return [
        statement
        for number in range(1, version + 1)
        for statement in read_statements(f"sqlite-{number}.sql")
        if statement.startswith("CREATE")
    ]
