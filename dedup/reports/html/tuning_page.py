"""A study → one page to look at, which needs nothing from elsewhere.

In: a `TuningReport`, and the result that it is of. Out: HTML: the template `data/scores.html`, its titles escaped, with two
drawings whose points are computed here.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Iterable
from importlib.resources import files

from dedup.evaluation.tuning import ThresholdScores, TuningReport
from dedup.pipeline.results import Result

__all__ = ["render_tuning_page"]

DRAWING_WIDTH, DRAWING_HEIGHT = 640, 280
"""Of a drawing, in its own units."""
MAX_DOT_RADIUS = 14.0


def render_tuning_page(study: TuningReport, result: Result) -> str:
    """Return a study as a page of HTML."""
    from jinja2 import Environment, StrictUndefined

    source = (files("dedup") / "data" / "scores.html").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source).render(
        study=study,
        articles=len(result.ids),
        lines={name: format_polyline(study.curve, name) for name in ("f1", "precision", "recall")},
        best=next((p for p in study.curve if p.best), None),
        place=to_drawing_point,
        width=DRAWING_WIDTH,
        height=DRAWING_HEIGHT,
        dots=[
            (
                *to_drawing_point(b.said, b.same),
                compute_dot_radius(b.pairs, max(x.pairs for x in study.reliability)),
                b,
            )
            for b in study.reliability
        ],
        style_digest=hash_page_style(source),
    )


def to_drawing_point(x: float, y: float) -> tuple[float, float]:
    """Return where a point of the unit square lies in a drawing.

    >>> to_drawing_point(0.5, 1.0)
    (320.0, 0.0)
    """
    return round(x * DRAWING_WIDTH, 1), round((1 - y) * DRAWING_HEIGHT, 1)


def format_polyline(curve: Iterable[ThresholdScores], name: str) -> str:
    """Return the points of a score along the thresholds, as SVG has them."""
    return " ".join("{},{}".format(*to_drawing_point(p.probability, float(getattr(p, name)))) for p in curve)


def compute_dot_radius(pairs: int, most: int) -> float:
    """Return how large a dot for so many pairs is: its area is their share of the most."""
    return round(max(MAX_DOT_RADIUS * math.sqrt(pairs / most), 3.0), 1)


def hash_page_style(source: str) -> str:
    """Return by what digest the page's policy knows its own style."""
    found = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    content = found[1].encode() if found else b""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
