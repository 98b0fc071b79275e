"""Articles → what becomes of them, on Spark: the one place where the stages stand in order.

sketching → numbering → pairing → matching → components → deciding
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
"""The first article of the storyline of each; and of a kept article that follows it: it again, and how likely."""
OUTPUT_COLUMNS = (
    "id", "title", "source", "published", "cluster", "canonical", "relation", "score", "evidence", *STORYLINE_COLUMNS
)  # fmt: skip
RESULT_COLUMNS = (*OUTPUT_COLUMNS, "position", "length", "repeated")
"""`position` is as it was given, `repeated` an article that was given twice, where it is not the first."""


class SparkResult(NamedTuple):
    """What became of a DataFrame of articles."""

    articles: DataFrame
    """`RESULT_COLUMNS`: a row an article. It is read from the work directory."""
    warnings: dict[str, int]
    """Sentences for the user, with how often each applied."""
    limit_reached: int
    """For how many articles a bound on the work was reached (`max_candidates`, `max_postings`)."""


def deduplicate(
    articles: DataFrame, settings: Settings | None = None, *, work: str | None = None, lake: str | None = None
) -> DataFrame:
    """Return what becomes of each article: a row of `OUTPUT_COLUMNS` for each, as a local run decides.

    `articles` has the columns of `fields.DEFAULT_SCHEMA`, and may have a `dedup_position`, the place of each in the order of
    input; `cluster` is the id of the article that is kept. An article without an id gets one that is made of what it is.
    Stages are written to a new folder in `work`, a directory that all workers share, and stay there; without it to a
    temporary folder of this machine, which vanishes with the program. `EngineError` where there is a cluster, and no `work`.
    With a `lake`, a directory, the articles are compared with those of all runs before that had it, too, and are remembered
    there.
    """
    settings, lasting = settings or Settings(), ExitStack()
    atexit.register(lasting.close)
    place = lasting.enter_context(create_stage_folder(articles.sparkSession, work, settings.work_dir))
    return run_stages(articles, settings, place, lake).articles.select(*OUTPUT_COLUMNS)


def run_stages(
    articles: DataFrame, settings: Settings, directory: str, lake: str | None = None
) -> SparkResult:
    """Return what becomes of each article, with all stages kept in the directory `place`, and remembered in a `lake`."""
    settings = resolve_settings(articles, settings, has_history=lake is not None)
    work = Checkpoints(directory)
    remembers = open_history(lake, articles.sparkSession, settings) if lake is not None else None
    past = remembers.read_past() if remembers else None
    row = sql.coalesce("position", sql.monotonically_increasing_id())
    raw = sketch_frame(articles, settings).withColumn("row", row)
    raw = work.save(raw, "given")
    again = work.save(find_seen_before(raw, past.decisions), "again") if past else None
    new = raw.join(again, "row", "left_anti") if again else raw
    given = assign_numbers(new, work, past and past.decisions)
    sketches = (remembers.checkpoints if remembers else work).save(given.sketches, "sketches")
    every = sketches.unionByName(past.sketches) if past else sketches
    pairs = work.save(generate_candidates(sketches, settings, past and past.join_marks()), "pairs")
    edges = work.save(verify_candidates(pairs, every, settings), "edges")
    led, settled_ = collect_prior_decisions(edges, past.decisions) if past else (None, None)
    members = work.save(connect_components(edges.unionByName(led) if led else edges, work), "components")
    made = work.save(cluster_components(members, every, settings, settled_), "decisions")
    if remembers:
        remembers.checkpoints.save(build_history_rows(sketches, made, settings), "decisions")
        remembers.commit(settings)
    found = build_spark_result(given, sketches, pairs, made)
    if past is None or again is None:
        return found
    answered = restore_decisions(raw, again, past.decisions).select(*RESULT_COLUMNS)
    return found._replace(articles=found.articles.unionByName(answered))


def resolve_settings(articles: DataFrame, settings: Settings, *, has_history: bool) -> Settings:
    """Return the settings with `undated` as it is in force; runs that are remembered are a stream."""
    if has_history:
        check_undated(settings)
        return replace(settings, undated="apart")
    dated = settings.undated == "auto" and bool(articles.where(sql.col("published").isNotNull()).head(1))
    return resolve_undated(settings, np.array([0.0 if dated else np.nan]))


def build_spark_result(
    numbered: NumberedArticles, sketches: DataFrame, pairs: DataFrame, decisions: DataFrame
) -> SparkResult:
    """Return the outcome that the stages have found."""
    known = sketches.select("row", "number", *WRITTEN_COLUMNS)
    alone = known.join(decisions, "number", "left").withColumns(
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
