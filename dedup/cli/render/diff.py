"""Render the comparison of the articles of a story: its articles, the facts by status, and the edits of each version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dedup.cli.render import AMBER, GREEN, format_cropped_line, strip_controls
from dedup.formatting import format_count, format_date
from dedup.origins.compare import AGREE, DIFFER, ONLY

if TYPE_CHECKING:
    from dedup.origins.compare import ComparedFact, FactValue
    from dedup.origins.edit_log import Edit, EditLog
    from dedup.origins.story_diff import DiffArticle, StoryDiff

__all__ = ["render_diff"]

HEADINGS = {DIFFER: "They differ", AGREE: "They agree", ONLY: "Only in one article"}
MAX_SHOWN_FACTS = 20
"""The number of facts below each heading."""
MAX_SHOWN_NUMBERS = 8
"""The number of articles listed for a value."""


def render_diff(diff: StoryDiff) -> Iterator[RenderableType]:
    """Yield the list of articles, the facts, and the edits."""
    numbers = {article.id: number for number, article in enumerate(diff.articles, 1)}
    yield build_article_table(diff.articles)
    for status, heading in HEADINGS.items():
        facts = [fact for fact in diff.facts if fact.status == status]
        if facts:
            yield Text(f"\n{heading}", "bold")
            yield build_fact_table(facts[:MAX_SHOWN_FACTS], numbers)
        if len(facts) > MAX_SHOWN_FACTS:
            yield Text(f"… and {len(facts) - MAX_SHOWN_FACTS:,} more (use --json to get all)", "dim")
    for log in diff.versions:
        yield from render_edit_log(log)


def build_article_table(articles: tuple[DiffArticle, ...]) -> Table:
    """Return a numbered list of the articles; the other tables refer to the numbers."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), expand=True)
    table.add_column("", justify="right", min_width=2)
    table.add_column("article", ratio=2)
    table.add_column("source", ratio=1)
    table.add_column("published", min_width=12)
    for number, article in enumerate(articles, 1):
        table.add_row(
            str(number),
            format_cropped_line(article.id),
            format_cropped_line(article.source),
            format_cropped_line(format_date(article.published)),
        )
    return table


def build_fact_table(facts: list[ComparedFact], numbers: Mapping[str, int]) -> Table:
    """Return a table of facts, with a row for each value."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column(min_width=9, style="dim")
    table.add_column(ratio=1)
    table.add_column(max_width=40, no_wrap=True)
    for fact in facts:
        for place, value in enumerate(fact.values):
            table.add_row(
                "" if place else fact.kind,
                format_cropped_line(value.written, AMBER if fact.status == DIFFER else ""),
                format_tellers(value, numbers),
            )
    return table


def format_tellers(value: FactValue, numbers: Mapping[str, int]) -> str:
    """Return the numbers of the articles that give a value, the first one first."""
    shown = ", ".join(str(numbers[name]) for name in value.articles[:MAX_SHOWN_NUMBERS])
    more = len(value.articles) - MAX_SHOWN_NUMBERS
    return f"in {shown}" + (f" and {more:,} more" if more > 0 else "")


def render_edit_log(log: EditLog) -> Iterator[RenderableType]:
    """Yield the changes from version to version."""
    yield Text(f"\nVersions of {strip_controls(log.key)}", "bold")
    for edit in log.edits:
        yield format_edit(edit)
        for change in edit.changes:
            yield Text.assemble(
                (f"  … {strip_controls(change.before)} ", "dim"),
                (f"[-{strip_controls(change.removed)}-]" if change.removed else "", "red"),
                (f"{{+{strip_controls(change.added)}+}}" if change.added else "", GREEN),
            )


def format_edit(edit: Edit) -> Text:
    """Return the heading of an edit: when, how many changes, and whether the text says so."""
    note = "with a note" if edit.is_noted else "without a note"
    count = format_count(len(edit.changes), "change")
    return Text(f"{format_date(edit.published)}: {count}, {note}", "" if edit.is_noted else AMBER)
