"""Print the summary and the warnings of a run on stderr, and results as JSON on stdout."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from dedup.formatting import escape_controls, escape_json_controls, format_count, format_warning
from dedup.settings.settings import RELATIONS

if TYPE_CHECKING:
    from dedup.cli.long_work import TimedResult
    from dedup.index.index import Index
    from dedup.io.corpus import Corpus
    from dedup.io.table_writer import WritableRecord
    from dedup.text.boilerplate.profile import BoilerplateProfile

__all__ = [
    "echo",
    "echo_status",
    "escape_json_bytes",
    "format_boilerplate_summary",
    "format_run_summary",
    "format_summary",
    "iter_lines_for_output",
    "iter_run_warnings",
    "iter_warnings",
    "print_json",
    "report_index_answers",
    "report_run",
    "to_rounded_json",
]

SEEN_BEFORE = "again"
"""The count of articles that the index has seen before."""
LIMIT_OPTIONS = "--max-candidates or --max-postings"
DECIMALS = 4
MIN_RATE_ARTICLES, MIN_RATE_SECONDS = 1_000, 1.0
"""The rate of a smaller or shorter run would say nothing about a large one."""


def echo_status(message: str, *, quiet: bool) -> None:
    """Print a message on stderr, unless `quiet`."""
    if message and not quiet:
        echo(message, err=True)


def echo(message: str, *, err: bool = False) -> None:
    """Print a message; names in it cannot control the terminal."""
    click.echo(escape_controls(message), err=err)


def iter_lines_for_output(output: str | None, records: Iterable[WritableRecord]) -> Iterable[WritableRecord]:
    """Return the records, escaped if they go to a terminal: the lines mean the same but cannot control it."""
    from dedup.io.table_writer import encode_record_line

    if output not in {None, "-"} or not sys.stdout.isatty():
        return records
    return (escape_json_bytes(encode_record_line(record)) for record in records)


def escape_json_bytes(content: bytes) -> bytes:
    """Return JSON that means the same but cannot control a terminal."""
    return escape_json_controls(content.decode(errors="replace")).encode(errors="replace")


def report_run(run: TimedResult, corpus: Corpus, *, quiet: bool) -> None:
    """Print the summary and the warnings of a run."""
    echo_status("\n".join([format_run_summary(run), *iter_run_warnings(run, corpus)]), quiet=quiet)


def format_run_summary(run: TimedResult) -> str:
    """Return the summary of a run in one line."""
    import numpy as np

    assignments = run.result.assignments
    dropped = assignments.relations >= 0
    relations = Counter(RELATIONS[r] for r in assignments.relations[dropped].tolist())
    clusters = len(np.unique(assignments.leaders[dropped & (run.result.duplicate_of_input < 0)]))
    followups = run.result.count_followups()
    return format_summary(
        len(assignments.relations),
        clusters,
        relations,
        run.seconds,
        followups=followups,
    )


def format_summary(
    articles: int,
    clusters: int,
    relations: Counter[str],
    seconds: float,
    *,
    followups: tuple[int, int] = (0, 0),
) -> str:
    """Return the summary of a run in one line.

    `relations` counts the duplicates; `followups` is how many kept articles follow another, and in how many storylines.
    """
    duplicates = relations.total()
    by_relation = ", ".join(f"{count:,} {relation}" for relation, count in relations.most_common())
    duration = format_duration(articles, seconds)
    return (
        f"{format_count(articles, 'article')}, {format_count(clusters, 'cluster')}, {format_count(duplicates, 'duplicate')}"
        f"{f' ({by_relation})' if relations else ''}"
        f"{f', {format_followup_count(*followups)}' if followups[0] else ''}; {duration}"
    )


def format_duration(articles: int, seconds: float) -> str:
    """Return how long a run took, and its rate if the run is long enough to measure one.

    >>> format_duration(54, 0.04), format_duration(18_000, 3)
    ('0.0 s', '3.0 s, 6,000 articles/s')
    """
    if articles < MIN_RATE_ARTICLES or seconds < MIN_RATE_SECONDS:
        return f"{seconds:.1f} s"
    return f"{seconds:.1f} s, {articles / seconds:,.0f} articles/s"


def format_followup_count(followups: int, storylines: int) -> str:
    """Return how many follow-ups are kept, and in how many storylines.

    >>> format_followup_count(5, 3), format_followup_count(1, 1)
    ('5 follow-ups kept in 3 storylines', '1 follow-up kept in 1 storyline')
    """
    return f"{format_count(followups, 'follow-up')} kept in {format_count(storylines, 'storyline')}"


def report_index_answers(
    outcomes: Counter[str], seconds: float, index: Index, warnings: Counter[str], *, quiet: bool
) -> None:
    """Print the summary and the warnings of a run with an index."""
    articles, kept, again = (outcomes[word] for word in ("articles", "kept", SEEN_BEFORE))
    others = ", ".join(f"{count:,} {word}" for word, count in outcomes.most_common() if word in RELATIONS)
    duration = format_duration(articles, seconds)
    lines = [
        f"{format_count(articles, 'article')}, {kept:,} kept{f'; {others}' if others else ''}; {duration}"
    ]
    if again:
        lines.append(f"{again:,} already in the index with the same id and text: same answer as before")
    lines += iter_warnings(warnings, index.limited_lookups)
    echo_status("\n".join(lines), quiet=quiet)


def format_boilerplate_summary(learned: BoilerplateProfile) -> str:
    """Return in one line how much boilerplate was learned, and from how many articles."""
    skipped = [
        (learned.skipped, "article", "without a source"),
        (learned.undated, "article", "without a date"),
        (learned.short_lived_sources, "source", "covering less than two weeks"),
    ]
    reasons = [f"; skipped {format_count(number, noun)} {why}" for number, noun, why in skipped if number]
    return (
        f"{learned.size_summary} learned from {format_count(learned.articles, 'article')}{''.join(reasons)}"
    )


def iter_run_warnings(run: TimedResult, corpus: Corpus) -> Iterator[str]:
    """Return the warnings of a run, one per line."""
    bounded = int(run.result.assignments.limit_reached.sum())
    return iter_warnings(corpus.warnings + Counter(run.result.warnings), bounded)


def iter_warnings(warnings: Counter[str], limit_reached: int) -> Iterator[str]:
    """Yield a line for each warning, and one for the articles that reached a limit."""
    for words, count in warnings.items():
        yield format_warning(words, count)
    if limit_reached:
        yield f"{format_count(limit_reached, 'article')} reached {LIMIT_OPTIONS}; some matches may be missing"


def print_json(value: Any) -> None:
    """Print a value as indented JSON, with rounded numbers and ISO 8601 dates."""
    click.echo(escape_json_controls(json.dumps(to_rounded_json(value), indent=2, ensure_ascii=False)))


def to_rounded_json(value: Any) -> Any:
    """Return a value with only the types of JSON, its numbers rounded."""
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {name: to_rounded_json(inner) for name, inner in value.items()}
    if isinstance(value, datetime):
        return value.isoformat()
    return [to_rounded_json(inner) for inner in value] if isinstance(value, list | tuple) else value
