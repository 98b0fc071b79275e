"""Sketches as they come → numbered sketches: by age, in slices, each article once and under an id of its own.

In: sketches with a `row` that no two have. Out: the same with a `number`, which rises as `pipeline.ranked` takes articles by
default (earliest first, undated last); and those that were given twice, with the row of the first. Where an id comes again, the
first is that of the least `position`; where there are none, for Spark has no order of input, the earliest, then the longest, then
the one whose text has the least hash.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from dedup.pipeline.deduplicate import RENAMED_IDS, REPEATED_INPUT, deduplicate_ids
from dedup.spark.checkpoints import Checkpoints

SLICE_ARTICLES = 1 << 15
"""Articles in a slice: their sketches, and those that are compared with them, take some hundred megabytes."""
SLICE_BITS = 33
"""A number is that of its slice, and so many bits for its place there: Spark's own monotonically increasing ids."""
NAME_SCHEMA = "row bigint, name string, first bigint, renamed boolean"
ARTICLE_COLUMNS = {
    "row": "bigint",
    "telling": "bigint",
    "time": "bigint",
    "length": "int",
    "position": "bigint",
}
BY_AGE = ("position", "time", "length", "telling", "row")


WRITTEN_COLUMNS = ("id", "title", "source", "published", "position", "length")
"""What is written of an article, or puts it in its place."""


class NumberedArticles(NamedTuple):
    """Articles that are numbered, and those that were given twice."""

    sketches: DataFrame
    repeats: DataFrame
    """`WRITTEN_COLUMNS`, and the row of the first giving (`first`)."""
    warnings: dict[str, int]


def assign_numbers(sketches: DataFrame, work: Checkpoints, past: DataFrame | None = None) -> NumberedArticles:
    """Return the sketches under ids of their own, in slices by age, with the id that was `given`.

    Numbers and ids are others than those of articles `before` (number, id, given).
    """
    named = work.save(assign_new_ids(sketches, past), "names")
    sketches = sketches.withColumn("given", sql.col("id"))
    counted = named.agg(sql.count("first"), sql.count_if("renamed")).first()
    repeats, renamed = counted or (0, 0)
    if repeats or renamed:
        whole = sketches.join(named, "row", "left").withColumn("id", sql.coalesce("name", "id"))
    else:
        whole = sketches.withColumn("first", sql.lit(None).cast("bigint"))
    own = whole.where(sql.col("first").isNull()).drop("name", "first", "renamed")
    again = whole.where(sql.col("first").isNotNull()).select(*WRITTEN_COLUMNS, "first")
    age = [sql.col("time").asc_nulls_last(), sql.col("length").desc(), sql.col("id").asc()]
    slices = max(1, -(-sketches.count() // SLICE_ARTICLES))
    sorted_ = own.repartitionByRange(slices, *age).sortWithinPartitions(*age)
    number = sql.monotonically_increasing_id() + sql.lit(get_next_number(past))
    return NumberedArticles(
        sorted_.withColumn("number", number),
        again,
        {sentence: count for sentence, count in ((REPEATED_INPUT, repeats), (RENAMED_IDS, renamed)) if count},
    )


def get_next_number(past: DataFrame | None) -> int:
    """Return the first number of the slice after all those of before."""
    last = None if past is None else (past.agg(sql.max("number")).first() or [None])[0]
    return 0 if last is None else (int(last) >> SLICE_BITS) + 1 << SLICE_BITS


def assign_new_ids(sketches: DataFrame, past: DataFrame | None = None) -> DataFrame:
    """Return the articles whose id more than one has, or whose id could be what one of those is named, with new names."""
    root = sql.regexp_replace("id", r"(#\d+)+$", "").alias("root")
    known = sketches.select("id", *ARTICLE_COLUMNS, root)
    if past is not None:
        ids = past.select(sql.explode(sql.array("id", "given")).alias("id")).distinct()
        unknown = [sql.lit(None).cast(kind).alias(name) for name, kind in ARTICLE_COLUMNS.items()]
        known = known.unionByName(ids.select("id", root, *unknown))
    counted = known.groupBy("id").agg(sql.count(sql.lit(1)).alias("all"), sql.count("row").alias("new"))
    roots = counted.where((sql.col("all") > 1) & (sql.col("new") > 0)).select(root).distinct()
    return (
        known.join(roots, "root", "left_semi").groupBy("root").applyInArrow(rename_repeated_ids, NAME_SCHEMA)
    )


def rename_repeated_ids(table: pa.Table) -> pa.Table:
    """Return the names of articles whose ids differ by a suffix at most, and of which of them each is a repeat."""
    order: Iterable[tuple[str, str]] = [
        (name, "descending" if name == "length" else "ascending") for name in BY_AGE
    ]
    before = table.filter(pc.is_null(table["row"]))["id"].to_pylist()
    table = table.filter(pc.is_valid(table["row"])).sort_by(list(order))
    rows, tellings = table["row"].to_numpy(), table["telling"].to_numpy()
    articles, repeats, _ = deduplicate_ids(table.select(["id"]), tellings, before)
    renamed = np.array(articles["id"].to_pylist()) != np.array(table["id"].to_pylist())
    return pa.table(
        {
            "row": rows,
            "name": articles["id"],
            "first": pa.array(rows[repeats], mask=repeats < 0),
            "renamed": renamed & (repeats < 0),
        }
    )
