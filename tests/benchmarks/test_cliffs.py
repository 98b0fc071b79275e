"""Work on corpora that are hard on a deduper, counted and never timed: it grows with the articles, not with their square."""

import pytest

from benchmarks.cliffs import HARD
from dedup.pipeline.deduplicate import deduplicate
from dedup.pipeline.results import Result
from dedup.settings.settings import Settings

BOUNDS = Settings(max_candidates=10, max_postings=50)


def result_of(name: str, articles: int, settings: Settings = BOUNDS) -> Result:
    """Return what becomes of a hard corpus of so many articles."""
    return deduplicate(list(HARD[name](articles)), settings)


@pytest.mark.parametrize("name", ["unlike stories", "one story", "one story, reworded", "no words"])
def test_three_times_the_articles_are_three_times_the_work(name: str) -> None:
    few, many = (result_of(name, articles, Settings()) for articles in (2_000, 6_000))

    verified = [float(result.assignments.verified.mean()) for result in (few, many)]

    assert verified[1] <= 1.5 * verified[0] + 1
    assert not many.assignments.limit_reached.any()


@pytest.mark.parametrize(
    "name",
    [
        "one form filled in, on one day",
        "words that all have",
        "unlike stories on one day",
        "unlike stories, undated",
    ],
)
def test_where_all_are_alike_the_work_is_bounded_and_that_is_said(name: str) -> None:
    found = result_of(name, 1_500).assignments

    # Kept articles and those that repeat them are counted apart, and so are those of its chunk and those before it.
    assert found.verified.max() <= 4 * BOUNDS.max_candidates
    assert found.limit_reached.any()


def test_a_hundred_thousand_tellings_would_be_one_cluster_a_window() -> None:
    found = result_of("one story", 1_200)

    assert all(match.relation == "exact" for match in found.dropped)
    assert len(found.clusters) == len(found.kept) <= 13


def test_a_form_filled_in_is_no_story_told_again() -> None:
    found = result_of("one form filled in", 600)

    assert len(found.kept) > 590
