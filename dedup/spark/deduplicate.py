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
from dedup.spark.candidates import paired
from dedup.spark.checkpoints import Work, stages_of
from dedup.spark.cluster import decided, decided_again
from dedup.spark.components import connected
from dedup.spark.history import answered_again, known_again, lake_at, remembered, settled
from dedup.spark.numbering import WRITTEN, Numbered, numbered
from dedup.spark.sketch import sketched
from dedup.spark.verify import matched

LINK = ("storyline", "follows", "probability")
"""The first article of the storyline of each; and of a kept article that follows it: it again, and how likely."""
COLUMNS = (
    "id", "title", "source", "published", "cluster", "canonical", "relation", "score", "evidence", *LINK
)  # fmt: skip
TOLD = (*COLUMNS, "position", "length", "repeated")
"""`position` is as it was given, `repeated` an article that was given twice, where it is not the first."""


class Outcome(NamedTuple):
    """What became of a DataFrame of articles."""

    articles: DataFrame
    """`TOLD`: a row an article. It is read from the work directory."""
    warnings: dict[str, int]
    """Sentences for the user, with how often each applied."""
    bounded: int
    """For how many articles a bound on the work was reached (`max_candidates`, `max_postings`)."""


def deduplicate(
    articles: DataFrame, settings: Settings | None = None, *, work: str | None = None, lake: str | None = None
) -> DataFrame:
    """Return what becomes of each article: a row of `COLUMNS` for each, as a local run decides.

    `articles` has the columns of `fields.SCHEMA`, and may have a `dedup_position`, the place of each in the order of input;
    `cluster` is the id of the article that is kept. An article without an id gets one that is made of what it is. Stages are
    written to a new folder in `work`, a directory that all workers share, and stay there; without it to a temporary folder of
    this machine, which vanishes with the program. `EngineError` where there is a cluster, and no `work`. With a `lake`, a
    directory, the articles are compared with those of all runs before that had it, too, and are remembered there.
    """
    settings, lasting = settings or Settings(), ExitStack()
    atexit.register(lasting.close)
    place = lasting.enter_context(stages_of(articles.sparkSession, work, settings.work_dir))
    return outcome(articles, settings, place, lake).articles.select(*COLUMNS)


def outcome(articles: DataFrame, settings: Settings, place: str, lake: str | None = None) -> Outcome:
    """Return what becomes of each article, with all stages kept in the directory `place`, and remembered in a `lake`."""
    settings = in_force(articles, settings, remembers=lake is not None)
    work = Work(place)
    remembers = lake_at(lake, articles.sparkSession, settings) if lake is not None else None
    past = remembers.past() if remembers else None
    row = sql.coalesce("position", sql.monotonically_increasing_id())
    raw = sketched(articles, settings).withColumn("row", row)
    raw = work.kept(raw, "given")
    again = work.kept(known_again(raw, past.decisions), "again") if past else None
    new = raw.join(again, "row", "left_anti") if again else raw
    given = numbered(new, work, past and past.decisions)
    sketches = (remembers.work if remembers else work).kept(given.sketches, "sketches")
    every = sketches.unionByName(past.sketches) if past else sketches
    pairs = work.kept(paired(sketches, settings, past and past.marked()), "pairs")
    edges = work.kept(matched(pairs, every, settings), "edges")
    led, settled_ = settled(edges, past.decisions) if past else (None, None)
    members = work.kept(connected(edges.unionByName(led) if led else edges, work), "components")
    made = work.kept(decided(members, every, settings, settled_), "decisions")
    if remembers:
        remembers.work.kept(remembered(sketches, made, settings), "decisions")
        remembers.commit(settings)
    found = given_out(given, sketches, pairs, made)
    if past is None or again is None:
        return found
    answered = answered_again(raw, again, past.decisions).select(*TOLD)
    return found._replace(articles=found.articles.unionByName(answered))


def in_force(articles: DataFrame, settings: Settings, *, remembers: bool) -> Settings:
    """Return the settings with `undated` as it is in force; runs that are remembered are a stream."""
    if remembers:
        check_undated(settings)
        return replace(settings, undated="apart")
    dated = settings.undated == "auto" and bool(articles.where(sql.col("published").isNotNull()).head(1))
    return resolve_undated(settings, np.array([0.0 if dated else np.nan]))


def given_out(given: Numbered, sketches: DataFrame, pairs: DataFrame, made: DataFrame) -> Outcome:
    """Return the outcome that the stages have found."""
    known = sketches.select("row", "number", *WRITTEN)
    alone = known.join(made, "number", "left").withColumns(
        {
            "cluster": sql.coalesce("cluster", "id"),
            "storyline": sql.coalesce("storyline", "id"),
            "canonical": sql.coalesce("canonical", sql.lit(True)),  # noqa: FBT003 - a value
            "repeated": sql.lit(False),  # noqa: FBT003 - as above
        }
    )
    every = alone.select(*TOLD)
    if given.warnings:
        every = every.unionByName(decided_again(given.repeats, alone).select(*TOLD))
    cut = pairs.where(sql.col("earlier").isNull()).select(sql.col("later").alias("number"))
    bounded = cut.unionByName(made.where("bounded").select("number")).distinct().count()
    return Outcome(every, given.warnings, bounded)
