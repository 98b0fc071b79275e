"""`dedup cluster`: group the articles of the same story."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dedup.cli.engine_options import add_engine_options
from dedup.cli.long_work import prepare_libraries, run_with_progress
from dedup.cli.messages import (
    echo,
    echo_status,
    format_run_summary,
    iter_run_warnings,
    iter_terminal_lines,
    report_run,
)
from dedup.cli.options import (
    Command,
    add_corpus_argument,
    add_corpus_options,
    add_dry_run_option,
    add_records_option,
    add_rejects_options,
    add_settings_options,
)
from dedup.cli.output_paths import check_output_paths
from dedup.cli.rejects import RejectOptions, report_rejects
from dedup.cli.run_estimate import print_estimate, print_estimate_line

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.pipeline.results import Result
    from dedup.settings.settings import Settings

__all__ = ["cluster_command"]

MAX_SHOWN_CLUSTERS = 40
"""The number of clusters in a table."""
TABLE = "table"


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
@add_corpus_argument
@add_records_option(
    "Write to this file instead of stdout, in the format of its extension. With --engine spark, a path with a scheme "
    "(s3a://) or a trailing slash is a new folder of JSON Lines."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["clusters", "articles", TABLE]),
    envvar="DEDUP_FORMAT",
    help="clusters: one JSON object per cluster; articles: every article in input order with its cluster; table: a list "
    "to read.  [default: table on a terminal, else clusters]",
)
@add_dry_run_option
@add_settings_options
@add_rejects_options
@add_corpus_options
@add_engine_options
def cluster_command(
    paths: tuple[str, ...],
    output: str | None,
    format_: str | None,
    dry_run: bool,
    settings: Settings,
    rejects: RejectOptions,
    quiet: bool,
    engine: str,
    master: str | None,
    conf: Mapping[str, str],
    stages: str | None,
    lake: str | None,
    **reading: Any,
) -> None:
    """Group the articles of the same story; drop nothing.

    Prints a list on a terminal, otherwise JSON Lines with the largest cluster first.
    """
    if format_ == TABLE and (output not in {None, "-"} or engine == "spark"):
        raise click.UsageError("--format table is for the terminal; it cannot be combined with -o or Spark.")
    if engine == "spark":
        from dedup.cli.spark_job import SparkOptions, SparkOutputs, cluster_on_spark

        reject_options_without_spark(lake, format_, dry_run=dry_run)
        outputs = SparkOutputs(output, format_ == "articles", rejects)
        spark = SparkOptions(master, conf, stages, lake)
        cluster_on_spark(paths, settings, outputs, spark, quiet=quiet, **reading)
        return
    if is_on_command_line("master", "conf", "stages", "lake"):
        raise click.UsageError("--master, --conf, --stages and --lake need --engine spark.")
    prepare_libraries()
    if dry_run:
        print_estimate(paths, settings, reading, quiet=quiet)
        return
    from dedup import read_articles

    corpus = read_articles(*paths, **reading)
    check_output_paths(paths, corpus, output, rejects.path)
    print_estimate_line(corpus, paths, settings, reading, quiet=quiet)
    done = run_with_progress(corpus, settings, quiet=quiet)
    report_rejects(corpus, len(done.result.ids), paths, output, rejects, quiet=quiet)
    if format_ == TABLE or (output is None and format_ is None and sys.stdout.isatty()):
        print_clusters(done.result, corpus)
        echo(format_run_summary(done))
        echo_status("\n".join(iter_run_warnings(done, corpus)), quiet=quiet)
    else:
        write_clusters(output, done.result, corpus, every_article=format_ == "articles")
        report_run(done, corpus, quiet=quiet)


def reject_options_without_spark(lake: str | None, format_: str | None, *, dry_run: bool) -> None:
    """Raise `UsageError` if options cannot be combined with Spark."""
    if dry_run:
        raise click.UsageError("--dry-run cannot be combined with --engine spark.")
    if lake and format_ != "articles":
        raise click.UsageError(
            "--lake needs --format articles, because a cluster may have articles of other runs."
        )


def is_on_command_line(*options: str) -> bool:
    """Return whether any of the options is on the command line; in the environment they may be for other runs."""
    source = click.get_current_context().get_parameter_source
    return any(source(option) is ParameterSource.COMMANDLINE for option in options)


def write_clusters(output: str | None, result: Result, corpus: Corpus, *, every_article: bool) -> None:
    """Write the clusters, or every article with its cluster."""
    from dedup.io.atomic_write import write_records
    from dedup.pipeline import writers

    lines = (writers.iter_annotated_lines if every_article else writers.iter_cluster_lines)(result, corpus)
    write_records(output, iter_terminal_lines(output, lines))


def print_clusters(result: Result, corpus: Corpus) -> None:
    """Print the largest clusters as a list to read."""
    from dedup.cli.render import print_renderables
    from dedup.cli.render.clusters import render_clusters
    from dedup.pipeline import writers

    largest = writers.describe_clusters(result, corpus, MAX_SHOWN_CLUSTERS)
    print_renderables(render_clusters(largest, len(result.clusters) - len(largest)))
