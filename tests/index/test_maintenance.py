"""Looking after an index, in each kind of home: what is taken out is gone, what is wrong is said, two become one."""

import csv
import json
import sqlite3
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from commands import called, written
from earlier import do_beside, make_earlier
from homes import Place
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import FIRST_DAY, Article, batch, chapter_of, make_storylines, planned, sagas, story, version

from dedup.errors import IndexingError
from dedup.index.index import Index
from dedup.matching.classifier import Match
from dedup.matching.evidence_columns import EVIDENCE_NAMES
from dedup.pipeline.deduplicate import deduplicate
from dedup.settings.settings import LEVELS, Settings

LOOSE = Settings(followup_probability=0.02, rewrite_probability=1.0, window_days=20.0)
"""A chapter is found to follow another, and never to be a rewrite of it."""


def at(day: int, number: int, name: str, change: str = "as sent") -> Article:
    """Return a story as it was told on a day."""
    return {"id": name, **version(number, change, 1), "published": FIRST_DAY + timedelta(days=day)}


def test_a_sound_index_has_no_faults(place: Place) -> None:
    with Index.open(place) as index:
        index.add(planned(80, seed=2, stories=8))

        assert index.verify(deep=True) == []


def test_a_deleted_article_is_new_again(place: Place) -> None:
    first, copied = at(0, 1, "first"), at(0, 1, "copied")

    with Index.open(place) as index:
        index.add([first, copied, at(0, 2, "other")])
        gone = index.delete("first")
        (again,) = index.add([{**copied, "id": "later"}])
        faults = index.verify(deep=True)

    assert gone == 2, "the article, and what was dropped for it"
    assert again == ("later", None)
    assert faults == []


def test_deleting_a_dropped_article_leaves_the_kept_one(place: Place) -> None:
    with Index.open(place) as index:
        index.add([at(0, 1, "first"), at(0, 1, "copied")])
        gone = index.delete("copied")
        (_, match) = index.add([at(0, 1, "later")])[0]

    assert gone == 1
    assert match is not None
    assert match.canonical == "first"


def test_nothing_is_deleted_of_an_unknown_id(place: Place) -> None:
    with Index.open(place) as index:
        index.add([at(0, 1, "first")])

        assert index.delete("second") == 0
        assert index.stats().articles == 1


def test_all_versions_of_an_id_are_deleted(place: Place) -> None:
    with Index.open(place) as index:
        index.add([at(0, 1, "a")])
        index.add([at(0, 2, "a")])

        assert index.delete("a") == 2


def test_a_version_that_expired_leaves_its_name_to_no_other(place: Place) -> None:
    with Index.open(place) as index:
        index.add([at(0, 1, "a")])
        index.add([at(40, 2, "a")])
        index.expire(FIRST_DAY + timedelta(days=20))

        assert index.add([at(41, 3, "a")]) == [("a#3", None)]


def test_what_is_over_expires_and_what_goes_on_stays(place: Place) -> None:
    with Index.open(place) as index:
        index.add(
            [
                at(0, 1, "old"),
                at(1, 1, "old copy"),
                at(0, 2, "begun"),
                at(20, 2, "goes on"),
                at(40, 3, "young"),
            ]
        )
        gone = index.expire(FIRST_DAY + timedelta(days=10))
        left = [row["id"] for rows in index.log() for row in rows]
        faults = index.verify(deep=True)

    assert gone == 2
    assert left == ["begun", "goes on", "young"]
    assert faults == []


def test_the_undated_are_as_old_as_their_decision(place: Place) -> None:
    undated = {**at(0, 1, "undated"), "published": None}

    with Index.open(place) as index:
        index.add([undated])

        assert index.expire(datetime.now(UTC) - timedelta(hours=1)) == 0
        assert index.expire(datetime.now(UTC) + timedelta(hours=1)) == 1


def test_a_place_is_never_given_twice(lasting_place: Place) -> None:
    with Index.open(lasting_place) as index:
        index.add([at(0, 1, "first"), at(0, 2, "last")])
        index.delete("last")
    with Index.open(lasting_place) as index:
        index.add([at(0, 3, "next")])

        assert [row.position for rows in index.backend.iter_rows() for row in rows] == [0, 2]
        assert index.backend.read_state().articles == 3
        assert index.verify(deep=True) == []


def test_an_open_index_learns_what_another_took_out(lasting_place: Place) -> None:
    with Index.open(lasting_place) as one, Index.open(lasting_place) as two:
        one.add([at(0, 1, "first")])
        assert two.find(at(0, 1, "copied")) is not None
        two.delete("first")

        assert one.add([at(0, 1, "copied")]) == [("copied", None)]


def test_nothing_of_what_expired_stays_in_memory() -> None:
    with Index.open(":memory:") as index:
        index.add(planned(60, seed=4, stories=6))
        index.expire(FIRST_DAY + timedelta(days=1000))

        held = {name: value for name, value in vars(index.backend).items() if isinstance(value, dict)}
        assert {name: value for name, value in held.items() if value} == {"_meta": index.backend.read_meta()}


def test_space_is_given_back(tmp_path: Path) -> None:
    place = tmp_path / "seen.db"
    with Index.open(place) as index:
        index.add([{"id": str(n), **story(n)} for n in range(400)])
        index.backend.release_space()
        before = index.stats().bytes
        index.expire(FIRST_DAY + timedelta(days=100))

        assert index.stats().bytes < before / 2


def test_nobody_waits_for_a_reader_while_space_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dedup.index.storage.sqlite.LOCK_TIMEOUT_SECONDS", 5.0)
    with Index.open(tmp_path / "seen.db") as index, Index.open(tmp_path / "seen.db") as reader:
        index.add([at(0, 1, "first")])
        with reader.backend.snapshot():
            reader.backend.read_state()
            start = time.monotonic()
            index.expire(FIRST_DAY + timedelta(days=10))
            took = time.monotonic() - start

        assert took < 2.5
        assert index.add([at(0, 1, "again")]) == [("again", None)]


def test_stats_count_what_there_is(place: Place) -> None:
    articles = planned(60, seed=4, stories=6)
    result = deduplicate(articles)

    with Index.open(place) as index:
        index.add([articles[a] for a in result.order])
        stats = index.stats()

    assert (stats.articles, stats.kept) == (60, len(result.kept))
    assert sum(stats.dropped.values()) == len(result.dropped)
    assert stats.undated == sum(article["published"] is None for article in articles)
    assert stats.first_published == min(a["published"] for a in articles if a["published"])


def test_stats_count_storylines(place: Place) -> None:
    with Index.open(place) as index:
        answers = index.decide(batch(make_storylines(60, seed=3)))
        stats = index.stats()

    links = [answer.link.canonical for answer in answers if answer.link]
    assert links
    assert (stats.storylines, stats.followups) == (len(set(links)), len(links))


def test_the_log_says_what_was_answered(place: Place) -> None:
    with Index.open(place) as index:
        answers = index.add(planned(50, seed=9, stories=6))
        log = [row for rows in index.log() for row in rows]

    assert [(row["name"], row["canonical"], row["relation"]) for row in log] == [
        (name, match and match.canonical, match and match.relation) for name, match in answers
    ]
    assert [row["evidence"] for row in log] == [match and match.evidence for _, match in answers]


def test_the_log_tells_storylines(place: Place) -> None:
    with Index.open(place) as index:
        answers = index.decide(batch(make_storylines(60, seed=3)))
        log = [row for rows in index.log() for row in rows]

    assert [row["storyline"] for row in log] == [answer.storyline for answer in answers]
    assert [row["follows"] for row in log] == [
        answer.link
        and {
            "id": answer.link.canonical,
            "probability": answer.link.score,
            "evidence": answer.link.evidence,
        }
        for answer in answers
    ]
    assert any(row["follows"] for row in log)


@pytest.mark.parametrize("name", ["log.jsonl", "log.parquet", "log.csv"])
def test_storylines_are_exported(tmp_path: Path, name: str) -> None:
    with Index.open(tmp_path / "seen.db") as index:
        answers = index.decide(batch(make_storylines(60, seed=3)))

    done = called("index", "export", tmp_path / "seen.db", "-o", tmp_path / name)

    assert done.exit_code == 0, done.stderr
    rows = exported(tmp_path / name)
    assert [row["storyline"] for row in rows] == [answer.storyline for answer in answers]
    assert [row["follows"] and row["follows"]["id"] for row in rows] == [
        answer.link and answer.link.canonical for answer in answers
    ]


def exported(path: Path) -> list[dict[str, Any]]:
    """Return the rows of an exported log."""
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path).to_pylist()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {**row, "follows": json.loads(row["follows"]) if row["follows"] else None}
            for row in csv.DictReader(file)
        ]


def take_out_first(index: Index, first: str, gone: str) -> None:
    """Take the first article of a storyline out, in one of the two ways."""
    if gone == "delete":
        assert index.delete(first) >= 1
    else:
        assert index.expire(FIRST_DAY + timedelta(days=9)) >= 1


@pytest.mark.parametrize("gone", ["delete", "expire"])
def test_who_followed_an_article_that_is_gone_is_kept_and_follows_none(place: Place, gone: str) -> None:
    first, second = at(0, 1, "first"), {**chapter_of(1, 9), "id": "second"}
    with Index.open(place, LOOSE) as index:
        before = index.decide(batch([first, second]))
        take_out_first(index, "first", gone)
        (left,) = index.history("second")
        copied, third = index.decide(
            batch([{**second, "id": "copied"}, {**chapter_of(1, 10), "id": "third"}])
        )
        faults = index.verify(deep=True)

    assert before[1].link is not None
    assert (left.match, left.link, left.storyline) == (None, None, "second")
    assert copied.match is not None
    assert (copied.match.canonical, copied.storyline) == ("second", "second")
    assert third.link is not None
    assert (third.link.canonical, third.storyline) == ("second", "second")
    assert faults == []


@given(articles=sagas(most=25), gone=st.lists(st.integers(0, 24), max_size=6), size=st.integers(1, 9))
@examples(max_examples=25)
@pytest.mark.parametrize("level", LEVELS)
def test_whatever_is_deleted_leaves_a_sound_index(
    level: str, articles: list[Article], gone: list[int], size: int
) -> None:
    half = len(articles) // 2
    with Index.open(":memory:", Settings(level=level)) as index:
        index.add(articles[:half])
        for k in gone:
            if k < half:
                index.delete(articles[k]["id"])
        for start in range(half, len(articles), size):
            index.add(articles[start : start + size])
        faults = index.verify(deep=True)
        answers = index.add(articles)

    assert faults == []
    assert len(answers) == len(articles)


def test_whatever_expires_leaves_a_sound_index(lasting_place: Place) -> None:
    articles = sorted(
        (article for article in make_storylines(90, seed=5) if article["published"]),
        key=lambda article: article["published"],
    )
    with Index.open(lasting_place) as index:
        for start in range(0, len(articles), 15):
            index.add(articles[start : start + 15])
            index.expire(articles[start]["published"] - timedelta(days=1))
        faults = index.verify(deep=True)
    with Index.open(lasting_place) as index:
        assert 0 < index.stats().articles < len(articles)
        assert len(index.decide(batch(articles))) == len(articles)
        assert index.verify(deep=True) == []

    assert faults == []


LINK_DAMAGE = {
    "UPDATE links SET follows = 99": "it follows the article at position 99, which is not kept",
    "UPDATE links SET follows = 1": "it follows the article at position 1, which is not kept",
    "INSERT INTO links VALUES (1, 0)": "it is dropped, and follows the article at position 0",
    "INSERT INTO links VALUES (77, 0)": "the link at 77 belongs to no article",
    "UPDATE articles SET score = 7 WHERE position = 2": "its probability 7.0 is not between 0 and 1",
    "INSERT INTO links VALUES (0, 3)": "it follows the article at position 3, which is not kept",
    "INSERT INTO links VALUES (3, 2)": "it follows the article at position 2, which follows another itself",
}


@pytest.mark.parametrize(("change", "says"), LINK_DAMAGE.items())
def test_a_link_that_cannot_be_is_named(lasting_place: Place, change: str, says: str) -> None:
    told = [
        at(0, 1, "first"),
        at(0, 1, "copied"),
        {**chapter_of(1, 2), "id": "second"},
        at(0, 2, "another"),
    ]
    with Index.open(lasting_place, LOOSE) as index:
        assert index.decide(batch(told))[2].link
    do_beside(lasting_place, change)

    with Index.open_for_maintenance(lasting_place) as index:
        faults = index.verify()
        with suppress(IndexingError):
            list(index.log())
        with suppress(IndexingError):
            index.cluster("second")

    assert [fault for fault in faults if says in fault], faults


def test_a_link_to_nowhere_is_an_error_in_a_sentence(lasting_place: Place) -> None:
    with Index.open(lasting_place, LOOSE) as index:
        index.add([at(0, 1, "first"), {**chapter_of(1, 2), "id": "second"}])
    do_beside(lasting_place, "UPDATE links SET follows = 99")

    with Index.open(lasting_place) as index:
        for look in (index.history, index.cluster):
            with pytest.raises(
                IndexingError, match="the row of article 'second' does not match its checksum"
            ):
                look("second")
        with pytest.raises(IndexingError, match="the row of article 'second' does not match its checksum"):
            index.add([at(0, 2, "another")])


EARLIER = make_storylines(60, seed=3)


@pytest.fixture
def earlier(lasting_place: Place) -> Place:
    """Return an index that the first version of dedup made."""
    make_earlier(lasting_place, EARLIER)
    return lasting_place


def test_an_index_of_the_first_format_is_brought_forward(earlier: Place) -> None:
    expected = deduplicate_in_order(EARLIER)

    with Index.open_for_maintenance(earlier) as index:
        stats, faults = index.stats(), index.verify()
        log = [row for rows in index.log() for row in rows]
    with Index.open_for_maintenance(earlier) as index:
        assert [row for rows in index.log() for row in rows] == log

    assert faults == []
    assert (stats.articles, stats.kept) == (60, sum(match is None for match in expected.values()))
    assert "followup" not in stats.dropped
    assert {row["name"]: row["canonical"] for row in log} == {
        name: match and match.canonical for name, match in expected.items()
    }
    rewrites = [row for row in log if row["relation"] == "rewrite"]
    assert {tuple(row["evidence"]) for row in rewrites} == {EVIDENCE_NAMES[:27]}
    assert all(row["storyline"] == (row["canonical"] or row["name"]) for row in log)
    assert not any(row["follows"] for row in log)


def deduplicate_in_order(articles: list[Article]) -> dict[str, Match | None]:
    """Return what an index says of articles at the level of storylines, the only one that the first version had."""
    with Index.open(":memory:", Settings(level="storyline")) as index:
        return dict(index.add(articles))


def test_articles_of_the_first_format_expire(earlier: Place) -> None:
    with Index.open_for_maintenance(earlier) as index:
        before, gone = index.stats().articles, index.expire(FIRST_DAY + timedelta(days=4))
        deleted = index.delete(next(row["id"] for rows in index.log() for row in rows))
        faults, after = index.verify(), index.stats().articles

    assert 0 < gone < before
    assert deleted > 0
    assert after == before - gone - deleted
    assert faults == []


@pytest.mark.parametrize("settings", [None, *(Settings(level=level) for level in LEVELS)])
def test_nothing_is_added_to_an_index_of_the_first_format(earlier: Place, settings: Settings | None) -> None:
    with pytest.raises(
        IndexingError,
        match=r"was made for --level storyline by the one model of an earlier version: .* make another index",
    ):
        Index.open(earlier, settings)


def test_kept_articles_of_other_models_are_not_compared(earlier: Place) -> None:
    with (
        Index.open_for_maintenance(earlier) as index,
        pytest.raises(IndexingError, match="verify it without --deep"),
    ):
        index.verify(deep=True)


def test_the_commands_know_an_index_of_the_first_format(tmp_path: Path) -> None:
    place = tmp_path / "seen.db"
    make_earlier(place, EARLIER)
    corpus = written(tmp_path / "new.jsonl", [story(999)])

    for command, options in {"stats": [], "verify": [], "export": ["-o", str(tmp_path / "log.csv")]}.items():
        assert called("index", command, place, *options).exit_code == 0
    for options in ([], ["--level", "storyline"], ["--level", "story"], ["--level", "text"]):
        done = called("filter", corpus, "--index", place, *options)
        assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
        assert f"Error: the index {place} was made for --level storyline by the one model" in done.stderr


def test_two_indexes_become_one_without_two_kept_articles_that_match(place: Place, tmp_path: Path) -> None:
    articles = planned(120, seed=6, stories=10)

    with Index.open(place) as one, Index.open(tmp_path / "other.db") as other:
        one.add(articles[:60])
        other.add(articles[60:])
        added, left_out = one.merge(other)
        again, _ = one.merge(other)
        faults = one.verify(deep=True)

        assert added + left_out == 60
        assert again == 0
        assert faults == []
        assert one.stats().articles == 60 + added
        answered = dict(one.add(articles[60:]))

    kept = {name for name, match in answered.items() if match is None}
    assert len(kept) < 60


def test_an_index_of_other_rules_is_not_merged(place: Place, tmp_path: Path) -> None:
    with (
        Index.open(place) as one,
        Index.open(tmp_path / "other.db", Settings(window_days=1)) as other,
        pytest.raises(IndexingError, match="window_days"),
    ):
        one.merge(other)


DAMAGE = {
    "UPDATE articles SET leader = 0 WHERE position = 1": "is kept, and repeats another",
    "UPDATE articles SET leader = 99, relation = 1 WHERE position = 1": "which is not kept",
    "UPDATE articles SET version = 0 WHERE position = 1": "its version is 0",
    "UPDATE articles SET keys = x'00' WHERE position = 1": "keys are cut short",
    "UPDATE articles SET id = (SELECT id FROM articles WHERE position = 0) WHERE position = 1": "there twice",
    "DELETE FROM sketches WHERE position = 1": "no sketch",
    "DELETE FROM articles WHERE position = 1": "belongs to no article",
    "UPDATE sketches SET sketch = (SELECT sketch FROM sketches WHERE position = 0) WHERE position = 1": "another's",
    "UPDATE sketches SET sketch = x'0011' WHERE position = 1": "cut short",
    "UPDATE state SET articles = 1": "its count of articles is 1, and it holds one at position 2",
}


@pytest.mark.parametrize(("change", "says"), DAMAGE.items())
def test_damage_is_named(tmp_path: Path, change: str, says: str) -> None:
    place = tmp_path / "seen.db"
    with Index.open(place) as index:
        index.add([{"id": f"article {n}", **story(n)} for n in range(3)])
    with sqlite3.connect(place) as database:
        database.execute(change)
    database.close()

    with Index.open(place) as index:
        faults = index.verify()

    assert [fault for fault in faults if says in fault], faults


def test_kept_articles_that_match_each_other_are_named(tmp_path: Path) -> None:
    with Index.open(tmp_path / "a.db") as one, Index.open(tmp_path / "b.db") as two:
        one.add([at(0, 1, "a")])
        two.add([at(0, 2, "x"), at(0, 1, "b")])
    with sqlite3.connect(tmp_path / "b.db") as database:
        database.execute("ATTACH ? AS a", [str(tmp_path / "a.db")])
        database.execute("DELETE FROM articles WHERE position = 0")
        database.execute("DELETE FROM sketches WHERE position = 0")
        database.execute("INSERT INTO articles SELECT * FROM a.articles")
        database.execute("INSERT INTO sketches SELECT * FROM a.sketches")
    database.close()

    with Index.open(tmp_path / "b.db") as index:
        shallow, deep = index.verify(), index.verify(deep=True)

    assert shallow == []
    assert deep == ["article 'b': it is kept, and repeats 'a' (exact), which is kept too"]
