"""`dedup boilerplate`: a corpus → what each source prints again and again."""

from __future__ import annotations

import sys
from typing import Any

import click

from dedup.cli.messages import echo_status, format_boilerplate_summary, report_rejects
from dedup.cli.options import (
    Command,
    corpus_argument,
    corpus_options,
    json_option,
    output_option,
    rejects_option,
)
from dedup.cli.progress import learn_with_progress, prepare_libraries

__all__ = ["boilerplate_command"]


@click.command(
    name="boilerplate",
    cls=Command,
    section="Set up",
    examples=(
        "dedup boilerplate archive/ -o boilerplate.json",
        "dedup filter today/ -o kept.jsonl --boilerplate boilerplate.json",
    ),
)
@corpus_argument
@output_option("Write the boilerplate here instead of on stdout.")
@json_option
@rejects_option
@corpus_options
def boilerplate_command(
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

    Look through what was learned, take out what is no boilerplate, and give the file to the other commands:
    dedup cluster --boilerplate FILE. Learning anew writes a new file and keeps no edits. Keep the file out of
    the folder of the corpus, where it would be read as news.
    """
    prepare_libraries()
    import dedup
    from dedup.io.atomic_write import open_atomic
    from dedup.io.discovery import split_extensions
    from dedup.pipeline import writers
    from dedup.text.boilerplate.profile import encode_profile

    if split_extensions(output or "-")[1]:
        raise click.UsageError(
            "Boilerplate is written plain, not packed: name a file such as boilerplate.json."
        )
    corpus = dedup.read_articles(*paths, **reading)
    for place in (output, rejects):
        writers.check_output_path(place, corpus)
    learned = learn_with_progress(corpus, quiet=quiet)
    report_rejects(corpus, output, rejects, quiet=quiet)
    if output is None and not as_json and sys.stdout.isatty():
        from dedup.cli.render import print_renderables
        from dedup.cli.render.boilerplate import render_boilerplate

        print_renderables(render_boilerplate(learned))
        click.echo(format_boilerplate_summary(learned))
    else:
        with open_atomic(output) as file:
            file.write(encode_profile(learned, dedup.__version__))
        echo_status(format_boilerplate_summary(learned), quiet=quiet)
