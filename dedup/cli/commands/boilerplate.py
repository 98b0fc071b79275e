"""`dedup boilerplate`: learn the passages that a source repeats in many articles."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.long_work import learn_with_progress, prepare_libraries
from dedup.cli.messages import echo, echo_status, escape_json_bytes, format_boilerplate_summary
from dedup.cli.options import (
    Command,
    add_corpus_argument,
    add_corpus_options,
    add_output_option,
    add_rejects_options,
)
from dedup.cli.output_format import JSON, TABLE, add_document_format_option, print_document
from dedup.cli.output_paths import check_output_paths
from dedup.cli.rejects import RejectOptions, report_rejects

if TYPE_CHECKING:
    from dedup.text.boilerplate.profile import BoilerplateProfile

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
@add_corpus_argument
@add_output_option("Write the boilerplate to this file instead of stdout.")
@add_document_format_option()
@add_rejects_options
@add_corpus_options
def boilerplate_command(
    paths: tuple[str, ...],
    output: str | None,
    format_: str,
    rejects: RejectOptions,
    quiet: bool,
    **reading: Any,
) -> None:
    """Learn the boilerplate of each source: notices, author lines.

    A passage is a whole line or a whole sentence of one. It is learned if it appears under enough different headlines
    of its source (the square root of their number, at least 5), on at least 5 days, and over at least half of the
    period that the source covers (at least 14 days, at most 90). Articles without a source or a date are skipped.

    Review the file, remove passages that are not boilerplate, and pass it to the other commands: dedup cluster
    --boilerplate FILE. Learning again writes a new file without your edits.
    """
    prepare_libraries()
    import dedup
    from dedup.io.atomic_write import open_atomic
    from dedup.io.discovery import split_extensions
    from dedup.text.boilerplate.profile import encode_profile

    if split_extensions(output or "-")[1]:
        raise click.UsageError(
            "Boilerplate cannot be written compressed; name a file such as boilerplate.json."
        )
    corpus = dedup.read_articles(*paths, **reading)
    check_output_paths(paths, corpus, output, rejects.path)
    learned = learn_with_progress(corpus, quiet=quiet)
    report_rejects(corpus, learned.articles, paths, output, rejects, quiet=quiet)
    if output is None and format_ == TABLE:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.boilerplate import render_boilerplate

        print_renderables(render_boilerplate(learned))
        echo(format_boilerplate_summary(learned))
    elif output is None and format_ != JSON:
        print_document({}, format_, iter_passages(learned))
        echo_status(format_boilerplate_summary(learned), quiet=quiet)
    else:
        content = encode_profile(learned, dedup.__version__)
        with open_atomic(output) as file:
            file.write(escape_json_bytes(content) if output is None and sys.stdout.isatty() else content)
        echo_status(format_boilerplate_summary(learned), quiet=quiet)


def iter_passages(learned: BoilerplateProfile) -> Iterator[dict[str, Any]]:
    """Yield each passage with its source, and the number of headlines under which it appears."""
    for source, passages in learned.sources.items():
        for passage, count in passages.items():
            yield {"source": source, "passage": passage, "headlines": count}
