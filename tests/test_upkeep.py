"""Looking after an index, in each kind of home: what is taken out is gone, what is wrong is said, two become one."""

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from homes import Place
from newsmaker import FIRST_DAY, Article, planned, story, version

from dedup.errors import IndexingError
from dedup.index.index import Index
from dedup.pipeline import deduplicate
from dedup.settings import Settings


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

        assert [row.position for rows in index.home.rows() for row in rows] == [0, 2]
        assert index.home.state().articles == 3
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

        held = {name: value for name, value in vars(index.home).items() if isinstance(value, dict)}
        assert {name: value for name, value in held.items() if value} == {"_meta": index.home.meta()}


def test_space_is_given_back(tmp_path: Path) -> None:
    place = tmp_path / "seen.db"
    with Index.open(place) as index:
        index.add([{"id": str(n), **story(n)} for n in range(400)])
        index.home.give_back()
        before = index.stats().bytes
        index.expire(FIRST_DAY + timedelta(days=100))

        assert index.stats().bytes < before / 2


def test_nobody_waits_for_a_reader_while_space_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dedup.index.sqlite.PATIENCE", 5.0)
    with Index.open(tmp_path / "seen.db") as index, Index.open(tmp_path / "seen.db") as reader:
        index.add([at(0, 1, "first")])
        with reader.home.view():
            reader.home.state()
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


def test_the_log_says_what_was_answered(place: Place) -> None:
    with Index.open(place) as index:
        answers = index.add(planned(50, seed=9, stories=6))
        log = [row for rows in index.log() for row in rows]

    assert [(row["name"], row["canonical"], row["relation"]) for row in log] == [
        (name, match and match.canonical, match and match.relation) for name, match in answers
    ]
    assert [row["evidence"] for row in log] == [match and match.evidence for _, match in answers]


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
    "UPDATE state SET articles = 1": "holds 1 articles, and holds one at 2",
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
