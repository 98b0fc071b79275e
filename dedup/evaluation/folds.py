"""Labelled pairs → the stories that they tell, dealt out into folds: a model judged on pairs of some has seen no pair of them.

In: which articles are one story, and a seed. Out: for each pair the folds of its two stories; or a share of the pairs. All by a
hash of the stories' numbers: the same on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dedup.evaluation.fitting import TrainingPairs

__all__ = ["assign_folds", "label_connected_stories", "sample_by_story"]


def label_connected_stories(pairs: np.ndarray, same: np.ndarray, articles: int) -> np.ndarray:
    """Return for each article the story that it tells, so far as pairs of one story tell: a number for each connected group.

    >>> label_connected_stories(np.array([[0, 1], [1, 2]]), np.array([True, False]), 3).tolist()
    [0, 0, 1]
    """
    left, right = pairs[same].T
    links = coo_array((np.ones(len(left)), (left, right)), shape=(articles, articles))
    return connected_components(links, directed=False)[1]


def assign_folds(stories: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Return the folds of the two stories of each pair: stories dealt out in the order of a hash of their numbers."""
    names, places = np.unique(stories, return_inverse=True)
    dealt = np.empty(len(names), np.int64)
    dealt[order_by_hash(names, seed)] = np.arange(len(names)) % folds
    return dealt[places].reshape(stories.shape)


def sample_by_story(labelled: TrainingPairs, share: float, seed: int) -> TrainingPairs:
    """Return a share of the pairs, those of the same two stories together, so that the odds stay as they are."""
    if share == 1:
        return labelled
    groups, places = np.unique(np.sort(labelled.stories, axis=1), axis=0, return_inverse=True)
    taken = np.zeros(len(groups), np.bool_)
    names = groups[:, 0] * (int(groups.max(initial=0)) + 1) + groups[:, 1]
    taken[order_by_hash(names, seed + 2)[: round(len(groups) * share)]] = True
    return labelled.select(taken[places.ravel()])


def order_by_hash(names: Sequence[int] | np.ndarray, seed: int) -> np.ndarray:
    """Return places in the order of a hash of what stands there: the same on every machine."""
    keys = [hashlib.blake2b(f"{seed} {int(name)}".encode(), digest_size=8).digest() for name in names]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), np.int64)
