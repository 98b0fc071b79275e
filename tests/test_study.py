"""What there is to tune by: the curve is that of single runs, and mistakes are named, the worst first."""

from dataclasses import replace

import numpy as np
import pytest
from newsmaker import planned

from dedup.articles import to_batches
from dedup.evaluation import evaluate, pairwise
from dedup.labels import Found
from dedup.pipeline import Prepared, decided, deduplicate, prepared
from dedup.scorepage import page
from dedup.settings import Settings
from dedup.study import curve, false_matches, misses, reliability, study
from dedup.truth import Pairs, Stories, Truth

SETTINGS = Settings(threads=1)
ARTICLES = planned(90, seed=6, stories=12)
STORIES = [article["id"].split()[2] for article in ARTICLES]


@pytest.fixture(scope="module")
def given() -> Prepared:
    """Return ninety articles, sketched."""
    return prepared(to_batches(ARTICLES), SETTINGS)


@pytest.fixture(scope="module")
def wrong_labels() -> Stories:
    """Return labels of which two stories have the wrong half."""
    halved = [f"{s}{n % 2}" if s in {"1", "2"} else s for n, s in enumerate(STORIES)]
    joined = ["3" if s == "4" else s for s in halved]
    return Stories(joined, [None] * len(joined))


def test_the_curve_holds_what_single_runs_score(given: Prepared) -> None:
    truth = Stories(STORIES, [None] * len(STORIES))

    points = curve(given, SETTINGS, truth)

    for point in (points[0], points[-1]):
        settings = replace(SETTINGS, rewrite_probability=point.rewrite_probability)
        alone = evaluate(deduplicate(ARTICLES, settings), STORIES)
        assert (point.f1, point.precision, point.b3_f1) == (
            alone.pairwise.f1,
            alone.pairwise.precision,
            alone.b_cubed.f1,
        )
    assert len(points) > 12
    assert points[0].dropped > points[-1].dropped
    assert [p.rewrite_probability for p in points if p.in_force] == [SETTINGS.rewrite_probability]
    assert [p.f1 for p in points if p.best] == [max(p.f1 for p in points)]


def test_false_matches_are_drops_that_labels_call_wrong(given: Prepared, wrong_labels: Stories) -> None:
    result = decided(given, SETTINGS)
    place = {name: n for n, name in enumerate(result.ids)}

    found = list(false_matches(given, result, wrong_labels, 10))

    assert {(STORIES[place[m.a]], STORIES[place[m.b]]) for m in found} <= {("1", "1"), ("2", "2")}
    assert found
    assert all(m.relation and m.score for m in found)
    probabilities = [m.probability for m in found]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(list(false_matches(given, result, wrong_labels, 1))) == 1
    assert list(false_matches(given, result, wrong_labels, 0)) == []


def test_misses_are_labelled_pairs_held_apart(given: Prepared, wrong_labels: Stories) -> None:
    result = decided(given, SETTINGS)

    found = list(misses(given, result, wrong_labels, 10))

    labels = dict(zip(result.ids, wrong_labels.labels, strict=True))
    leaders = dict(zip(result.ids, result.assignments.leaders.tolist(), strict=True))
    assert found
    assert all(labels[m.a] == labels[m.b] and leaders[m.a] != leaders[m.b] for m in found)
    assert {labels[m.a] for m in found} >= {"3"}
    assert all(m.relation is None for m in found)


def test_pairs_score_as_the_stories_that_they_were_taken_from(given: Prepared) -> None:
    result = decided(given, replace(SETTINGS, rewrite_probability=0.9999))
    left, right = np.triu_indices(len(STORIES), 1)
    same = np.array([STORIES[a] == STORIES[b] for a, b in zip(left, right, strict=True)])

    scores = Pairs.of(Found(left, right, same, 0, 0)).scores(result)

    assert scores.pairwise == pairwise(STORIES, result.assignments.leaders.tolist())
    assert scores.relations == evaluate(result, STORIES).relations


def test_what_is_not_labelled_is_neither_right_nor_wrong(given: Prepared) -> None:
    result = decided(given, SETTINGS)
    first = next(a for a in range(len(STORIES)) if result.assignments.leaders[a] != a)
    kept = int(result.assignments.leaders[first])
    truth: Truth = Pairs.of(Found(np.array([kept]), np.array([first]), np.array([False]), 0, 0))

    found = study(given, result, truth, 10)

    assert len(found.false_matches) == 1
    assert found.misses == ()
    assert sum(drops.wrong for drops in found.scores.relations.values()) == 1
    assert sum(drops.right for drops in found.scores.relations.values()) == 0


def test_bins_count_the_pairs_that_are_labelled(given: Prepared) -> None:
    result = decided(given, SETTINGS)
    nothing = Stories([None] * len(STORIES), [None] * len(STORIES))

    bins = reliability(given, result, Stories(STORIES, [None] * len(STORIES)))

    assert sum(b.pairs for b in bins) >= sum(m.relation == "rewrite" for m in result.dropped) > 0
    assert all(b.low <= b.said <= b.high and 0 <= b.same <= 1 for b in bins)
    assert reliability(given, result, nothing) == ()


def test_a_page_shows_titles_as_text_and_asks_nothing_of_the_network(
    given: Prepared, wrong_labels: Stories
) -> None:
    hostile = '</li><script>alert("x")</script>'
    titles = given.articles.set_column(1, "title", [[hostile] * len(STORIES)])
    result = decided(given, SETTINGS)

    written = page(study(given._replace(articles=titles), result, wrong_labels, 3), result)

    assert "&lt;script&gt;" in written
    assert "<script" not in written
    assert "http:" not in written.replace("http-equiv", "")
    assert "https:" not in written
    assert written.count("<svg") == 2
    assert "nan" not in written
