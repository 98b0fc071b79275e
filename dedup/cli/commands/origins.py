"""`dedup origins`: find the article that each copy was copied from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.long_work import prepare_libraries, run_interruptibly, run_with_progress
from dedup.cli.messages import echo_status, format_run_summary, iter_run_warnings
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
    from dedup.settings.settings import Settings

__all__ = ["origins_command"]


@click.command(
    name="origins",
    cls=Command,
    section="Find",
    examples=("dedup origins news/ -o graph.json", "dedup origins news/ -o graph.graphml --window-days 7"),
)
@add_corpus_argument
@add_output_option(
    "Write the graph to this file, in the format of its extension: .json, .graphml or .csv.", required=True
)
@add_settings_options
@add_rejects_options
@add_corpus_options
def origins_command(
    paths: tuple[str, ...],
    output: str,
    settings: Settings,
    rejects: RejectOptions,
    quiet: bool,
    **reading: Any,
) -> None:
    """Find the article that each copy was copied from.

    The graph has a node for each article of a cluster, and an edge to each copy from the earliest article
    whose wording it repeats. Articles share an origin if an edge joins them, or if they have the same
    publisher or credit the same agency.
    """
    prepare_libraries()
    from dedup import read_articles
    from dedup.io.atomic_write import open_atomic
    from dedup.origins.formats import FORMATS
    from dedup.origins.trace import trace_origins

    format_graph = FORMATS.get(Path(output).suffix.lstrip("."))
    if format_graph is None:
        raise click.UsageError(
            f"--output must end in {', '.join('.' + name for name in FORMATS)}, not {output}."
        )
    corpus = read_articles(*paths, **reading)
    check_output_paths(paths, corpus, output, rejects.path)
    done = run_with_progress(corpus, settings, quiet=quiet)
    report_rejects(corpus, len(done.result.ids), paths, output, rejects, quiet=quiet)
    warnings = list(iter_run_warnings(done, corpus))
    stories = run_interruptibly(lambda: trace_origins(done.result, corpus))
    with open_atomic(output) as file:
        file.write(format_graph(stories).encode())
    copies = sum(len(story.edges) for story in stories)
    summary = f"{format_count(copies, 'copy')} traced, in {format_count(len(stories), 'story')}"
    echo_status("\n".join([format_run_summary(done), summary, *warnings]), quiet=quiet)
