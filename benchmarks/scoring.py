"""Labelled sets as the benchmarks take them: sketches beside labels, and the scores of a clustering."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.data import FOLDER, lines
from dedup.corpus import read_articles
from dedup.evaluation import pairwise
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


def f1_of_stories(data: Labelled, clusters: np.ndarray, members: np.ndarray) -> float:
    """Return the pairwise F1 of a clustering of `members`, without the pairs that the saga leaves open."""
    stories, found, sagas = (labels[members].tolist() for labels in (data.stories, clusters, data.sagas))
    return pairwise(stories, found, sagas).f1
