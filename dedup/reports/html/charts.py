"""Lay out charts: columns, ticks, and a sentence that summarizes them.

Widths are shares of the drawing and heights are pixels, so a chart fits any screen and its text keeps its
size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dedup.formatting import format_percent, to_probability
from dedup.reports.html.statistics import LOG_ODDS_EDGES, HistogramBin

__all__ = ["Chart", "ChartColumn", "ChartTick", "build_bar_chart", "build_score_chart", "build_volume_chart"]

CHART_HEIGHT = 150
"""Height of the highest column in pixels."""
COLUMN_GAP = 0.12
"""The share of a column's width that is left empty."""
TICK_PROBABILITIES = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True, slots=True)
class ChartColumn:
    """A column; horizontal values are in per cent of the width, vertical ones in pixels from the top."""

    label: str
    count: int
    x: float
    width: float
    y: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class ChartTick:
    """A label below the columns."""

    label: str
    x: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and a sentence that summarizes it."""

    title: str
    says: str
    columns: tuple[ChartColumn, ...]
    ticks: tuple[ChartTick, ...]
    threshold: float | None = None
    """Position of the threshold, in per cent of the width."""
    heads: tuple[str, ...] = ()
    """If the columns are stacked in pairs: the heads of their table, for the label, the lower and the upper count."""


def build_bar_chart(title: str, bins: Sequence[HistogramBin], says: str) -> Chart:
    """Return a chart with a labelled column for each bin."""
    width, highest = 100 / max(len(bins), 1), max((column.count for column in bins), default=1) or 1
    columns = tuple(
        make_chart_column(
            column.label, column.count, n * width, width, CHART_HEIGHT * column.count / highest, 0, "matched"
        )
        for n, column in enumerate(bins)
    )
    ticks = tuple(ChartTick(column.label, (n + 0.5) * width) for n, column in enumerate(bins))
    return Chart(title, says, columns, ticks)


def build_score_chart(
    title: str, matched: np.ndarray, apart: np.ndarray, threshold: float, says: str
) -> Chart:
    """Return a stacked chart of log-odds: unmatched pairs below, matched pairs on top, and the threshold."""
    edges = [format_percent(to_probability(edge)) for edge in LOG_ODDS_EDGES.tolist()]
    ticks = tuple(
        ChartTick(f"{p:.1%}".replace(".0%", "%"), compute_x_percent(np.log(p / (1 - p))))
        for p in TICK_PROBABILITIES
    )
    return Chart(
        title,
        says,
        stack_columns(
            [f"{low} to {high}" for low, high in pairwise(edges)], (apart, matched), ("apart", "matched")
        ),
        ticks,
        compute_x_percent(threshold),
        ("Probability", "Not matched", "Matched"),
    )


def build_volume_chart(
    title: str,
    labels: Sequence[str],
    kept: np.ndarray,
    dropped: np.ndarray,
    ticks: Mapping[int, str],
    says: str,
) -> Chart:
    """Return a stacked chart of kept articles below and dropped ones on top; `ticks` label columns by number."""
    width = 100 / max(len(labels), 1)
    return Chart(
        title,
        says,
        stack_columns(labels, (kept, dropped), ("kept-article", "matched")),
        tuple(ChartTick(label, round((n + 0.5) * width, 3)) for n, label in ticks.items()),
        heads=("Date", "Kept", "Repeats"),
    )


def stack_columns(
    labels: Sequence[str], counts: tuple[np.ndarray, np.ndarray], kinds: tuple[str, str]
) -> tuple[ChartColumn, ...]:
    """Return two columns for each label, the second on top of the first."""
    width, highest = 100 / max(len(labels), 1), max(int((counts[0] + counts[1]).max(initial=0)), 1)
    columns = []
    for n, (label, *pair) in enumerate(zip(labels, *(count.tolist() for count in counts), strict=True)):
        below, above = (CHART_HEIGHT * count / highest for count in pair)
        columns.append(make_chart_column(label, pair[0], n * width, width, below, 0, kinds[0]))
        columns.append(make_chart_column(label, pair[1], n * width, width, above, below, kinds[1]))
    return tuple(columns)


def make_chart_column(
    label: str, count: int, x: float, width: float, height: float, base_height: float, kind: str
) -> ChartColumn:
    """Return a column that stands `base_height` pixels above the axis; even a count of 1 is visible."""
    height = max(height, 1.5) if count else 0.0
    y = CHART_HEIGHT - base_height - height
    inset = width * COLUMN_GAP / 2
    return ChartColumn(
        label, count, round(x + inset, 3), round(width - 2 * inset, 3), round(y, 1), round(height, 1), kind
    )


def compute_x_percent(log_odds: float) -> float:
    """Return the horizontal position of log-odds, in per cent of the width."""
    return round(
        float(np.clip((log_odds - LOG_ODDS_EDGES[0]) / (LOG_ODDS_EDGES[-1] - LOG_ODDS_EDGES[0]), 0, 1)) * 100,
        3,
    )
