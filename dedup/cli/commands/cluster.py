"""`dedup cluster`: a corpus → the stories that it tells more than once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dedup.cli.dry_run import foretell, say_plan
from dedup.cli.engine_options import engine_options
from dedup.cli.messages import oddities, report, report_rejects, summary, tell
from dedup.cli.options import (
    Command,
    corpora,
    corpus_options,
    dry_run_option,
    output_option,
    rejects_option,
    settings_options,
)
from dedup.cli.progress import prepare, run

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.pipeline.results import Result
    from dedup.settings.settings import Settings

__all__ = ["cluster"]

SHOWN = 40
"""A terminal shows so many clusters; more than that is for a file."""


@click.command(
    cls=Command,
    section="Find",
    examples=(
        "dedup cluster news/ -o stories.jsonl",
        "dedup cluster news/ --format articles -o tagged.jsonl",
        "dedup cluster today.csv --field text=body --window-days 3",
        "dedup cluster s3a://news/2024/ -o s3a://news/stories/ --engine spark --master yarn",
    ),
)
@corpora
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
def cluster(
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
    if named_here("master", "conf", "stages", "lake"):
        raise click.UsageError("--master, --conf, --stages and --lake are Spark's; add --engine spark.")
    prepare()
    if dry_run:
        say_plan(paths, settings, reading.get("fields"), quiet=quiet)
        return
    from dedup import read_articles
    from dedup.io.atomic_write import write_records
    from dedup.pipeline import writers

    corpus = read_articles(*paths, **reading)
    for place in (output, rejects):
        writers.check_place(place, corpus)
    foretell(corpus, paths, settings, reading.get("fields"), quiet=quiet)
    done = run(corpus, settings, quiet=quiet)
    report_rejects(corpus, output, rejects, quiet=quiet)
    if output is None and shape is None and sys.stdout.isatty():
        show_clusters(done.result, corpus)
        click.echo(summary(done))
        tell("\n".join(oddities(done, corpus)), quiet=quiet)
    else:
        lines = writers.annotated if shape == "articles" else writers.cluster_lines
        write_records(output, lines(done.result, corpus))
        report(done, corpus, quiet=quiet)


def named_here(*options: str) -> bool:
    """Return whether any of some options stands on the command line; in the environment they may stand for other runs."""
    source = click.get_current_context().get_parameter_source
    return any(source(option) is ParameterSource.COMMANDLINE for option in options)


def show_clusters(result: Result, corpus: Corpus) -> None:
    """Draw the largest clusters on the terminal."""
    from dedup.cli.render import show
    from dedup.cli.render.clusters import clusters_shown
    from dedup.pipeline import writers

    largest = writers.described(result, corpus, SHOWN)
    show(clusters_shown(largest, len(result.clusters) - len(largest)))
