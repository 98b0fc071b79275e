"""`dedup furniture`: a corpus → what each source prints again and again."""

from __future__ import annotations

import sys
from typing import Any

import click

from dedup.cli.messages import learned_summary, report_rejects, tell
from dedup.cli.options import (
    Command,
    corpora,
    corpus_options,
    json_option,
    output_option,
    rejects_option,
)
from dedup.cli.progress import learn, prepare

__all__ = ["furniture"]


@click.command(
    cls=Command,
    section="Set up",
    examples=(
        "dedup furniture archive/ -o furniture.json",
        "dedup filter today/ -o kept.jsonl --furniture furniture.json",
    ),
)
@corpora
@output_option("Write the furniture here instead of on stdout.")
@json_option
@rejects_option
@corpus_options
def furniture(
    paths: tuple[str, ...],
    output: str | None,
    as_json: bool,
    rejects: str | None,
    quiet: bool,
    **reading: Any,
) -> None:
    """Learn what each source prints again and again.

    That is notices, teasers, lines about the author. A passage is a whole line, or a whole sentence of one. It is
    learned where it stands under as many headlines of its source as the square root of all of them, and under five
    at least; on five days; and over half of the time of its source, two weeks at least and 90 days at most.
    Articles without a source or a date teach nothing.

    Look through what was learned, take out what is no furniture, and give the file to the other commands:
    dedup cluster --furniture FILE. Learning anew writes a new file and keeps no edits. Keep the file out of
    the folder of the corpus, where it would be read as news.
    """
    prepare()
    import dedup
    from dedup.io.atomic_write import atomic_output
    from dedup.io.discovery import extensions
    from dedup.pipeline import writers
    from dedup.text.boilerplate.profile import file_of

    if extensions(output or "-")[1]:
        raise click.UsageError("Furniture is written plain, not packed: name a file such as furniture.json.")
    corpus = dedup.read_articles(*paths, **reading)
    for place in (output, rejects):
        writers.check_place(place, corpus)
    learned = learn(corpus, quiet=quiet)
    report_rejects(corpus, output, rejects, quiet=quiet)
    if output is None and not as_json and sys.stdout.isatty():
        from dedup.cli.render import show
        from dedup.cli.render.furniture import furniture_shown

        show(furniture_shown(learned))
        click.echo(learned_summary(learned))
    else:
        with atomic_output(output) as file:
            file.write(file_of(learned, dedup.__version__))
        tell(learned_summary(learned), quiet=quiet)
