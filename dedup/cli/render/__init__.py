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
    "AMBER",
    "GREEN",
    "RELATION_STYLES",
    "TEAL",
    "build_number_table",
    "format_cropped_line",
    "print_renderables",
    "strip_controls",
]

GREEN, TEAL, BLUE, MAGENTA, AMBER, ROSE = (f"color({number})" for number in (28, 30, 63, 162, 130, 132))
"""Colours that stand out from a white background and from a black one by at least 4:1, as the named ones do not."""
RELATION_STYLES = {
    "exact": GREEN,
    "copy": TEAL,
    "excerpt": BLUE,
    "extension": MAGENTA,
    "rewrite": AMBER,
    "followup": ROSE,
}
PIPE_WIDTH = 100
"""Width of the output if it is not a terminal."""


def print_renderables(parts: Iterable[RenderableType]) -> None:
    """Print the parts one below the other; if stdout is not a terminal, `PIPE_WIDTH` columns wide.

    Colours are for a terminal, unless FORCE_COLOR or NO_COLOR says otherwise.
    """
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
