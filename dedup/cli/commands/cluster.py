"""`dedup cluster`: a corpus → the stories that it tells more than once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dedup.cli.dry_run import print_estimate, print_estimate_line
from dedup.cli.engine_options import engine_options
from dedup.cli.messages import echo_status, format_run_summary, iter_run_warnings, report_rejects, report_run
from dedup.cli.options import (
    Command,
    corpus_argument,
    corpus_options,
    dry_run_option,
    output_option,
    rejects_option,
    settings_options,
)
from dedup.cli.progress import prepare_libraries, run_with_progress

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.pipeline.results import Result
    from dedup.settings.settings import Settings

__all__ = ["cluster_command"]

MAX_SHOWN_CLUSTERS = 40
"""A terminal shows so many clusters; more than that is for a file."""


@click.command(
    name="cluster",
    cls=Command,
    section="Find",
    examples=(
        "dedup cluster news/ -o stories.jsonl",
        "dedup cluster news/ --format articles -o tagged.jsonl",
        "dedup cluster today.csv --field text=body --window-days 3",
        "dedup cluster s3a://news/2024/ -o s3a://news/stories/ --engine spark --master yarn",
    ),
)
@corpus_argument
@output_option(
    "Write here instead of on stdout; the extension says the format. With --engine spark, a path with a scheme, as "
    "s3a://, or with a slash at its end is a new folder of parts, JSON Lines."
)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["clusters", "articles"]),
    envvar="DEDUP_FORMAT",
    help="A cluster a line, or every article, in order, with its cluster.  [default: clusters]",
)
@dry_run_option
@settings_options
@rejects_option
@corpus_options
@engine_options
def cluster_command(
    paths: tuple[str, ...],
    output: str | None,
    shape: str | None,
    dry_run: bool,
    settings: Settings,
    rejects: str | None,
    quiet: bool,
    engine: str,
    master: str | None,
    conf: Mapping[str, str],
    stages: str | None,
    lake: str | None,
    **reading: Any,
) -> None:
    """Group the articles that tell the same story; drops nothing.

    On a terminal, a list to read; otherwise JSON Lines, largest cluster first.
    """
    if engine == "spark":
        from dedup.cli.spark_job import cluster_on_spark

        if dry_run:
            raise click.UsageError("--dry-run foretells what this process would take, and not Spark.")
        asked = (output, shape == "articles", rejects)
        if lake and shape != "articles":
            raise click.UsageError(
                "--lake needs --format articles: a story may be one that another run told."
            )
        how = {"master": master, "conf": conf}
        folders = (stages, lake)
        cluster_on_spark(paths, settings, asked, how, folders, quiet=quiet, **reading)
        return
    if is_on_command_line("master", "conf", "stages", "lake"):
        raise click.UsageError("--master, --conf, --stages and --lake are Spark's; add --engine spark.")
    prepare_libraries()
    if dry_run:
        print_estimate(paths, settings, reading.get("fields"), quiet=quiet)
        return
    from dedup import read_articles
    from dedup.io.atomic_write import write_records
    from dedup.pipeline import writers

    corpus = read_articles(*paths, **reading)
    for place in (output, rejects):
        writers.check_output_path(place, corpus)
    print_estimate_line(corpus, paths, settings, reading.get("fields"), quiet=quiet)
    done = run_with_progress(corpus, settings, quiet=quiet)
    report_rejects(corpus, output, rejects, quiet=quiet)
    if output is None and shape is None and sys.stdout.isatty():
        show_clusters(done.result, corpus)
        click.echo(format_run_summary(done))
        echo_status("\n".join(iter_run_warnings(done, corpus)), quiet=quiet)
    else:
        lines = writers.iter_annotated_lines if shape == "articles" else writers.iter_cluster_lines
        write_records(output, lines(done.result, corpus))
        report_run(done, corpus, quiet=quiet)


def is_on_command_line(*options: str) -> bool:
    """Return whether any of some options stands on the command line; in the environment they may stand for other runs."""
    source = click.get_current_context().get_parameter_source
    return any(source(option) is ParameterSource.COMMANDLINE for option in options)


def show_clusters(result: Result, corpus: Corpus) -> None:
    """Draw the largest clusters on the terminal."""
    from dedup.cli.render import print_renderables
    from dedup.cli.render.clusters import render_clusters
    from dedup.pipeline import writers

    largest = writers.describe_clusters(result, corpus, MAX_SHOWN_CLUSTERS)
    print_renderables(render_clusters(largest, len(result.clusters) - len(largest)))
