"""Render the settings as a table, and the probability that copies are compared as bars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dedup.cli.render import AMBER, GREEN, TEAL, strip_controls
from dedup.cli.settings_options import format_byte_size
from dedup.settings.settings import Settings

__all__ = ["render_settings"]

BAR_WIDTH = 20
LARGEST_SHOWN_BOUND = 10**6
"""A larger upper limit is technical, and not shown."""


def render_settings(
    settings: Settings, odds: Mapping[float, float], origins: Mapping[str, str]
) -> Iterator[RenderableType]:
    """Yield a table of the settings, with changed ones in another colour, and the bars."""
    table = Table(
        "setting", "value", "from", "range", "meaning", box=None, header_style="dim", padding=(0, 2, 0, 0)
    )
    for setting in fields(settings):
        value = getattr(settings, setting.name)
        shown = format_memory(value) if setting.name == "memory" else format_option_value(value)
        table.add_row(
            Text(setting.name, "bold"),
            Text(strip_controls(shown), GREEN if value == setting.default else f"bold {AMBER}"),
            Text(strip_controls(Path(origins[setting.name]).name), "dim"),
            Text(format_option_range(setting.metadata), "dim"),
            Text(setting.metadata["help"].replace("`", "")),
        )
    yield table
    yield Text("\nProbability that two copies are compared, by Jaccard similarity:\n")
    yield render_candidate_odds(odds)


def format_option_value(value: Any) -> str:
    """Return the value of a setting as on the command line."""
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def format_memory(number: int) -> str:
    """Return a number of bytes in the largest unit that leaves it whole.

    >>> format_memory(2 << 30), format_memory(1000)
    ('2 GB', '1000 bytes')
    """
    size = format_byte_size(number)
    return f"{size} bytes" if size.isdecimal() else f"{size[:-1]} {size[-1]}B"


def format_option_range(metadata: Mapping[str, Any]) -> str:
    """Return the allowed range of a setting, ends included."""
    low, high = metadata["low"], metadata["high"]
    if low is None:
        return ""
    return f"≥ {low}" if high is None or high > LARGEST_SHOWN_BOUND else f"{low} to {high}"


def render_candidate_odds(odds: Mapping[float, float]) -> Table:
    """Return a table with a bar for each similarity."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column()
    table.add_column(justify="right")
    for jaccard, chance in odds.items():
        bar = "█" * round(chance * BAR_WIDTH)
        table.add_row(f"{jaccard:.1f}", Text(bar.ljust(BAR_WIDTH, "·"), TEAL), f"{chance * 100:.1f}%")
    return table
