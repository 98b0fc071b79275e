"""`dedup plan`: estimate the cost of a run from a sample of the corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dedup.cli.long_work import prepare_libraries
from dedup.cli.options import Command, add_corpus_argument, add_corpus_options, add_settings_options
from dedup.cli.output_format import add_document_format_option
from dedup.cli.run_estimate import SAMPLE_ARTICLES, print_estimate

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
@add_corpus_argument
@click.option(
    "--sample",
    type=click.IntRange(10, 1_000_000),
    default=SAMPLE_ARTICLES,
    show_default=True,
    metavar="N",
    help="Approximate size of the sample, in articles; a corpus of up to 8 MB is read completely.",
)
@add_document_format_option()
@add_settings_options
@add_corpus_options
def plan_command(
    paths: tuple[str, ...], sample: int, format_: str, settings: Settings, quiet: bool, **reading: Any
) -> None:
    """Estimate time, memory and disk from a sample.

    Also estimates the number of articles and of candidates per article, each with a range.

    The sample of uncompressed JSON Lines is random, and depends on --seed. Of compressed files and other formats only
    the beginning is read, so the ranges are wider.
    """
    prepare_libraries()
    print_estimate(paths, settings, reading, quiet=quiet, sample=sample, format_=format_)
