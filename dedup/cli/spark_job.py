"""Run `dedup cluster` on Apache Spark, with the same output and messages as a local run."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.cli.long_work import compile_missing_kernels
from dedup.cli.messages import echo_status, format_summary, iter_lines_for_output, iter_warnings
from dedup.cli.output_paths import check_output_paths
from dedup.cli.rejects import RejectOptions, check_reject_share, echo_reject_count, get_rejects_path

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from dedup.settings.settings import Settings
    from dedup.spark.files.read import SparkCorpus

__all__ = ["SparkOptions", "SparkOutputs", "cluster_on_spark"]


@dataclass(frozen=True, slots=True)
class SparkOptions:
    """Where Spark runs, and the folders that it uses."""

    master: str | None
    conf: Mapping[str, str]
    stages: str | None
    """The folder for intermediate results."""
    lake: str | None
    """The folder that keeps the articles of all runs."""


@dataclass(frozen=True, slots=True)
class SparkOutputs:
    """Where the results go."""

    output: str | None
    annotate: bool
    """Write every article instead of the clusters."""
    rejects: RejectOptions


def cluster_on_spark(
    paths: Sequence[str],
    settings: Settings,
    outputs: SparkOutputs,
    spark: SparkOptions,
    *,
    quiet: bool,
    **read_options: Any,
) -> None:
    """Write the clusters of a corpus, or all its articles, as `dedup cluster` does."""
    require_spark()
    from dedup.spark.checkpoints import create_stage_folder
    from dedup.spark.deduplicate import run_stages
    from dedup.spark.files.read import read_articles
    from dedup.spark.files.write import summarize_outcomes
    from dedup.spark.session import convert_spark_errors, open_session

    check_new_folders(outputs)
    compile_missing_kernels(quiet=quiet)
    start = time.perf_counter()
    has_progress = sys.stderr.isatty() and not quiet
    with ExitStack() as stack:
        session = stack.enter_context(
            open_session(settings, progress=has_progress, master=spark.master, conf=spark.conf)
        )
        stages = stack.enter_context(create_stage_folder(session, spark.stages, settings.work_dir))
        stack.enter_context(convert_spark_errors())
        corpus = read_articles(session, *paths, **read_options)
        check_file_outputs(paths, corpus, outputs)
        outcome = run_stages(corpus.frame, settings, stages, spark.lake)
        articles = outcome.articles.persist()
        totals = summarize_outcomes(articles)
        report_spark_rejects(corpus, totals.articles, outputs, quiet=quiet)
        write_output(session, articles, corpus, outputs, settings)
    summary = format_summary(
        totals.articles,
        totals.clusters,
        totals.relations,
        time.perf_counter() - start,
        followups=totals.followups,
    )
    warnings = iter_warnings(corpus.warnings + Counter(outcome.warnings), outcome.limit_reached)
    echo_status("\n".join([summary, *warnings]), quiet=quiet)


def check_new_folders(outputs: SparkOutputs) -> None:
    """Raise `OutputError` if an output is a folder that exists, or a file that cannot be written."""
    from dedup.errors import OutputError
    from dedup.pipeline import writers
    from dedup.spark.files.write import is_folder

    for path in (outputs.output, outputs.rejects.path):
        if not is_folder(path):
            writers.check_output_path(path)
        elif path is not None and Path(path).exists():
            raise OutputError(f"cannot write {path}: the folder exists already")


def check_file_outputs(paths: Sequence[str], corpus: SparkCorpus, outputs: SparkOutputs) -> None:
    """Raise `OutputError` if an output that is a file belongs to the corpus."""
    from dedup.spark.files.write import is_folder

    files = [path for path in (outputs.output, outputs.rejects.path) if not is_folder(path)]
    check_output_paths(paths, corpus, *files)


def write_output(
    session: SparkSession,
    articles: DataFrame,
    corpus: SparkCorpus,
    outputs: SparkOutputs,
    settings: Settings,
) -> None:
    """Write the results to a folder, a file or standard output."""
    from dedup.io.atomic_write import write_records
    from dedup.spark.checkpoints import set_job_description
    from dedup.spark.files.write import (
        build_annotated_frame,
        build_cluster_frame,
        is_folder,
        iter_output_lines,
        write_folder,
    )

    with set_job_description(session, "output"):
        lines = (
            build_annotated_frame(articles, corpus)
            if outputs.annotate
            else build_cluster_frame(articles, corpus, settings)
        )
        if outputs.output is not None and is_folder(outputs.output):
            write_folder(outputs.output, lines)
        else:
            write_records(outputs.output, iter_lines_for_output(outputs.output, iter_output_lines(lines)))


def require_spark() -> None:
    """Raise `EngineError` if Spark is not installed."""
    from dedup.errors import EngineError

    try:
        import dedup.spark  # noqa: F401 - only to see whether the import works
    except ImportError as error:
        raise EngineError(str(error)) from None


def report_spark_rejects(corpus: SparkCorpus, articles: int, outputs: SparkOutputs, *, quiet: bool) -> None:
    """Write the rejects of a corpus and report how many there are; `InputError` if there are too many."""
    from dedup.io.atomic_write import write_rejects
    from dedup.spark.files.write import is_folder, write_reject_folder

    path = outputs.rejects.path or get_rejects_path(outputs.output)
    if corpus.rejects or outputs.rejects.path:
        (write_reject_folder if is_folder(path) else write_rejects)(path, corpus.rejects)
    echo_reject_count(len(corpus.rejects), path, quiet=quiet)
    check_reject_share(corpus.rejects, len(corpus.rejects), articles, outputs.rejects.max_share)
