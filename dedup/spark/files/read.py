"""Paths → a DataFrame of articles with the columns of `fields.DEFAULT_SCHEMA`, and the records that they were.

Spark finds, divides and hands out the files, on whatever file system they lie; its workers read them with the readers of a
local run, so that fields, dates, ids and rejects are the same. `position` is the place of an article in the order of
input. Plain JSON Lines and Parquet are read in pieces; CSV, JSON documents, text and compressed files each by one
task.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np

from dedup.errors import InputError
from dedup.io.schema import build_field_names, list_column_names
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
from dedup.spark.files.split_reader import (
    ARTICLE_SCHEMA,
    RECORD_SCHEMA,
    build_article_reader,
    build_record_reader,
)
from dedup.spark.files.splits import LINES, ROWS, WHOLE, Batches, SplitFormat, choose_split_format
from dedup.spark.session import convert_spark_errors

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

__all__ = ["SparkCorpus", "read_articles"]

MAX_TASKS = 1024
"""Files that are read as a whole are parted among so many tasks at most."""
CORRUPT_PARQUET_ERROR = re.compile(r"\[FAILED_READ_FILE\.(?:CANNOT_READ_FILE_FOOTER|NO_HINT)\b")
"""How Spark begins to say that a file of Parquet is damaged, before it names it."""


def read_articles(
    session: SparkSession,
    *paths: str | Path,
    fields: Mapping[str, str] | None = None,
    strict: bool = False,
) -> SparkCorpus:
    """Return the articles of files, folders and patterns, on this machine or on any file system that Spark knows.

    `fields` maps our names to theirs. With `strict`, the first line that cannot be read is an InputError; otherwise it is
    among the `rejects`.
    """
    found = SparkCorpus(session, paths, fields or {})
    with convert_spark_errors():
        found.check(strict=strict)
    return found


class SparkCorpus:
    """The articles of some files: as a DataFrame, and as the records that they were; surveyed when they are first asked for."""

    def __init__(self, session: SparkSession, paths: Sequence[str | Path], fields: Mapping[str, str]) -> None:
        self._session = session
        with convert_spark_errors():
            self._files = CorpusFiles(tuple(find_spark_files(session, paths)), build_field_names(fields))
        self._formats = [choose_split_format(source) for source in self._files.sources]
        # The pieces must be the same each time, even where executors come and go.
        tasks = session.conf.get("spark.sql.files.minPartitionNum", None)
        session.conf.set(
            "spark.sql.files.minPartitionNum", tasks or str(session.sparkContext.defaultParallelism)
        )

    @cached_property
    def _scan(self) -> Any:
        """Return the rows of a survey, and what they say."""
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
                    told = rows.withColumn("refused", sql.size("rejects")).drop("rejects").collect()
            except (PySparkException, Py4JError) as error:
                damaged = self._find_file_in_message(str(error))
                if damaged is None:
                    raise
                if rows is not None:
                    rows.unpersist()
                self._formats[damaged] = WHOLE
                continue
            survey = combine_scans(told)
            if not survey.foreign:
                return rows, survey
            rows.unpersist()
            for number in survey.foreign:
                self._formats[number] = WHOLE

    def _find_file_in_message(self, message: str) -> int | None:
        """Return the number of the Parquet file that an error of Spark's names: it is damaged, and our own reader says how."""
        if not CORRUPT_PARQUET_ERROR.search(message):
            return None
        said = f"{message}\n{unquote(message)}"  # some of its errors name a path as it is, others as a URL
        places = [
            (len(place), n)
            for n, source in enumerate(self._files.sources)
            if self._formats[n] is ROWS and (place := normalize_path(source.path)) in said
        ]
        return max(places)[1] if places else None

    def check(self, *, strict: bool) -> None:
        """Raise InputError where the files cannot be read; with `strict`, where anything in them is no article."""
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
        """Return what was odd but harmless, with how often it was so."""
        return Counter(self._scan[1].warnings)

    @property
    def rejects(self) -> SparkRejects:
        """Return what could not be read."""
        rows, survey = self._scan
        return SparkRejects(rows, self._files, survey)

    def has_file(self, path: str | Path) -> bool:
        """Return whether a path of this machine is one of the files, or leads to one."""
        here = (source.path for source in self._files.sources if not is_remote(source.path))
        return Path(path).exists() and any(Path(path).samefile(file) for file in here)

    @cached_property
    def frame(self) -> DataFrame:
        """Return the articles: the columns of SCHEMA, and the place of each in the order of input."""
        pieces = self._scan[1].splits
        return self._apply_to_files(
            lambda kind: build_article_reader(self._files, kind, pieces), ARTICLE_SCHEMA
        )

    def read_records(self, wanted: np.ndarray | None = None) -> DataFrame:
        """Return `position` and `record`, a line of JSON, of each article; only those wanted, one bit each, if that is given."""
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
        """Return the rows that a function of each kind makes of the files; `whole` are the columns of Parquet."""
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

    def _read_lines(self, numbers: Sequence[int], *, whole: bool) -> Iterator[DataFrame]:  # noqa: ARG002 - lines are always whole
        """Yield the lines of files, each with its piece."""
        from pyspark.sql import functions as sql

        if numbers:
            lines = self._session.read.option("lineSep", "\n").text(self._get_paths(numbers))
            yield lines.select(sql.col("value").cast("binary"), *build_split_columns())

    def _read_rows(self, numbers: Sequence[int], *, whole: bool) -> Iterator[DataFrame]:
        """Yield the rows of Parquet files, each with its piece and its number."""
        from pyspark.sql import functions as sql

        if numbers:
            rows = self._session.read.option("mergeSchema", "true").parquet(*self._get_paths(numbers))
            self._files.build_reading(numbers[0], None, ignore).check_columns(rows.columns)
            asked = rows.columns if whole else list_column_names(self._files.names)
            known = [sql.col(escape_column_name(name)) for name in asked if name in rows.columns]
            yield rows.select(*build_split_columns(), sql.col("_metadata.row_index"), *known)

    def _read_whole_files(self, numbers: Sequence[int], *, whole: bool) -> Iterator[DataFrame]:  # noqa: ARG002 - as the name says
        """Yield the places of files; with their bytes, where they lie on a file system of Spark's."""
        paths = [self._files.sources[number].path for number in numbers]
        here = [(normalize_path(path), None) for path in paths if not is_remote(path)]
        if here:
            frame = self._session.createDataFrame(here, "path string, content binary")
            yield frame.repartition(min(len(here), MAX_TASKS))
        there = [escape_path(path) for path in paths if is_remote(path)]
        if there:
            yield self._session.read.format("binaryFile").load(there).select("path", "content")


def build_split_columns() -> list[Column]:
    """Return the columns that say which piece a row comes from."""
    from pyspark.sql import functions as sql

    return [sql.col("_metadata.file_path"), sql.col("_metadata.file_block_start")]


def escape_column_name(name: str) -> str:
    """Return the name of a column as Spark takes it, whatever is in it."""
    return "`" + name.replace("`", "``") + "`"
