"""Verify candidate pairs, and return enough matching pairs to connect all articles that matches connect.

Each pair goes to the slice of its later article, and each sketch once to every slice that needs it. Pairs are
classified as in a local run, except pairs of articles that are already connected.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from dedup.matching.cell_pairs import find_joining_pairs, with_tolerance
from dedup.matching.match_params import make_match_params
from dedup.settings.settings import Settings
from dedup.sketches.codec import unpack_sketches
from dedup.spark.numbering import SLICE_BITS
from dedup.spark.sketch import sort_by_number

EDGE_SCHEMA = "later bigint, earlier bigint"
PAIR_COLUMNS = ("later", "earlier", "banded")
MAX_SLICE_SKETCHES = 1 << 17
"""A slice that needs more sketches is split; this many take a gigabyte."""


def verify_candidates(pairs: DataFrame, sketches: DataFrame, settings: Settings) -> DataFrame:
    """Return edges that connect all matching articles."""
    slices = split_slices(pairs.where(sql.col("earlier").isNotNull()))
    ends = sql.explode(sql.array("later", "earlier")).alias("number")
    requests = slices.select(sql.col("slice").alias("to"), sql.col("part").alias("in"), ends).distinct()
    requested_sketches = requests.join(sketches.select("number", "day", "sketch"), "number")
    groups = slices.groupBy("slice", "part").cogroup(requested_sketches.groupBy("to", "in"))
    return groups.applyInArrow(build_verifier(settings), EDGE_SCHEMA)


def split_slices(pairs: DataFrame) -> DataFrame:
    """Return pairs with the slice of their later article, and a part number if the slice needs too many sketches."""
    pairs = pairs.withColumn("slice", sql.shiftright("later", SLICE_BITS))
    wants = pairs.groupBy("slice").agg(sql.approx_count_distinct("earlier").alias("wants")).collect()
    large = [
        (row.slice, -(-row.wants // MAX_SLICE_SKETCHES)) for row in wants if row.wants > MAX_SLICE_SKETCHES
    ]
    if not large:
        return pairs.withColumn("part", sql.lit(0).cast("bigint"))
    parts = pairs.sparkSession.createDataFrame(large, "slice bigint, parts bigint")
    part = sql.pmod(sql.xxhash64("later"), sql.coalesce("parts", sql.lit(1))).alias("part")
    return pairs.join(sql.broadcast(parts), "slice", "left").select(*PAIR_COLUMNS, "slice", part)


def build_verifier(settings: Settings) -> Callable[[pa.Table, pa.Table], pa.Table]:
    """Return the function that classifies the pairs of a slice, given their sketches."""

    def verify_slice(pairs: pa.Table, sketches: pa.Table) -> pa.Table:
        return select_joining_pairs(pairs, sketches, settings)

    return verify_slice


def select_joining_pairs(pairs: pa.Table, sketches: pa.Table, settings: Settings) -> pa.Table:
    """Return the pairs of a slice that match and join two sets of articles; banded pairs are checked first."""
    sketches, rules = sort_by_number(sketches), make_match_params(settings)
    numbers, none = sketches["number"].to_numpy(), np.zeros((len(sketches), 0), np.uint32)
    days = np.array(sketches["day"].to_numpy(), np.float64)
    s = unpack_sketches(sketches["sketch"].to_pylist(), days, none, none)
    pairs = pairs.sort_by([("later", "ascending"), ("banded", "descending")])
    later, earlier = (np.searchsorted(numbers, pairs[end].to_numpy()) for end in ("later", "earlier"))
    joins = find_joining_pairs(
        s,
        later,
        earlier,
        pairs["banded"].to_numpy(),
        with_tolerance(rules),
        both_ways=settings.keep != "earliest" or bool(settings.sources),
    )
    return pairs.select(["later", "earlier"]).filter(pa.array(joins))
