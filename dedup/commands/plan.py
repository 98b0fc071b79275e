"""`dedup plan`: a sample of a corpus → what a run over all of it would take."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from dedup.terminal.options import Command, corpora, corpus_options, json_option, settings_options
from dedup.terminal.progress import announce_compiling, interruptible
from dedup.terminal.talk import print_json

if TYPE_CHECKING:
    from dedup.settings import Settings

__all__ = ["plan"]


@click.command(
    cls=Command,
    section="Tune",
    examples=(
        "dedup plan archive/",
        "dedup plan archive.jsonl --sample 20000 --json",
    ),
)
@corpora
@click.option(
    "--sample",
    type=click.IntRange(10, 1_000_000),
    default=2_000,
    show_default=True,
    metavar="N",
    help="Read about so many articles; a corpus of up to 8 MB is read as a whole.",
)
@json_option
@settings_options
@corpus_options
def plan(
    paths: tuple[str, ...], sample: int, as_json: bool, settings: Settings, quiet: bool, **reading: Any
) -> None:
    """Say by a sample what a run would take.

    That is articles, candidates of each, time, memory and disk, each from at least to at most.

    Of plain JSON Lines, lines are drawn from all over the files; of packed files and other formats the
    beginnings are read, and the ranges are wider. The seed of the settings decides which.
    """
    from dataclasses import replace

    from dedup.pipeline import threads_of
    from dedup.plan import estimate
    from dedup.sampling import sampled

    announce_compiling(quiet=quiet)
    taken = interruptible(
        lambda: sampled(paths, replace(settings, threads=1), fields=reading.get("fields"), most=sample)
    )
    found = estimate(taken, settings, threads_of(settings))
    if as_json or not sys.stdout.isatty():
        print_json(asdict(found))
    else:
        from dedup.terminal.render import show
        from dedup.terminal.render.plan import plan_shown

        show(plan_shown(found))
