"""Candidate pairs → edges between articles that match: enough of them to connect what matches connect.

In: pairs, and the numbered sketches in slices. Out: rows of two numbers. A pair goes to the slice of its later article, a sketch
once to each slice where it is wanted. There pairs are judged as in a local run, but for those that are connected already.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from dedup.evidence import desk
from dedup.matches import rules_of
from dedup.packing import unpacked
from dedup.pairs import HAIR, join_matches
from dedup.settings import Settings
from dedup.spark.numbering import SLICE_BITS

MATCHED = "later bigint, earlier bigint"


def matched(pairs: DataFrame, sketches: DataFrame, settings: Settings) -> DataFrame:
    """Return edges that connect all articles that match, of the numbered sketches."""
    slice_ = sql.shiftright("later", SLICE_BITS).alias("slice")
    sorted_ = pairs.where(sql.col("earlier").isNotNull()).select(slice_, "later", "earlier", "banded")
    ends = sql.explode(sql.array("later", "earlier")).alias("number")
    wanted = sorted_.select(sql.col("slice").alias("target"), ends).distinct()
    sent = wanted.join(sketches.select("number", "day", "sketch"), "number")
    both = sorted_.groupBy("slice").cogroup(sent.groupBy("target"))
    return both.applyInArrow(matcher(settings), MATCHED)


def matcher(settings: Settings) -> Callable[[pa.Table, pa.Table], pa.Table]:
    """Return the function that judges the pairs of a slice by the sketches that were sent to it."""

    def match(pairs: pa.Table, sketches: pa.Table) -> pa.Table:
        return joining(pairs, sketches, settings)

    return match


def joining(pairs: pa.Table, sketches: pa.Table, settings: Settings) -> pa.Table:
    """Return those pairs of a slice that match and join two sets of its articles, those that share bands first."""
    sketches, rules = sketches.sort_by("number"), rules_of(settings)
    numbers, none = sketches["number"].to_numpy(), np.zeros((len(sketches), 0), np.uint32)
    days = np.array(sketches["day"].to_numpy(), np.float64)
    s = unpacked(sketches["sketch"].to_pylist(), days, none, none)
    pairs = pairs.sort_by([("later", "ascending"), ("banded", "descending")])
    joins = join_matches(
        s,
        *(np.searchsorted(numbers, pairs[end].to_numpy()) for end in ("later", "earlier")),
        pairs["banded"].to_numpy(),
        rules,
        rules.least_logit - HAIR,
        settings.keep != "earliest" or bool(settings.sources),
        desk(),
    )
    return pairs.select(["later", "earlier"]).filter(pa.array(joins))
