"""The stories of an index, over all its homes: the newest ones, the chapters of a storyline, and a look-up."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from homes import Place
from newsmaker import chapter_of, story

from dedup.index import stories
from dedup.index.index import Index
from dedup.settings.settings import Settings

LOOSE = Settings(followup_probability=0.02, rewrite_probability=1.0, window_days=20.0)
"""A chapter is found to follow another, and never to be a rewrite of it."""
ARTICLES = [
    {"id": "first", **story(1)},
    {"id": "chapter", **chapter_of(1, 2)},
    {"id": "copied", **chapter_of(1, 2)},
    {"id": "other", **story(5)},
    {"id": "again", **story(5)},
    {"id": "third", **story(5)},
]


@pytest.fixture
def index(place: Place) -> Iterator[Index]:
    """Return an index with three stories, two of them in one storyline."""
    with Index.open(place, LOOSE) as made:
        made.add(ARTICLES)
        yield made


def content(index: Index) -> list[Any]:
    """Return all that an index holds of its articles."""
    rows = [row for rows in index.backend.iter_rows() for row in rows]
    sketches = index.backend.get_packed_sketches([row.position for row in rows])
    return [rows, sketches, index.backend.read_state(), index.backend.list_runs()]


def test_the_newest_stories_come_first_with_the_number_of_their_articles(index: Index) -> None:
    found = index.list_stories(10)

    assert [(each.answer.name, each.articles) for each in found] == [
        ("other", 3),
        ("chapter", 2),
        ("first", 1),
    ]
    assert {each.answer.name: each.answer.storyline for each in found} == {
        "first": "first",
        "chapter": "first",
        "other": "other",
    }
    assert {each.published for each in found} == {
        article["published"] for article in ARTICLES if article["id"] in {"first", "chapter", "other"}
    }
    assert all(each.decided for each in found)


def test_no_more_stories_are_listed_than_asked_for(index: Index) -> None:
    assert [each.answer.name for each in index.list_stories(2)] == ["other", "chapter"]


def test_stories_since_a_time_are_those_decided_on_later(index: Index) -> None:
    now = datetime.now(UTC)

    assert len(index.list_stories(10, now - timedelta(hours=1))) == 3
    assert index.list_stories(10, now + timedelta(hours=1)) == []


def test_stories_are_found_beyond_the_first_chunk_of_rows(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stories, "ROWS_AT_ONCE", 1)

    assert [each.answer.name for each in index.list_stories(10)] == ["other", "chapter", "first"]


def test_a_removed_story_is_not_listed(index: Index) -> None:
    index.delete("other")

    assert [each.answer.name for each in index.list_stories(10)] == ["chapter", "first"]


@pytest.mark.parametrize("name", ["first", "chapter", "copied"])
def test_any_article_leads_to_all_chapters_of_its_storyline(index: Index, name: str) -> None:
    found = index.storyline(name)

    assert [(each.answer.name, each.articles) for each in found] == [("first", 1), ("chapter", 2)]
    assert [each.answer.link and each.answer.link.canonical for each in found] == [None, "first"]


def test_a_story_without_followers_is_a_storyline_of_its_own(index: Index) -> None:
    assert [each.answer.name for each in index.storyline("again")] == ["other"]


def test_an_unknown_article_has_no_storyline(index: Index) -> None:
    assert index.storyline("nobody") == []


def test_a_look_up_names_story_and_storyline_and_changes_nothing(index: Index) -> None:
    before = content(index)

    copied = index.look_up({"id": "asked", **story(5)})
    followed = index.look_up({"id": "asked", **chapter_of(1, 3)})
    unknown = index.look_up({"id": "asked", **story(9)})

    assert copied.match is not None
    assert (copied.match.canonical, copied.match.relation, copied.again) == ("other", "exact", False)
    assert followed.link is not None
    assert (followed.link.canonical, followed.storyline) == ("first", "first")
    assert (unknown.match, unknown.link, unknown.storyline) == (None, None, "asked")
    assert content(index) == before


def test_a_look_up_says_whether_the_index_has_the_article(index: Index) -> None:
    assert index.look_up(ARTICLES[0]).again
