"""Select the labelled pairs that a model can learn from, and assign their stories to folds.

A model learns from pairs that it would have to decide: candidates within the window that are neither copies
nor texts of one template. Here all articles count as candidates, not only the kept ones, so the pairs do not
depend on a clustering. Folds consist of stories, so a model is tested on stories that it was not fitted to.
Stories are assigned by a hash of their number, which is the same on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dedup.evaluation.fitting import TrainingPairs
from dedup.evaluation.ground_truth import GroundTruth, StoryTruth
from dedup.evaluation.metrics import encode_labels
from dedup.evaluation.near_threshold import order_by_rank
from dedup.matching.pair_scoring import compute_evidence_in_context, iter_model_pairs, score_pairs
from dedup.pipeline.deduplicate import SketchedCorpus
from dedup.pipeline.results import Result
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches

__all__ = [
    "MAX_TRAINING_PAIRS",
    "TrainingSet",
    "assign_folds",
    "build_training_set",
    "is_decided_by_model",
    "label_connected_stories",
    "sample_by_story",
    "select_model_pairs",
]

MAX_TRAINING_PAIRS = 50_000
"""The most pairs taken, evenly, from a corpus with a label for each article."""
MAX_MODEL_SHORTFALL = 8.0
"""Log-odds below the threshold from which a pair is too easy to learn from."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The pairs to learn from, and the number of labelled pairs that the model never decides."""

    pairs: TrainingPairs
    settled: int
    """Labelled pairs that never reach the model: copies, texts of one template, too short, or too far apart in time."""


def build_training_set(corpus: SketchedCorpus, result: Result, truth: GroundTruth) -> TrainingSet:
    """Return the labelled pairs that a run would let the model decide, with their evidence."""
    if isinstance(truth, StoryTruth):
        return build_from_stories(corpus, result, truth)
    labels = truth.pairs
    pairs = order_by_rank(np.stack([labels.left, labels.right], axis=1), result.order)
    decided = is_decided_by_model(corpus.sketches, pairs, result.settings)
    stories = label_connected_stories(pairs, labels.together, len(result.ids))
    training = build_training_pairs(corpus, result, pairs[decided], labels.together[decided], stories)
    return TrainingSet(training, int(len(pairs) - decided.sum()))


def build_from_stories(corpus: SketchedCorpus, result: Result, truth: StoryTruth) -> TrainingSet:
    """Return the training pairs of a corpus with a label for each article."""
    pairs = select_model_pairs(corpus.sketches, result.order, result.settings, MAX_TRAINING_PAIRS)
    together = [truth.are_together(a, b) for a, b in pairs.tolist()]
    is_labelled = np.array([same is not None for same in together], np.bool_)
    # The stories of an open group must also be in one fold.
    groups = [
        label if group is None else ("open", group)
        for label, group in zip(truth.labels, truth.open_groups, strict=True)
    ]
    stories = np.array(encode_labels(groups), np.int64)
    same = np.array(together, np.bool_)[is_labelled]
    return TrainingSet(build_training_pairs(corpus, result, pairs[is_labelled], same, stories), 0)


def build_training_pairs(
    corpus: SketchedCorpus, result: Result, pairs: np.ndarray, same: np.ndarray, stories: np.ndarray
) -> TrainingPairs:
    """Return pairs with their evidence."""
    evidence = compute_evidence_in_context(corpus.sketches, result.order, pairs, result.settings)
    return TrainingPairs(evidence, same, stories[pairs])


def select_model_pairs(sketches: Sketches, order: np.ndarray, settings: Settings, limit: int) -> np.ndarray:
    """Return at most `limit` pairs (n × 2, int64, higher rank first) that the model decides.

    If there are more, only every second, third … article in rank order is looked up.
    """
    step = 1
    while True:
        lookup_mask = np.zeros(len(sketches.text_hashes), np.bool_)
        lookup_mask[order[::step]] = True
        pairs, count = collect_model_pairs(sketches, order, lookup_mask, settings, limit)
        if count <= limit:
            return pairs
        step += 1 + count // limit


def collect_model_pairs(
    sketches: Sketches, order: np.ndarray, lookup_mask: np.ndarray, settings: Settings, limit: int
) -> tuple[np.ndarray, int]:
    """Return about `limit` pairs of the articles in the mask, and the number of all their pairs."""
    parts, count = [np.zeros((0, 2), np.int64)], 0
    for pairs, _ in iter_model_pairs(sketches, order, settings, lookup_mask, MAX_MODEL_SHORTFALL):
        parts += [pairs] if count <= limit else []
        count += len(pairs)
    return np.concatenate(parts), count


def is_decided_by_model(sketches: Sketches, pairs: np.ndarray, settings: Settings) -> np.ndarray:
    """Return for each pair (n × 2, kept article first) whether the model would decide it as a candidate."""
    return score_pairs(sketches, pairs, settings) > -np.inf


def label_connected_stories(pairs: np.ndarray, same: np.ndarray, articles: int) -> np.ndarray:
    """Return the story number of each article: articles connected by pairs of the same story share a number.

    >>> label_connected_stories(np.array([[0, 1], [1, 2]]), np.array([True, False]), 3).tolist()
    [0, 0, 1]
    """
    left, right = pairs[same].T
    links = coo_array((np.ones(len(left)), (left, right)), shape=(articles, articles))
    return connected_components(links, directed=False)[1]


def assign_folds(stories: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Return the fold of each story in `stories` (n × 2)."""
    names, inverse = np.unique(stories, return_inverse=True)
    fold_by_story = np.empty(len(names), np.int64)
    fold_by_story[order_by_hash(names, seed)] = np.arange(len(names)) % folds
    return fold_by_story[inverse].reshape(stories.shape)


def sample_by_story(labelled: TrainingPairs, share: float, seed: int) -> TrainingPairs:
    """Return a share of the pairs; pairs of the same two stories stay together, so the odds do not change."""
    if share == 1:
        return labelled
    groups, inverse = np.unique(np.sort(labelled.stories, axis=1), axis=0, return_inverse=True)
    selected = np.zeros(len(groups), np.bool_)
    names = groups[:, 0] * (int(groups.max(initial=0)) + 1) + groups[:, 1]
    selected[order_by_hash(names, seed + 2)[: round(len(groups) * share)]] = True
    return labelled.select(selected[inverse.ravel()])


def order_by_hash(names: Sequence[int] | np.ndarray, seed: int) -> np.ndarray:
    """Return the positions of `names`, ordered by a hash of each."""
    keys = [hashlib.blake2b(f"{seed} {int(name)}".encode(), digest_size=8).digest() for name in names]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
