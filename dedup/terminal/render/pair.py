"""An explanation → the verdict on two articles, what they share, what was left out, what was weighed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedup.explaining.passages import single_words
from dedup.phrases import counted, date, lag, percent
from dedup.terminal.render import RELATION_STYLES, columns, line, plain

if TYPE_CHECKING:
    from dedup.explanation import Explanation, Side

__all__ = ["explanation_shown"]

MISSED = "In a corpus the pair would be missed: it shares no band, and too few salient terms to be looked at."
MOST_TERMS = 24
HEAD, TAIL = 120, 60
"""Characters shown of the beginning and of the end of a long passage."""
BAR_WIDTH = 24
"""Columns for the largest part of the log-odds."""


def explanation_shown(found: Explanation) -> Iterator[RenderableType]:
    """Yield the explanation from the verdict down to the single features."""
    yield Text(plain(found.verdict), f"bold {RELATION_STYLES[found.relation] if found.relation else 'red'}")
    if found.relation and not found.candidates:
        yield Text(MISSED, "yellow")
    yield ""
    yield article(found.kept, "kept" if found.relation else "first", "")
    yield article(
        found.other,
        "dropped" if found.relation else "second",
        lag(found.kept.published, found.other.published),
    )
    yield from section("Said in the same words", passages(found))
    yield from section("Names and numbers in both", terms(found))
    yield from section("Left out, as no part of the story", furniture(found))
    yield from section("Shared words", shingles(found))
    yield from section("What the story model weighed", features(found))


def section(title: str, content: RenderableType | None) -> Iterator[RenderableType]:
    """Yield a heading and what stands under it; nothing where there is nothing."""
    if content is not None:
        yield Text(f"\n{title}", "bold")
        yield Padding(content, (0, 0, 0, 2))


def article(side: Side, role: str, later: str) -> RenderableType:
    """Return the lines on one of the articles."""
    facts = [side.source, date(side.published), later, f"{side.words} words", side.id]
    title = Text.assemble((f"{role:<8}", "dim"), (plain(side.title or side.opening or "(no text)"), "bold"))
    below = Text(" " * 8 + plain(" · ".join(filter(None, facts))), "dim")
    return Group(cut(title), cut(below))


def cut(text: Text) -> Text:
    """Return text that stays on its line."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def passages(found: Explanation) -> RenderableType | None:
    """Return the passages that stand in both."""
    return Group(*(Text(shortened(plain(passage))) for passage in found.passages)) if found.passages else None


def shortened(passage: str) -> str:
    """Return a passage in quotation marks: of a long one the beginning, the end, and how long it is."""
    if len(passage) <= HEAD + TAIL:
        return f"“{passage}”"
    length = counted(len(single_words(passage)), "word")
    head = passage[:HEAD].rpartition(" ")[0] or passage[:HEAD]
    tail = passage[-TAIL:].partition(" ")[2] or passage[-TAIL:]
    return f"“{head} … {tail}” ({length})"


def terms(found: Explanation) -> RenderableType | None:
    """Return the names and numbers that are in both, most telling first."""
    rows = [("names", found.names), ("numbers", found.numbers)]
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, words in rows:
        if words:
            more = f" … and {len(words) - MOST_TERMS} more" if len(words) > MOST_TERMS else ""
            table.add_row(Text(name, "dim"), plain(", ".join(words[:MOST_TERMS])) + more)
    return table if table.row_count else None


def furniture(found: Explanation) -> RenderableType | None:
    """Return what was left out of each article, with the rule that said so."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(max_width=26)
    table.add_column()
    table.add_column(ratio=1)
    for side in (found.kept, found.other):
        for n, piece in enumerate(side.furniture):
            table.add_row(line("" if n else side.id, "dim"), Text(piece.rule, "cyan"), line(piece.passage))
    return table if table.row_count else None


def shingles(found: Explanation) -> RenderableType:
    """Return in words how much of the shingles the two share."""
    share = {feature.name: percent(feature.value) for feature in found.features}
    first, second = ("kept", "dropped") if found.relation else ("first", "second")
    terms, bands = found.lookup
    return Text(
        f"Of all their 3-word shingles they share {share['jaccard']} (Jaccard): {share['contained']} of "
        f"those of the {second} article, {share['contains']} of those of the {first}. "
        f"They are looked up by {counted(terms, 'salient term')} and {counted(bands, 'band')} in common."
    )


def features(found: Explanation) -> RenderableType:
    """Return what each feature adds to the log-odds, the largest part first."""
    weighed = sorted((f for f in found.features if f.log_odds), key=lambda f: -abs(f.log_odds))
    table = columns("feature", "value", "log-odds")
    table.add_column("")
    largest = max(abs(f) for f in (found.intercept, *(f.log_odds for f in weighed)))
    for feature in weighed:
        table.add_row(
            feature.name, f"{feature.value:.2f}", f"{feature.log_odds:+.2f}", bar(feature.log_odds, largest)
        )
    table.add_row(
        Text("(before any evidence)", "dim"), "", f"{found.intercept:+.2f}", bar(found.intercept, largest)
    )
    total = found.intercept + sum(feature.log_odds for feature in weighed)
    table.add_row(
        Text("sum", "bold"),
        "",
        Text(f"{total:+.2f}", "bold"),
        f"a probability of {percent(found.probability)}",
    )
    return table


def bar(log_odds: float, largest: float) -> Text:
    """Return a bar for a part of the log-odds: green speaks for one story, red against."""
    return Text("█" * max(1, round(abs(log_odds) / largest * BAR_WIDTH)), "green" if log_odds > 0 else "red")
