"""What a run says: its summary, what was odd, where the rejects are; and values as JSON for programs.

In: a run and its corpus. Out: lines on stderr, unless asked to be quiet, and JSON on stdout.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from dedup.formatting import format_count
from dedup.settings.settings import RELATIONS

if TYPE_CHECKING:
    from dedup.cli.progress import TimedResult
    from dedup.index.index import Index
    from dedup.io.corpus import Corpus
    from dedup.text.boilerplate.profile import BoilerplateProfile

__all__ = [
    "echo_status",
    "format_boilerplate_summary",
    "format_run_summary",
    "format_summary",
    "iter_run_warnings",
    "iter_warnings",
    "print_json",
    "report_index_answers",
    "report_rejects",
    "report_run",
]

DEFAULT_REJECTS_FILE = "dedup.rejects.jsonl"
"""Where rejects go when the data go to standard output."""
SEEN_BEFORE = "again"
"""Counts the articles that came before."""
LIMIT_OPTIONS = "--max-candidates or --max-postings"
DECIMALS = 4


def echo_status(message: str, *, quiet: bool) -> None:
    """Say something on stderr, unless asked to be quiet."""
    if message and not quiet:
        click.echo(message, err=True)


def report_run(run: TimedResult, corpus: Corpus, *, quiet: bool) -> None:
    """Say what became of the corpus, and what was odd about it."""
    echo_status("\n".join([format_run_summary(run), *iter_run_warnings(run, corpus)]), quiet=quiet)


def report_rejects(corpus: Corpus, output: str | None, rejects: str | None, *, quiet: bool) -> None:
    """Write what could not be read to `rejects`, or else beside the output, and say so."""
    from dedup.io.atomic_write import write_rejects

    place = rejects or (DEFAULT_REJECTS_FILE if output in {None, "-"} else f"{output}.rejects.jsonl")
    if corpus.rejects or rejects:
        write_rejects(place, corpus.rejects)
    if corpus.rejects:
        echo_status(
            f"{len(corpus.rejects):,} could not be read; they are in {place}, with the reasons", quiet=quiet
        )


def format_run_summary(run: TimedResult) -> str:
    """Return a line on what became of the corpus, and how fast."""
    import numpy as np

    made = run.result.assignments
    dropped = made.relations >= 0
    relations = Counter(RELATIONS[r] for r in made.relations[dropped].tolist())
    clusters = len(np.unique(made.leaders[dropped & (run.result.duplicate_of_input < 0)]))
    followups = run.result.count_followups()
    return format_summary(
        len(made.relations), clusters, relations, run.seconds, compiled=run.compiled, followups=followups
    )


def format_summary(
    articles: int,
    clusters: int,
    relations: Counter[str],
    seconds: float,
    *,
    compiled: bool,
    followups: tuple[int, int] = (0, 0),
) -> str:
    """Return a line on what became of so many articles, and how fast.

    `relations` are those of the duplicates; `followups` says how many kept articles follow another, and in how many storylines.
    """
    duplicates = relations.total()
    by_relation = ", ".join(f"{count:,} {relation}" for relation, count in relations.most_common())
    pace = f"{articles / max(seconds, 1e-9):,.0f} articles/s"
    return (
        f"{format_count(articles, 'article')}, {format_count(clusters, 'cluster')}, {format_count(duplicates, 'duplicate')}"
        f"{f' ({by_relation})' if relations else ''}"
        f"{f', {format_followup_count(*followups)}' if followups[0] else ''}; {seconds:.1f} s, "
        f"{'most of it to compile kernels' if compiled else pace}"
    )


def format_followup_count(followups: int, storylines: int) -> str:
    """Return in words how many follow-ups are kept, and in how many storylines.

    >>> format_followup_count(5, 3), format_followup_count(1, 1)
    ('5 follow-ups kept in 3 storylines', '1 follow-up kept in 1 storyline')
    """
    return f"{format_count(followups, 'follow-up')} kept in {format_count(storylines, 'storyline')}"


def report_index_answers(
    outcomes: Counter[str], seconds: float, index: Index, warnings: Counter[str], *, quiet: bool
) -> None:
    """Say what became of the articles that an index was asked about."""
    articles, kept, again = (outcomes[word] for word in ("articles", "kept", SEEN_BEFORE))
    others = ", ".join(f"{count:,} {word}" for word, count in outcomes.most_common() if word in RELATIONS)
    pace = f"{seconds:.1f} s, {articles / max(seconds, 1e-9):,.0f} articles/s"
    lines = [f"{format_count(articles, 'article')}, {kept:,} kept{f'; {others}' if others else ''}; {pace}"]
    if again:
        lines.append(
            f"{again:,} of them came before, with the same id and text, and got the same answer again"
        )
    lines += [f"{count:,} {words}" for words, count in warnings.items()]
    if index.limited_lookups:
        lines.append(
            f"{format_count(index.limited_lookups, 'article')} reached {LIMIT_OPTIONS}: matches may have been missed"
        )
    echo_status("\n".join(lines), quiet=quiet)


def format_boilerplate_summary(learned: BoilerplateProfile) -> str:
    """Return a line on what was learned, and from how much."""
    taught_nothing = [
        (learned.skipped, "article", "without a source"),
        (learned.undated, "article", "without a date"),
        (learned.short_lived_sources, "source", "of less than two weeks"),
    ]
    others = [f"; {format_count(number, noun)} {why}" for number, noun, why in taught_nothing if number]
    return f"{learned.size_summary} learned from {format_count(learned.articles, 'article')}{''.join(others)}"


def iter_run_warnings(run: TimedResult, corpus: Corpus) -> Iterator[str]:
    """Return a line on each thing that was odd about the corpus, and on bounds that were reached."""
    bounded = int(run.result.assignments.limit_reached.sum())
    return iter_warnings(corpus.warnings + Counter(run.result.warnings), bounded)


def iter_warnings(warnings: Counter[str], limit_reached: int) -> Iterator[str]:
    """Yield a line on each warning, and on the articles whose bounds were reached."""
    for words, count in warnings.items():
        yield f"{count:,} {words}"
    if limit_reached:
        yield f"{format_count(limit_reached, 'article')} reached {LIMIT_OPTIONS}: matches may have been missed"


def print_json(value: Any) -> None:
    """Print a value as indented JSON: numbers rounded, dates in ISO 8601."""
    click.echo(json.dumps(to_rounded_json(value), indent=2, ensure_ascii=False))


def to_rounded_json(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {name: to_rounded_json(inner) for name, inner in value.items()}
    if isinstance(value, datetime):
        return value.isoformat()
    return [to_rounded_json(inner) for inner in value] if isinstance(value, list | tuple) else value
