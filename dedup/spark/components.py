"""Find the connected components of articles, given edges between them.

The input is edges as rows of two numbers. The output has, for each article with an edge, the smallest number
in its component. A few million edges are joined in one task; more are joined by alternating large and small
stars (Kiveris et al., 2014), with a checkpoint in each round.
"""

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sql

from dedup.matching.cell_pairs import join_edges
from dedup.spark.checkpoints import Checkpoints

COMPONENT_SCHEMA = "number bigint, component bigint"
MAX_EDGES_IN_TASK = 1 << 22
"""The most edges, of sixteen bytes each, that one task joins."""


def connect_components(edges: DataFrame, work: Checkpoints) -> DataFrame:
    """Return the component of each article that has an edge: the smallest number in it."""
    if edges.count() <= MAX_EDGES_IN_TASK:
        return (
            edges.withColumn("all", sql.lit(0))
            .groupBy("all")
            .applyInArrow(compute_components, COMPONENT_SCHEMA)
        )
    edges = edges.toDF("u", "v")
    before, round_ = None, 0
    while True:
        stars = build_small_stars(build_large_stars(edges)).distinct()
        edges = work.save(stars, f"edges-{round_}")
        state = edges.agg(sql.count(sql.lit(1)), sql.sum(sql.hash("u", "v"))).first()
        if state == before:
            break
        before, round_ = state, round_ + 1
    own = edges.select(sql.col("v").alias("number"), sql.col("v").alias("component")).distinct()
    return edges.select(sql.col("u").alias("number"), sql.col("v").alias("component")).unionByName(own)


def compute_components(edges: pa.Table) -> pa.Table:
    """Return the components of all edges, in one task."""
    ends = np.stack([ends.to_numpy() for ends in (edges["later"], edges["earlier"])], axis=1)
    numbers, places = np.unique(ends, return_inverse=True)
    parents = np.arange(len(numbers))
    join_edges(places.reshape(-1, 2), parents)
    return pa.table({"number": numbers, "component": numbers[parents]})


def find_least_neighbour() -> Column:
    """Return the column with the smallest of u and its neighbours v."""
    return sql.least("u", sql.min("v").over(Window.partitionBy("u")))


def build_large_stars(edges: DataFrame) -> DataFrame:
    """Return edges (u > v) from each larger neighbour of an article to the smallest of its neighbours and itself."""
    back = edges.select(sql.col("v").alias("u"), sql.col("u").alias("v"))
    each = edges.unionByName(back).withColumn("least", find_least_neighbour())
    larger = each.where(sql.col("v") > sql.col("u"))
    return larger.select(sql.col("v").alias("u"), sql.col("least").alias("v")).distinct()


def build_small_stars(edges: DataFrame) -> DataFrame:
    """Return edges (u > v) from an article and each of its smaller neighbours to the smallest of them."""
    each = edges.withColumn("least", find_least_neighbour())
    smaller = each.where(sql.col("v") != sql.col("least")).select(sql.col("v").alias("u"), "least")
    own = each.select("u", "least")
    return smaller.unionByName(own).distinct().toDF("u", "v")
