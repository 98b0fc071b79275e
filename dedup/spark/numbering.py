"""Number the sketches by age, in slices, with unique ids.

The input has a unique column row. The output has a column number that ascends in the default rank order
(earliest first, undated last). Repeats of the input are separate, with the row of the first copy. Among
articles with the same id, the first is the one with the smallest position. Spark has no input order, so
without positions it is the earliest, then the longest, then the one with the smallest hash of its text.
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
"""Articles in a slice; their sketches and those of their candidates take a few hundred megabytes."""
SLICE_BITS = 33
"""The low bits of a number are the position within its slice, as in Spark's monotonically increasing ids."""
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
"""The columns that are written for an article, or that determine its place in the output."""


class NumberedArticles(NamedTuple):
    """Numbered articles, and repeats of the input."""

    sketches: DataFrame
    repeats: DataFrame
    """`WRITTEN_COLUMNS`, and the row of the first copy (column first)."""
    warnings: dict[str, int]


def assign_numbers(sketches: DataFrame, work: Checkpoints, past: DataFrame | None = None) -> NumberedArticles:
    """Return the sketches with unique ids, in slices by age.

    The column `given` has the id in the input. Numbers and ids differ from those of the articles in `past` (columns
    number, id, given).
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
    """Return the first number of this slice; it follows all numbers given in earlier runs."""
    last = None if past is None else (past.agg(sql.max("number")).first() or [None])[0]
    return 0 if last is None else (int(last) >> SLICE_BITS) + 1 << SLICE_BITS


def assign_new_ids(sketches: DataFrame, past: DataFrame | None = None) -> DataFrame:
    """Return new names for the articles whose id is not unique, or could collide with such a new name."""
    root = sql.regexp_replace("id", r"(#\d+)+$", "").alias("root")
    rows = sketches.select("id", *ARTICLE_COLUMNS, root)
    if past is not None:
        ids = past.select(sql.explode(sql.array("id", "given")).alias("id")).distinct()
        nulls = [sql.lit(None).cast(kind).alias(name) for name, kind in ARTICLE_COLUMNS.items()]
        rows = rows.unionByName(ids.select("id", root, *nulls))
    counted = rows.groupBy("id").agg(sql.count(sql.lit(1)).alias("all"), sql.count("row").alias("new"))
    roots = counted.where((sql.col("all") > 1) & (sql.col("new") > 0)).select(root).distinct()
    return (
        rows.join(roots, "root", "left_semi").groupBy("root").applyInArrow(rename_repeated_ids, NAME_SCHEMA)
    )


def rename_repeated_ids(table: pa.Table) -> pa.Table:
    """Return the new names of articles whose ids differ at most by a suffix, and which of them are repeats."""
    order: Iterable[tuple[str, str]] = [
        (name, "descending" if name == "length" else "ascending") for name in BY_AGE
    ]
    before = table.filter(pc.is_null(table["row"]))["id"].to_pylist()
    table = table.filter(pc.is_valid(table["row"])).sort_by(list(order))
    rows, text_hashes = table["row"].to_numpy(), table["telling"].to_numpy()
    articles, repeats, _ = deduplicate_ids(table.select(["id"]), text_hashes, before)
    renamed = np.array(articles["id"].to_pylist()) != np.array(table["id"].to_pylist())
    return pa.table(
        {
            "row": rows,
            "name": articles["id"],
            "first": pa.array(rows[repeats], mask=repeats < 0),
            "renamed": renamed & (repeats < 0),
        }
    )
