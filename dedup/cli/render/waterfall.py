"""Features → a waterfall: each moves the log-odds from where the one before it left them, up to the sum.

As splink draws its match weights: the intercept first, then the features, the largest part first, then the sum beside the
threshold. What speaks for one story is a full block, what speaks against it a shaded one, so that it can be read without
colours too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from dedup.cli.render import build_number_table
from dedup.formatting import format_percent, to_probability

if TYPE_CHECKING:
    from dedup.reports.explanation import Explanation

__all__ = ["Waterfall"]

WIDEST, NARROWEST = 40, 12
"""Columns of the drawing."""
TEXT_WIDTH = 70
"""Columns that the names and the numbers take."""
FOR, AGAINST, THRESHOLD = "█", "▒", "┊"


class Waterfall:
    """The parts of the log-odds of an explanation, drawn to the width that there is."""

    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation
        self.weighted_features = sorted(
            (f for f in explanation.features if f.log_odds), key=lambda f: -abs(f.log_odds)
        )

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, and what its signs mean."""
        yield self.build_table(min(max(options.max_width - TEXT_WIDTH, NARROWEST), WIDEST))
        least = format_percent(to_probability(self.explanation.threshold))
        yield Text(
            f"{FOR} for one story   {AGAINST} against   {THRESHOLD} the threshold, a probability of {least}",
            "dim",
        )

    def build_table(self, width: int) -> Table:
        """Return a row for the intercept, for each feature and for the sum."""
        steps = list(self.iter_steps())
        levels = [0.0, self.explanation.threshold, *(level for step in steps for level in step)]
        low, high = min(levels), max(levels)

        def to_column(level: float) -> int:
            return round((level - low) / ((high - low) or 1.0) * (width - 1))

        threshold = to_column(self.explanation.threshold)
        table = build_number_table("", "value", "log-odds", "share", "")
        table.columns[-1].justify = "left"
        table.columns[-1].no_wrap = True
        names = [("before any evidence", "", ""), *self.iter_feature_cells()]
        for (name, value, share), (before, after) in zip(names, steps, strict=True):
            drawn = draw_bar(to_column(before), to_column(after), threshold, width, rising=after > before)
            table.add_row(name, value, f"{after - before:+.2f}", share, drawn)
        total = steps[-1][1]
        drawn = draw_bar(to_column(0.0), to_column(total), threshold, width, rising=total > 0)
        probability = f"{format_percent(self.explanation.probability)}"
        table.add_row(
            Text("sum, and the probability", "bold"), probability, Text(f"{total:+.2f}", "bold"), "", drawn
        )
        return table

    def iter_steps(self) -> Iterator[tuple[float, float]]:
        """Yield the log-odds before and after the intercept and each feature."""
        total = 0.0
        for part in (self.explanation.intercept, *(feature.log_odds for feature in self.weighted_features)):
            yield total, total + part
            total += part

    def iter_feature_cells(self) -> Iterator[tuple[str, str, str]]:
        """Yield the name, the value and the share of each feature."""
        return ((f.label, f"{f.value:.2f}", format_percent(f.share)) for f in self.weighted_features)


def draw_bar(start: int, end: int, threshold: int, width: int, *, rising: bool) -> Text:
    """Return a bar from one column to another, and the threshold."""
    first, last = min(start, end), max(start, end)
    cells = [" "] * width
    cells[first : last + 1] = [FOR if rising else AGAINST] * (last + 1 - first)
    drawn = Text()
    for column, cell in enumerate(cells):
        if cell != " ":
            drawn.append(cell, "green" if rising else "red")
        else:
            drawn.append(THRESHOLD if column == threshold else " ", "yellow")
    return drawn
