"""Render the page of `dedup evaluate`: scores, threshold curve, calibration, and the worst mistakes."""

from __future__ import annotations

import math
from collections.abc import Iterable

from dedup.evaluation.tuning_report import ThresholdScores, TuningReport
from dedup.pipeline.results import Result
from dedup.reports.html.render_page import render_page

__all__ = ["render_tuning_page"]

PLOT_HEIGHT = 280
"""Height of a plot in pixels; its width is that of the page."""
MAX_DOT_RADIUS, MIN_DOT_RADIUS = 14.0, 3.0


def render_tuning_page(study: TuningReport, result: Result) -> bytes:
    """Return a tuning report as a page in UTF-8."""
    most = max((b.pairs for b in study.reliability), default=1)
    return render_page(
        "tuning_page.html",
        study=study,
        articles=len(result.ids),
        lines={name: format_polyline(study.curve, name) for name in ("f1", "precision", "recall")},
        best=next((p for p in study.curve if p.best), None),
        height=PLOT_HEIGHT,
        dots=[(*to_plot_point(b.said, b.same), compute_dot_radius(b.pairs, most)) for b in study.reliability],
    )


def to_plot_point(x: float, y: float) -> tuple[float, float]:
    """Return the position of a point of the unit square in a plot: per cent from the left, pixels from the top.

    >>> to_plot_point(0.5, 1.0)
    (50.0, 0.0)
    """
    return round(x * 100, 2), round((1 - y) * PLOT_HEIGHT, 1)


def format_polyline(curve: Iterable[ThresholdScores], name: str) -> str:
    """Return a score along the thresholds as the points of an SVG polyline."""
    return " ".join("{},{}".format(*to_plot_point(p.probability, float(getattr(p, name)))) for p in curve)


def compute_dot_radius(pairs: int, most: int) -> float:
    """Return the radius of a dot whose area is proportional to its pairs; `most` pairs have the largest dot."""
    return round(max(MAX_DOT_RADIUS * math.sqrt(pairs / most), MIN_DOT_RADIUS), 1)
