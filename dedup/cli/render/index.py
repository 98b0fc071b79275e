"""Render the statistics of an index as a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dedup.formatting import format_size, strip_controls

if TYPE_CHECKING:
    from dedup.index.stats import IndexStats

__all__ = ["render_index_stats"]


def render_index_stats(stats: IndexStats) -> Iterator[RenderableType]:
    """Yield the name of an index and a table of its statistics."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(style="dim")
    table.add_row(
        Text("articles", "bold"), f"{stats.articles:,}", f"including {stats.versions:,} later versions"
    )
    table.add_row(
        Text("kept", "bold"), f"{stats.kept:,}", f"{stats.looked_up:,} are compared with new articles"
    )
    for relation, count in stats.dropped.items():
        table.add_row(f"  {relation}", f"{count:,}", "")
    table.add_row(
        Text("published", "bold"),
        format_date_range(stats.first_published, stats.last_published),
        f"{stats.undated:,} undated",
    )
    table.add_row(Text("decided", "bold"), format_date_range(stats.first_decided, stats.last_decided), "")
    table.add_row(
        Text("size", "bold"),
        format_size(stats.bytes),
        f"{format_size(stats.bytes_per_kept)} per kept article",
    )
    yield Text(strip_controls(stats.place))
    yield table


def format_date_range(first: datetime | None, last: datetime | None) -> str:
    """Return a range of days, or "never"."""
    return f"{first:%Y-%m-%d} – {last:%Y-%m-%d}" if first and last else "never"
