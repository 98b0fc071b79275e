"""What is recalled of an index finds all that a run without one would compare, and refuses what cannot be."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from newsmaker import FIRST_DAY, Article, planned, sketched, version

from dedup.index.index import Index
from dedup.index.key_run import LEVEL_ALL, LEVEL_NONE, LookupKeys, mark_near_in_run
from dedup.index.lookup import ArticleLookup
from dedup.matching.classifier import EXACT, FOLLOWUP, NO_RELATION, REWRITE
from dedup.matching.match_params import make_match_params
from dedup.pipeline.deduplicate import deduplicate
from dedup.settings.settings import Settings


def told_on(day: int, name: str, number: int = 1) -> Article:
    """Return a story as it was sent, dated."""
    return {"id": name, **version(number, "as sent", 1), "published": FIRST_DAY + timedelta(days=day)}


def canonicals(index: Index, articles: list[Article]) -> list[str | None]:
    return [match.canonical if match else None for _, match in index.add(articles)]


@pytest.fixture
def short_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a run hold three articles, and the arrays begin with room for three."""
    monkeypatch.setattr("dedup.index.lookup.ArticleLookup.run_articles", 3)
    monkeypatch.setattr("dedup.index.lookup.MIN_ROOM", 3)
    return iter([None])


@pytest.mark.usefixtures("short_runs")
@pytest.mark.parametrize("size", [1, 2, 5, 40])
def test_law_6_over_many_runs(size: int) -> None:
    articles = planned(150, seed=3, stories=12)
    result = deduplicate(articles)
    by_id = {article["id"]: article for article in articles}
    ordered = [by_id[result.ids[a]] for a in result.order]

    with Index.open(":memory:") as index:
        found = {
            name: match
            for start in range(0, len(ordered), size)
            for name, match in index.add(ordered[start : start + size])
        }

    assert found == dict(iter(result))


def test_a_late_article_finds_what_lies_behind_a_younger_one() -> None:
    with Index.open(":memory:") as index:
        index.add([told_on(0, "first"), told_on(40, "again")])

        assert canonicals(index, [told_on(1, "late")]) == ["first"]


def test_an_undated_article_is_found_behind_a_dated_one() -> None:
    s = sketched([told_on(day, "same") for day in (0, 0, 100)])
    known, places = ArticleLookup(s.salient.shape[1], s.bands.shape[1]), np.arange(2)
    none, full = np.full(2, NO_RELATION), np.full(2, LEVEL_ALL)

    keys = LookupKeys(s.salient[:2], s.bands[:2])
    known.add(places, np.array([np.nan, 5.0]), places, places, none, full, keys)

    assert (
        0
        in known.find_near(
            s._replace(days=np.array([0, 0, 100.0])), np.array([2]), make_match_params(Settings())
        )[0]
    )


@pytest.mark.usefixtures("short_runs")
def test_a_run_is_passed_over_where_all_of_it_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Any] = []

    def counted(*given: Any) -> None:
        looked.append(given)
        mark_near_in_run(*given)

    with Index.open(":memory:") as index:
        for day in range(0, 400, 4):
            index.add([told_on(day, f"a{day}", day)])
        runs = len(index._cache.articles.runs)
        monkeypatch.setattr("dedup.index.lookup.mark_near_in_run", counted)

        assert canonicals(index, [told_on(402, "again", 396)]) == ["a396"]
        assert 0 < len(looked) < runs
        looked.clear()
        index.add([{**told_on(0, "undated"), "published": None}])
        assert len(looked) == runs


@pytest.mark.usefixtures("short_runs")
def test_what_is_recalled_does_not_grow_with_what_has_left() -> None:
    with Index.open(":memory:") as index:
        for day in range(0, 600, 3):
            index.add([told_on(day + more, str(day + more), day + more) for more in range(3)])
            index.expire(FIRST_DAY + timedelta(days=day - 10))
        index.add([told_on(603, "last", 9_000)])

        assert index.backend.read_state().articles == 601
        assert index.stats().articles < 20
        assert index._cache.articles.article_count == index.stats().articles
        assert len(index._cache.articles.days) < 40


@pytest.mark.parametrize(
    ("bound", "most", "reached"),
    [("max_candidates", 2, 1), ("max_candidates", 5, 0), ("max_postings", 50, 1), ("max_postings", 500, 0)],
)
def test_a_bound_is_reported_where_it_is_reached(bound: str, most: int, reached: int) -> None:
    again = [told_on(40 * times, str(times)) for times in range(4)]

    settings: Any = {bound: most}
    with Index.open(":memory:", Settings(**settings)) as index:
        for article in again:
            index.add([article])
        index.add([{**told_on(0, "undated"), "published": None}])

        assert (index.stats().kept, index.limited_lookups) == (4, reached)


KEYS = LookupKeys(np.ones((2, 3), np.uint32), np.ones((2, 2), np.uint32))
SOUND = {
    "positions": [4, 9],
    "leaders": [4, 9],
    "follows": [4, 9],
    "relations": [NO_RELATION, NO_RELATION],
    "marks": [LEVEL_ALL, LEVEL_ALL],
    "days": [1.0, 2.0],
}
PLACES = ("positions", "leaders", "follows")
UNSOUND = [
    {"positions": [9, 4]},
    {"positions": [4, 4]},
    {"positions": [-1, 9]},
    {"leaders": [4, 2**62]},
    {"leaders": [-1, 9]},
    {"leaders": [9, 4], "relations": [REWRITE, REWRITE]},
    {"follows": [4, 2**62]},
    {"follows": [-1, 9]},
    {"follows": [9, 4]},
    {"leaders": [4, 4], "follows": [9, 9], "relations": [NO_RELATION, REWRITE]},
    {"relations": [NO_RELATION, FOLLOWUP + 1]},
    {"relations": [-2, EXACT]},
    {"marks": [LEVEL_ALL, 3]},
    {"marks": [LEVEL_ALL, -1]},
    {"marks": [LEVEL_ALL, LEVEL_NONE]},
    {"days": [1.0, np.inf]},
]


@pytest.mark.parametrize("change", UNSOUND)
def test_what_no_index_holds_is_refused_and_leaves_no_trace(change: dict[str, list[float]]) -> None:
    known, sound = ArticleLookup(3, 2), {name: np.array(values) for name, values in SOUND.items()}

    with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
        known.add(**(sound | {name: np.array(values) for name, values in change.items()}), keys=KEYS)
    known.add(**sound, keys=KEYS)

    assert known.positions[: known.article_count].tolist() == [4, 9]
    assert known.find_kept().tolist() == [0, 1]


def test_an_article_that_repeats_another_is_of_its_storyline() -> None:
    known = ArticleLookup(3, 2)
    three = LookupKeys(np.ones((3, 3), np.uint32), np.ones((3, 2), np.uint32))

    known.add(
        positions=np.array([2, 5, 7]),
        days=np.array([1.0, 2.0, 3.0]),
        leaders=np.array([2, 5, 5]),
        follows=np.array([2, 2, 7]),
        relations=np.array([NO_RELATION, NO_RELATION, REWRITE]),
        marks=np.full(3, LEVEL_ALL),
        keys=three,
    )

    settled = known.get_prior_assignments(np.arange(3))
    assert settled.leaders.tolist() == [0, 1, 1]
    assert settled.storylines.tolist() == [0, 0, 0]


def test_positions_beyond_memory_take_none() -> None:
    known = ArticleLookup(3, 2)

    known.add(
        **{name: np.array(v) for name, v in (SOUND | {key: [1, 2**47] for key in PLACES}).items()},
        keys=KEYS,
    )

    assert known.next_position == 2**47 + 1
    assert len(known.days) < 2**20
