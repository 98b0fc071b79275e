"""Render two leads side by side, with marks for shared words and for names and numbers of only one.

The marks are colours on a terminal, and brackets in a pipe, in a file or with NO_COLOR.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from dedup.cli.render import GREEN, TEAL, strip_controls

if TYPE_CHECKING:
    from dedup.reports.lead_diff import Lead

__all__ = ["LeadComparison"]

SIDE_BY_SIDE_WIDTH = 72
"""Narrower terminals show one lead below the other."""


class MarkStyle(NamedTuple):
    """The style of a mark, and the brackets that replace it without colours."""

    style: str
    opening: str
    closing: str


WORDS, QUOTATION = MarkStyle(GREEN, "[", "]"), MarkStyle(f"italic {GREEN}", "«", "»")
BOTH, ONLY_HERE = MarkStyle(TEAL, "_", "_"), MarkStyle("bold red", "*", "*")
MARK_STYLES: Mapping[str, MarkStyle] = {
    "words": WORDS,
    "quotation": QUOTATION,
    "name": BOTH,
    "number": BOTH,
    "own name": ONLY_HERE,
    "own number": ONLY_HERE,
}
MEANINGS = (
    (WORDS, "the same words in both"),
    (QUOTATION, "quoted in both"),
    (BOTH, "name or number in both"),
    (ONLY_HERE, "missing from the other"),
)


class LeadComparison:
    """The leads of two articles, each below its role."""

    def __init__(self, kept: Lead, other: Lead, *roles: str) -> None:
        self.leads = (kept, other)
        self.roles = roles

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the leads, side by side if they fit, and a legend of the marks."""
        coloured = console.color_system is not None and not console.no_color
        parts = [
            Group(Text(role, "dim"), render_lead(lead, coloured=coloured))
            for role, lead in zip(self.roles, self.leads, strict=True)
        ]
        if options.max_width >= SIDE_BY_SIDE_WIDTH:
            table = Table.grid(padding=(0, 3, 0, 0), expand=True)
            table.add_column(ratio=1)
            table.add_column(ratio=1)
            table.add_row(*parts)
            yield table
        else:
            yield from parts
        yield Text.assemble(
            "\n",
            *(
                part
                for mark_style, words in MEANINGS
                for part in (render_mark(words, mark_style, coloured=coloured), "   ")
            ),
        )


def render_lead(lead: Lead, *, coloured: bool) -> Text:
    """Return a lead with its marks and line breaks."""
    text, end = Text(), 0
    for mark in lead.marks:
        text.append(clean_lead_part(lead.text[end : mark.start]))
        text.append(
            render_mark(
                clean_lead_part(lead.text[mark.start : mark.end]), MARK_STYLES[mark.kind], coloured=coloured
            )
        )
        end = mark.end
    text.append(clean_lead_part(lead.text[end:]))
    return text


def render_mark(words: str, mark_style: MarkStyle, *, coloured: bool) -> Text:
    """Return words as a mark shows them: coloured, or in brackets without colours.

    A mark is a part of a lead that is shown differently: the same words in both articles, or a name that only one has.
    """
    return (
        Text(words, mark_style.style)
        if coloured
        else Text(f"{mark_style.opening}{words}{mark_style.closing}")
    )


def clean_lead_part(text: str) -> str:
    r"""Return part of a text without control characters, with runs of spaces and of newlines collapsed.

    >>> clean_lead_part("rose,\n\n  fell ")
    'rose,\nfell '
    """
    lines = text.split("\n")
    inner = [strip_controls(line) for line in lines]
    if len(lines) == 1:
        inner[0] = (
            f"{' ' if text[:1].isspace() else ''}{inner[0]}{' ' if inner[0] and text[-1:].isspace() else ''}"
        )
    else:
        inner[0] = (" " if lines[0][:1].isspace() and inner[0] else "") + inner[0]
        inner[-1] += " " if lines[-1][-1:].isspace() and inner[-1] else ""
    return "\n".join(piece for n, piece in enumerate(inner) if piece or n in {0, len(inner) - 1})
