"""Render an estimate as a table of ranges, with the probability that copies are compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from dedup.cli.render import build_number_table
from dedup.cli.render.settings import render_candidate_odds
from dedup.formatting import format_count, format_size

if TYPE_CHECKING:
    from dedup.pipeline.estimate import RunEstimate

__all__ = ["format_seconds", "render_estimate"]

MINUTE, HOUR = 60, 3600
SHORT_SECONDS = 10


def render_estimate(estimate: RunEstimate) -> Iterator[RenderableType]:
    """Yield the ranges, and the probability that copies are compared."""
    table = build_number_table("", "expected", "minimum", "maximum")
    rows = (
        ("articles", estimate.articles, lambda n: f"{n:,.0f}"),
        ("candidates per article", estimate.candidates, lambda n: f"{n:,.1f}"),
        ("time", estimate.seconds, format_seconds),
        ("memory", estimate.memory_bytes, format_size),
        ("temporary files", estimate.files_bytes, format_size),
        ("disk, for kept articles", estimate.disk_bytes, format_size),
    )
    for name, r, shown in rows:
        table.add_row(Text(name), Text(shown(r.expected), "bold"), shown(r.low), shown(r.high))
    yield table
    yield f"\nestimated from {format_count(estimate.sampled, 'article')}"
    yield Text("\nProbability that two copies are compared, by Jaccard similarity:\n")
    yield render_candidate_odds(estimate.odds)


def format_seconds(seconds: float) -> str:
    """Return a duration in seconds, minutes or hours.

    >>> format_seconds(0.2), format_seconds(42), format_seconds(5400)
    ('0.2 s', '42 s', '1.5 h')
    """
    if seconds < SHORT_SECONDS:
        return f"{seconds:.1f} s"
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < HOUR else f"{seconds / HOUR:.1f} h"
