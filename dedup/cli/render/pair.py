"""An explanation → the verdict on two articles, their leads, what they share, what was left out, what was weighed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedup.cli.render import RELATION_STYLES, build_number_table, format_cropped_line, strip_controls
from dedup.cli.render.leads import LeadComparison
from dedup.cli.render.waterfall import Waterfall
from dedup.formatting import format_count, format_date, format_lag, format_percent
from dedup.text.shared_passages import split_words

if TYPE_CHECKING:
    from dedup.reports.explanation import ExplainedArticle, Explanation
    from dedup.reports.lead_diff import Lead

__all__ = ["render_explanation"]

MISSED_WARNING = (
    "In a corpus the pair would be missed: it shares no band, and too few salient terms to be looked at."
)
MAX_SHOWN_TERMS = 24
HEAD_CHARACTERS, TAIL_CHARACTERS = 120, 60
"""Characters shown of the beginning and of the end of a long passage."""


def render_explanation(explanation: Explanation) -> Iterator[RenderableType]:
    """Yield the explanation from the verdict down to the single features."""
    yield Text(
        strip_controls(explanation.verdict),
        f"bold {RELATION_STYLES[explanation.relation] if explanation.relation else 'red'}",
    )
    if explanation.relation and not explanation.candidates:
        yield Text(MISSED_WARNING, "yellow")
    yield ""
    first, second = get_roles(explanation)
    yield render_pair_article(explanation.kept, first, "")
    yield render_pair_article(
        explanation.other, second, format_lag(explanation.kept.published, explanation.other.published)
    )
    yield from render_pair_section(
        "How they begin",
        LeadComparison(explanation.kept.lead, explanation.other.lead, *get_roles(explanation)),
    )
    yield from render_pair_section("Said in the same words", render_shared_passages(explanation))
    yield from render_pair_section("Names and numbers in both", render_shared_terms(explanation))
    yield from render_pair_section(
        "Names and numbers that the other has nowhere", render_own_terms(explanation)
    )
    yield from render_pair_section("Left out, as no part of the story", render_pair_boilerplate(explanation))
    yield from render_pair_section("How much wording they share", render_wording_overlap(explanation))
    yield from render_pair_section("What the model weighed", Waterfall(explanation))


def get_roles(explanation: Explanation) -> tuple[str, str]:
    """Return what the two articles are called."""
    return ("kept", "dropped") if explanation.joins else ("first", "second")


def render_pair_section(title: str, content: RenderableType | None) -> Iterator[RenderableType]:
    """Yield a heading and what stands under it; nothing where there is nothing."""
    if content is not None:
        yield Text(f"\n{title}", "bold")
        yield Padding(content, (0, 0, 0, 2))


def render_pair_article(side: ExplainedArticle, role: str, later: str) -> RenderableType:
    """Return the lines on one of the articles."""
    facts = [side.source, format_date(side.published), later, f"{side.words} words", side.id]
    title = Text.assemble(
        (f"{role:<8}", "dim"), (strip_controls(side.title or side.opening or "(no text)"), "bold")
    )
    below = Text(" " * 8 + strip_controls(" · ".join(filter(None, facts))), "dim")
    return Group(set_no_wrap(title), set_no_wrap(below))


def set_no_wrap(text: Text) -> Text:
    """Return text that stays on its line."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def render_shared_passages(explanation: Explanation) -> RenderableType | None:
    """Return the passages that stand in both."""
    return (
        Group(*(Text(truncate_passage(strip_controls(passage))) for passage in explanation.passages))
        if explanation.passages
        else None
    )


def truncate_passage(passage: str) -> str:
    """Return a passage in quotation marks: of a long one the beginning, the end, and how long it is."""
    if len(passage) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return f"“{passage}”"
    length = format_count(len(split_words(passage)), "word")
    head = passage[:HEAD_CHARACTERS].rpartition(" ")[0] or passage[:HEAD_CHARACTERS]
    tail = passage[-TAIL_CHARACTERS:].partition(" ")[2] or passage[-TAIL_CHARACTERS:]
    return f"“{head} … {tail}” ({length})"


def render_shared_terms(explanation: Explanation) -> RenderableType | None:
    """Return the names and numbers that are in both, most telling first."""
    return build_term_table([("names", explanation.names), ("numbers", explanation.numbers)])


def render_own_terms(explanation: Explanation) -> RenderableType | None:
    """Return the names and numbers in the lead of one that stand nowhere in the other."""
    rows = [
        (f"{role}: {kind}s", tuple(dict.fromkeys(iter_marked_parts(side.lead, f"own {kind}"))))
        for role, side in zip(get_roles(explanation), (explanation.kept, explanation.other), strict=True)
        for kind in ("name", "number")
    ]
    return build_term_table(rows)


def iter_marked_parts(lead: Lead, kind: str) -> Iterator[str]:
    """Yield the marked parts of a lead that are of one kind."""
    return (lead.text[mark.start : mark.end] for mark in lead.marks if mark.kind == kind)


def build_term_table(rows: Iterable[tuple[str, tuple[str, ...]]]) -> RenderableType | None:
    """Return rows of words, each with its name; nothing where there are no words."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, words in rows:
        if words:
            more = f" … and {len(words) - MAX_SHOWN_TERMS} more" if len(words) > MAX_SHOWN_TERMS else ""
            table.add_row(Text(name, "dim"), strip_controls(", ".join(words[:MAX_SHOWN_TERMS])) + more)
    return table if table.row_count else None


def render_pair_boilerplate(explanation: Explanation) -> RenderableType | None:
    """Return what was left out of each article, with the rule that said so."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(max_width=26)
    table.add_column()
    table.add_column(ratio=1)
    for side in (explanation.kept, explanation.other):
        for n, piece in enumerate(side.boilerplate):
            table.add_row(
                format_cropped_line("" if n else side.id, "dim"),
                Text(piece.rule, "cyan"),
                format_cropped_line(piece.passage),
            )
    return table if table.row_count else None


def render_wording_overlap(explanation: Explanation) -> RenderableType:
    """Return how many runs of three words the two share, beside what a relation needs."""
    first, second = get_roles(explanation)
    share = {feature.name: feature.value for feature in explanation.features}
    rows = [
        ("jaccard", "of all (Jaccard)", "a copy"),
        ("contained", f"of the {second}, found in the {first}", "an excerpt"),
        ("contains", f"of the {first}, found in the {second}", "an extension"),
    ]
    table = build_number_table("runs of three words", "shared", "needed")
    for name, whose, relation in rows:
        least = explanation.least[name]
        enough = share[name] >= least
        table.add_row(
            whose,
            Text(format_percent(share[name]), "green" if enough else ""),
            f"{format_percent(least)} for {relation}",
        )
    terms, bands = explanation.lookup
    looked_up = f"They are looked up by {format_count(terms, 'salient term')} and {format_count(bands, 'band')} in common."
    return Group(table, Text(looked_up, "dim"))
