"""A corpus, before the long work on it → what the work will take, by a sample; said to a person, or all that is done.

In: paths and settings. Out: an estimate as a table or JSON on stdout, or a line of talk on stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from dedup.cli.messages import echo_status, print_json
from dedup.cli.progress import run_interruptibly, warn_if_uncompiled
from dedup.formatting import format_size

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.pipeline.estimate import RunEstimate
    from dedup.settings.settings import Settings

__all__ = ["SAMPLE_ARTICLES", "print_estimate", "print_estimate_line"]

SAMPLE_ARTICLES = 2_000
"""Articles that are read."""
LARGE_CORPUS_BYTES = 512 << 20
"""A corpus of more bytes is worth a word beforehand: it takes half a minute or more."""


def estimate_run(
    paths: Sequence[str], settings: Settings, fields: Mapping[str, str] | None, sample: int
) -> RunEstimate:
    """Return what a run over a corpus would take."""
    from dedup.pipeline.deduplicate import resolve_thread_count
    from dedup.pipeline.estimate import estimate_costs
    from dedup.pipeline.sampling import sample_corpus

    taken = run_interruptibly(
        lambda: sample_corpus(paths, replace(settings, threads=1), fields=fields, max_articles=sample)
    )
    return estimate_costs(taken, settings, resolve_thread_count(settings))


def print_estimate(
    paths: Sequence[str],
    settings: Settings,
    fields: Mapping[str, str] | None,
    *,
    quiet: bool,
    sample: int = SAMPLE_ARTICLES,
    as_json: bool = False,
) -> None:
    """Say what a run would take: a table on a terminal, JSON elsewhere."""
    warn_if_uncompiled(quiet=quiet)
    found = estimate_run(paths, settings, fields, sample)
    if as_json or not sys.stdout.isatty():
        print_json(asdict(found))
    else:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.plan import render_estimate

        print_renderables(render_estimate(found))


def print_estimate_line(
    corpus: Corpus, paths: Sequence[str], settings: Settings, fields: Mapping[str, str] | None, *, quiet: bool
) -> None:
    """Say in a line what a run over a large corpus is going to take, where somebody is there to read it."""
    if quiet or not sys.stderr.isatty() or (corpus.total_bytes or 0) < LARGE_CORPUS_BYTES:
        return
    from dedup.cli.render.plan import format_seconds

    warn_if_uncompiled(quiet=quiet)
    found = estimate_run(paths, settings, fields, SAMPLE_ARTICLES)
    echo_status(
        f"about {found.articles.expected:,.0f} articles: {format_seconds(found.seconds.low)} to "
        f"{format_seconds(found.seconds.high)}, "
        f"{format_size(found.memory_bytes.expected)} of memory; dedup plan says more",
        quiet=quiet,
    )
