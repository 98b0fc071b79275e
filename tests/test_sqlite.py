"""A file that is no index, or no longer one, is said to be so in a sentence; a sound one is shared by processes."""

import json
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from commands import called
from newsmaker import planned, story

from dedup.errors import IndexingError
from dedup.index.index import Index
from dedup.index.sqlite import PAGE, SqliteHome

PAGES = 40


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """Return an index of some articles."""
    place = tmp_path / "seen.db"
    with Index.open(place) as index:
        index.add([{"id": str(n), **story(n)} for n in range(400)])
        index.home.give_back()
    return place


def test_a_text_file_is_no_index(newsroom: Path) -> None:
    before = newsroom.read_bytes()

    with pytest.raises(IndexingError, match="it is no index of dedup"):
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

    with pytest.raises(IndexingError, match="a database, but no index of dedup"):
        Index.open(place)

    assert place.read_bytes() == before


def test_an_index_of_a_newer_format_is_refused(used: Path) -> None:
    with sqlite3.connect(used) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()

    with pytest.raises(IndexingError, match=r"a newer format \(99; this version knows 1\): update dedup"):
        Index.open(used)


def test_an_empty_file_becomes_an_index(tmp_path: Path) -> None:
    place = tmp_path / "seen.db"
    place.touch()

    with Index.open(place) as index:
        assert index.stats().articles == 0


def test_an_index_that_must_be_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(IndexingError, match="there is no index"):
        Index.open(tmp_path / "seen.db", create=False)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", range(25))
def test_damaged_pages_are_an_error_or_go_unnoticed_but_never_a_crash(used: Path, seed: int) -> None:
    random = Random(seed)
    data = bytearray(used.read_bytes())
    for _ in range(random.choice([1, 5, 200])):
        data[random.randrange(100, len(data))] = random.randrange(256)
    if seed % 5 == 0:
        data = data[: random.randrange(PAGE, len(data))]
    used.write_bytes(data)

    with suppress(IndexingError), Index.open(used) as index:
        index.verify(deep=True)
        index.stats()
        index.add([{"id": f"new {n}", **story(n)} for n in range(50)])
        list(index.log())


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
    "published", ["9999-12-31", "0001-01-01", "2026-13-45", "1e308", "not a date", 10**18]
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
    monkeypatch.setattr("dedup.index.sqlite.PATIENCE", 0.1)
    waiting = SqliteHome(used)
    other = sqlite3.connect(used, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(IndexingError, match="another process has been writing to it"), waiting.turn():
        pass

    other.execute("ROLLBACK")
    other.close()
    waiting.close()


@pytest.mark.parametrize("command", ["stats", "verify", "export"])
def test_commands_need_an_index_that_is_there(tmp_path: Path, command: str) -> None:
    done = called("index", command, tmp_path / "seen.db")

    assert done.exit_code == 1
    assert done.stderr == f"Error: there is no index {tmp_path / 'seen.db'}\n"
