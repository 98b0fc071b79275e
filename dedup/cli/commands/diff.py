"""`dedup diff`: show what the articles of one story agree on, where they differ, and what changed between versions."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.long_work import prepare_libraries, run_interruptibly, run_with_progress
from dedup.cli.messages import echo_status
from dedup.cli.options import Command, add_corpus_options, add_settings_options
from dedup.cli.output_format import TABLE, add_document_format_option, print_document
from dedup.formatting import format_count

if TYPE_CHECKING:
    from dedup.settings.settings import Settings

__all__ = ["diff_command"]


@click.command(
    name="diff",
    cls=Command,
    section="Find",
    examples=(
        "dedup diff news/ harbour-fire-1",
        "dedup diff news/ harbour-fire-1 harbour-fire-3 --json",
    ),
)
@click.argument("path", metavar="CORPUS")
@click.argument("names", metavar="ID...", nargs=-1, required=True)
@add_document_format_option()
@add_settings_options
@add_corpus_options
def diff_command(
    path: str, names: tuple[str, ...], format_: str, settings: Settings, quiet: bool, **reading: Any
) -> None:
    """Show where the articles of one story agree and differ.

    One ID stands for all articles of its story, several for these articles alone. Compares numbers with their unit,
    sums of money, dates, names and quotations, and says which article gives which value, and which gives it first.
    Then lists what changed between versions: articles with the same URL, or with the same id and another text.

    Prints a table on a terminal, otherwise JSON. An ID can be shortened to its beginning if no other id begins like
    this.
    """
    prepare_libraries()
    from dedup.io.kept_corpus import KEPT_BYTES, KeptCorpus
    from dedup.origins.story_diff import diff_articles

    corpus = KeptCorpus([path], **reading, keep_bytes=0 if settings.memory else KEPT_BYTES)
    done = run_with_progress(corpus, settings, quiet=quiet)
    diff = run_interruptibly(lambda: diff_articles(done.result, corpus, names))
    if corpus.rejects:
        echo_status(f"{format_count(len(corpus.rejects), 'article')} could not be read", quiet=quiet)
    if format_ == TABLE:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.diff import render_diff

        print_renderables(render_diff(diff))
    else:
        print_document(asdict(diff), format_)
