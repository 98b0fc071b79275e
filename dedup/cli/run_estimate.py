"""Estimate the time, memory and disk of a run from a sample of the corpus."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

from dedup.cli.long_work import compile_missing_kernels, run_interruptibly
from dedup.cli.messages import echo_status
from dedup.cli.output_format import JSON, TABLE, print_document
from dedup.formatting import format_size

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.io.read_options import ReadOptions
    from dedup.pipeline.estimate import RunEstimate
    from dedup.settings.settings import Settings

__all__ = ["SAMPLE_ARTICLES", "print_estimate", "print_estimate_line"]

SAMPLE_ARTICLES = 2_000
"""The default size of the sample."""
LARGE_CORPUS_BYTES = 512 << 20
"""A run over a larger corpus prints an estimate first: it takes half a minute or more."""


def estimate_run(
    paths: Sequence[str], settings: Settings, reading: Mapping[str, Any], sample: int
) -> RunEstimate:
    """Return an estimate of a run over a corpus; `reading` are the options of `add_corpus_options`."""
    from dedup.pipeline.deduplicate import resolve_thread_count
    from dedup.pipeline.estimate import estimate_costs
    from dedup.pipeline.sampling import sample_corpus

    options = cast("ReadOptions", {name: value for name, value in reading.items() if name != "strict"})
    corpus_sample = run_interruptibly(
        lambda: sample_corpus(paths, replace(settings, threads=1), max_articles=sample, **options)
    )
    return estimate_costs(corpus_sample, settings, resolve_thread_count(settings))


def print_estimate(
    paths: Sequence[str],
    settings: Settings,
    reading: Mapping[str, Any],
    *,
    quiet: bool,
    sample: int = SAMPLE_ARTICLES,
    format_: str | None = None,
) -> None:
    """Print an estimate of a run; without a format, a table on a terminal, JSON elsewhere."""
    compile_missing_kernels(quiet=quiet)
    estimate = estimate_run(paths, settings, reading, sample)
    format_ = format_ or (TABLE if sys.stdout.isatty() else JSON)
    if format_ == TABLE:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.plan import render_estimate

        print_renderables(render_estimate(estimate))
    else:
        print_document(asdict(estimate), format_)


def print_estimate_line(
    corpus: Corpus, paths: Sequence[str], settings: Settings, reading: Mapping[str, Any], *, quiet: bool
) -> None:
    """Print a one-line estimate of a run over a large corpus, if stderr is a terminal."""
    if quiet or not sys.stderr.isatty() or (corpus.total_bytes or 0) < LARGE_CORPUS_BYTES:
        return
    from dedup.cli.render.plan import format_seconds

    compile_missing_kernels(quiet=quiet)
    estimate = estimate_run(paths, settings, reading, SAMPLE_ARTICLES)
    echo_status(
        f"about {estimate.articles.expected:,.0f} articles: {format_seconds(estimate.seconds.low)} to "
        f"{format_seconds(estimate.seconds.high)}, "
        f"{format_size(estimate.memory_bytes.expected)} of memory; for details, run dedup plan",
        quiet=quiet,
    )
