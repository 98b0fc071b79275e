"""A command's work, done on Spark: what is read, decided, written and said, as for a local run.

In: paths, settings, and what was asked for. Out: the same records on stdout, in a file, or in a folder of parts.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.cli.messages import DEFAULT_REJECTS_FILE, echo_status, format_summary, iter_warnings
from dedup.cli.progress import warn_if_uncompiled

if TYPE_CHECKING:
    from dedup.settings.settings import Settings
    from dedup.spark.files.read import SparkCorpus

__all__ = ["cluster_on_spark"]

OutputOptions = tuple[str | None, bool, str | None]
"""The output, whether every article is to be written, and where the rejects go."""


def cluster_on_spark(
    paths: Sequence[str],
    settings: Settings,
    outputs: OutputOptions,
    session_options: Mapping[str, Any],
    folders: tuple[str | None, str | None],
    *,
    quiet: bool,
    **read_options: Any,
) -> None:
    """Write the clusters of a corpus, or all its articles, as `dedup cluster` does.

    `how` is the master and the settings of Spark; `reading` is how the corpus is read; `folders` are that for
    the stages of the run, which all workers reach, and that which remembers articles.
    """
    from dedup.errors import OutputError
    from dedup.io.atomic_write import write_records
    from dedup.pipeline import writers
    from dedup.pipeline.deduplicate import load_kernels

    require_spark()
    from dedup.spark.checkpoints import create_stage_folder, set_job_description
    from dedup.spark.deduplicate import run_stages
    from dedup.spark.files.read import read_articles
    from dedup.spark.files.write import (
        build_annotated_frame,
        build_cluster_frame,
        is_folder,
        iter_output_lines,
        summarize_outcomes,
        write_folder,
    )
    from dedup.spark.session import convert_spark_errors, open_session

    output, every, rejects = outputs
    for path in (output, rejects):
        if not is_folder(path):
            writers.check_output_path(path)
        elif path is not None and Path(path).exists():
            raise OutputError(f"cannot write {path}: there is a folder already")
    compiled = warn_if_uncompiled(quiet=quiet)
    begin = time.perf_counter()
    shown = sys.stderr.isatty() and not quiet
    with (
        open_session(settings, progress=shown, **session_options) as session,
        create_stage_folder(session, folders[0], settings.work_dir) as place,
        convert_spark_errors(),
    ):
        if compiled:
            load_kernels()
        articles = read_articles(session, *paths, **read_options)
        for path in (output, rejects):
            if path not in {None, "-"} and not is_folder(path) and articles.has_file(str(path)):
                raise OutputError(f"cannot write {path}: it is one of the files that are read")
        made = run_stages(articles.frame, settings, place, folders[1])
        found = made.articles.persist()
        told = summarize_outcomes(found)
        report_spark_rejects(articles, output, rejects, quiet=quiet)
        with set_job_description(session, "output"):
            lines = (
                build_annotated_frame(found, articles)
                if every
                else build_cluster_frame(found, articles, settings)
            )
            if output is not None and is_folder(output):
                write_folder(output, lines)
            else:
                write_records(output, iter_output_lines(lines))
    seconds = time.perf_counter() - begin
    said = format_summary(
        told.articles, told.clusters, told.relations, seconds, compiled=compiled, followups=told.followups
    )
    echo_status(
        "\n".join([said, *iter_warnings(articles.warnings + Counter(made.warnings), made.limit_reached)]),
        quiet=quiet,
    )


def require_spark() -> None:
    """Raise `EngineError` where Spark is not installed."""
    from dedup.errors import EngineError

    try:
        import dedup.spark  # noqa: F401 - only to see whether it can be
    except ImportError as error:
        raise EngineError(str(error)) from None


def report_spark_rejects(
    articles: SparkCorpus, output: str | None, rejects: str | None, *, quiet: bool
) -> None:
    """Write what could not be read to `rejects`, or else beside the output, and say so."""
    from dedup.io.atomic_write import write_rejects
    from dedup.spark.files.write import is_folder, write_reject_folder

    beside = DEFAULT_REJECTS_FILE if output in {None, "-"} else f"{str(output).rstrip('/')}.rejects.jsonl"
    place = rejects or beside
    if articles.rejects or rejects:
        (write_reject_folder if is_folder(place) else write_rejects)(place, articles.rejects)
    if articles.rejects:
        echo_status(
            f"{len(articles.rejects):,} could not be read; they are in {place}, with the reasons", quiet=quiet
        )
