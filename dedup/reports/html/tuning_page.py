"""A study → one page to look at, which needs nothing from elsewhere.

In: a `Study`, and the result that it is of. Out: HTML: the template `data/scores.html`, its titles escaped, with two
drawings whose points are computed here.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Iterable
from importlib.resources import files

from dedup.evaluation.tuning import Point, Study
from dedup.pipeline.results import Result

__all__ = ["page"]

WIDTH, HEIGHT = 640, 280
"""Of a drawing, in its own units."""
MOST_RADIUS = 14.0


def page(study: Study, result: Result) -> str:
    """Return a study as a page of HTML."""
    from jinja2 import Environment, StrictUndefined

    source = (files("dedup") / "data" / "scores.html").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(source).render(
        study=study,
        articles=len(result.ids),
        lines={name: polyline(study.curve, name) for name in ("f1", "precision", "recall")},
        best=next((p for p in study.curve if p.best), None),
        place=place,
        width=WIDTH,
        height=HEIGHT,
        dots=[
            (*place(b.said, b.same), radius(b.pairs, max(x.pairs for x in study.reliability)), b)
            for b in study.reliability
        ],
        style_digest=digest_of_style(source),
    )


def place(x: float, y: float) -> tuple[float, float]:
    """Return where a point of the unit square lies in a drawing.

    >>> place(0.5, 1.0)
    (320.0, 0.0)
    """
    return round(x * WIDTH, 1), round((1 - y) * HEIGHT, 1)


def polyline(curve: Iterable[Point], name: str) -> str:
    """Return the points of a score along the thresholds, as SVG has them."""
    return " ".join("{},{}".format(*place(p.probability, float(getattr(p, name)))) for p in curve)


def radius(pairs: int, most: int) -> float:
    """Return how large a dot for so many pairs is: its area is their share of the most."""
    return round(max(MOST_RADIUS * math.sqrt(pairs / most), 3.0), 1)


def digest_of_style(source: str) -> str:
    """Return by what digest the page's policy knows its own style."""
    found = re.search(r"<style>(.*?)</style>", source, re.DOTALL)
    content = found[1].encode() if found else b""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()
