"""What there is to tune by: the curve is that of single runs, and mistakes are named, the worst first."""

from dataclasses import replace

import numpy as np
import pytest
from newsmaker import planned

from dedup.evaluation.ground_truth import Pairs, Stories, Truth
from dedup.evaluation.metrics import evaluate, pairwise
from dedup.evaluation.pair_labels import Found
from dedup.evaluation.tuning import Bin, calibration_error, curve, false_matches, misses, reliability, study
from dedup.formatting import chance
from dedup.io.articles import to_batches
from dedup.matching.classifier import read_shipped_model
from dedup.pipeline.deduplicate import Prepared, decided, deduplicate, prepared
from dedup.reports.html.tuning_page import page
from dedup.settings.settings import Settings

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
        settings = replace(SETTINGS, rewrite_probability=point.probability)
        alone = evaluate(deduplicate(ARTICLES, settings), STORIES)
        assert (point.f1, point.precision, point.b3_f1) == (
            alone.pairwise.f1,
            alone.pairwise.precision,
            alone.b_cubed.f1,
        )
    assert len(points) > 12
    assert points[0].dropped > points[-1].dropped
    assert [p.probability for p in points if p.in_force] == [SETTINGS.rewrite_probability]
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

    scores = Pairs.of(Found(left, right, same, 0, 0, {})).scores(result)

    assert scores.pairwise == pairwise(STORIES, result.assignments.leaders.tolist())
    assert scores.relations == evaluate(result, STORIES).relations


def test_what_is_not_labelled_is_neither_right_nor_wrong(given: Prepared) -> None:
    result = decided(given, SETTINGS)
    first = next(a for a in range(len(STORIES)) if result.assignments.leaders[a] != a)
    kept = int(result.assignments.leaders[first])
    truth: Truth = Pairs.of(Found(np.array([kept]), np.array([first]), np.array([False]), 0, 0, {}))

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


def test_the_error_is_the_distance_of_each_bin_by_its_pairs() -> None:
    bins = (Bin(0.2, 0.3, 0.25, 0.25, 10), Bin(0.9, 1.0, 0.95, 0.45, 30), Bin(0.5, 0.6, 0.5, 0.7, 60))

    assert calibration_error(bins) == pytest.approx((0 * 10 + 0.5 * 30 + 0.2 * 60) / 100)
    assert calibration_error(()) is None


@pytest.mark.parametrize(("level", "model"), [("story", "story"), ("storyline", "storyline")])
def test_probabilities_are_those_of_the_model_of_the_level(level: str, model: str, given: Prepared) -> None:
    settings = replace(SETTINGS, level=level, relations=("exact", "rewrite", "followup"))
    result = decided(given, settings)
    shipped = read_shipped_model(model)

    found = study(given, result, Stories(range(len(STORIES)), [None] * len(STORIES)), 100)

    place = {name: n for n, name in enumerate(result.ids)}
    by_model = [m for m in found.false_matches if m.relation in {"rewrite", "followup"}]
    assert (found.level, found.model) == (level, model)
    assert found.calibration_error == calibration_error(found.reliability) is not None
    assert by_model
    for m in by_model:
        row = result.assignments.against(place[m.b]).astype(np.float64)
        assert m.probability == pytest.approx(chance(float(shipped.log_odds(row[None])[0])), abs=1e-6)


def test_the_curve_of_storylines_holds_what_single_runs_score(given: Prepared) -> None:
    settings = replace(SETTINGS, level="storyline")

    points = curve(given, settings, Stories(STORIES, [None] * len(STORIES)))

    alone = evaluate(deduplicate(ARTICLES, replace(settings, followup_probability=0.995)), STORIES)
    assert points[-1].probability == 0.995
    assert (points[-1].f1, points[-1].recall) == (alone.pairwise.f1, alone.pairwise.recall)
    assert points[0].dropped >= points[-1].dropped
    assert [p.probability for p in points if p.in_force] == [settings.followup_probability]


def test_no_model_decides_at_the_level_of_the_text(given: Prepared, wrong_labels: Stories) -> None:
    settings = replace(SETTINGS, level="text")

    found = study(given, decided(given, settings), wrong_labels, 3)

    assert (found.level, found.curve, found.reliability, found.calibration_error) == ("text", (), (), None)
    assert page(found, decided(given, settings)).count("<svg") == 0


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
    assert "scored at level story" in written
    assert "Does the probability of the story model mean what it says?" in written
    assert "The calibration error, bins weighted by their pairs, is 0." in written
    assert "nan" not in written
