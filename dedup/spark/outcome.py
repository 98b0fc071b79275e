"""Articles → what becomes of them, on Spark: the one place where the stages stand in order.

sketching → numbering → pairing → matching → components → deciding
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as sql

from dedup.settings import Settings
from dedup.spark.deciding import decided
from dedup.spark.sketching import sketched

COLUMNS = ("id", "title", "source", "published", "cluster", "canonical", "relation", "score", "evidence")


def deduplicate(articles: DataFrame, settings: Settings | None = None) -> DataFrame:
    """Return what becomes of each article: a row of `COLUMNS` for each, as a local run decides.

    `articles` has the columns of `fields.SCHEMA`. `cluster` is the id of the article that is kept.
    """
    return outcomes(articles, settings or Settings()).select(*COLUMNS)


def outcomes(articles: DataFrame, settings: Settings) -> DataFrame:
    """Return what becomes of each article, as `deduplicate`, with what the command line needs beside it."""
    sketches = sketched(articles, settings).withColumn("number", sql.monotonically_increasing_id())
    sketches = sketches.withColumn("bucket", sql.lit(0))
    found = sketches.join(decided(sketches, settings), "number")
    return found.withColumn("repeated", sql.lit(False)).withColumn("renamed", sql.lit(False))  # noqa: FBT003
