"""Render a pair of articles for review, without the probability of the model, which would bias the answer."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from dedup.cli.render import AMBER, strip_controls
from dedup.evaluation.review_queue import ReviewArticle, find_own_terms
from dedup.formatting import format_date, format_lag

__all__ = ["render_question"]


def render_question(
    position: int, total: int, first: ReviewArticle, second: ReviewArticle
) -> Iterator[RenderableType]:
    """Yield both articles, and the terms that only one of them has."""
    yield ""
    yield Rule(f"{position + 1} of {total}", align="left", style="dim")
    for one, other in ((first, second), (second, first)):
        yield Text(strip_controls(one.title) or "(no title)", "bold")
        later = format_lag(first.published, second.published) if one is second else ""
        facts = filter(None, (one.source, format_date(one.published), later, one.id))
        yield Text(strip_controls(" · ".join(facts)), "dim")
        yield Padding(Text(strip_controls(one.lead)), (0, 0, 0, 2))
        missing = find_own_terms(one, other)
        if missing:
            yield Padding(Text(f"only here: {strip_controls(', '.join(missing))}", AMBER), (0, 0, 0, 2))
        yield ""
