"""Render the evidence of a model as a waterfall chart of log-odds, like the match weights of splink.

The chart starts with the intercept, adds the features in order of their weight, and ends with the sum and the threshold.
Evidence for a match is a solid block, evidence against it a shaded one, so the chart can be read without colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from dedup.cli.render import AMBER, GREEN, build_number_table
from dedup.formatting import format_percent, to_probability

if TYPE_CHECKING:
    from dedup.reports.explanation import Explanation

__all__ = ["Waterfall"]

WIDEST, NARROWEST = 40, 12
"""The width of the chart."""
TEXT_WIDTH = 70
"""The width of the names and numbers."""
FOR, AGAINST, THRESHOLD = "█", "▒", "┊"


class Waterfall:
    """The log-odds of an explanation as a chart that fits the terminal."""

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation
        self.weighted_features = sorted(
            (f for f in explanation.features if f.log_odds), key=lambda f: -abs(f.log_odds)
        )

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the chart and a legend."""
        yield self.build_table(min(max(options.max_width - TEXT_WIDTH, NARROWEST), WIDEST))
        least = format_percent(to_probability(self.explanation.threshold))
        yield Text(
            f"{FOR} for a match   {AGAINST} against   {THRESHOLD} threshold, a probability of {least}",
            "dim",
        )

    def build_table(self, width: int) -> Table:
        """Return a table with a row for the intercept, each feature and the sum."""
        steps = list(self.iter_steps())
        levels = [0.0, self.explanation.threshold, *(level for step in steps for level in step)]
        low, high = min(levels), max(levels)

        def to_column(level: float) -> int:
            return round((level - low) / ((high - low) or 1.0) * (width - 1))

        threshold = to_column(self.explanation.threshold)
        table = build_number_table("", "value", "log-odds", "share", "")
        table.columns[-1].justify = "left"
        table.columns[-1].no_wrap = True
        names = [("intercept", "", ""), *self.iter_feature_cells()]
        for (name, value, share), (before, after) in zip(names, steps, strict=True):
            drawn = draw_bar(to_column(before), to_column(after), threshold, width, rising=after > before)
            table.add_row(name, value, f"{after - before:+.2f}", share, drawn)
        total = steps[-1][1]
        drawn = draw_bar(to_column(0.0), to_column(total), threshold, width, rising=total > 0)
        probability = f"{format_percent(self.explanation.probability)}"
        table.add_row(
            Text("sum and probability", "bold"), probability, Text(f"{total:+.2f}", "bold"), "", drawn
        )
        return table

    def iter_steps(self) -> Iterator[tuple[float, float]]:
        """Yield the log-odds before and after the intercept and each feature."""
        total = 0.0
        for part in (self.explanation.intercept, *(feature.log_odds for feature in self.weighted_features)):
            yield total, total + part
            total += part

    def iter_feature_cells(self) -> Iterator[tuple[str, str, str]]:
        """Yield the name, value and share of each feature."""
        return ((f.label, f"{f.value:.2f}", format_percent(f.share)) for f in self.weighted_features)


def draw_bar(start: int, end: int, threshold: int, width: int, *, rising: bool) -> Text:
    """Return a bar from one column to another, with the threshold."""
    first, last = min(start, end), max(start, end)
    cells = [" "] * width
    cells[first : last + 1] = [FOR if rising else AGAINST] * (last + 1 - first)
    drawn = Text()
    for column, cell in enumerate(cells):
        if cell != " ":
            drawn.append(cell, GREEN if rising else "red")
        else:
            drawn.append(THRESHOLD if column == threshold else " ", AMBER)
    return drawn
