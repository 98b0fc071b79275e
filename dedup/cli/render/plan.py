"""An estimate → a table of ranges, and the odds that copies are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from dedup.cli.render import columns
from dedup.cli.render.settings import odds_shown
from dedup.formatting import counted, size

if TYPE_CHECKING:
    from dedup.pipeline.estimate import Estimate

__all__ = ["plan_shown", "span"]

MINUTE, HOUR = 60, 3600
FEW = 10


def plan_shown(found: Estimate) -> Iterator[RenderableType]:
    """Yield the ranges, and the odds of the bands."""
    table = columns("", "expected", "at least", "at most")
    rows = (
        ("articles", found.articles, lambda n: f"{n:,.0f}"),
        ("candidates each", found.candidates, lambda n: f"{n:,.1f}"),
        ("time", found.seconds, span),
        ("memory", found.memory_bytes, size),
        ("files, meanwhile", found.files_bytes, size),
        ("disk, for what is kept", found.disk_bytes, size),
    )
    for name, r, shown in rows:
        table.add_row(Text(name), Text(shown(r.expected), "bold"), shown(r.low), shown(r.high))
    yield table
    yield f"\nby {counted(found.sampled, 'article')} of the corpus"
    yield Text("\nThe odds that two copies share a band, and so are compared, by their Jaccard similarity:\n")
    yield odds_shown(found.odds)


def span(seconds: float) -> str:
    """Return a number of seconds in words.

    >>> span(0.2), span(42), span(5400)
    ('0.2 s', '42 s', '1.5 h')
    """
    if seconds < FEW:
        return f"{seconds:.1f} s"
    if seconds < 2 * MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE:.0f} min" if seconds < HOUR else f"{seconds / HOUR:.1f} h"
