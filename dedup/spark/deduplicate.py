"""Deduplicate a DataFrame on Spark.

The stages are: sketch, number, find candidates, verify, connect components, cluster.
"""

import atexit
from contextlib import ExitStack
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from dedup.index.index import check_undated
from dedup.pipeline.deduplicate import resolve_undated
from dedup.settings.settings import Settings
from dedup.spark.candidates import generate_candidates
from dedup.spark.checkpoints import Checkpoints, create_stage_folder
from dedup.spark.cluster import cluster_components, decide_repeated_inputs
from dedup.spark.components import connect_components
from dedup.spark.history import (
    build_history_rows,
    collect_prior_decisions,
    find_seen_before,
    open_history,
    restore_decisions,
)
from dedup.spark.numbering import WRITTEN_COLUMNS, NumberedArticles, assign_numbers
from dedup.spark.sketch import sketch_frame
from dedup.spark.verify import verify_candidates

STORYLINE_COLUMNS = ("storyline", "follows", "probability")
"""The first article of the storyline; for a kept article that follows it, the same id again and the probability."""
OUTPUT_COLUMNS = (
    "id", "title", "source", "published", "cluster", "canonical", "relation", "score", "evidence", *STORYLINE_COLUMNS
)  # fmt: skip
RESULT_COLUMNS = (*OUTPUT_COLUMNS, "position", "length", "repeated")
"""Column position is the position in the input; column repeated marks repeats of the input."""


class SparkResult(NamedTuple):
    """The decisions on a DataFrame of articles."""

    articles: DataFrame
    """`RESULT_COLUMNS`, one row per article; it is read from the work directory."""
    warnings: dict[str, int]
    """Sentences for the user, each with the number of times it applied."""
    limit_reached: int
    """The number of articles that reached a limit (`max_candidates`, `max_postings`)."""


def deduplicate(
    articles: DataFrame, settings: Settings | None = None, *, work: str | None = None, lake: str | None = None
) -> DataFrame:
    """Return the decision on each article, one row of `OUTPUT_COLUMNS` each, the same as in a local run.

    `articles` has the columns of `DEFAULT_SCHEMA`. An optional column "dedup_position" has the position of
    each article in the input. An article without an id gets one made from its content. The output column
    "cluster" is the id of the kept article.

    Intermediate results are written to a new folder in `work`, a directory that all workers share, and stay
    there. Without `work` they go to a temporary folder on this machine, which is removed when the program
    ends; on a cluster this raises `EngineError`. With a directory `lake`, articles are also compared with
    those of all earlier runs with this lake, and are added to it.
    """
    settings, stack = settings or Settings(), ExitStack()
    atexit.register(stack.close)
    directory = stack.enter_context(create_stage_folder(articles.sparkSession, work, settings.work_dir))
    return run_stages(articles, settings, directory, lake).articles.select(*OUTPUT_COLUMNS)


def run_stages(
    articles: DataFrame, settings: Settings, directory: str, lake: str | None = None
) -> SparkResult:
    """Return the decision on each article; the stages are saved in `directory`, and the articles are added to `lake`."""
    settings = resolve_settings(articles, settings, has_history=lake is not None)
    work = Checkpoints(directory)
    history = open_history(lake, articles.sparkSession, settings) if lake is not None else None
    past = history.read_past() if history else None
    row = sql.coalesce("position", sql.monotonically_increasing_id())
    raw = sketch_frame(articles, settings).withColumn("row", row)
    raw = work.save(raw, "given")
    again = work.save(find_seen_before(raw, past.decisions), "again") if past else None
    new = raw.join(again, "row", "left_anti") if again else raw
    numbered = assign_numbers(new, work, past and past.decisions)
    sketches = (history.checkpoints if history else work).save(numbered.sketches, "sketches")
    all_sketches = sketches.unionByName(past.sketches) if past else sketches
    pairs = work.save(generate_candidates(sketches, settings, past and past.join_marks()), "pairs")
    edges = work.save(verify_candidates(pairs, all_sketches, settings), "edges")
    prior_edges, prior = collect_prior_decisions(edges, past.decisions) if past else (None, None)
    members = work.save(
        connect_components(edges.unionByName(prior_edges) if prior_edges else edges, work), "components"
    )
    decisions = work.save(cluster_components(members, all_sketches, settings, prior), "decisions")
    if history:
        history.checkpoints.save(build_history_rows(sketches, decisions, settings), "decisions")
        history.commit(settings)
    result = build_spark_result(numbered, sketches, pairs, decisions)
    if past is None or again is None:
        return result
    restored = restore_decisions(raw, again, past.decisions).select(*RESULT_COLUMNS)
    return result._replace(articles=result.articles.unionByName(restored))


def resolve_settings(articles: DataFrame, settings: Settings, *, has_history: bool) -> Settings:
    """Return the settings with the effective value of `undated`; runs with a history are treated as a stream."""
    if has_history:
        check_undated(settings)
        return replace(settings, undated="apart")
    dated = settings.undated == "auto" and bool(articles.where(sql.col("published").isNotNull()).head(1))
    return resolve_undated(settings, np.array([0.0 if dated else np.nan]))


def build_spark_result(
    numbered: NumberedArticles, sketches: DataFrame, pairs: DataFrame, decisions: DataFrame
) -> SparkResult:
    """Return the result of a run from the results of its stages."""
    written = sketches.select("row", "number", *WRITTEN_COLUMNS)
    alone = written.join(decisions, "number", "left").withColumns(
        {
            "cluster": sql.coalesce("cluster", "id"),
            "storyline": sql.coalesce("storyline", "id"),
            "canonical": sql.coalesce("canonical", sql.lit(True)),  # noqa: FBT003 - a value
            "repeated": sql.lit(False),  # noqa: FBT003 - as above
        }
    )
    every = alone.select(*RESULT_COLUMNS)
    if numbered.warnings:
        every = every.unionByName(decide_repeated_inputs(numbered.repeats, alone).select(*RESULT_COLUMNS))
    cut = pairs.where(sql.col("earlier").isNull()).select(sql.col("later").alias("number"))
    bounded = cut.unionByName(decisions.where("bounded").select("number")).distinct().count()
    return SparkResult(every, numbered.warnings, bounded)
