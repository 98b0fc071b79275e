"""A file that is no index, or no longer one, is said to be so in a sentence; a sound one is shared by processes."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from commands import called, started
from earlier import make_earlier
from newsmaker import Article, corpus, planned, story

from dedup.errors import IndexingError
from dedup.index.index import Index
from dedup.index.storage.sqlite import SqliteBackend
from dedup.settings.settings import Settings

PAGES = 40


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """Return an index of some articles."""
    place = tmp_path / "seen.db"
    with Index.open(place) as index:
        index.add([{"id": str(n), **story(n)} for n in range(400)])
        index.backend.release_space()
    return place


def test_a_text_file_is_no_index(newsroom: Path) -> None:
    before = newsroom.read_bytes()

    with pytest.raises(IndexingError, match="it is not an index of dedup"):
        Index.open(newsroom)

    assert newsroom.read_bytes() == before


def test_neither_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match="cannot be opened"):
        Index.open(tmp_path)


def test_neither_is_another_database(tmp_path: Path) -> None:
    place = tmp_path / "other.db"
    with sqlite3.connect(place) as database:
        database.execute("CREATE TABLE articles (id)")
    database.close()
    before = place.read_bytes()

    with pytest.raises(IndexingError, match="a database, but not an index of dedup"):
        Index.open(place)

    assert place.read_bytes() == before


def test_an_index_of_a_newer_format_is_refused(used: Path) -> None:
    with sqlite3.connect(used) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()

    with pytest.raises(IndexingError, match=r"a newer format \(99; this version knows 4\): update dedup"):
        Index.open(used)


def test_an_empty_file_becomes_an_index(tmp_path: Path) -> None:
    place = tmp_path / "seen.db"
    place.touch()

    with Index.open(place) as index:
        assert index.stats().articles == 0


@pytest.mark.skipif(os.name != "posix", reason="there are no modes")
def test_only_its_owner_may_read_a_new_index(tmp_path: Path) -> None:
    place = tmp_path / "seen.db"
    with Index.open(place) as index:
        index.add([{"id": "a", **story(1)}])
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    assert modes == {"seen.db": 0o600, "seen.db-wal": 0o600, "seen.db-shm": 0o600}


@pytest.mark.skipif(os.name != "posix", reason="there are no modes")
def test_the_mode_of_an_index_that_is_there_stays(tmp_path: Path) -> None:
    place = tmp_path / "seen.db"
    place.touch(0o600)
    place.chmod(0o660)
    with Index.open(place) as index:
        index.add([{"id": "a", **story(1)}])
        modes = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    assert modes == {0o660}


def test_an_index_that_must_be_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match="there is no index"):
        Index.open(tmp_path / "seen.db", create=False)

    assert not list(tmp_path.iterdir())


HOSTILE = {
    "leader": ["-1", "99", str(2**62), "'x'", "x'00'", "2"],
    "position": ["-5", str(2**62), "1000"],
    "relation": ["-2", "7", str(2**40), "'x'"],
    "score": ["9e999", "-1", "'x'"],
    "evidence": [
        "x'00'",
        "'abc'",
        "5",
        "zeroblob(length(evidence) + 4)",
        "x''",
        "x'0000c07f' || substr(evidence, 5)",
    ],
    "mark": ["-1", "3", "300", "2"],
    "keys": ["x''", "'a'", "5", "keys || keys"],
    "version": ["0", "'x'"],
    "published": ["9e999", "'x'", "1e300"],
    "decided": ["9e999", "'x'"],
    "telling": ["'x'", "1.5"],
    "id": ["x'ff'", "cast(x'ff' AS text)"],
}
ROWS = ["relation = -1 AND position = 0", "relation = 4 AND leader = 0"]


def updates(table: str, column: str, values: list[str], rows: str = "true") -> list[str]:
    """Return statements that put values where they do not belong."""
    return [f"UPDATE {table} SET {column} = {value} WHERE {rows}" for value in values]  # noqa: S608 - our own names


def inserts(table: str, rows: list[str]) -> list[str]:
    """Return statements that add rows where they do not belong."""
    return [f"INSERT INTO {table} VALUES ({row})" for row in rows]  # noqa: S608 - our own names


CHANGES = [
    *(
        change
        for column, values in HOSTILE.items()
        for rows in ROWS
        for change in updates("articles", column, values, rows)
    ),
    *updates("state", "articles", ["-1", "1", str(2**62), str(2**63 - 1), "'x'"]),
    *updates(
        "meta",
        "value",
        ["5", "'5'", "'[]'", "'{'", "x'ff'", "replace(hex(zeroblob(100000)), '0', '[')"],
        "key = 'settings'",
    ),
    *updates("sketches", "sketch", ["'abc'", "5", "x''", "zeroblob(1000000)"]),
    *inserts("links", [f"2, {follows}" for follows in ("0", "-1", "1", "99", str(2**62), "'x'")]),
    "INSERT INTO links VALUES (2, 0); UPDATE articles SET evidence = zeroblob(7) WHERE position = 2",
    "INSERT INTO links VALUES (2, 0); UPDATE articles SET score = 9e999 WHERE position = 2",
    *inserts("links", ["0, 0", "1, 0", "99, 0"]),
    "DROP TABLE links",
    "DELETE FROM state",
    "INSERT INTO state VALUES (9, 9, 9)",
    "DELETE FROM meta",
    "DROP TABLE sketches",
    "PRAGMA user_version = -1",
]
ENDLESS = "CREATE VIEW meta AS WITH RECURSIVE n(key) AS (SELECT 1 UNION ALL SELECT key FROM n) SELECT key, key AS value FROM n"
STEPS: dict[str, Callable[[Path, list[Article]], object]] = {
    "open": lambda place, _: Index.open(place).close(),
    "open by settings": lambda place, _: Index.open(place, Settings()).close(),
    "add": lambda place, _: Index.open(place).add([{"id": f"new {n}", **story(n)} for n in range(9)]),
    "again": lambda place, articles: Index.open(place).add(articles),
    "find": lambda place, _: Index.open(place).find({"id": "q", **story(0)}),
    "history": lambda place, articles: [
        Index.open_for_maintenance(place).history(told["id"]) for told in articles
    ],
    "cluster": lambda place, articles: [
        Index.open_for_maintenance(place).cluster(told["id"]) for told in articles
    ],
    "verify": lambda place, _: Index.open_for_maintenance(place).verify(deep=True),
    "stats": lambda place, _: Index.open_for_maintenance(place).stats(),
    "log": lambda place, _: list(Index.open_for_maintenance(place).log()),
    "expire": lambda place, _: Index.open_for_maintenance(place).expire(datetime(2099, 1, 1, tzinfo=UTC)),
    "delete": lambda place, articles: Index.open_for_maintenance(place).delete(articles[0]["id"]),
    "merge": lambda place, _: Index.open(":memory:").merge(Index.open_for_maintenance(place)),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Article]]:
    """Return an index of a few articles, with copies and rewrites of its first, and the articles."""
    place = tmp_path_factory.mktemp("small") / "seen.db"
    told = [
        (0, "as sent", 0),
        (0, "copied", 0),
        (1, "as sent", 0),
        *((0, "retold", seed) for seed in range(4)),
    ]
    articles = corpus(told)
    with Index.open(place) as index:
        index.add(articles)
        assert {row.relation for rows in index.backend.iter_rows() for row in rows} == {-1, 0, 4}
    return place, articles


@pytest.mark.parametrize("change", CHANGES)
def test_a_hostile_file_is_an_error_in_a_sentence(
    small: tuple[Path, list[Article]], tmp_path: Path, change: str
) -> None:
    sound, articles = small
    for name, step in STEPS.items():
        place = Path(shutil.copy(sound, tmp_path / f"{name}.db"))
        database = sqlite3.connect(place)
        with suppress(sqlite3.IntegrityError):
            database.executescript(change)
        database.close()

        with suppress(IndexingError):
            step(place, articles)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TRIGGER new AFTER INSERT ON articles BEGIN DELETE FROM articles; END",
        f"DROP TABLE meta; {ENDLESS}",
    ],
)
def test_a_file_with_triggers_or_views_is_no_index(used: Path, change: str) -> None:
    database = sqlite3.connect(used)
    database.executescript(change)
    database.close()

    with pytest.raises(IndexingError, match="a database, but not an index of dedup"):
        Index.open(used)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TRIGGER new AFTER INSERT ON meta BEGIN DELETE FROM articles; END",
        f"DROP TABLE meta; {ENDLESS}",
        "CREATE TABLE links (position INTEGER PRIMARY KEY, follows INTEGER NOT NULL)",
    ],
)
def test_nor_is_one_of_an_earlier_format(tmp_path: Path, change: str) -> None:
    place = tmp_path / "seen.db"
    make_earlier(place, planned(5, seed=1))
    database = sqlite3.connect(place)
    database.executescript(change)
    database.close()

    with pytest.raises(IndexingError, match="a database, but not an index of dedup"):
        Index.open_for_maintenance(place)


def test_processes_bring_a_file_forward_once(tmp_path: Path) -> None:
    place = tmp_path / "seen.db"
    make_earlier(place, planned(5, seed=1))
    looking = [started("index", "stats", place, "--json") for _ in range(4)]

    told = [process.communicate() for process in looking]

    assert [process.returncode for process in looking] == [0] * 4, told
    assert {json.loads(answer)["articles"] for answer, _ in told} == {5}


def test_a_place_that_is_taken_is_damage(used: Path) -> None:
    database = sqlite3.connect(used)
    database.executescript("INSERT INTO sketches VALUES (400, x'00')")
    database.close()

    with Index.open(used) as index, pytest.raises(IndexingError, match=r"seen\.db: it is damaged"):
        index.add([{"id": "new", **story(1000)}])


def test_ids_are_data(tmp_path: Path) -> None:
    ids = ["'; DROP TABLE articles; --", 'a"b', "two\nlines", "%s ? :1 $1", "日本", "x" * 10_000, "\x1b[31m"]
    articles = [{"id": name, **story(n)} for n, name in enumerate(ids)]

    with Index.open(tmp_path / "seen.db") as index:
        answers = index.add(articles)
        again = index.add(articles)
        log = [row["id"] for rows in index.log() for row in rows]
        deleted = [index.delete(name) for name in ids]

    assert [name for name, _ in answers] == ids
    assert again == answers
    assert log == ids
    assert deleted == [1] * len(ids)


@pytest.mark.parametrize(
    "published", ["9999-12-31", "0001-01-01", "2026-13-45", "1e308", "not a date", 9 * 10**18]
)
def test_hostile_dates_are_none(tmp_path: Path, published: object) -> None:
    with Index.open(tmp_path / "seen.db") as index:
        index.add([{"id": "a", **story(1), "published": published}, {"id": "b", **story(1)}])

        assert index.stats().undated == 1
        assert index.verify(deep=True) == []


WORKER = """
import json, sys
from dedup import Index
articles = json.load(open(sys.argv[2], encoding="utf-8"))
with Index.open(sys.argv[1]) as index:
    for start in range(0, len(articles), 5):
        index.add(articles[start : start + 5])
"""


def test_processes_take_turns_and_never_keep_two_that_match(tmp_path: Path) -> None:
    place = tmp_path / "seen.db"
    articles = planned(200, seed=21, stories=8)
    workers = []
    for number in range(3):
        part = tmp_path / f"part-{number}.json"
        part.write_text(json.dumps(Random(number).sample(articles, len(articles)), default=str), "utf-8")
        workers.append(subprocess.Popen([sys.executable, "-c", WORKER, str(place), str(part)]))

    assert [worker.wait() for worker in workers] == [0] * 3

    with Index.open(place) as index:
        assert index.verify(deep=True) == []
        assert index.stats().articles == len(articles)


def test_what_waits_too_long_for_its_turn_is_told(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.index.storage.sqlite.LOCK_TIMEOUT_SECONDS", 0.1)
    waiting = SqliteBackend(used)
    other = sqlite3.connect(used, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(IndexingError, match="another process has been writing to it"), waiting.transaction():
        pass

    other.execute("ROLLBACK")
    other.close()
    waiting.close()


@pytest.mark.parametrize("command", ["stats", "verify", "export"])
def test_commands_need_an_index_that_is_there(tmp_path: Path, command: str) -> None:
    done = called("index", command, tmp_path / "seen.db")

    assert done.exit_code == 1
    assert done.stderr == f"Error: there is no index {tmp_path / 'seen.db'}\n"
