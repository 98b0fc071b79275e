"""Load labelled sets as sketches beside labels, and score a clustering."""

from collections import Counter
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.data import lines, path_of
from dedup.evaluation.metrics import count_pairs
from dedup.io.corpus import read_articles
from dedup.pipeline.deduplicate import sketch_batches
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches

DEFAULTS = Settings()
CHAPTER_DAYS = 30.0
"""What looks alike and lies further apart is another chapter of a saga."""


class Labelled(NamedTuple):
    """A set: its articles (id, title, source, published), their sketches, and each one's story and saga."""

    articles: pa.Table
    sketches: Sketches
    stories: np.ndarray
    sagas: np.ndarray
    days: np.ndarray
    """When each was published, whatever the sketches tell of it; NaN where that is not known."""
    open_days: float
    """Two articles of different stories that lie at most so many days apart are neither right nor wrong together."""


@cache
def labelled(name: str, settings: Settings = DEFAULTS) -> Labelled:
    """Return a set of the data folder; where it has no labels, each article is a story of its own.

    `roundups` does not tell which stories of a month are the same after all: such pairs are left open.
    """
    records = lines(name)
    articles, sketches = sketch_batches(read_articles(path_of(name)), settings, None)
    stories = np.array([str(r.get("story", r["id"])) for r in records])
    sagas = np.array([str(r.get("saga", r.get("story", r["id"]))) for r in records])
    return Labelled(
        articles, sketches, stories, sagas, sketches.days, CHAPTER_DAYS if name == "roundups" else -1.0
    )


def pair_counts(data: Labelled, clusters: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return how many pairs of `members` are (rightly in one cluster, in one cluster, of one story), without open ones."""
    by_cluster = members[np.argsort(clusters[members], kind="stable")]
    starts = np.flatnonzero(np.diff(clusters[by_cluster], prepend=-1))
    groups = [group for group in np.split(by_cluster, starts[1:]) if len(group) > 1]
    left, right = np.concatenate(
        [np.zeros((2, 0), np.int64)] + [group[np.stack(np.triu_indices(len(group), 1))] for group in groups],
        axis=1,
    )
    same = data.stories[left] == data.stories[right]
    near = np.abs(data.days[left] - data.days[right]) <= data.open_days
    is_open = ~same & ((data.sagas[left] == data.sagas[right]) | near)
    return np.array(
        [same.sum(), (~is_open).sum(), count_pairs(Counter(data.stories[members].tolist()).values())]
    )


def counts_of_unseen(
    data: Labelled, clusters: np.ndarray, unseen: np.ndarray, seen: np.ndarray
) -> np.ndarray:
    """Return the `pair_counts` of the articles that a model has not seen, in a clustering of those that it has seen as well.

    A pair of an unseen and a seen article counts half: over both halves of a set, each pair then counts once.
    """
    among = pair_counts(data, clusters, unseen)
    everyone = pair_counts(data, clusters, np.concatenate([unseen, seen]))
    across = everyone - among - pair_counts(data, clusters, seen)
    return among + across / 2


def b_cubed_sums(data: Labelled, clusters: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return (sum of the B³ precisions of `members` in a clustering of the whole set, sum of recalls, how many they are)."""
    both = sizes(clusters, data.stories)
    size = sizes(clusters) - (sizes(clusters, data.sagas) - sizes(clusters, data.sagas, data.stories))
    return np.array([(both / size)[members].sum(), (both / sizes(data.stories))[members].sum(), len(members)])


def sizes(*labels: np.ndarray) -> np.ndarray:
    """Return for each article how many have the same labels as it."""
    groups = Counter(zip(*(column.tolist() for column in labels), strict=True))
    return np.array([groups[key] for key in zip(*(column.tolist() for column in labels), strict=True)])


def b_cubed_of(sums: np.ndarray) -> np.ndarray:
    """Return the B³ F1 of `b_cubed_sums`."""
    precision, recall = sums[..., 0] / sums[..., 2], sums[..., 1] / sums[..., 2]
    return 2 * precision * recall / (precision + recall)


def f1_of(counts: np.ndarray) -> np.ndarray:
    """Return the F1 of `pair_counts`, whose last axis is (right, claimed, true)."""
    return 2 * counts[..., 0] / (counts[..., 1] + counts[..., 2])
