"""`dedup plan`: a sample of a corpus → what a run over all of it would take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dedup.cli.dry_run import SAMPLE_ARTICLES, print_estimate
from dedup.cli.options import Command, corpus_argument, corpus_options, json_option, settings_options
from dedup.cli.progress import prepare_libraries

if TYPE_CHECKING:
    from dedup.settings.settings import Settings

__all__ = ["plan_command"]


@click.command(
    name="plan",
    cls=Command,
    section="Tune",
    examples=(
        "dedup plan archive/",
        "dedup plan archive.jsonl --sample 20000 --json",
    ),
)
@corpus_argument
@click.option(
    "--sample",
    type=click.IntRange(10, 1_000_000),
    default=SAMPLE_ARTICLES,
    show_default=True,
    metavar="N",
    help="Read about so many articles; a corpus of up to 8 MB is read as a whole.",
)
@json_option
@settings_options
@corpus_options
def plan_command(
    paths: tuple[str, ...], sample: int, as_json: bool, settings: Settings, quiet: bool, **reading: Any
) -> None:
    """Say by a sample what a run would take.

    That is articles, candidates of each, time, memory and disk, each from at least to at most.

    Of plain JSON Lines, lines are drawn from all over the files; of packed files and other formats the
    beginnings are read, and the ranges are wider. The seed of the settings decides which.
    """
    prepare_libraries()
    print_estimate(paths, settings, reading.get("fields"), quiet=quiet, sample=sample, as_json=as_json)
