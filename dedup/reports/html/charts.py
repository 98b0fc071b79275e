"""Figures → charts: where each column stands, how high it is, and the words that say the same.

Widths are shares of the drawing and heights are pixels, so that a chart fits any screen and its letters stay as large as others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dedup.formatting import chance, percent
from dedup.reports.html.statistics import ODDS, Bin

__all__ = ["Chart", "Column", "Tick", "columns_of", "scores_of"]

HEIGHT = 150
"""Pixels of the highest column."""
GAP = 0.12
"""The share of a column's place that is left free."""
PROBABILITIES = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True, slots=True)
class Column:
    """A column, from left to right in per cent of the width, from top to bottom in pixels."""

    label: str
    count: int
    x: float
    width: float
    y: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A label below the columns."""

    label: str
    x: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, with what it says in a sentence."""

    title: str
    says: str
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    threshold: float | None = None
    """Where the threshold stands, in per cent of the width."""


def columns_of(title: str, bins: Sequence[Bin], says: str) -> Chart:
    """Return a chart with a labelled column for each bin."""
    width, highest = 100 / max(len(bins), 1), max((found.count for found in bins), default=1) or 1
    columns = tuple(
        column(found.label, found.count, n * width, width, HEIGHT * found.count / highest, 0, "told")
        for n, found in enumerate(bins)
    )
    ticks = tuple(Tick(found.label, (n + 0.5) * width) for n, found in enumerate(bins))
    return Chart(title, says, columns, ticks)


def scores_of(title: str, matched: np.ndarray, apart: np.ndarray, threshold: float, says: str) -> Chart:
    """Return a chart of log-odds: what was not matched, and upon it what was; and the threshold."""
    width, highest = 100 / (len(ODDS) - 1), max(int((matched + apart).max(initial=0)), 1)
    columns = []
    for n, (found, not_found) in enumerate(zip(matched.tolist(), apart.tolist(), strict=True)):
        label = f"{percent(chance(ODDS[n]))} to {percent(chance(ODDS[n + 1]))}"
        below, above = (HEIGHT * count / highest for count in (not_found, found))
        columns.append(column(label, not_found, n * width, width, below, 0, "apart"))
        columns.append(column(label, found, n * width, width, above, below, "told"))
    ticks = tuple(Tick(f"{p:.1%}".replace(".0%", "%"), place(np.log(p / (1 - p)))) for p in PROBABILITIES)
    return Chart(title, says, tuple(columns), ticks, place(threshold))


def column(label: str, count: int, x: float, width: float, height: float, above: float, kind: str) -> Column:
    """Return a column in its place, upon another where that is `above` pixels high; the least that there is can be seen."""
    height = max(height, 1.5) if count else 0.0
    y = HEIGHT - above - height
    inset = width * GAP / 2
    return Column(
        label, count, round(x + inset, 3), round(width - 2 * inset, 3), round(y, 1), round(height, 1), kind
    )


def place(log_odds: float) -> float:
    """Return where log-odds stand, in per cent of the width."""
    return round(float(np.clip((log_odds - ODDS[0]) / (ODDS[-1] - ODDS[0]), 0, 1)) * 100, 3)
