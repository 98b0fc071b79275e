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

from dedup.cli.messages import REJECTS, odd, summed_up, tell
from dedup.cli.progress import announce_compiling

if TYPE_CHECKING:
    from dedup.settings.settings import Settings
    from dedup.spark.files.read import Articles

__all__ = ["cluster_on_spark"]

Asked = tuple[str | None, bool, str | None]
"""The output, whether every article is to be written, and where the rejects go."""


def cluster_on_spark(
    paths: Sequence[str],
    settings: Settings,
    asked: Asked,
    how: Mapping[str, Any],
    folders: tuple[str | None, str | None],
    *,
    quiet: bool,
    **reading: Any,
) -> None:
    """Write the clusters of a corpus, or all its articles, as `dedup cluster` does.

    `how` is the master and the settings of Spark; `reading` is how the corpus is read; `folders` are that for
    the stages of the run, which all workers reach, and that which remembers articles.
    """
    from dedup.errors import OutputError
    from dedup.io.atomic_write import write_records
    from dedup.pipeline import writers
    from dedup.pipeline.deduplicate import load_kernels

    need_spark()
    from dedup.spark.checkpoints import described, stages_of
    from dedup.spark.deduplicate import outcome
    from dedup.spark.files.read import read_articles
    from dedup.spark.files.write import annotated, clusters, is_folder, lines_of, told_of, write_folder
    from dedup.spark.session import plain_errors, started

    output, every, rejects = asked
    for path in (output, rejects):
        if not is_folder(path):
            writers.check_place(path)
        elif path is not None and Path(path).exists():
            raise OutputError(f"cannot write {path}: there is a folder already")
    compiled = announce_compiling(quiet=quiet)
    begin = time.perf_counter()
    shown = sys.stderr.isatty() and not quiet
    with (
        started(settings, progress=shown, **how) as session,
        stages_of(session, folders[0], settings.work_dir) as place,
        plain_errors(),
    ):
        if compiled:
            load_kernels()
        articles = read_articles(session, *paths, **reading)
        for path in (output, rejects):
            if path not in {None, "-"} and not is_folder(path) and articles.holds(str(path)):
                raise OutputError(f"cannot write {path}: it is one of the files that are read")
        made = outcome(articles.frame, settings, place, folders[1])
        found = made.articles.persist()
        told = told_of(found)
        say_rejects(articles, output, rejects, quiet=quiet)
        with described(session, "output"):
            lines = annotated(found, articles) if every else clusters(found, articles, settings)
            if output is not None and is_folder(output):
                write_folder(output, lines)
            else:
                write_records(output, lines_of(lines))
    seconds = time.perf_counter() - begin
    said = summed_up(
        told.articles, told.clusters, told.relations, seconds, compiled=compiled, followups=told.followups
    )
    tell("\n".join([said, *odd(articles.warnings + Counter(made.warnings), made.bounded)]), quiet=quiet)


def need_spark() -> None:
    """Raise `EngineError` where Spark is not installed."""
    from dedup.errors import EngineError

    try:
        import dedup.spark  # noqa: F401 - only to see whether it can be
    except ImportError as error:
        raise EngineError(str(error)) from None


def say_rejects(articles: Articles, output: str | None, rejects: str | None, *, quiet: bool) -> None:
    """Write what could not be read to `rejects`, or else beside the output, and say so."""
    from dedup.io.atomic_write import write_rejects
    from dedup.spark.files.write import is_folder, write_reject_folder

    beside = REJECTS if output in {None, "-"} else f"{str(output).rstrip('/')}.rejects.jsonl"
    place = rejects or beside
    if articles.rejects or rejects:
        (write_reject_folder if is_folder(place) else write_rejects)(place, articles.rejects)
    if articles.rejects:
        tell(
            f"{len(articles.rejects):,} could not be read; they are in {place}, with the reasons", quiet=quiet
        )
