"""Write the decisions of a Spark run as the same lines as a local run, in the same order.

The records of the articles are read again. The result is a DataFrame of blocks of JSON lines, in the order of
its partitions. For a local file, they are fetched part by part; for a folder, each task writes its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.errors import OutputError
from dedup.io.atomic_write import format_reject_line
from dedup.io.batching import group_items
from dedup.io.records import Record
from dedup.io.schema import BATCH_BYTES
from dedup.matching.classifier import Match
from dedup.pipeline.results import build_verdict_object
from dedup.pipeline.writers import format_cluster_line, make_cluster_member
from dedup.settings.settings import Settings
from dedup.spark.files.discovery import is_remote
from dedup.spark.files.read import SparkCorpus
from dedup.spark.files.scan import SparkRejects
from dedup.spark.files.split_formats import Batches
from dedup.spark.files.split_reader import POSITION
from dedup.spark.session import get_first_line

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

__all__ = [
    "RunSummary",
    "build_annotated_frame",
    "build_cluster_frame",
    "is_folder",
    "iter_output_lines",
    "summarize_outcomes",
    "write_folder",
    "write_reject_folder",
]

LINES_SCHEMA = "lines binary"
VERDICT_COLUMNS = ("cluster", "canonical", "relation", "score", "storyline", "follows", "probability")
PART_ARTICLES = 50_000
"""The approximate number of articles in a part of the output, which one task sorts and which is fetched at once."""
UNDATED_SECONDS = (1 << 63) - 1
"""The key that sorts undated articles after all others."""


class RunSummary(NamedTuple):
    """The counts of a run."""

    articles: int
    clusters: int
    relations: Counter[str]
    followups: tuple[int, int]
    """The number of kept articles that follow another, and the number of their storylines."""


def summarize_outcomes(outcomes: DataFrame) -> RunSummary:
    """Return the number of articles by decision."""
    from pyspark.sql import functions as sql

    rows = outcomes.groupBy("relation").count().collect()
    led = outcomes.where(sql.col("relation").isNotNull() & ~sql.col("repeated"))
    relations = Counter({row["relation"]: row["count"] for row in rows if row["relation"]})
    follows = outcomes.where(sql.col("follows").isNotNull() & ~sql.col("repeated"))
    return RunSummary(
        articles=sum(row["count"] for row in rows),
        clusters=led.select("cluster").distinct().count(),
        relations=relations,
        followups=(follows.count(), follows.select("storyline").distinct().count()),
    )


def build_annotated_frame(outcomes: DataFrame, articles: SparkCorpus) -> DataFrame:
    """Return every article in input order, its fields unchanged, with its `dedup` object.

    One sort brings each record together with its decision, and also restores the input order.
    """
    from pyspark.sql import functions as sql

    verdicts = outcomes.select(POSITION, sql.lit(0).alias("kind"), *VERDICT_COLUMNS)
    records = articles.read_records().withColumn("kind", sql.lit(1))
    both = verdicts.unionByName(records, allowMissingColumns=True)
    parts = 1 + len(articles) // PART_ARTICLES
    part = sql.least(sql.col(POSITION) / PART_ARTICLES, sql.lit(parts - 1)).cast("int")
    ordered = both.repartitionById(parts, part).sortWithinPartitions(POSITION, "kind")
    return ordered.select("record", *VERDICT_COLUMNS).mapInArrow(format_annotated_batches, LINES_SCHEMA)


def format_annotated_batches(batches: Batches) -> Batches:
    """Yield each record with its `dedup` object; a record follows its decision."""

    def iter_annotated_lines() -> Iterator[bytes]:
        verdict: dict[str, Any] = {}
        for batch in batches:
            for row in batch.to_pylist():
                record = row.pop("record")
                if record is None:
                    verdict = build_verdict(row)
                else:
                    yield Record(record).with_dedup(verdict)

    return group_into_batches(iter_annotated_lines())


def build_verdict(row: dict[str, Any]) -> dict[str, Any]:
    """Return the `dedup` object of an article from its row of `VERDICT_COLUMNS`."""
    link = (row["follows"], row["probability"]) if row["follows"] is not None else None
    return build_verdict_object(row["cluster"], row["relation"], row["score"], row["storyline"], link)


def build_cluster_frame(outcomes: DataFrame, articles: SparkCorpus, settings: Settings) -> DataFrame:
    """Return each cluster of two or more, largest first, with the full canonical article."""
    from pyspark.sql import functions as sql

    named = ("id", "title", "source", "published", "relation", "score")
    evidence = sql.map_entries("evidence").alias("evidence")  # Spark cannot sort maps
    ranked = outcomes.withColumn("rank", build_rank_column(settings))
    members = (
        ranked.where(sql.col("relation").isNotNull() & ~sql.col("repeated"))
        .groupBy("cluster")
        .agg(sql.sort_array(sql.collect_list(sql.struct("rank", *named, evidence))).alias("members"))
    )
    heads = ranked.where("canonical").select(sql.col("id").alias("cluster"), "storyline", "rank", POSITION)
    rows = heads.join(members, "cluster").persist()
    bits = pack_positions(rows.select(POSITION).toArrow()[POSITION].to_numpy(), len(articles))
    full = rows.join(articles.read_records(bits), POSITION)
    ordered = full.orderBy(sql.size("members").desc(), "rank")
    return ordered.select("cluster", "storyline", "record", "members").mapInArrow(
        format_cluster_batches, LINES_SCHEMA
    )


def build_rank_column(settings: Settings) -> Column:
    """Return the column that sorts articles in rank order, as `rank_articles` does."""
    from pyspark.sql import functions as sql

    preference = sql.lit(len(settings.sources))
    for place, name in reversed(list(enumerate(settings.sources))):
        preference = sql.when(sql.col("source") == sql.lit(name), place).otherwise(preference)
    age = sql.coalesce(sql.unix_seconds("published"), sql.lit(UNDATED_SECONDS))
    keys = (age, -sql.col("length"))
    return sql.struct(
        preference.alias("preference"),
        *(key.alias(f"key{n}") for n, key in enumerate(keys if settings.keep == "earliest" else keys[::-1])),
        sql.col("id").alias("last"),
    )


def pack_positions(positions: np.ndarray, count: int) -> np.ndarray:
    """Return a bit array of `count` positions, with the bits of `positions` set.

    >>> pack_positions(np.array([0, 9]), 10).tolist()
    [1, 2]
    """
    bits = np.zeros(count, bool)
    bits[positions] = True
    return np.packbits(bits, bitorder="little")


def format_cluster_batches(batches: Batches) -> Batches:
    """Yield each cluster as a line of JSON."""

    def iter_cluster_lines() -> Iterator[bytes]:
        for batch in batches:
            for row in batch.to_pylist():
                members = [
                    make_cluster_member(build_member_match(each, row["cluster"]), each)
                    for each in row["members"]
                ]
                yield format_cluster_line(row["cluster"], row["storyline"], row["record"].strip(), members)

    return group_into_batches(iter_cluster_lines())


def build_member_match(row: dict[str, Any], canonical: str) -> Match:
    """Return the match of a member of a cluster."""
    evidence = {each["key"]: each["value"] for each in row["evidence"]}
    return Match(row["id"], canonical, row["relation"], row["score"], evidence)


def group_into_batches(lines: Iterable[bytes]) -> Batches:
    """Yield lines in batches for Spark."""
    for group in group_items(iter(lines), len, BATCH_BYTES):
        yield pa.RecordBatch.from_pydict({"lines": [b"\n".join(group)]})


def iter_output_lines(frame: DataFrame) -> Iterator[bytes]:
    """Yield the lines of a DataFrame one by one, while Spark computes the next part."""
    for row in frame.toLocalIterator(prefetchPartitions=True):
        yield from bytes(row["lines"]).split(b"\n")


def is_folder(path: str | None) -> bool:
    """Return whether an output is a folder of parts instead of a local file.

    >>> is_folder("s3a://bucket/stories"), is_folder("stories/"), is_folder("stories.jsonl")
    (True, True, False)
    """
    return path is not None and (is_remote(path) or path.endswith("/"))


def write_folder(path: str, frame: DataFrame) -> None:
    """Write lines as a folder of parts, one per task; raise `OutputError` if the folder exists."""
    from pyspark.errors import AnalysisException

    try:
        frame.selectExpr("cast(lines as string) as value").write.text(path)
    except AnalysisException as error:
        raise OutputError(f"cannot write {path}: {get_first_line(error)}") from error


def write_reject_folder(path: str, rejects: SparkRejects) -> None:
    """Write the rejects as a folder of parts."""
    rows = [{"lines": bytearray(format_reject_line(reject))} for reject in rejects]
    write_folder(path, rejects.session.createDataFrame(rows, LINES_SCHEMA))
