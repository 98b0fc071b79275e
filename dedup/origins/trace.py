"""The origin of each telling: the earlier telling of the same story that its words come from.

A telling is an article of a cluster. Its parent is the earliest telling whose wording it carries, by the word
3-shingles that the two share: not only the kept article is compared, but every earlier one of the cluster.
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

__all__ = ["OriginEdge", "Story", "Telling", "find_parents", "trace_origins"]

SAME_SHARE = 0.02
"""Shares of words that differ by no more than this count as equal: then the earlier telling is the parent."""


@dataclass(frozen=True, slots=True)
class Telling:
    """An article of a story."""

    id: str
    title: str | None
    source: str | None
    published: datetime | None
    publisher: str | None
    """The registered domain, or the name of the source."""
    agencies: frozenset[str]
    """News agencies that it credits."""
    shingles: np.ndarray
    """uint64: the hashes of its word 3-shingles, boilerplate left out."""
    text_hash: int


@dataclass(frozen=True, slots=True)
class OriginEdge:
    """A telling and the one that its words come from."""

    child: str
    parent: str
    relation: str
    """Of the child to the parent: exact, copy, excerpt or extension."""
    child_share: float
    """Of the child's shingles, those that the parent has."""
    parent_share: float
    """Of the parent's shingles, those that the child has."""


@dataclass(frozen=True, slots=True)
class Story:
    """A cluster as a graph of its tellings, the earliest first."""

    canonical: str
    tellings: tuple[Telling, ...]
    edges: tuple[OriginEdge, ...]
    origins: tuple[int, ...]
    """For each telling the number of its independent origin, from 0."""

    @property
    def origin_count(self) -> int:
        """Return the number of independent origins."""
        return len(set(self.origins))


def trace_origins(result: Result, source: Corpus | ArticleInput) -> list[Story]:
    """Return the graph of each cluster of two or more, the largest first; the articles are read once more."""
    groups = result.list_cluster_positions()
    wanted = np.zeros(len(result.articles), bool)
    wanted[[a for group in groups for a in group]] = True
    tellings = read_tellings(result, source.read_again(), wanted)
    rank = {a: n for n, a in enumerate(result.order.tolist())}
    return [
        build_story(
            sort_by_date([tellings[a] for a in sorted(group, key=rank.__getitem__)]),
            result.articles["id"][group[0]].as_py(),
            result.settings,
        )
        for group in groups
    ]


def read_tellings(
    result: Result, batches: Iterable[pa.RecordBatch], wanted: np.ndarray
) -> dict[int, Telling]:
    """Return the tellings at the wanted positions (n, bool)."""
    tellings: dict[int, Telling] = {}
    start = 0
    for batch in batches:
        rows = np.flatnonzero(wanted[start : start + batch.num_rows])
        if len(rows):
            positions = (start + rows).tolist()
            ids = result.articles["id"].take(pa.array(positions)).to_pylist()
            found = make_tellings(batch.take(pa.array(rows)), ids, result.settings)
            tellings.update(zip(positions, found, strict=True))
        start += batch.num_rows
    return tellings


def make_tellings(batch: pa.RecordBatch, ids: Sequence[str], settings: Settings) -> list[Telling]:
    """Return the articles of a batch as tellings under their ids in the result."""
    sketches = sketch_with_settings(batch, settings)
    ends = sketches.shingle_offsets.tolist()
    return [
        Telling(
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


def sort_by_date(tellings: Sequence[Telling]) -> list[Telling]:
    """Return the tellings by date, undated ones last; those of one date in the given order."""
    return sorted(
        tellings,
        key=lambda telling: (telling.published is None, telling.published and telling.published.timestamp()),
    )


def build_story(tellings: Sequence[Telling], canonical: str, settings: Settings) -> Story:
    """Return the graph of tellings, given the earliest first."""
    edges = find_parents(tellings, settings)
    return Story(canonical, tuple(tellings), tuple(edges), tuple(number_origins(tellings, edges)))


def find_parents(tellings: Sequence[Telling], settings: Settings) -> list[OriginEdge]:
    """Return for each telling that carries the wording of an earlier one an edge to the earliest of these.

    Among those that match, it is the one that has the most of the child's words; shares that differ by at most
    `SAME_SHARE` are equal.
    """
    edges = []
    for number, child in enumerate(tellings):
        compared = (compare_tellings(child, parent, settings) for parent in tellings[:number])
        matches = [edge for edge in compared if edge]
        best = max((edge.child_share for edge in matches), default=0.0)
        edges += [edge for edge in matches if edge.child_share >= best - SAME_SHARE][:1]
    return edges


def compare_tellings(child: Telling, parent: Telling, settings: Settings) -> OriginEdge | None:
    """Return the edge from a telling to an earlier one, or None where it does not carry its wording."""
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


def number_origins(tellings: Sequence[Telling], edges: Iterable[OriginEdge]) -> list[int]:
    """Return for each telling the number of its origin.

    Tellings have one origin where an edge joins them, where they are of one publisher, or where they credit one agency.
    """
    leaders = list(range(len(tellings)))

    def find_leader(number: int) -> int:
        while leaders[number] != number:
            number = leaders[number]
        return number

    def join(first: int, second: int) -> None:
        low, high = sorted((find_leader(first), find_leader(second)))
        leaders[high] = low

    places = {telling.id: number for number, telling in enumerate(tellings)}
    for edge in edges:
        join(places[edge.parent], places[edge.child])
    first_of: dict[tuple[str, str], int] = {}
    for number, telling in enumerate(tellings):
        keys = [("agency", agency) for agency in telling.agencies]
        keys += [("publisher", telling.publisher)] if telling.publisher else []
        for key in keys:
            join(first_of.setdefault(key, number), number)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(find_leader(number), len(numbers)) for number in range(len(tellings))]
