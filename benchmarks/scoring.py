"""Labelled sets as the benchmarks take them: sketches beside labels, and the scores of a clustering."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.data import FOLDER, lines
from dedup.corpus import read_articles
from dedup.pipeline import sketched
from dedup.settings import Settings
from dedup.sketches import Sketches


class Labelled(NamedTuple):
    """A set: its articles (id, title, source, published), their sketches, and each one's story and saga."""

    articles: pa.Table
    sketches: Sketches
    stories: np.ndarray
    sagas: np.ndarray


@cache
def labelled(name: str) -> Labelled:
    """Return a set of the data folder; where it has no labels, each article is a story of its own."""
    records = lines(name)
    articles, sketches = sketched(read_articles(FOLDER / f"{name}.jsonl.gz"), Settings(), None)
    stories = np.array([str(r.get("story", r["id"])) for r in records])
    return Labelled(
        articles, sketches, stories, np.array([str(r.get("saga", r.get("story", r["id"]))) for r in records])
    )


def pair_counts(left: np.ndarray, right: np.ndarray) -> float:
    """Return the number of pairs of articles that agree in both labellings."""
    _, sizes = np.unique(np.stack([left, right]), axis=1, return_counts=True)
    return float((sizes * (sizes - 1) // 2).sum())


def f1_of_stories(data: Labelled, clusters: np.ndarray, members: np.ndarray) -> float:
    """Return the pairwise F1 of a clustering of `members`, without the pairs that the saga leaves open."""
    _, story = np.unique(data.stories[members], return_inverse=True)
    _, saga = np.unique(data.sagas[members], return_inverse=True)
    cluster = clusters[members]
    right = pair_counts(story, cluster)
    wanted, claimed = (
        pair_counts(story, story),
        pair_counts(cluster, cluster) - (pair_counts(saga, cluster) - right),
    )
    return 2 * right / (wanted + claimed) if wanted + claimed else 1.0
