"""Collect the articles of a story, compare their facts, and list what changed between the versions of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from dedup.errors import InputError
from dedup.io.corpus import Corpus
from dedup.origins.compare import ComparedFact, compare_articles
from dedup.origins.edit_log import EditLog, build_edit_logs, strip_suffix
from dedup.pipeline.inputs import ArticleInput
from dedup.pipeline.results import Result

__all__ = ["DiffArticle", "StoryDiff", "diff_articles", "find_positions"]

MAX_SHOWN_IDS = 5
"""The number of ids in an error about a prefix that several ids have."""


@dataclass(frozen=True, slots=True)
class DiffArticle:
    """An article of a comparison."""

    id: str
    title: str | None
    source: str | None
    published: datetime | None
    seen: int
    """Its position in the corpus, in the order in which it was read."""


@dataclass(frozen=True, slots=True)
class StoryDiff:
    """The facts that articles of one story agree on or tell differently, and the changes between versions."""

    articles: tuple[DiffArticle, ...]
    """Earliest first; undated articles last, in the order of the corpus."""
    facts: tuple[ComparedFact, ...]
    """Those that differ first."""
    versions: tuple[EditLog, ...]


def diff_articles(result: Result, source: Corpus | ArticleInput, names: Sequence[str]) -> StoryDiff:
    """Return the comparison of the articles with these ids, or with ids that start with them.

    One id stands for all articles of its cluster. Other versions of an article (the same URL, or the same id with
    another text) are added. Raise `InputError` if there is no such article.
    """
    positions = find_positions(result, names)
    if len(positions) == 1:
        positions = find_cluster(result, positions[0])
    positions = add_versions(result, source.read_again(), positions)
    rows = read_rows(result, source.read_again(), positions)
    rows.sort(key=lambda row: (row["published"] is None, row["published"] and row["published"].timestamp()))
    articles = (
        DiffArticle(row["id"], row["title"], row["source"], row["published"], row["seen"]) for row in rows
    )
    facts = compare_articles([{k: v for k, v in row.items() if k != "seen"} for row in rows], result.settings)
    return StoryDiff(tuple(articles), tuple(facts), tuple(build_edit_logs(rows)))


def find_positions(result: Result, names: Iterable[str]) -> list[int]:
    """Return the position of each id, which may be shortened to a beginning that no other id has."""
    ids = result.articles["id"].to_pylist()
    places: dict[str, int] = {}
    for a, name in enumerate(ids):
        places.setdefault(name, a)
    return list(dict.fromkeys(find_position(name, places) for name in names))


def find_position(name: str, places: dict[str, int]) -> int:
    """Return the position of the article with this id, or with the only id that starts with it."""
    if name in places:
        return places[name]
    found = [id_ for id_ in places if id_.startswith(name)]
    if not found:
        raise InputError(f"there is no article {name!r} in the corpus")
    if len({strip_suffix(id_) for id_ in found}) > 1:
        shown = ", ".join(found[:MAX_SHOWN_IDS]) + (", …" if len(found) > MAX_SHOWN_IDS else "")
        raise InputError(f"{len(found)} ids begin with {name!r}: {shown}; give more of the one that you mean")
    return places[found[0]]


def find_cluster(result: Result, a: int) -> list[int]:
    """Return the positions of the articles in the cluster of an article."""
    leaders = result.assignments.leaders
    first = result.duplicate_of_input[a]
    leader = leaders[first if first >= 0 else a]
    return [b for b in result.order.tolist() if leaders[b] == leader]


def add_versions(result: Result, batches: Iterable[pa.RecordBatch], positions: Sequence[int]) -> list[int]:
    """Return the positions with those of the other versions of the articles, in the order of the corpus."""
    urls = [url for batch in batches for url in batch["url"].to_pylist()]
    ids = [strip_suffix(name) for name in result.articles["id"].to_pylist()]
    wanted_urls = {urls[a] for a in positions} - {None, ""}
    wanted_ids, wanted = {ids[a] for a in positions}, set(positions)
    return [
        a
        for a in sorted(result.order.tolist())
        if a in wanted or ids[a] in wanted_ids or urls[a] in wanted_urls
    ]


def read_rows(
    result: Result, batches: Iterable[pa.RecordBatch], positions: Sequence[int]
) -> list[dict[str, Any]]:
    """Return the articles at these positions (in rising order) as rows, with their ids in the result."""
    rows: list[dict[str, Any]] = []
    start = 0
    for batch in batches:
        inside = [a for a in positions if start <= a < start + batch.num_rows]
        for a, row in zip(
            inside, batch.take(pa.array([a - start for a in inside], pa.int64())).to_pylist(), strict=True
        ):
            rows.append({**row, "id": result.articles["id"][a].as_py(), "seen": a})
        start += batch.num_rows
    return rows
