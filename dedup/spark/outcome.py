"""Articles → what becomes of them, on Spark: the one place where the stages stand in order.

sketching → numbering → pairing → matching → components → deciding
"""

import atexit
import shutil
import tempfile
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from dedup.settings import Settings
from dedup.spark.components import connected
from dedup.spark.deciding import decided, decided_again
from dedup.spark.matching import matched
from dedup.spark.numbering import numbered
from dedup.spark.pairing import paired
from dedup.spark.sketching import sketched
from dedup.spark.work import Work

COLUMNS = ("id", "title", "source", "published", "cluster", "canonical", "relation", "score", "evidence")


class Outcome(NamedTuple):
    """What became of a DataFrame of articles."""

    articles: DataFrame
    """`COLUMNS`: a row an article. It is read from the work directory."""
    warnings: dict[str, int]
    """Sentences for the user, with how often each applied."""
    bounded: int
    """For how many articles a bound on the work was reached (`max_candidates`, `max_postings`)."""


def deduplicate(
    articles: DataFrame, settings: Settings | None = None, *, work: str | None = None
) -> DataFrame:
    """Return what becomes of each article: a row of `COLUMNS` for each, as a local run decides.

    `articles` has the columns of `fields.SCHEMA`; `cluster` is the id of the article that is kept. Stages are written to `work`,
    a directory that all workers share, and stay there; without it to a temporary folder of this machine, which vanishes with
    the program.
    """
    if work is not None:
        return outcome(articles, settings or Settings(), work).articles
    folder = tempfile.mkdtemp(prefix="dedup-spark-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return outcome(articles, settings or Settings(), folder).articles


def outcome(articles: DataFrame, settings: Settings, place: str) -> Outcome:
    """Return what becomes of each article, with all stages kept in the directory `place`."""
    work = Work(place)
    raw = work.kept(
        sketched(articles, settings).withColumn("row", sql.monotonically_increasing_id()), "given"
    )
    given = numbered(raw, work)
    pairs = work.kept(paired(given.sketches, settings), "pairs")
    edges = work.kept(matched(pairs, given.sketches, settings), "edges")
    members = work.kept(connected(edges, work), "components")
    made = work.kept(decided(members, given.sketches, settings), "decisions")
    known = given.sketches.select("row", "number", "id", "title", "source", "published")
    alone = known.join(made, "number", "left").withColumns(
        {
            "cluster": sql.coalesce("cluster", "id"),
            "canonical": sql.coalesce("canonical", sql.lit(True)),  # noqa: FBT003 - a value
        }
    )
    every = alone.select(*COLUMNS)
    if "articles given twice" in "".join(given.warnings):
        every = every.unionByName(decided_again(given.repeats, alone).select(*COLUMNS))
    cut = pairs.where(sql.col("earlier").isNull()).select(sql.col("later").alias("number"))
    bounded = cut.unionByName(made.where("bounded").select("number")).distinct().count()
    return Outcome(every, given.warnings, bounded)
