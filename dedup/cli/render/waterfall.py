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

from dedup.cli.render import columns
from dedup.formatting import chance, percent

if TYPE_CHECKING:
    from dedup.reports.explanation import Explanation

__all__ = ["Waterfall"]

WIDEST, NARROWEST = 40, 12
"""Columns of the drawing."""
BESIDE = 70
"""Columns that the names and the numbers take."""
FOR, AGAINST, THRESHOLD = "█", "▒", "┊"


class Waterfall:
    """The parts of the log-odds of an explanation, drawn to the width that there is."""

    def __init__(self, found: Explanation) -> None:
        self.found = found
        self.weighed = sorted((f for f in found.features if f.log_odds), key=lambda f: -abs(f.log_odds))

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, and what its signs mean."""
        yield self.table(min(max(options.max_width - BESIDE, NARROWEST), WIDEST))
        least = percent(chance(self.found.threshold))
        yield Text(
            f"{FOR} for one story   {AGAINST} against   {THRESHOLD} the threshold, a probability of {least}",
            "dim",
        )

    def table(self, width: int) -> Table:
        """Return a row for the intercept, for each feature and for the sum."""
        steps = list(self.steps())
        levels = [0.0, self.found.threshold, *(level for step in steps for level in step)]
        low, high = min(levels), max(levels)

        def place(level: float) -> int:
            return round((level - low) / ((high - low) or 1.0) * (width - 1))

        threshold = place(self.found.threshold)
        table = columns("", "value", "log-odds", "share", "")
        table.columns[-1].justify = "left"
        table.columns[-1].no_wrap = True
        names = [("before any evidence", "", ""), *self.named()]
        for (name, value, share), (before, after) in zip(names, steps, strict=True):
            drawn = bar(place(before), place(after), threshold, width, rising=after > before)
            table.add_row(name, value, f"{after - before:+.2f}", share, drawn)
        total = steps[-1][1]
        drawn = bar(place(0.0), place(total), threshold, width, rising=total > 0)
        probability = f"{percent(self.found.probability)}"
        table.add_row(
            Text("sum, and the probability", "bold"), probability, Text(f"{total:+.2f}", "bold"), "", drawn
        )
        return table

    def steps(self) -> Iterator[tuple[float, float]]:
        """Yield the log-odds before and after the intercept and each feature."""
        total = 0.0
        for part in (self.found.intercept, *(feature.log_odds for feature in self.weighed)):
            yield total, total + part
            total += part

    def named(self) -> Iterator[tuple[str, str, str]]:
        """Yield the name, the value and the share of each feature."""
        return ((f.label, f"{f.value:.2f}", percent(f.share)) for f in self.weighed)


def bar(start: int, end: int, threshold: int, width: int, *, rising: bool) -> Text:
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
