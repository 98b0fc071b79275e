"""A result and what is known of its corpus → the labelled pairs that the model of its level can learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dedup.evaluation.asked_pairs import asked_pairs, asks
from dedup.evaluation.fitting import Labelled
from dedup.evaluation.folds import stories_of
from dedup.evaluation.ground_truth import Pairs, Stories
from dedup.evaluation.metrics import codes
from dedup.matching.pair_scoring import evidence_in_context
from dedup.pipeline.deduplicate import Prepared
from dedup.pipeline.results import Result

__all__ = ["MOST_PAIRS", "Lessons", "lessons"]

MOST_PAIRS = 50_000
"""Of a corpus with a label for each article, so many pairs are taken, evenly."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """Pairs to learn from, and those from which nothing can be learned."""

    labelled: Labelled
    settled: int
    """Labelled pairs that never reach the model: copies, fillings of one template, too short, or too far apart in time."""


def lessons(given: Prepared, result: Result, truth: Stories | Pairs) -> Lessons:
    """Return the labelled pairs about which a run would ask the model, with their evidence."""
    settings, sketches = result.settings, given.sketches
    if isinstance(truth, Stories):
        pairs = asked_pairs(sketches, result.order, settings, MOST_PAIRS)
        judged = [truth.says(int(a), int(b)) for a, b in pairs]
        known = np.array([says is not None for says in judged], np.bool_)
        pairs, same = pairs[known], np.array([bool(s) for s in judged], np.bool_)[known]
        # What leaves pairs open (a saga) lies in one fold too.
        names = [
            label if opened is None else ("open", opened)
            for label, opened in zip(truth.labels, truth.opened, strict=True)
        ]
        stories = np.array(codes(names), np.int64)
        return Lessons(learned(given, result, pairs, same, stories), 0)
    pairs = in_rank_order(np.stack([truth.found.left, truth.found.right], axis=1), result.order)
    reach = asks(sketches, pairs, settings)
    stories = stories_of(pairs, truth.found.together, len(result.ids))
    return Lessons(
        learned(given, result, pairs[reach], truth.found.together[reach], stories),
        int(len(pairs) - reach.sum()),
    )


def learned(
    given: Prepared, result: Result, pairs: np.ndarray, same: np.ndarray, stories: np.ndarray
) -> Labelled:
    """Return pairs with their evidence."""
    evidence = evidence_in_context(given.sketches, result.order, pairs, result.settings)
    return Labelled(evidence, same, stories[pairs])


def in_rank_order(pairs: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return pairs with the article first that ranks first; what is not ranked comes last."""
    rank = np.full(int(max(pairs.max(initial=0), order.max(initial=0))) + 1, len(order), np.int64)
    rank[order] = np.arange(len(order))
    turned = rank[pairs[:, 0]] > rank[pairs[:, 1]]
    return np.where(turned[:, None], pairs[:, ::-1], pairs)
