"""A result and what is known of its corpus → the labelled pairs that the model of its level can learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dedup.evaluation.asked_pairs import is_decided_by_model, select_model_pairs
from dedup.evaluation.fitting import TrainingPairs
from dedup.evaluation.folds import label_connected_stories
from dedup.evaluation.ground_truth import PairTruth, StoryTruth
from dedup.evaluation.metrics import encode_labels
from dedup.matching.pair_scoring import compute_evidence_in_context
from dedup.pipeline.deduplicate import SketchedCorpus
from dedup.pipeline.results import Result

__all__ = ["MAX_TRAINING_PAIRS", "TrainingSet", "build_training_set"]

MAX_TRAINING_PAIRS = 50_000
"""Of a corpus with a label for each article, so many pairs are taken, evenly."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Pairs to learn from, and those from which nothing can be learned."""

    pairs: TrainingPairs
    settled: int
    """Labelled pairs that never reach the model: copies, fillings of one template, too short, or too far apart in time."""


def build_training_set(corpus: SketchedCorpus, result: Result, truth: StoryTruth | PairTruth) -> TrainingSet:
    """Return the labelled pairs about which a run would ask the model, with their evidence."""
    settings, sketches = result.settings, corpus.sketches
    if isinstance(truth, StoryTruth):
        pairs = select_model_pairs(sketches, result.order, settings, MAX_TRAINING_PAIRS)
        judged = [truth.are_together(int(a), int(b)) for a, b in pairs]
        known = np.array([says is not None for says in judged], np.bool_)
        pairs, same = pairs[known], np.array([bool(s) for s in judged], np.bool_)[known]
        # What leaves pairs open (a saga) lies in one fold too.
        names = [
            label if opened is None else ("open", opened)
            for label, opened in zip(truth.labels, truth.open_groups, strict=True)
        ]
        stories = np.array(encode_labels(names), np.int64)
        return TrainingSet(build_training_pairs(corpus, result, pairs, same, stories), 0)
    pairs = order_by_rank(np.stack([truth.pairs.left, truth.pairs.right], axis=1), result.order)
    reach = is_decided_by_model(sketches, pairs, settings)
    stories = label_connected_stories(pairs, truth.pairs.together, len(result.ids))
    return TrainingSet(
        build_training_pairs(corpus, result, pairs[reach], truth.pairs.together[reach], stories),
        int(len(pairs) - reach.sum()),
    )


def build_training_pairs(
    corpus: SketchedCorpus, result: Result, pairs: np.ndarray, same: np.ndarray, stories: np.ndarray
) -> TrainingPairs:
    """Return pairs with their evidence."""
    evidence = compute_evidence_in_context(corpus.sketches, result.order, pairs, result.settings)
    return TrainingPairs(evidence, same, stories[pairs])


def order_by_rank(pairs: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return pairs with the article first that ranks first; what is not ranked comes last."""
    rank = np.full(int(max(pairs.max(initial=0), order.max(initial=0))) + 1, len(order), np.int64)
    rank[order] = np.arange(len(order))
    turned = rank[pairs[:, 0]] > rank[pairs[:, 1]]
    return np.where(turned[:, None], pairs[:, ::-1], pairs)
