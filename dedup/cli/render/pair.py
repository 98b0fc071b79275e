"""Render an explanation: the verdict, the leads, shared passages and terms, boilerplate and evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedup.cli.render import (
    AMBER,
    GREEN,
    RELATION_STYLES,
    TEAL,
    build_number_table,
    format_cropped_line,
    strip_controls,
)
from dedup.cli.render.leads import LeadComparison
from dedup.cli.render.waterfall import Waterfall
from dedup.formatting import format_count, format_date, format_lag, format_percent
from dedup.text.shared_passages import split_words

if TYPE_CHECKING:
    from dedup.reports.explanation import ExplainedArticle, Explanation
    from dedup.reports.lead_diff import Lead

__all__ = ["render_explanation"]

MISSED_WARNING = "A run over a corpus would miss this pair, because it shares no band and too few salient terms to be compared."
MAX_SHOWN_TERMS = 24
HEAD_CHARACTERS, TAIL_CHARACTERS = 120, 60
"""Characters shown from the beginning and the end of a long passage."""


def render_explanation(explanation: Explanation) -> Iterator[RenderableType]:
    """Yield the sections of the explanation, the verdict first."""
    yield Text(
        strip_controls(explanation.verdict),
        f"bold {RELATION_STYLES[explanation.relation] if explanation.relation else 'red'}",
    )
    if explanation.relation and not explanation.candidates:
        yield Text(MISSED_WARNING, AMBER)
    yield ""
    first, second = get_roles(explanation)
    yield render_pair_article(explanation.kept, first, "")
    yield render_pair_article(
        explanation.other, second, format_lag(explanation.kept.published, explanation.other.published)
    )
    yield from render_pair_section(
        "Openings",
        LeadComparison(explanation.kept.lead, explanation.other.lead, *get_roles(explanation)),
    )
    yield from render_pair_section("Shared passages", render_shared_passages(explanation))
    yield from render_pair_section("Shared names and numbers", render_shared_terms(explanation))
    yield from render_pair_section(
        "Names and numbers missing from the other article", render_own_terms(explanation)
    )
    yield from render_pair_section(
        "Boilerplate, ignored in the comparison", render_pair_boilerplate(explanation)
    )
    yield from render_pair_section("Shared wording", render_wording_overlap(explanation))
    yield from render_pair_section("Evidence weighed by the model", Waterfall(explanation))


def get_roles(explanation: Explanation) -> tuple[str, str]:
    """Return the roles of the two articles."""
    return ("kept", "dropped") if explanation.joins else ("first", "second")


def render_pair_section(title: str, content: RenderableType | None) -> Iterator[RenderableType]:
    """Yield a heading and its content; nothing if there is no content."""
    if content is not None:
        yield Text(f"\n{title}", "bold")
        yield Padding(content, (0, 0, 0, 2))


def render_pair_article(side: ExplainedArticle, role: str, later: str) -> RenderableType:
    """Return the title and the facts of an article."""
    facts = [side.source, format_date(side.published), later, f"{side.words} words", side.id]
    title = Text.assemble(
        (f"{role:<8}", "dim"), (strip_controls(side.title or side.opening or "(no text)"), "bold")
    )
    below = Text(" " * 8 + strip_controls(" · ".join(filter(None, facts))), "dim")
    return Group(set_no_wrap(title), set_no_wrap(below))


def set_no_wrap(text: Text) -> Text:
    """Return text that is cut at the edge of the terminal instead of wrapped."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def render_shared_passages(explanation: Explanation) -> RenderableType | None:
    """Return the passages in both articles."""
    return (
        Group(*(Text(truncate_passage(strip_controls(passage))) for passage in explanation.passages))
        if explanation.passages
        else None
    )


def truncate_passage(passage: str) -> str:
    """Return a passage in quotation marks; of a long one, the beginning, the end and the length."""
    if len(passage) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return f"“{passage}”"
    length = format_count(len(split_words(passage)), "word")
    head = passage[:HEAD_CHARACTERS].rpartition(" ")[0] or passage[:HEAD_CHARACTERS]
    tail = passage[-TAIL_CHARACTERS:].partition(" ")[2] or passage[-TAIL_CHARACTERS:]
    return f"“{head} … {tail}” ({length})"


def render_shared_terms(explanation: Explanation) -> RenderableType | None:
    """Return the names and numbers in both articles, most salient first."""
    return build_term_table([("names", explanation.names), ("numbers", explanation.numbers)])


def render_own_terms(explanation: Explanation) -> RenderableType | None:
    """Return the names and numbers in the lead of one article that are missing from the other."""
    rows = [
        (f"{role}: {kind}s", tuple(dict.fromkeys(iter_marked_parts(side.lead, f"own {kind}"))))
        for role, side in zip(get_roles(explanation), (explanation.kept, explanation.other), strict=True)
        for kind in ("name", "number")
    ]
    return build_term_table(rows)


def iter_marked_parts(lead: Lead, kind: str) -> Iterator[str]:
    """Yield the parts of a lead with marks of one kind."""
    return (lead.text[mark.start : mark.end] for mark in lead.marks if mark.kind == kind)


def build_term_table(rows: Iterable[tuple[str, tuple[str, ...]]]) -> RenderableType | None:
    """Return a table of named word lists; None if all are empty."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, words in rows:
        if words:
            more = f" … and {len(words) - MAX_SHOWN_TERMS} more" if len(words) > MAX_SHOWN_TERMS else ""
            table.add_row(Text(name, "dim"), strip_controls(", ".join(words[:MAX_SHOWN_TERMS])) + more)
    return table if table.row_count else None


def render_pair_boilerplate(explanation: Explanation) -> RenderableType | None:
    """Return the boilerplate of each article, with the rule that matched it."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(max_width=26)
    table.add_column()
    table.add_column(ratio=1)
    for side in (explanation.kept, explanation.other):
        for n, piece in enumerate(side.boilerplate):
            table.add_row(
                format_cropped_line("" if n else side.id, "dim"),
                Text(piece.rule, TEAL),
                format_cropped_line(piece.passage),
            )
    return table if table.row_count else None


def render_wording_overlap(explanation: Explanation) -> RenderableType:
    """Return the shares of common 3-word shingles, beside those that the relations need."""
    first, second = get_roles(explanation)
    share = {feature.name: feature.value for feature in explanation.features}
    rows = [
        ("jaccard", "of all (Jaccard)", "a copy"),
        ("contained", f"of the {second}, found in the {first}", "an excerpt"),
        ("contains", f"of the {first}, found in the {second}", "an extension"),
    ]
    table = build_number_table("3-word shingles", "shared", "needed")
    for name, whose, relation in rows:
        least = explanation.least[name]
        enough = share[name] >= least
        table.add_row(
            whose,
            Text(format_percent(share[name]), GREEN if enough else ""),
            f"{format_percent(least)} for {relation}",
        )
    terms, bands = explanation.lookup
    looked_up = (
        f"Lookup keys in common: {format_count(terms, 'salient term')} and {format_count(bands, 'band')}."
    )
    return Group(table, Text(looked_up, "dim"))
