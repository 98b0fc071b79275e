"""Read files into a DataFrame of articles with the columns of `DEFAULT_SCHEMA`, and into their original records.

Spark lists, splits and distributes the files, on any file system. Its workers read them with the readers of a
local run, so fields, dates, ids and rejects are the same. The column position is the input position of an
article. Uncompressed JSON Lines and Parquet are read in splits; each CSV file, JSON document, text or
compressed file is read by one task.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import unquote

import numpy as np

from dedup.errors import InputError
from dedup.io.read_options import ReadOptions, build_read_rules
from dedup.io.schema import list_column_names
from dedup.io.source_file import PRESET_WARNING
from dedup.spark.checkpoints import set_job_description
from dedup.spark.files.discovery import escape_path, find_spark_files, is_remote, normalize_path
from dedup.spark.files.scan import (
    SCAN_SCHEMA,
    CorpusFiles,
    SparkRejects,
    build_scanner,
    combine_scans,
    ignore,
)
from dedup.spark.files.split_formats import LINES, ROWS, WHOLE, Batches, SplitFormat, choose_split_format
from dedup.spark.files.split_reader import (
    ARTICLE_SCHEMA,
    RECORD_SCHEMA,
    build_article_reader,
    build_record_reader,
)
from dedup.spark.session import convert_spark_errors

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

__all__ = ["SparkCorpus", "read_articles"]

MAX_TASKS = 1024
"""The most tasks among which whole files are distributed."""
CORRUPT_PARQUET_ERROR = re.compile(r"\[FAILED_READ_FILE\.(?:CANNOT_READ_FILE_FOOTER|NO_HINT)\b")
"""The start of Spark's error for a corrupt Parquet file, before the name of the file."""


def read_articles(
    session: SparkSession,
    *paths: str | Path,
    strict: bool = False,
    **options: Unpack[ReadOptions],
) -> SparkCorpus:
    """Return the articles of files, folders and patterns, on this machine or any file system that Spark supports.

    The options are those of a local run. With `strict`, the first line that cannot be read is an InputError; otherwise it
    is among the `rejects`.
    """
    corpus = SparkCorpus(session, paths, options)
    with convert_spark_errors():
        corpus.check(strict=strict)
    return corpus


class SparkCorpus:
    """The articles of files, as a DataFrame and as the original records; the files are scanned on first use."""

    def __init__(self, session: SparkSession, paths: Sequence[str | Path], options: ReadOptions) -> None:
        self._session = session
        with convert_spark_errors():
            self._files = CorpusFiles(tuple(find_spark_files(session, paths)), build_read_rules(options))
        self._formats = [choose_split_format(source) for source in self._files.sources]
        # The splits must be the same each time, even if executors come and go.
        tasks = session.conf.get("spark.sql.files.minPartitionNum", None)
        session.conf.set(
            "spark.sql.files.minPartitionNum", tasks or str(session.sparkContext.defaultParallelism)
        )

    @cached_property
    def _scan(self) -> Any:
        """Return the rows of the scan, and their summary."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException
        from pyspark.sql import functions as sql

        while True:
            rows = None
            try:
                rows = self._apply_to_files(
                    lambda kind: build_scanner(self._files, kind), SCAN_SCHEMA
                ).persist()
                with set_job_description(self._session, "survey"):
                    scans = rows.withColumn("refused", sql.size("rejects")).drop("rejects").collect()
            except (PySparkException, Py4JError) as error:
                damaged = self._find_file_in_message(str(error))
                if damaged is None:
                    raise
                if rows is not None:
                    rows.unpersist()
                self._formats[damaged] = WHOLE
                continue
            survey = combine_scans(scans)
            if not (survey.foreign or survey.presets):
                return rows, survey
            rows.unpersist()
            for number in survey.foreign:
                self._formats[number] = WHOLE
            self._files = replace(self._files, presets={**self._files.presets, **survey.presets})

    def _find_file_in_message(self, message: str) -> int | None:
        """Return the number of the Parquet file in an error of Spark; our own reader then reports the damage."""
        if not CORRUPT_PARQUET_ERROR.search(message):
            return None
        decoded = f"{message}\n{unquote(message)}"  # some errors contain a plain path, others a URL
        places = [
            (len(place), n)
            for n, source in enumerate(self._files.sources)
            if self._formats[n] is ROWS and (place := normalize_path(source.path)) in decoded
        ]
        return max(places)[1] if places else None

    def check(self, *, strict: bool) -> None:
        """Raise `InputError` if the files cannot be read or, with `strict`, if a record is not an article."""
        survey = self._scan[1]
        if survey.error:
            raise InputError(survey.error)
        if strict and self.rejects:
            first = next(iter(self.rejects))
            place = first.path if first.line is None else f"{first.path}:{first.line}"
            raise InputError(f"{place}: {first.reason}")

    def __len__(self) -> int:
        """Return how many articles there are."""
        return int(self._scan[1].articles)

    @property
    def warnings(self) -> Counter[str]:
        """Return the warnings about the input, each with the number of times it applied."""
        recognized = Counter(PRESET_WARNING.format(name) for name in self._files.presets.values())
        return Counter(self._scan[1].warnings) + recognized

    @property
    def rejects(self) -> SparkRejects:
        """Return the records that could not be read."""
        rows, survey = self._scan
        return SparkRejects(rows, self._files, survey)

    def has_file(self, path: str | Path) -> bool:
        """Return whether a local path is one of the files, or a link to one."""
        here = (source.path for source in self._files.sources if not is_remote(source.path))
        return Path(path).exists() and any(Path(path).samefile(file) for file in here)

    @cached_property
    def frame(self) -> DataFrame:
        """Return the articles: the columns of SCHEMA, and the input position of each."""
        pieces = self._scan[1].splits
        return self._apply_to_files(
            lambda kind: build_article_reader(self._files, kind, pieces), ARTICLE_SCHEMA
        )

    def read_records(self, wanted: np.ndarray | None = None) -> DataFrame:
        """Return the columns position and record (a JSON line) of each article.

        `wanted` limits them to some positions: a bit array, one bit per position.
        """
        pieces = self._scan[1].splits
        return self._apply_to_files(
            lambda kind: build_record_reader(self._files, kind, pieces, wanted), RECORD_SCHEMA, whole=True
        )

    def _apply_to_files(
        self,
        function: Callable[[SplitFormat], Callable[[Batches], Batches]],
        schema: str,
        *,
        whole: bool = False,
    ) -> DataFrame:
        """Return the rows that the function of each format makes from the files; `whole` reads all columns of Parquet."""
        frames = [
            frame.mapInArrow(function(kind), schema)
            for kind, read in (
                (LINES, self._read_lines),
                (ROWS, self._read_rows),
                (WHOLE, self._read_whole_files),
            )
            for frame in read([n for n, each in enumerate(self._formats) if each is kind], whole=whole)
        ]
        return reduce(lambda one, other: one.unionAll(other), frames)

    def _get_paths(self, numbers: Sequence[int]) -> list[str]:
        return [escape_path(self._files.sources[number].path) for number in numbers]

    def _read_lines(self, numbers: Sequence[int], *, whole: bool) -> Iterator[DataFrame]:  # noqa: ARG002 - lines are always read whole
        """Yield the lines of files, each with its split."""
        from pyspark.sql import functions as sql

        if numbers:
            lines = self._session.read.option("lineSep", "\n").text(self._get_paths(numbers))
            yield lines.select(sql.col("value").cast("binary"), *build_split_id_columns())

    def _read_rows(self, numbers: Sequence[int], *, whole: bool) -> Iterator[DataFrame]:
        """Yield the rows of Parquet files, each with its split and row number."""
        from pyspark.sql import functions as sql

        if numbers:
            rows = self._session.read.option("mergeSchema", "true").parquet(*self._get_paths(numbers))
            self._files.build_reading(numbers[0], None, ignore).check_columns(rows.columns)
            asked = rows.columns if whole else list_column_names(self._files.rules.names)
            columns = [sql.col(escape_column_name(name)) for name in asked if name in rows.columns]
            yield rows.select(*build_split_id_columns(), sql.col("_metadata.row_index"), *columns)

    def _read_whole_files(self, numbers: Sequence[int], *, whole: bool) -> Iterator[DataFrame]:  # noqa: ARG002 - files are always read whole
        """Yield the paths of files; with their bytes, if they are on a remote file system."""
        paths = [self._files.sources[number].path for number in numbers]
        here = [(normalize_path(path), None) for path in paths if not is_remote(path)]
        if here:
            frame = self._session.createDataFrame(here, "path string, content binary")
            yield frame.repartition(min(len(here), MAX_TASKS))
        there = [escape_path(path) for path in paths if is_remote(path)]
        if there:
            yield self._session.read.format("binaryFile").load(there).select("path", "content")


def build_split_id_columns() -> list[Column]:
    """Return the columns that identify the split of a row."""
    from pyspark.sql import functions as sql

    return [sql.col("_metadata.file_path"), sql.col("_metadata.file_block_start")]


def escape_column_name(name: str) -> str:
    """Return the name of a column quoted for Spark."""
    return "`" + name.replace("`", "``") + "`"
