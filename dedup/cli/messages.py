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

from dedup.formatting import counted
from dedup.settings.settings import RELATIONS

if TYPE_CHECKING:
    from dedup.cli.progress import Run
    from dedup.index.index import Index
    from dedup.io.corpus import Corpus
    from dedup.text.boilerplate.profile import Learned

__all__ = [
    "learned_summary",
    "odd",
    "oddities",
    "print_json",
    "report",
    "report_answers",
    "report_rejects",
    "summary",
    "summed_up",
    "tell",
]

REJECTS = "dedup.rejects.jsonl"
"""Where rejects go when the data go to standard output."""
AGAIN = "again"
"""Counts the articles that came before."""
BOUNDS = "--max-candidates or --max-postings"
DECIMALS = 4


def tell(words: str, *, quiet: bool) -> None:
    """Say something on stderr, unless asked to be quiet."""
    if words and not quiet:
        click.echo(words, err=True)


def report(done: Run, corpus: Corpus, *, quiet: bool) -> None:
    """Say what became of the corpus, and what was odd about it."""
    tell("\n".join([summary(done), *oddities(done, corpus)]), quiet=quiet)


def report_rejects(corpus: Corpus, output: str | None, rejects: str | None, *, quiet: bool) -> None:
    """Write what could not be read to `rejects`, or else beside the output, and say so."""
    from dedup.io.atomic_write import write_rejects

    place = rejects or (REJECTS if output in {None, "-"} else f"{output}.rejects.jsonl")
    if corpus.rejects or rejects:
        write_rejects(place, corpus.rejects)
    if corpus.rejects:
        tell(f"{len(corpus.rejects):,} could not be read; they are in {place}, with the reasons", quiet=quiet)


def summary(done: Run) -> str:
    """Return a line on what became of the corpus, and how fast."""
    import numpy as np

    made = done.result.assignments
    dropped = made.relations >= 0
    relations = Counter(RELATIONS[r] for r in made.relations[dropped].tolist())
    clusters = len(np.unique(made.leaders[dropped & (done.result.repeats < 0)]))
    followups = done.result.count_followups()
    return summed_up(
        len(made.relations), clusters, relations, done.seconds, compiled=done.compiled, followups=followups
    )


def summed_up(
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
        f"{counted(articles, 'article')}, {counted(clusters, 'cluster')}, {counted(duplicates, 'duplicate')}"
        f"{f' ({by_relation})' if relations else ''}"
        f"{f', {count_followups(*followups)}' if followups[0] else ''}; {seconds:.1f} s, "
        f"{'most of it to compile kernels' if compiled else pace}"
    )


def count_followups(followups: int, storylines: int) -> str:
    """Return in words how many follow-ups are kept, and in how many storylines.

    >>> count_followups(5, 3), count_followups(1, 1)
    ('5 follow-ups kept in 3 storylines', '1 follow-up kept in 1 storyline')
    """
    return f"{counted(followups, 'follow-up')} kept in {counted(storylines, 'storyline')}"


def report_answers(
    outcomes: Counter[str], seconds: float, index: Index, warnings: Counter[str], *, quiet: bool
) -> None:
    """Say what became of the articles that an index was asked about."""
    articles, kept, again = (outcomes[word] for word in ("articles", "kept", AGAIN))
    others = ", ".join(f"{count:,} {word}" for word, count in outcomes.most_common() if word in RELATIONS)
    pace = f"{seconds:.1f} s, {articles / max(seconds, 1e-9):,.0f} articles/s"
    lines = [f"{counted(articles, 'article')}, {kept:,} kept{f'; {others}' if others else ''}; {pace}"]
    if again:
        lines.append(
            f"{again:,} of them came before, with the same id and text, and got the same answer again"
        )
    lines += [f"{count:,} {words}" for words, count in warnings.items()]
    if index.bounded:
        lines.append(f"{counted(index.bounded, 'article')} reached {BOUNDS}: matches may have been missed")
    tell("\n".join(lines), quiet=quiet)


def learned_summary(learned: Learned) -> str:
    """Return a line on what was learned, and from how much."""
    taught_nothing = [
        (learned.skipped, "article", "without a source"),
        (learned.undated, "article", "without a date"),
        (learned.short, "source", "of less than two weeks"),
    ]
    others = [f"; {counted(number, noun)} {why}" for number, noun, why in taught_nothing if number]
    return f"{learned.extent} learned from {counted(learned.articles, 'article')}{''.join(others)}"


def oddities(done: Run, corpus: Corpus) -> Iterator[str]:
    """Return a line on each thing that was odd about the corpus, and on bounds that were reached."""
    bounded = int(done.result.assignments.bounded.sum())
    return odd(corpus.warnings + Counter(done.result.warnings), bounded)


def odd(warnings: Counter[str], bounded: int) -> Iterator[str]:
    """Yield a line on each warning, and on the articles whose bounds were reached."""
    for words, count in warnings.items():
        yield f"{count:,} {words}"
    if bounded:
        yield f"{counted(bounded, 'article')} reached {BOUNDS}: matches may have been missed"


def print_json(value: Any) -> None:
    """Print a value as indented JSON: numbers rounded, dates in ISO 8601."""
    click.echo(json.dumps(rounded(value), indent=2, ensure_ascii=False))


def rounded(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, datetime):
        return value.isoformat()
    return [rounded(inner) for inner in value] if isinstance(value, list | tuple) else value
