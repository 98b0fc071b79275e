"""Settings → a table: name, value, where it comes from, range, meaning; and the odds that copies are looked at, as bars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dedup.cli.render import strip_controls
from dedup.settings.settings import Settings

__all__ = ["render_settings"]

BAR_WIDTH = 20
LARGEST_SHOWN_BOUND = 10**6
"""A bound beyond this is a computer's, not one to choose by."""


def render_settings(
    settings: Settings, odds: Mapping[float, float], origins: Mapping[str, str]
) -> Iterator[RenderableType]:
    """Yield the settings as a table, those that are not the default in another colour, and the odds."""
    table = Table(
        "setting", "value", "from", "range", "meaning", box=None, header_style="dim", padding=(0, 2, 0, 0)
    )
    for knob in fields(settings):
        value = getattr(settings, knob.name)
        style = "green" if value == knob.default else "bold yellow"
        table.add_row(
            Text(knob.name, "bold"),
            Text(format_option_value(value), style),
            Text(strip_controls(Path(origins[knob.name]).name), "dim"),
            Text(format_option_range(knob.metadata), "dim"),
            knob.metadata["help"].replace("`", ""),
        )
    yield table
    yield Text(
        "\nThe odds that two articles share a band, and so are compared, by their Jaccard similarity:\n"
    )
    yield render_candidate_odds(odds)


def format_option_value(value: Any) -> str:
    """Return the value of a setting as it is written on the command line."""
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def format_option_range(metadata: Mapping[str, Any]) -> str:
    """Return the range of a setting, ends included."""
    low, high = metadata["low"], metadata["high"]
    if low is None:
        return ""
    return f"≥ {low}" if high is None or high > LARGEST_SHOWN_BOUND else f"{low} to {high}"


def render_candidate_odds(odds: Mapping[float, float]) -> Table:
    """Return a bar for each similarity."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column()
    table.add_column(justify="right")
    for jaccard, chance in odds.items():
        bar = "█" * round(chance * BAR_WIDTH)
        table.add_row(f"{jaccard:.1f}", Text(bar.ljust(BAR_WIDTH, "·"), "cyan"), f"{chance * 100:.1f}%")
    return table
