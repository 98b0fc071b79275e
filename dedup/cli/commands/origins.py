"""`dedup origins`: count the independent origins of each story, and trace the copies."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.long_work import prepare_libraries, run_interruptibly, run_with_progress
from dedup.cli.messages import echo_status, escape_json_bytes, format_run_summary, iter_run_warnings
from dedup.cli.options import (
    Command,
    add_corpus_argument,
    add_corpus_options,
    add_output_option,
    add_settings_options,
)
from dedup.cli.output_paths import check_output_paths
from dedup.cli.rejects import RejectOptions, add_rejects_options, report_rejects
from dedup.formatting import format_count

if TYPE_CHECKING:
    from dedup.origins.trace import Story
    from dedup.settings.settings import Settings

__all__ = ["origins_command"]


@click.command(
    name="origins",
    cls=Command,
    section="Find",
    examples=(
        "dedup origins news/",
        "dedup origins news/ -o graph.graphml --window-days 7",
        "dedup origins news/ --publishers owners.csv -o graph.json",
    ),
)
@add_corpus_argument
@add_output_option("Write the graph to this file, in the format of its extension: .json, .graphml or .csv.")
@click.option(
    "--publishers",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="The owners of publishers, beside the well-known ones: CSV with the columns domain (or source) and group, or "
    "JSON with an object of domains and groups.",
)
@add_settings_options
@add_rejects_options
@add_corpus_options
def origins_command(
    paths: tuple[str, ...],
    output: str | None,
    publishers: str | None,
    settings: Settings,
    rejects: RejectOptions,
    quiet: bool,
    **reading: Any,
) -> None:
    """Count the independent origins of each story; trace copies.

    Prints a table on a terminal, otherwise a graph as JSON. It has a node for each article of a cluster, with the
    agency and the authors that it credits, and an edge to each copy from the earliest article whose wording it repeats.
    Articles share an origin if an edge joins them, or if they credit the same agency, belong to one publisher or group
    of publishers, or share a long quotation. The graph has the reason for each, and a probability if it is weak.
    """
    prepare_libraries()
    from dedup.io.kept_corpus import KEPT_BYTES, KeptCorpus
    from dedup.origins.formats import FORMATS
    from dedup.origins.publishers import load_default_groups, read_publisher_groups
    from dedup.origins.trace import trace_origins

    extension = Path(output).suffix.lstrip(".") if output not in {None, "-"} else "json"
    if extension not in FORMATS:
        raise click.UsageError(
            f"--output must end in {', '.join('.' + name for name in FORMATS)}, not {output}."
        )
    groups = read_publisher_groups(publishers) if publishers else load_default_groups()
    corpus = KeptCorpus(paths, **reading, keep_bytes=0 if settings.memory else KEPT_BYTES)
    check_output_paths(paths, corpus, output, rejects.path)
    done = run_with_progress(corpus, settings, quiet=quiet)
    report_rejects(corpus, len(done.result.ids), paths, output, rejects, quiet=quiet)
    warnings = list(iter_run_warnings(done, corpus))
    stories = run_interruptibly(lambda: trace_origins(done.result, corpus, groups))
    write_stories(stories, output, extension)
    copies = sum(len(story.edges) for story in stories)
    summary = f"{format_count(copies, 'copy')} traced, in {format_count(len(stories), 'story')}"
    echo_status("\n".join([format_run_summary(done), summary, *warnings]), quiet=quiet)


def write_stories(stories: Sequence[Story], output: str | None, extension: str) -> None:
    """Print the table on a terminal; write the graph to the output, or to stdout if that is not a terminal."""
    if output is None and sys.stdout.isatty():
        from dedup.cli.render import print_renderables
        from dedup.cli.render.origins import render_stories

        print_renderables(render_stories(stories))
        return
    from dedup.io.atomic_write import open_atomic
    from dedup.origins.formats import FORMATS

    content = FORMATS[extension](stories).encode()
    is_shown = output in {None, "-"} and sys.stdout.isatty()
    with open_atomic(output) as file:
        file.write(escape_json_bytes(content) if is_shown else content)
