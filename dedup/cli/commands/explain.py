"""`dedup explain`: two articles → why they match, or why they do not."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.messages import echo_status, print_json
from dedup.cli.options import Command, corpus_options, json_option, settings_options
from dedup.cli.progress import prepare_libraries, warn_if_uncompiled

if TYPE_CHECKING:
    from dedup.settings.settings import Settings

__all__ = ["explain_command"]


@click.command(
    name="explain",
    cls=Command,
    section="Find",
    examples=(
        "dedup explain news/ harbour-fire-1 harbour-fire-3",
        "dedup explain one.txt other.txt",
    ),
)
@click.argument("names", metavar="CORPUS ID ID", nargs=-1, required=True)
@json_option
@settings_options
@corpus_options
def explain_command(
    names: tuple[str, ...], as_json: bool, settings: Settings, quiet: bool, **reading: Any
) -> None:
    """Say why two articles match, or why they do not.

    An ID may be cut short where its beginning tells. Two files of one article each need no ids: dedup
    explain a.txt b.txt
    """
    prepare_libraries()
    from dedup import read_articles
    from dedup.reports import explanation

    if len(names) == 1:
        raise click.UsageError("Name a corpus and two ids, or two files of one article each.")
    corpus = read_articles(*names[:-2] or names, **reading)
    warn_if_uncompiled(quiet=quiet)
    named = len(names) > len(("ID", "ID"))
    found = (
        explanation.explain_in_corpus(corpus, (names[-2], names[-1]), settings)
        if named
        else explanation.explain_pair(explanation.read_article_pair(corpus), settings)
    )
    if corpus.rejects:
        echo_status(f"{len(corpus.rejects):,} could not be read", quiet=quiet)
    if as_json:
        print_json(asdict(found))
    else:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.pair import render_explanation

        print_renderables(render_explanation(found))
