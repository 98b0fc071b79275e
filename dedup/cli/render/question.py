"""A question about two articles → what a person reads before answering; not what the model thinks, which would sway them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from dedup.cli.render import plain
from dedup.evaluation.review_queue import Seen, only_in
from dedup.formatting import date, lag

__all__ = ["question_shown"]


def question_shown(place: int, total: int, first: Seen, second: Seen) -> Iterator[RenderableType]:
    """Yield both articles, and what only one of them says."""
    yield ""
    yield Rule(f"{place + 1} of {total}", align="left", style="dim")
    for one, other in ((first, second), (second, first)):
        yield Text(plain(one.title) or "(no title)", "bold")
        later = lag(first.published, second.published) if one is second else ""
        facts = filter(None, (one.source, date(one.published), later and f"{later}", one.id))
        yield Text(plain(" · ".join(facts)), "dim")
        yield Padding(Text(plain(one.lead)), (0, 0, 0, 2))
        missing = only_in(one, other)
        if missing:
            yield Padding(Text(f"only here: {plain(', '.join(missing))}", "yellow"), (0, 0, 0, 2))
        yield ""
