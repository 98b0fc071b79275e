"""Render results as tables and lists for a terminal, with one module for each command that does so.

The functions return rich renderables; `print_renderables` prints them. Text from a corpus is never read as markup, and its
control characters never reach the terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from dedup.formatting import strip_controls

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
"""Width of the output if it is not a terminal."""


def print_renderables(parts: Iterable[RenderableType]) -> None:
    """Print the parts one below the other; without colours and `PIPE_WIDTH` columns wide if stdout is not a terminal."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="replace")  # a terminal without UTF-8 gets question marks, not an error
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    console = Console(highlight=False, width=width)
    for part in parts:
        console.print(part)


def format_cropped_line(text: str | None, style: str = "") -> Text:
    """Return text from a corpus on one line, cut at the edge of the terminal."""
    return Text(strip_controls(text), style, no_wrap=True, overflow="ellipsis")


def build_number_table(*headings: str) -> Table:
    """Return an empty table without borders: one column of names, then columns of numbers."""
    table = Table(box=None, header_style="dim", padding=(0, 3, 0, 0))
    for n, heading in enumerate(headings):
        table.add_column(heading, justify="right" if n else "left")
    return table
