"""`dedup cluster`: group the articles of the same story."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dedup.cli.execution_options import add_engine_options
from dedup.cli.long_work import prepare_libraries, run_with_progress
from dedup.cli.messages import (
    echo,
    echo_status,
    format_run_summary,
    iter_run_warnings,
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
    add_sql_option,
)
from dedup.cli.output_format import (
    FORMATS,
    add_record_format_option,
    check_record_format,
    is_table_requested,
    write_formatted_records,
)
from dedup.cli.output_paths import check_output_paths
from dedup.cli.rejects import RejectOptions, report_rejects
from dedup.cli.run_estimate import print_estimate, print_estimate_line
from dedup.formatting import format_count

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.pipeline.results import Result
    from dedup.settings.settings import Settings

__all__ = ["cluster_command"]

MAX_SHOWN_CLUSTERS = 40
"""The number of clusters in a table."""
CLUSTERS, ARTICLES = "clusters", "articles"


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
@add_record_format_option(
    (CLUSTERS, ARTICLES),
    envvar="DEDUP_FORMAT",
    help_="clusters: one JSON object per cluster; articles: every article in input order with its cluster; table: a list "
    "to read; json, jsonl, csv, parquet: the clusters in this format.  [default: table on a terminal, else clusters]",
)
@click.option(
    "--fail-on-duplicates",
    is_flag=True,
    help="Exit with 1 if there are duplicates, once the output is written.",
)
@add_dry_run_option
@add_sql_option
@add_settings_options
@add_rejects_options
@add_corpus_options
@add_engine_options
def cluster_command(
    paths: tuple[str, ...],
    output: str | None,
    format_: str | None,
    fail_on_duplicates: bool,
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
    if engine == "spark":
        if format_ in FORMATS or fail_on_duplicates:
            raise click.UsageError(
                "With Spark, --format is clusters or articles, and --fail-on-duplicates is unknown."
            )
        from dedup.cli.spark_job import SparkOptions, SparkOutputs, cluster_on_spark

        reject_options_without_spark(lake, format_, dry_run=dry_run)
        outputs = SparkOutputs(output, format_ == ARTICLES, rejects)
        spark = SparkOptions(master, conf, stages, lake)
        cluster_on_spark(paths, settings, outputs, spark, quiet=quiet, **reading)
        return
    if is_on_command_line("master", "conf", "stages", "lake"):
        raise click.UsageError("--master, --conf, --stages and --lake need --engine spark.")
    prepare_libraries()
    check_record_format(format_, output)
    if dry_run:
        print_estimate(paths, settings, reading, quiet=quiet)
        return
    from dedup import read_articles

    corpus = read_articles(*paths, **reading)
    check_output_paths(paths, corpus, output, rejects.path)
    print_estimate_line(corpus, paths, settings, reading, quiet=quiet)
    done = run_with_progress(corpus, settings, quiet=quiet)
    report_rejects(corpus, len(done.result.ids), paths, output, rejects, quiet=quiet)
    if is_table_requested(format_, output):
        print_clusters(done.result, corpus)
        echo(format_run_summary(done))
        echo_status("\n".join(iter_run_warnings(done, corpus)), quiet=quiet)
    else:
        write_clusters(output, done.result, corpus, format_)
        report_run(done, corpus, quiet=quiet)
    duplicates = len(done.result.dropped)
    if fail_on_duplicates and duplicates:
        raise click.ClickException(
            f"there {'is' if duplicates == 1 else 'are'} {format_count(duplicates, 'duplicate')}"
        )


def reject_options_without_spark(lake: str | None, format_: str | None, *, dry_run: bool) -> None:
    """Raise `UsageError` if options cannot be combined with Spark."""
    if dry_run:
        raise click.UsageError("--dry-run cannot be combined with --engine spark.")
    if lake and format_ != ARTICLES:
        raise click.UsageError(
            "--lake needs --format articles, because a cluster may have articles of other runs."
        )


def is_on_command_line(*options: str) -> bool:
    """Return whether any of the options is on the command line; in the environment they may be for other runs."""
    source = click.get_current_context().get_parameter_source
    return any(source(option) is ParameterSource.COMMANDLINE for option in options)


def write_clusters(output: str | None, result: Result, corpus: Corpus, format_: str | None) -> None:
    """Write the clusters, or every article with its cluster."""
    from dedup.pipeline import writers

    iter_lines = writers.iter_annotated_lines if format_ == ARTICLES else writers.iter_cluster_lines
    write_formatted_records(output, iter_lines(result, corpus), format_)


def print_clusters(result: Result, corpus: Corpus) -> None:
    """Print the largest clusters as a list to read."""
    from dedup.cli.render import print_renderables
    from dedup.cli.render.clusters import render_clusters
    from dedup.pipeline import writers

    largest = writers.describe_clusters(result, corpus, MAX_SHOWN_CLUSTERS)
    print_renderables(render_clusters(largest, len(result.clusters) - len(largest)))
