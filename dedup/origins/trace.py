"""Find for each article of a cluster the earlier article that its wording comes from.

The parent of an article is the earliest one whose wording it repeats, measured by shared word 3-shingles. It
is compared with every earlier article of the cluster, not only with the kept one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa

from dedup.io.corpus import Corpus
from dedup.origins.publishers import find_credited_agencies, find_publisher
from dedup.pipeline.deduplicate import sketch_with_settings
from dedup.pipeline.inputs import ArticleInput
from dedup.pipeline.results import Result
from dedup.settings.settings import Settings

__all__ = ["OriginEdge", "Story", "StoryArticle", "find_parents", "trace_origins"]

SAME_SHARE = 0.02
"""Shares of words that differ by at most this much count as equal; the earlier article is then the parent."""


@dataclass(frozen=True, slots=True)
class StoryArticle:
    """An article of a story."""

    id: str
    title: str | None
    source: str | None
    published: datetime | None
    publisher: str | None
    """The registered domain, or the name of the source."""
    agencies: frozenset[str]
    """The news agencies that it credits."""
    shingles: np.ndarray
    """uint64: the hashes of its word 3-shingles, without boilerplate."""
    text_hash: int


@dataclass(frozen=True, slots=True)
class OriginEdge:
    """An article and the earlier article that its wording comes from."""

    child: str
    parent: str
    relation: str
    """The relation of the child to the parent: exact, copy, excerpt or extension."""
    child_share: float
    """The share of the child's shingles that the parent has."""
    parent_share: float
    """The share of the parent's shingles that the child has."""


@dataclass(frozen=True, slots=True)
class Story:
    """A cluster as a graph of its articles, earliest first."""

    canonical: str
    articles: tuple[StoryArticle, ...]
    edges: tuple[OriginEdge, ...]
    origins: tuple[int, ...]
    """By article: the number of its independent origin, from 0."""

    @property
    def origin_count(self) -> int:
        """Return the number of independent origins."""
        return len(set(self.origins))


def trace_origins(result: Result, source: Corpus | ArticleInput) -> list[Story]:
    """Return the graph of each cluster of two or more, largest first; the articles are read again."""
    groups = result.list_cluster_positions()
    is_in_cluster = np.zeros(len(result.articles), bool)
    is_in_cluster[[a for group in groups for a in group]] = True
    articles = read_story_articles(result, source.read_again(), is_in_cluster)
    rank = {a: n for n, a in enumerate(result.order.tolist())}
    return [
        build_story(
            sort_by_date([articles[a] for a in sorted(group, key=rank.__getitem__)]),
            result.articles["id"][group[0]].as_py(),
            result.settings,
        )
        for group in groups
    ]


def read_story_articles(
    result: Result, batches: Iterable[pa.RecordBatch], is_selected: np.ndarray
) -> dict[int, StoryArticle]:
    """Return the articles at the positions in `is_selected` (n, bool), by position."""
    articles: dict[int, StoryArticle] = {}
    start = 0
    for batch in batches:
        rows = np.flatnonzero(is_selected[start : start + batch.num_rows])
        if len(rows):
            positions = (start + rows).tolist()
            ids = result.articles["id"].take(pa.array(positions)).to_pylist()
            selected = make_story_articles(batch.take(pa.array(rows)), ids, result.settings)
            articles.update(zip(positions, selected, strict=True))
        start += batch.num_rows
    return articles


def make_story_articles(batch: pa.RecordBatch, ids: Sequence[str], settings: Settings) -> list[StoryArticle]:
    """Return the articles of a batch, with their ids in the result."""
    sketches = sketch_with_settings(batch, settings)
    ends = sketches.shingle_offsets.tolist()
    return [
        StoryArticle(
            id=name,
            title=row["title"],
            source=row["source"],
            published=row["published"],
            publisher=find_publisher(row["source"], row["url"]),
            agencies=find_credited_agencies(row["text"]),
            shingles=np.unique(sketches.shingles[ends[a] : ends[a + 1]]),
            text_hash=int(sketches.text_hashes[a]),
        )
        for a, (name, row) in enumerate(zip(ids, batch.to_pylist(), strict=True))
    ]


def sort_by_date(articles: Sequence[StoryArticle]) -> list[StoryArticle]:
    """Return the articles by date, undated ones last; equal dates keep their order."""
    return sorted(
        articles,
        key=lambda article: (article.published is None, article.published and article.published.timestamp()),
    )


def build_story(articles: Sequence[StoryArticle], canonical: str, settings: Settings) -> Story:
    """Return the graph of a story; `articles` must be sorted, earliest first."""
    edges = find_parents(articles, settings)
    return Story(canonical, tuple(articles), tuple(edges), tuple(number_origins(articles, edges)))


def find_parents(articles: Sequence[StoryArticle], settings: Settings) -> list[OriginEdge]:
    """Return an edge for each article that repeats the wording of an earlier one.

    The parent is the article with the largest share of the child's words; of several within `SAME_SHARE` of
    the largest, the earliest.
    """
    edges = []
    for number, child in enumerate(articles):
        compared = (compare_story_articles(child, parent, settings) for parent in articles[:number])
        matches = [edge for edge in compared if edge]
        best = max((edge.child_share for edge in matches), default=0.0)
        edges += [edge for edge in matches if edge.child_share >= best - SAME_SHARE][:1]
    return edges


def compare_story_articles(
    child: StoryArticle, parent: StoryArticle, settings: Settings
) -> OriginEdge | None:
    """Return the edge from an article to an earlier one, or None if it does not repeat its wording."""
    if not len(child.shingles) or not len(parent.shingles):
        return None
    shared = len(np.intersect1d(child.shingles, parent.shingles, assume_unique=True))
    child_share, parent_share = shared / len(child.shingles), shared / len(parent.shingles)
    jaccard = shared / (len(child.shingles) + len(parent.shingles) - shared)
    if child.text_hash == parent.text_hash:
        relation = "exact"
    elif jaccard >= settings.copy_jaccard:
        relation = "copy"
    elif child_share >= settings.excerpt_containment:
        relation = "excerpt"
    elif parent_share >= settings.excerpt_containment:
        relation = "extension"
    else:
        return None
    return OriginEdge(child.id, parent.id, relation, child_share, parent_share)


def number_origins(articles: Sequence[StoryArticle], edges: Iterable[OriginEdge]) -> list[int]:
    """Return the number of the origin of each article.

    Articles share an origin if an edge joins them, or if they have the same publisher or credit the same
    agency.
    """
    leaders = list(range(len(articles)))

    def find_leader(number: int) -> int:
        while leaders[number] != number:
            number = leaders[number]
        return number

    def join(first: int, second: int) -> None:
        low, high = sorted((find_leader(first), find_leader(second)))
        leaders[high] = low

    places = {article.id: number for number, article in enumerate(articles)}
    for edge in edges:
        join(places[edge.parent], places[edge.child])
    first_of: dict[tuple[str, str], int] = {}
    for number, article in enumerate(articles):
        keys = [("agency", agency) for agency in article.agencies]
        keys += [("publisher", article.publisher)] if article.publisher else []
        for key in keys:
            join(first_of.setdefault(key, number), number)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(find_leader(number), len(numbers)) for number in range(len(articles))]
