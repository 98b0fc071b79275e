"""A sketched corpus and labels → what there is to tune by: scores, their curve, what probabilities mean, and mistakes.

In: `Prepared`, settings, and a `Truth`. Out: a `Study`, for a terminal, a page or a program. The corpus is sketched once
and clustered again for each threshold, so that a curve of two dozen points costs seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dedup.evaluation.ground_truth import Truth
from dedup.evaluation.metrics import Evaluation, PairEvaluation
from dedup.evaluation.near_threshold import matched_pairs, missed_pairs, weigh_in_context
from dedup.formatting import chance
from dedup.matching.classifier import NONE
from dedup.pipeline.deduplicate import Prepared, decided
from dedup.pipeline.results import Result
from dedup.settings.settings import MODEL_OF, RELATIONS, THRESHOLD_OF, Settings

__all__ = [
    "Bin",
    "Mistake",
    "Point",
    "Study",
    "calibration_error",
    "curve",
    "false_matches",
    "misses",
    "reliability",
    "study",
]

THRESHOLDS = (
    *(0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55),
    *(0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99, 0.995),
)
"""The probabilities that a curve tries, beside the one in force."""
BINS = 10
"""Probabilities are looked at in tenths."""
MOST_LOOKED_AT = 200_000
"""So many pairs held apart are weighed to find the worst misses."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the curve: what a threshold would give."""

    probability: float
    """What a rewrite (or, at the level of storylines, a follow-up) needs."""
    precision: float
    recall: float
    f1: float
    b3_f1: float | None
    """None where only pairs are labelled."""
    dropped: int
    in_force: bool
    best: bool
    """The best F1 of the curve; of several, the one nearest the threshold in force."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs of about the same probability, and how many of them belong together after all."""

    low: float
    high: float
    said: float
    """The mean of their probabilities."""
    same: float
    """The share of them that is one story; of the storyline model, one storyline."""
    pairs: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """Two articles that a result joins against the labels, or holds apart against them."""

    a: str
    """The id of the article that ranks first."""
    b: str
    title_a: str | None
    title_b: str | None
    relation: str | None
    """None: they are held apart."""
    score: float | None
    probability: float
    """That of the level's model, whatever the relation rests on."""


@dataclass(frozen=True, slots=True)
class Study:
    """What there is to tune by."""

    level: str
    """At which level the result is scored."""
    model: str
    """Whose probabilities are shown: the "story" model, or the "storyline" model."""
    scores: Evaluation | PairEvaluation
    curve: tuple[Point, ...]
    reliability: tuple[Bin, ...]
    calibration_error: float | None
    """Over the bins of `reliability`; None where there are none."""
    false_matches: tuple[Mistake, ...]
    misses: tuple[Mistake, ...]


def study(given: Prepared, result: Result, truth: Truth, most: int, *, thorough: bool = True) -> Study:
    """Return the study of a result and what it was decided from, with at most so many mistakes of either kind.

    Unless it is to be thorough, the curve and the reliability are left out, which cost more runs; at the level of the text, where
    no model decides, always.
    """
    level = result.settings.level
    thorough &= level != "text"
    bins = reliability(given, result, truth) if thorough else ()
    return Study(
        level=level,
        model=MODEL_OF[level],
        scores=truth.scores(result),
        curve=curve(given, result.settings, truth) if thorough else (),
        reliability=bins,
        calibration_error=calibration_error(bins),
        false_matches=tuple(false_matches(given, result, truth, most)),
        misses=tuple(misses(given, result, truth, most)),
    )


def curve(given: Prepared, settings: Settings, truth: Truth) -> tuple[Point, ...]:
    """Return the scores at each threshold of the level's model, the best of them marked."""
    name = THRESHOLD_OF[settings.level]
    in_force = getattr(settings, name)
    found = [
        point(given, replace(settings, **{name: p}), truth, settings) for p in sorted({*THRESHOLDS, in_force})
    ]
    best = max(found, key=lambda p: (p.f1, -abs(p.probability - in_force)))
    return tuple(replace(p, best=p is best) for p in found)


def point(given: Prepared, tried: Settings, truth: Truth, settings: Settings) -> Point:
    """Return the scores of the settings tried, beside those in force."""
    result = decided(given, tried)
    scores = truth.scores(result)
    return Point(
        probability=getattr(tried, THRESHOLD_OF[tried.level]),
        precision=scores.pairwise.precision,
        recall=scores.pairwise.recall,
        f1=scores.pairwise.f1,
        b3_f1=scores.b_cubed.f1 if isinstance(scores, Evaluation) else None,
        dropped=len(result.dropped),
        in_force=tried == settings,
        best=False,
    )


def reliability(given: Prepared, result: Result, truth: Truth) -> tuple[Bin, ...]:
    """Return, by tenths of the level's model's probability, what labels say of the pairs near its decision.

    They are the rewrites (and follow-ups) that were joined, and of each article kept the best pair that just missed.
    """
    pairs = [*matched_pairs(result), *missed_pairs(result, given.sketches)]
    judged = [(chance(p.log_odds), same) for p in pairs if (same := truth.says(p.kept, p.other)) is not None]
    places = [min(int(said * BINS), BINS - 1) for said, _ in judged]
    return tuple(
        binned(k, [pair for pair, place in zip(judged, places, strict=True) if place == k])
        for k in sorted(set(places))
    )


def calibration_error(bins: Iterable[Bin]) -> float | None:
    """Return the expected calibration error: how far bins are from what they say, each by its share of the pairs; None of none.

    >>> calibration_error([Bin(0.9, 1.0, 0.9, 0.4, 1), Bin(0.1, 0.2, 0.1, 0.1, 1)])
    0.25
    """
    weights = [(b.pairs, abs(b.said - b.same)) for b in bins]
    total = sum(pairs for pairs, _ in weights)
    return sum(pairs * away for pairs, away in weights) / total if total else None


def binned(place: int, pairs: list[tuple[float, bool]]) -> Bin:
    """Return the pairs of one tenth, as a bin."""
    said, same = zip(*pairs, strict=True)
    return Bin(place / BINS, (place + 1) / BINS, sum(said) / len(said), sum(same) / len(same), len(pairs))


def false_matches(given: Prepared, result: Result, truth: Truth, most: int) -> Iterator[Mistake]:
    """Yield the drops that the labels call wrong, those first that the model is surest of; one of a cluster."""
    made = result.assignments
    dropped = np.flatnonzero((made.relations != NONE) & (result.repeats < 0)).tolist()
    wrong = [(int(made.leaders[a]), a) for a in dropped if truth.says(a, int(made.leaders[a])) is False]
    return worst(given, result, wrong, most)


def misses(given: Prepared, result: Result, truth: Truth, most: int) -> Iterator[Mistake]:
    """Yield pairs that belong together and are held apart, those first that the model is surest of; one of a cluster."""
    leaders = result.assignments.leaders.tolist()
    apart = [pair for pair, _ in zip(truth.apart(leaders), range(MOST_LOOKED_AT), strict=False)]
    return worst(given, result, in_rank_order(apart, result.order), most)


def in_rank_order(pairs: Iterable[tuple[int, int]], order: np.ndarray) -> list[tuple[int, int]]:
    """Return pairs with the article first that ranks first."""
    rank = {a: k for k, a in enumerate(order.tolist())}
    return [(a, b) if rank.get(a, math.inf) <= rank.get(b, math.inf) else (b, a) for a, b in pairs]


def worst(given: Prepared, result: Result, pairs: list[tuple[int, int]], most: int) -> Iterator[Mistake]:
    """Yield the pairs that the model gives the highest log-odds, at most so many, each of other clusters than those before."""
    if not pairs:
        return
    seen: set[int] = set()
    left, right = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    log_odds = weigh_in_context(result, given.sketches, np.stack([left, right], axis=1))
    for k in np.argsort(-log_odds, kind="stable").tolist():
        if most <= 0:
            return
        clusters = {int(result.assignments.leaders[side[k]]) for side in (left, right)}
        if clusters & seen:
            continue
        seen |= clusters
        yield mistake(given, result, pairs[k], float(log_odds[k]))
        most -= 1


def mistake(given: Prepared, result: Result, pair: tuple[int, int], log_odds: float) -> Mistake:
    """Return a pair, as people are shown it."""
    a, b = pair
    made = result.assignments
    together = made.leaders[b] == a and made.relations[b] != NONE
    titles: list[Any] = given.articles["title"].take(list(pair)).to_pylist()
    return Mistake(
        a=result.ids[a],
        b=result.ids[b],
        title_a=titles[0],
        title_b=titles[1],
        relation=RELATIONS[made.relations[b]] if together else None,
        score=result.score(b) if together else None,
        probability=chance(log_odds),
    )
