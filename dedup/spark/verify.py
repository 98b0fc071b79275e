"""Candidate pairs → edges between articles that match: enough of them to connect what matches connect.

In: pairs, and the numbered sketches in slices. Out: rows of two numbers. A pair goes to the slice of its later article, a sketch
once to each slice where it is wanted. There pairs are judged as in a local run, but for those that are connected already.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from dedup.matching.classifier import rules_of
from dedup.matching.evidence import desk
from dedup.settings.settings import Settings
from dedup.sketches.codec import unpacked
from dedup.spark.kernels import join_matches, nearly
from dedup.spark.numbering import SLICE_BITS
from dedup.spark.sketch import in_order

MATCHED = "later bigint, earlier bigint"
PAIR = ("later", "earlier", "banded")
MOST = 1 << 17
"""A slice that wants more sketches than this is parted: they would take a gigabyte."""


def matched(pairs: DataFrame, sketches: DataFrame, settings: Settings) -> DataFrame:
    """Return edges that connect all articles that match, of the numbered sketches."""
    sent = in_parts(pairs.where(sql.col("earlier").isNotNull()))
    ends = sql.explode(sql.array("later", "earlier")).alias("number")
    wanted = sent.select(sql.col("slice").alias("to"), sql.col("part").alias("in"), ends).distinct()
    there = wanted.join(sketches.select("number", "day", "sketch"), "number")
    both = sent.groupBy("slice", "part").cogroup(there.groupBy("to", "in"))
    return both.applyInArrow(matcher(settings), MATCHED)


def in_parts(pairs: DataFrame) -> DataFrame:
    """Return pairs with the `slice` of their later article, and the `part` of it where that wants too many sketches."""
    pairs = pairs.withColumn("slice", sql.shiftright("later", SLICE_BITS))
    wants = pairs.groupBy("slice").agg(sql.approx_count_distinct("earlier").alias("wants")).collect()
    large = [(row.slice, -(-row.wants // MOST)) for row in wants if row.wants > MOST]
    if not large:
        return pairs.withColumn("part", sql.lit(0).cast("bigint"))
    parts = pairs.sparkSession.createDataFrame(large, "slice bigint, parts bigint")
    part = sql.pmod(sql.xxhash64("later"), sql.coalesce("parts", sql.lit(1))).alias("part")
    return pairs.join(sql.broadcast(parts), "slice", "left").select(*PAIR, "slice", part)


def matcher(settings: Settings) -> Callable[[pa.Table, pa.Table], pa.Table]:
    """Return the function that judges the pairs of a slice by the sketches that were sent to it."""

    def match(pairs: pa.Table, sketches: pa.Table) -> pa.Table:
        return joining(pairs, sketches, settings)

    return match


def joining(pairs: pa.Table, sketches: pa.Table, settings: Settings) -> pa.Table:
    """Return those pairs of a slice that match and join two sets of its articles, those that share bands first."""
    sketches, rules = in_order(sketches), rules_of(settings)
    numbers, none = sketches["number"].to_numpy(), np.zeros((len(sketches), 0), np.uint32)
    days = np.array(sketches["day"].to_numpy(), np.float64)
    s = unpacked(sketches["sketch"].to_pylist(), days, none, none)
    pairs = pairs.sort_by([("later", "ascending"), ("banded", "descending")])
    joins = join_matches(
        s,
        *(np.searchsorted(numbers, pairs[end].to_numpy()) for end in ("later", "earlier")),
        pairs["banded"].to_numpy(),
        nearly(rules),
        settings.keep != "earliest" or bool(settings.sources),
        desk(),
    )
    return pairs.select(["later", "earlier"]).filter(pa.array(joins))
