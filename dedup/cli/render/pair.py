"""An explanation → the verdict on two articles, their leads, what they share, what was left out, what was weighed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedup.cli.render import RELATION_STYLES, columns, line, plain
from dedup.cli.render.leads import Leads
from dedup.cli.render.waterfall import Waterfall
from dedup.formatting import counted, date, lag, percent
from dedup.text.shared_passages import single_words

if TYPE_CHECKING:
    from dedup.reports.explanation import Explanation, Side
    from dedup.reports.lead_diff import Lead

__all__ = ["explanation_shown"]

MISSED = "In a corpus the pair would be missed: it shares no band, and too few salient terms to be looked at."
MOST_TERMS = 24
HEAD, TAIL = 120, 60
"""Characters shown of the beginning and of the end of a long passage."""


def explanation_shown(found: Explanation) -> Iterator[RenderableType]:
    """Yield the explanation from the verdict down to the single features."""
    yield Text(plain(found.verdict), f"bold {RELATION_STYLES[found.relation] if found.relation else 'red'}")
    if found.relation and not found.candidates:
        yield Text(MISSED, "yellow")
    yield ""
    first, second = roles(found)
    yield article(found.kept, first, "")
    yield article(found.other, second, lag(found.kept.published, found.other.published))
    yield from section("How they begin", Leads(found.kept.lead, found.other.lead, *roles(found)))
    yield from section("Said in the same words", passages(found))
    yield from section("Names and numbers in both", terms(found))
    yield from section("Names and numbers that the other has nowhere", own_terms(found))
    yield from section("Left out, as no part of the story", furniture(found))
    yield from section("How much wording they share", wording(found))
    yield from section("What the model weighed", Waterfall(found))


def roles(found: Explanation) -> tuple[str, str]:
    """Return what the two articles are called."""
    return ("kept", "dropped") if found.joins else ("first", "second")


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
    return listed([("names", found.names), ("numbers", found.numbers)])


def own_terms(found: Explanation) -> RenderableType | None:
    """Return the names and numbers in the lead of one that stand nowhere in the other."""
    rows = [
        (f"{role}: {kind}s", tuple(dict.fromkeys(only(side.lead, f"own {kind}"))))
        for role, side in zip(roles(found), (found.kept, found.other), strict=True)
        for kind in ("name", "number")
    ]
    return listed(rows)


def only(lead: Lead, kind: str) -> Iterator[str]:
    """Yield the marked parts of a lead that are of one kind."""
    return (lead.text[mark.start : mark.end] for mark in lead.marks if mark.kind == kind)


def listed(rows: Iterable[tuple[str, tuple[str, ...]]]) -> RenderableType | None:
    """Return rows of words, each with its name; nothing where there are no words."""
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


def wording(found: Explanation) -> RenderableType:
    """Return how many runs of three words the two share, beside what a relation needs."""
    first, second = roles(found)
    share = {feature.name: feature.value for feature in found.features}
    rows = [
        ("jaccard", "of all (Jaccard)", "a copy"),
        ("contained", f"of the {second}, found in the {first}", "an excerpt"),
        ("contains", f"of the {first}, found in the {second}", "an extension"),
    ]
    table = columns("runs of three words", "shared", "needed")
    for name, whose, relation in rows:
        least = found.least[name]
        enough = share[name] >= least
        table.add_row(
            whose, Text(percent(share[name]), "green" if enough else ""), f"{percent(least)} for {relation}"
        )
    terms, bands = found.lookup
    looked_up = (
        f"They are looked up by {counted(terms, 'salient term')} and {counted(bands, 'band')} in common."
    )
    return Group(table, Text(looked_up, "dim"))
