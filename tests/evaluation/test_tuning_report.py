"""What there is to tune by: the curve is that of single runs, and mistakes are named, the worst first."""

from dataclasses import replace

import numpy as np
import pytest
from newsmaker import planned

from dedup.evaluation.ground_truth import GroundTruth, PairTruth, StoryTruth
from dedup.evaluation.metrics import evaluate, score_pairwise
from dedup.evaluation.pair_labels import LabelledPairs
from dedup.evaluation.tuning_report import (
    ReliabilityBin,
    build_tuning_report,
    compute_calibration_error,
    compute_reliability,
    compute_threshold_curve,
    find_false_matches,
    find_misses,
)
from dedup.formatting import to_probability
from dedup.io.articles import to_batches
from dedup.matching.models import read_shipped_model
from dedup.pipeline.deduplicate import SketchedCorpus, cluster_sketches, deduplicate, sketch_corpus
from dedup.reports.html.tuning_page import render_tuning_page
from dedup.settings.settings import Settings

SETTINGS = Settings(threads=1)
ARTICLES = planned(90, seed=6, stories=12)
STORIES = [article["id"].split()[2] for article in ARTICLES]


@pytest.fixture(scope="module")
def given() -> SketchedCorpus:
    """Return ninety articles, sketched."""
    return sketch_corpus(to_batches(ARTICLES), SETTINGS)


@pytest.fixture(scope="module")
def wrong_labels() -> StoryTruth:
    """Return labels of which two stories have the wrong half."""
    halved = [f"{s}{n % 2}" if s in {"1", "2"} else s for n, s in enumerate(STORIES)]
    joined = ["3" if s == "4" else s for s in halved]
    return StoryTruth(joined, [None] * len(joined))


def test_the_curve_holds_what_single_runs_score(given: SketchedCorpus) -> None:
    truth = StoryTruth(STORIES, [None] * len(STORIES))

    points = compute_threshold_curve(given, SETTINGS, truth)

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


def test_false_matches_are_drops_that_labels_call_wrong(
    given: SketchedCorpus, wrong_labels: StoryTruth
) -> None:
    result = cluster_sketches(given, SETTINGS)
    place = {name: n for n, name in enumerate(result.ids)}

    found = list(find_false_matches(given, result, wrong_labels, 10))

    assert {(STORIES[place[m.a]], STORIES[place[m.b]]) for m in found} <= {("1", "1"), ("2", "2")}
    assert found
    assert all(m.relation and m.score for m in found)
    probabilities = [m.probability for m in found]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(list(find_false_matches(given, result, wrong_labels, 1))) == 1
    assert list(find_false_matches(given, result, wrong_labels, 0)) == []


def test_misses_are_labelled_pairs_held_apart(given: SketchedCorpus, wrong_labels: StoryTruth) -> None:
    result = cluster_sketches(given, SETTINGS)

    found = list(find_misses(given, result, wrong_labels, 10))

    labels = dict(zip(result.ids, wrong_labels.labels, strict=True))
    leaders = dict(zip(result.ids, result.assignments.leaders.tolist(), strict=True))
    assert found
    assert all(labels[m.a] == labels[m.b] and leaders[m.a] != leaders[m.b] for m in found)
    assert {labels[m.a] for m in found} >= {"3"}
    assert all(m.relation is None for m in found)


def test_pairs_score_as_the_stories_that_they_were_taken_from(given: SketchedCorpus) -> None:
    result = cluster_sketches(given, replace(SETTINGS, rewrite_probability=0.9999))
    left, right = np.triu_indices(len(STORIES), 1)
    same = np.array([STORIES[a] == STORIES[b] for a, b in zip(left, right, strict=True)])

    scores = PairTruth.from_labels(LabelledPairs(left, right, same, 0, 0, {})).score_result(result)

    assert scores.pairwise == score_pairwise(STORIES, result.assignments.leaders.tolist())
    assert scores.relations == evaluate(result, STORIES).relations


def test_what_is_not_labelled_is_neither_right_nor_wrong(given: SketchedCorpus) -> None:
    result = cluster_sketches(given, SETTINGS)
    first = next(a for a in range(len(STORIES)) if result.assignments.leaders[a] != a)
    kept = int(result.assignments.leaders[first])
    truth: GroundTruth = PairTruth.from_labels(
        LabelledPairs(np.array([kept]), np.array([first]), np.array([False]), 0, 0, {})
    )

    found = build_tuning_report(given, result, truth, 10)

    assert len(found.false_matches) == 1
    assert found.misses == ()
    assert sum(drops.wrong for drops in found.scores.relations.values()) == 1
    assert sum(drops.right for drops in found.scores.relations.values()) == 0


def test_bins_count_the_pairs_that_are_labelled(given: SketchedCorpus) -> None:
    result = cluster_sketches(given, SETTINGS)
    nothing = StoryTruth([None] * len(STORIES), [None] * len(STORIES))

    bins = compute_reliability(given, result, StoryTruth(STORIES, [None] * len(STORIES)))

    assert sum(b.pairs for b in bins) >= sum(m.relation == "rewrite" for m in result.dropped) > 0
    assert all(b.low <= b.said <= b.high and 0 <= b.same <= 1 for b in bins)
    assert compute_reliability(given, result, nothing) == ()


def test_the_error_is_the_distance_of_each_bin_by_its_pairs() -> None:
    bins = (
        ReliabilityBin(0.2, 0.3, 0.25, 0.25, 10),
        ReliabilityBin(0.9, 1.0, 0.95, 0.45, 30),
        ReliabilityBin(0.5, 0.6, 0.5, 0.7, 60),
    )

    assert compute_calibration_error(bins) == pytest.approx((0 * 10 + 0.5 * 30 + 0.2 * 60) / 100)
    assert compute_calibration_error(()) is None


@pytest.mark.parametrize(("level", "model"), [("story", "story"), ("storyline", "storyline")])
def test_probabilities_are_those_of_the_model_of_the_level(
    level: str, model: str, given: SketchedCorpus
) -> None:
    settings = replace(SETTINGS, level=level, relations=("exact", "rewrite", "followup"))
    result = cluster_sketches(given, settings)
    shipped = read_shipped_model(model)

    found = build_tuning_report(given, result, StoryTruth(range(len(STORIES)), [None] * len(STORIES)), 100)

    place = {name: n for n, name in enumerate(result.ids)}
    by_model = [m for m in found.false_matches if m.relation in {"rewrite", "followup"}]
    assert (found.level, found.model) == (level, model)
    assert found.calibration_error == compute_calibration_error(found.reliability) is not None
    assert by_model
    for m in by_model:
        row = result.assignments.get_evidence_rows(place[m.b]).astype(np.float64)
        assert m.probability == pytest.approx(
            to_probability(float(shipped.compute_log_odds(row[None])[0])), abs=1e-6
        )


def test_the_curve_of_storylines_holds_what_single_runs_score(given: SketchedCorpus) -> None:
    settings = replace(SETTINGS, level="storyline")

    points = compute_threshold_curve(given, settings, StoryTruth(STORIES, [None] * len(STORIES)))

    alone = evaluate(deduplicate(ARTICLES, replace(settings, followup_probability=0.995)), STORIES)
    assert points[-1].probability == 0.995
    assert (points[-1].f1, points[-1].recall) == (alone.pairwise.f1, alone.pairwise.recall)
    assert points[0].dropped >= points[-1].dropped
    assert [p.probability for p in points if p.in_force] == [settings.followup_probability]


def test_no_model_decides_at_the_level_of_the_text(given: SketchedCorpus, wrong_labels: StoryTruth) -> None:
    settings = replace(SETTINGS, level="text")

    found = build_tuning_report(given, cluster_sketches(given, settings), wrong_labels, 3)

    assert (found.level, found.curve, found.reliability, found.calibration_error) == ("text", (), (), None)
    assert b"<svg" not in render_tuning_page(found, cluster_sketches(given, settings))


def test_a_page_shows_titles_as_text_and_asks_nothing_of_the_network(
    given: SketchedCorpus, wrong_labels: StoryTruth
) -> None:
    hostile = '</li><script>alert("x")</script>'
    titles = given.articles.set_column(1, "title", [[hostile] * len(STORIES)])
    result = cluster_sketches(given, SETTINGS)

    written = render_tuning_page(
        build_tuning_report(given._replace(articles=titles), result, wrong_labels, 3), result
    ).decode()

    assert "&lt;script&gt;" in written
    assert "<script" not in written
    assert "http:" not in written.replace("http-equiv", "")
    assert "https:" not in written
    assert written.count('role="img"') == 2
    assert "scored at level story" in written
    assert "Is the story model calibrated?" in written
    assert "The calibration error, bins weighted by their pairs, is 0." in written
    assert "nan" not in written
