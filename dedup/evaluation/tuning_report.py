"""Build a report for tuning a run with labels: scores, their threshold curve, calibration, and the worst mistakes.

The corpus is sketched once and clustered again for each threshold, so a curve of two dozen points takes
seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from dedup.evaluation.ground_truth import GroundTruth
from dedup.evaluation.metrics import Evaluation, PairEvaluation
from dedup.evaluation.near_threshold import (
    compute_context_log_odds,
    find_missed_pairs,
    list_matched_pairs,
    order_by_rank,
)
from dedup.formatting import to_probability
from dedup.matching.classifier import NO_RELATION
from dedup.pipeline.deduplicate import SketchedCorpus, cluster_sketches
from dedup.pipeline.results import Result
from dedup.settings.settings import LEVEL_MODELS, RELATIONS, THRESHOLD_SETTINGS, Settings

__all__ = [
    "Mistake",
    "ReliabilityBin",
    "ThresholdScores",
    "TuningReport",
    "build_tuning_report",
    "compute_calibration_error",
    "compute_reliability",
    "compute_threshold_curve",
    "find_false_matches",
    "find_misses",
]

CURVE_THRESHOLDS = (
    *(0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55),
    *(0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99, 0.995),
)
"""The probabilities of the curve, in addition to the current one."""
RELIABILITY_BINS = 10
"""Bins of equal width over the probabilities."""
MAX_SPLIT_PAIRS = 200_000
"""The most split pairs that are scored to find the worst misses."""


@dataclass(frozen=True, slots=True)
class ThresholdScores:
    """A point of the threshold curve."""

    probability: float
    """The threshold for a rewrite or, at level storyline, for a follow-up."""
    precision: float
    recall: float
    f1: float
    b3_f1: float | None
    """None if only pairs are labelled."""
    dropped: int
    in_force: bool
    best: bool
    """Whether the point has the best F1; of several, only the one nearest the current threshold."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Pairs of similar probability, and the share of them that belongs together."""

    low: float
    high: float
    said: float
    """The mean of their probabilities."""
    same: float
    """The share that is the same story or, for the storyline model, the same storyline."""
    pairs: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """Two articles that a result joins or splits against the labels."""

    a: str
    """The id of the higher-ranked article."""
    b: str
    title_a: str | None
    title_b: str | None
    relation: str | None
    """None if the two are not matched."""
    score: float | None
    probability: float
    """The probability of the level's model, even if another rule decided."""


@dataclass(frozen=True, slots=True)
class TuningReport:
    """Scores, curve, calibration and mistakes of a result."""

    level: str
    """The level at which the result is scored."""
    model: str
    """The model whose probabilities are shown: story or storyline."""
    scores: Evaluation | PairEvaluation
    curve: tuple[ThresholdScores, ...]
    reliability: tuple[ReliabilityBin, ...]
    calibration_error: float | None
    """The expected calibration error of the bins in `reliability`; None without bins."""
    false_matches: tuple[Mistake, ...]
    misses: tuple[Mistake, ...]


def build_tuning_report(
    corpus: SketchedCorpus, result: Result, truth: GroundTruth, limit: int, *, thorough: bool = True
) -> TuningReport:
    """Return the tuning report of a result, with at most `limit` mistakes of each kind.

    The curve and the reliability need more runs, so they are left out unless `thorough`. Level text uses no
    model, so it has neither.
    """
    level = result.settings.level
    thorough &= level != "text"
    bins = compute_reliability(corpus, result, truth) if thorough else ()
    return TuningReport(
        level=level,
        model=LEVEL_MODELS[level],
        scores=truth.score_result(result),
        curve=compute_threshold_curve(corpus, result.settings, truth) if thorough else (),
        reliability=bins,
        calibration_error=compute_calibration_error(bins),
        false_matches=tuple(find_false_matches(corpus, result, truth, limit)),
        misses=tuple(find_misses(corpus, result, truth, limit)),
    )


def compute_threshold_curve(
    corpus: SketchedCorpus, settings: Settings, truth: GroundTruth
) -> tuple[ThresholdScores, ...]:
    """Return the scores at each threshold of the level's model, with the best marked."""
    name = THRESHOLD_SETTINGS[settings.level]
    in_force = getattr(settings, name)
    points = [
        score_threshold(corpus, replace(settings, **{name: p}), truth, settings)
        for p in sorted({*CURVE_THRESHOLDS, in_force})
    ]
    best = max(points, key=lambda p: (p.f1, -abs(p.probability - in_force)))
    return tuple(replace(p, best=p is best) for p in points)


def score_threshold(
    corpus: SketchedCorpus, trial_settings: Settings, truth: GroundTruth, settings: Settings
) -> ThresholdScores:
    """Return the scores of a run with `trial_settings`; `settings` are the current ones."""
    result = cluster_sketches(corpus, trial_settings)
    scores = truth.score_result(result)
    return ThresholdScores(
        probability=getattr(trial_settings, THRESHOLD_SETTINGS[trial_settings.level]),
        precision=scores.pairwise.precision,
        recall=scores.pairwise.recall,
        f1=scores.pairwise.f1,
        b3_f1=scores.b_cubed.f1 if isinstance(scores, Evaluation) else None,
        dropped=len(result.dropped),
        in_force=trial_settings == settings,
        best=False,
    )


def compute_reliability(
    corpus: SketchedCorpus, result: Result, truth: GroundTruth
) -> tuple[ReliabilityBin, ...]:
    """Return the share of pairs that belong together, for each bin of the probability of the level's model.

    The pairs are the labelled ones among the matched rewrites and follow-ups and the nearest miss of each
    kept article.
    """
    pairs = [*list_matched_pairs(result), *find_missed_pairs(result, corpus.sketches)]
    labelled = [
        (to_probability(p.log_odds), same)
        for p in pairs
        if (same := truth.are_together(p.kept, p.other)) is not None
    ]
    places = [min(int(probability * RELIABILITY_BINS), RELIABILITY_BINS - 1) for probability, _ in labelled]
    return tuple(
        make_reliability_bin(k, [pair for pair, place in zip(labelled, places, strict=True) if place == k])
        for k in sorted(set(places))
    )


def compute_calibration_error(bins: Iterable[ReliabilityBin]) -> float | None:
    """Return the expected calibration error: the mean distance of bins from calibration, weighted by pairs.

    >>> compute_calibration_error(
    ...     [ReliabilityBin(0.9, 1.0, 0.9, 0.4, 1), ReliabilityBin(0.1, 0.2, 0.1, 0.1, 1)]
    ... )
    0.25
    """
    weights = [(b.pairs, abs(b.said - b.same)) for b in bins]
    total = sum(pairs for pairs, _ in weights)
    return sum(pairs * away for pairs, away in weights) / total if total else None


def make_reliability_bin(tenth: int, pairs: list[tuple[float, bool]]) -> ReliabilityBin:
    """Return the bin of the pairs of one tenth."""
    probabilities, same = zip(*pairs, strict=True)
    return ReliabilityBin(
        tenth / RELIABILITY_BINS,
        (tenth + 1) / RELIABILITY_BINS,
        sum(probabilities) / len(probabilities),
        sum(same) / len(same),
        len(pairs),
    )


def find_false_matches(
    corpus: SketchedCorpus, result: Result, truth: GroundTruth, limit: int
) -> Iterator[Mistake]:
    """Yield the drops that contradict the labels, most confident first, at most one per cluster."""
    assignments = result.assignments
    dropped = np.flatnonzero((assignments.relations != NO_RELATION) & (result.duplicate_of_input < 0))
    pairs = zip(assignments.leaders[dropped].tolist(), dropped.tolist(), strict=True)
    wrong = [pair for pair in pairs if truth.are_together(*pair) is False]
    return select_worst_mistakes(corpus, result, to_pair_array(wrong), limit)


def find_misses(corpus: SketchedCorpus, result: Result, truth: GroundTruth, limit: int) -> Iterator[Mistake]:
    """Yield pairs that belong together but are in different clusters, most confident first, at most one per cluster."""
    leaders = result.assignments.leaders.tolist()
    split = to_pair_array(islice(truth.iter_split_story_pairs(leaders), MAX_SPLIT_PAIRS))
    return select_worst_mistakes(corpus, result, order_by_rank(split, result.order), limit)


def to_pair_array(pairs: Iterable[tuple[int, int]]) -> np.ndarray:
    """Return pairs as an array (n × 2, int64)."""
    return np.array(list(pairs), np.int64).reshape(-1, 2)


def select_worst_mistakes(
    corpus: SketchedCorpus, result: Result, pairs: np.ndarray, limit: int
) -> Iterator[Mistake]:
    """Yield at most `limit` pairs with the highest log-odds, highest first, at most one per cluster."""
    seen: set[int] = set()
    log_odds = compute_context_log_odds(result, corpus.sketches, pairs)
    for k in np.argsort(-log_odds, kind="stable").tolist():
        if limit <= 0:
            return
        clusters = set(result.assignments.leaders[pairs[k]].tolist())
        if clusters & seen:
            continue
        seen |= clusters
        yield make_mistake(corpus, result, pairs[k], float(log_odds[k]))
        limit -= 1


def make_mistake(corpus: SketchedCorpus, result: Result, pair: np.ndarray, log_odds: float) -> Mistake:
    """Return a pair with its titles and relation."""
    a, b = pair.tolist()
    assignments = result.assignments
    joined = assignments.leaders[b] == a and assignments.relations[b] != NO_RELATION
    titles: list[Any] = corpus.articles["title"].take([a, b]).to_pylist()
    return Mistake(
        a=result.ids[a],
        b=result.ids[b],
        title_a=titles[0],
        title_b=titles[1],
        relation=RELATIONS[assignments.relations[b]] if joined else None,
        score=result.get_score(b) if joined else None,
        probability=to_probability(log_odds),
    )
