"""Values of the library → what a person reads on a terminal: a module for each command that draws.

In: clusters, settings, scores, explanations. Out: rich renderables, and `print_renderables`, which prints them. What
comes from a corpus is never taken as markup, and its control characters are not handed to the terminal.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

__all__ = [
    "RELATION_STYLES",
    "build_number_table",
    "format_cropped_line",
    "print_renderables",
    "strip_controls",
]

RELATION_STYLES = {
    "exact": "green",
    "copy": "cyan",
    "excerpt": "blue",
    "extension": "magenta",
    "rewrite": "yellow",
    "followup": "color(132)",  # a rose that stands out 4.4:1 from white and 4.8:1 from black
}
PIPE_WIDTH = 100
"""Columns of what goes into a pipe or a file."""
UNPRINTABLE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Unicode categories that could move the cursor, or turn the order of what follows."""
JOINERS = "\u200c\u200d"
"""Format characters that Persian words and emoji need."""


def print_renderables(parts: Iterable[RenderableType]) -> None:
    """Print parts on the terminal, one below the other; into a pipe without colours, and on lines of `PIPE_WIDTH` columns."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="replace")  # a terminal without UTF-8 gets question marks, not an error
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    console = Console(highlight=False, width=width)
    for part in parts:
        console.print(part)


def strip_controls(text: str | None) -> str:
    r"""Return text on one line, without what a terminal would take as a command.

    >>> strip_controls("Mayor\x1b[2J resigns")
    'Mayor [2J resigns'
    """
    safe = (
        c if c in JOINERS or unicodedata.category(c) not in UNPRINTABLE_CATEGORIES else " "
        for c in text or ""
    )
    return " ".join("".join(safe).split())


def format_cropped_line(text: str | None, style: str = "") -> Text:
    """Return text from a corpus on one line, cut where the terminal ends."""
    return Text(strip_controls(text), style, no_wrap=True, overflow="ellipsis")


def build_number_table(*headings: str) -> Table:
    """Return an empty table without rules: a first column of names, then columns of numbers."""
    table = Table(box=None, header_style="dim", padding=(0, 3, 0, 0))
    for n, heading in enumerate(headings):
        table.add_column(heading, justify="right" if n else "left")
    return table
