"""Render a result for a notebook: a line of counts and a table of the largest clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dedup.formatting import format_count

__all__ = ["ClusterRow", "ResultCounts", "format_counts", "render_result"]

COLUMNS = ("kept", "title", "articles", "relations")


@dataclass(frozen=True, slots=True)
class ResultCounts:
    """The counts of a result."""

    articles: int
    kept: int
    dropped: int
    clusters: int
    storylines: int


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """A cluster in the table."""

    canonical: str
    title: str
    size: int
    relations: Sequence[str]
    """The relations of the duplicates."""


def format_counts(counts: ResultCounts) -> str:
    """Return the counts as a line.

    >>> format_counts(ResultCounts(54, 41, 13, 9, 3))
    '54 articles: 41 kept, 13 dropped; 9 clusters, 3 storylines'
    """
    return (
        f"{format_count(counts.articles, 'article')}: {counts.kept:,} kept, {counts.dropped:,} dropped; "
        f"{format_count(counts.clusters, 'cluster')}, {format_count(counts.storylines, 'storyline')}"
    )


def render_result(counts: ResultCounts, rows: Sequence[ClusterRow]) -> str:
    """Return the counts and the clusters in `rows` as HTML, with text from articles escaped."""
    head = "".join(f"<th>{name}</th>" for name in COLUMNS)
    body = "".join(render_cluster_row(row) for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if rows else ""
    left = counts.clusters - len(rows)
    more = f"<p>… and {format_count(left, 'more cluster')}</p>" if left else ""
    return f"<p><b>dedup</b> · {escape(format_counts(counts))}</p>{table}{more}"


def render_cluster_row(row: ClusterRow) -> str:
    """Return a cluster as a table row."""
    relations = ", ".join(f"{count} {name}" for name, count in Counter(row.relations).items())
    cells = (row.canonical, row.title, f"{row.size:,}", relations)
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
