"""Render learned boilerplate as a table of passages, most frequent first."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dedup.cli.render import TEAL, format_cropped_line
from dedup.text.boilerplate.profile import BoilerplateProfile

__all__ = ["render_boilerplate"]

MAX_SHOWN_PASSAGES = 40
"""The number of passages in a table."""


def render_boilerplate(learned: BoilerplateProfile) -> Iterator[RenderableType]:
    """Yield a table of the most frequent passages, and how many more there are."""
    rows = sorted(
        (-count, source, passage)
        for source, passages in learned.sources.items()
        for passage, count in passages.items()
    )
    if rows:
        table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), expand=True)
        table.add_column("headlines", justify="right")
        table.add_column("source", max_width=26)
        table.add_column("passage", ratio=1)
        for count, source, passage in rows[:MAX_SHOWN_PASSAGES]:
            table.add_row(f"{-count:,}", format_cropped_line(source, TEAL), format_cropped_line(passage))
        yield table
    if len(rows) > MAX_SHOWN_PASSAGES:
        yield Text(f"… and {len(rows) - MAX_SHOWN_PASSAGES:,} more (use -o to get all)", "dim")
