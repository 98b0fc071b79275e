"""`dedup origins`: count the independent origins of each story, and trace the copies."""

from __future__ import annotations

import sys
from collections.abc import Sequence
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
from dedup.cli.output_format import (
    JSON,
    add_record_format_option,
    check_record_format,
    is_table_requested,
    write_formatted_records,
)
from dedup.cli.output_paths import check_output_paths
from dedup.cli.rejects import RejectOptions, add_rejects_options, report_rejects
from dedup.formatting import escape_controls, format_count

if TYPE_CHECKING:
    from dedup.origins.trace import Story
    from dedup.settings.settings import Settings

__all__ = ["origins_command"]

GRAPHML = "graphml"
GRAPH_EXTENSIONS = (".json", ".graphml", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
"""The extensions of the output: the first two hold the graph, the others a row for each article."""
REUSE_EXTENSIONS = (".html", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")


@click.command(
    name="origins",
    cls=Command,
    section="Find",
    examples=(
        "dedup origins news/",
        "dedup origins news/ -o graph.graphml --window-days 7",
        "dedup origins news/ --reuse reuse.html",
        "dedup origins news/ --publishers owners.csv -o graph.json",
    ),
)
@add_corpus_argument
@add_output_option(
    "Write to this file, in the format of its extension: the graph as .json or .graphml, or the articles as .jsonl, .csv "
    "or .parquet."
)
@add_record_format_option(
    (GRAPHML,),
    help_="table: a row for each story; json, graphml: the graph; jsonl, csv, parquet: a row for each article, with the "
    "article that it repeats.  [default: table on a terminal, else json]",
    allow_from_autoenv=False,
)
@click.option(
    "--reuse",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Also write which outlet carries the texts of which agency or other outlet: a page (.html), or a row for each "
    "pair (.csv, .json, .jsonl, .parquet).",
)
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
    format_: str | None,
    reuse: str | None,
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
    check_graph_format(format_, output)
    check_reuse_extension(reuse)
    from dedup.io.kept_corpus import KEPT_BYTES, KeptCorpus
    from dedup.origins.publishers import load_default_groups, read_publisher_groups
    from dedup.origins.trace import trace_origins

    groups = read_publisher_groups(publishers) if publishers else load_default_groups()
    corpus = KeptCorpus(paths, **reading, keep_bytes=0 if settings.memory else KEPT_BYTES)
    check_output_paths(paths, corpus, output, reuse, rejects.path)
    done = run_with_progress(corpus, settings, quiet=quiet)
    report_rejects(corpus, len(done.result.ids), paths, output, rejects, quiet=quiet)
    warnings = list(iter_run_warnings(done, corpus))
    stories = run_interruptibly(lambda: trace_origins(done.result, corpus, groups))
    if reuse:
        write_reuse(stories, reuse)
    write_stories(stories, output, format_)
    copies = sum(len(story.edges) for story in stories)
    summary = f"{format_count(copies, 'copy')} traced, in {format_count(len(stories), 'story')}"
    echo_status("\n".join([format_run_summary(done), summary, *warnings]), quiet=quiet)


def check_graph_format(format_: str | None, output: str | None) -> None:
    """Raise `UsageError` if --format and the output do not go together, or if nothing says the format."""
    from dedup.io.discovery import split_extensions

    check_record_format(format_, output)
    if format_ is None and output not in {None, "-"}:
        extension, _ = split_extensions(str(output))
        if extension not in GRAPH_EXTENSIONS:
            raise click.UsageError(f"--output must end in {', '.join(GRAPH_EXTENSIONS)}, not {output}.")


def check_reuse_extension(reuse: str | None) -> None:
    """Raise `UsageError` if the extension of the file of --reuse says no format."""
    from dedup.io.discovery import split_extensions

    if reuse and split_extensions(reuse)[0] not in REUSE_EXTENSIONS:
        raise click.UsageError(f"--reuse must end in {', '.join(REUSE_EXTENSIONS)}, not {reuse}.")


def write_stories(stories: Sequence[Story], output: str | None, format_: str | None) -> None:
    """Print the table of the stories; or write the graph, or a row for each article, to the output."""
    if is_table_requested(format_, output):
        from dedup.cli.render import print_renderables
        from dedup.cli.render.origins import render_stories

        print_renderables(render_stories(stories))
        return
    from dedup.io.discovery import split_extensions
    from dedup.origins.formats import GRAPHS, iter_rows

    extension, _ = split_extensions(output or "-")
    graph = GRAPHS.get(format_ or extension.lstrip(".") or JSON)
    if graph:
        write_graph(graph(stories), output, format_)
    else:
        write_formatted_records(output, iter_rows(stories), format_)


def write_graph(graph: str, output: str | None, format_: str | None) -> None:
    """Write a graph; on a terminal, its characters cannot control it."""
    from dedup.io.atomic_write import open_atomic

    content = graph.encode(errors="replace")
    if output in {None, "-"} and sys.stdout.isatty():
        content = escape_controls(graph).encode() if format_ == GRAPHML else escape_json_bytes(content)
    with open_atomic(output) as file:
        file.write(content)


def write_reuse(stories: Sequence[Story], path: str) -> None:
    """Write the reuse of texts to a file, in the format of its extension."""
    from dedup.io.atomic_write import open_atomic
    from dedup.io.discovery import split_extensions
    from dedup.origins.reuse import describe_reuse, list_reuse

    extension, _ = split_extensions(path)
    if extension == ".html":
        from dedup.origins.reuse_page import render_reuse_page

        with open_atomic(path) as file:
            file.write(render_reuse_page(stories))
    else:
        records = map(describe_reuse, list_reuse(stories))
        write_formatted_records(path, records, JSON if extension == ".json" else None)
