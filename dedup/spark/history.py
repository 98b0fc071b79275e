"""A directory that remembers articles → what a later run must know of them; and what a run found out → that directory.

In: Parquet, a folder a run: `sketches`, keys among them, and `decisions`. Out: DataFrames. No text is ever read again.
A run counts once it stands in the `log`, which is written last; one that was broken off leaves a folder that no run reads. Of
runs that overlap the first to end is remembered, and the others must be run again; two that end in the same seconds are not told
apart. Who was kept stays kept, as in an index (`dedup.index`), whose settings are checked the same way.
"""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as sql

from dedup.errors import IndexingError
from dedup.index.compatibility import check, fingerprint
from dedup.index.lookup import FULL, UNSEEN
from dedup.settings.settings import RELATIONS, Settings
from dedup.spark.checkpoints import Work
from dedup.spark.files.discovery import schemed, spelled
from dedup.spark.numbering import WRITTEN

LOG = "run string, meta map<string, string>"
COLUMNS = (
    "number", "cluster", "canonical", "relation", "score", "evidence", "leader", "mark",
    "storyline", "follows", "probability", "first",
)  # fmt: skip
"""What is remembered of a decision, beside the ids and the hash of the text."""
WITNESSING = RELATIONS[-2:]
"""The relations whose articles may be witnesses: rewrites and follow-ups."""


class Past(NamedTuple):
    """What is remembered of the articles of earlier runs."""

    sketches: DataFrame
    """Numbered, with the id that was `given` beside the one that it was called by."""
    decisions: DataFrame
    """id, given, telling, and `COLUMNS`."""

    def marked(self) -> DataFrame:
        """Return the sketches with their marks: how each is looked up."""
        return self.sketches.join(self.decisions.select("number", "mark"), "number")


@dataclass(frozen=True, slots=True)
class Lake:
    """The articles of the runs before, in a directory that all workers share."""

    spark: SparkSession
    path: str
    runs: tuple[str, ...]
    own: str
    """What the next run is called, as no other."""

    @property
    def work(self) -> Work:
        """Return where the next run writes."""
        return Work(f"{self.path.rstrip('/')}/run={self.own}")

    def past(self) -> Past | None:
        """Return what is remembered of all runs; None where there was none."""
        return Past(self._all("sketches"), self._all("decisions")) if self.runs else None

    def commit(self, settings: Settings) -> None:
        """Write down that the run is whole; IndexingError where another has been since it began, which it knows nothing of."""
        if {row.run for row in logged(self.path, self.spark)} != set(self.runs):
            raise IndexingError(
                f"another run wrote to {self.path} in the meantime, so this one is not remembered; run it again"
            )
        row = self.spark.createDataFrame([(self.own, fingerprint(settings))], LOG)
        row.coalesce(1).write.parquet(f"{schemed(self.path).rstrip('/')}/log/{self.own}")

    def _all(self, name: str) -> DataFrame:
        """Return a table of all runs."""
        place = spelled(self.path).rstrip("/")
        return self.spark.read.parquet(*(f"{place}/run={run}/{name}" for run in self.runs))


def lake_at(path: str, spark: SparkSession, settings: Settings) -> Lake:
    """Return the lake in a directory; IndexingError where its runs were made with other settings, or by other rules."""
    rows = logged(path, spark)
    for row in rows:
        check(row.meta, settings, path)
    return Lake(spark, path, tuple(sorted(row.run for row in rows)), f"{len(rows) + 1}-{uuid4().hex}")


def logged(path: str, spark: SparkSession) -> list[Row]:
    """Return the log of a lake: a row for each run that is whole."""
    try:
        return spark.read.schema(LOG).parquet(f"{spelled(path).rstrip('/')}/log/*").collect()
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        return []


def known_again(raw: DataFrame, decisions: DataFrame) -> DataFrame:
    """Return the rows of those that came before, with the same id and text, and the number that they got then."""
    before = decisions.select(sql.col("given").alias("id"), "telling", "number")
    return raw.select("row", "id", "telling").join(before, ["id", "telling"]).select("row", "number")


def answered_again(raw: DataFrame, again: DataFrame, decisions: DataFrame) -> DataFrame:
    """Return what became, when they came first, of articles that came before."""
    then = decisions.select(
        "number",
        "id",
        "cluster",
        "canonical",
        "relation",
        "score",
        "evidence",
        "storyline",
        "follows",
        "probability",
    )
    once = sql.lit(False).alias("repeated")  # noqa: FBT003 - a value
    here = raw.select("row", *(name for name in WRITTEN if name != "id"), once)
    return here.join(again, "row").join(then, "number")


def settled(edges: DataFrame, decisions: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Return edges from those articles of `decisions` that have one to what they repeat and follow, and all that is settled."""
    ends = edges.select(sql.explode(sql.array("later", "earlier")).alias("number")).distinct()
    touched = decisions.join(ends, "number", "left_semi")
    led = [
        touched.where(sql.col(end) != sql.col("number")).select(
            sql.col("number").alias("later"), sql.col(end).alias("earlier")
        )
        for end in ("leader", "first")
    ]
    rewrites = decisions.where(sql.col("relation").isin(*WITNESSING)).groupBy("leader").count()
    witnesses = rewrites.select(
        sql.col("leader").alias("number"), sql.col("count").cast("int").alias("witnesses")
    )
    known = decisions.select("number", "leader", "first", "mark").join(witnesses, "number", "left")
    return led[0].unionByName(led[1]), known.fillna(0, ["witnesses"])


def remembered(sketches: DataFrame, made: DataFrame, settings: Settings) -> DataFrame:
    """Return the decisions of a run as a lake keeps them, those on articles that nothing matches included."""
    able = sql.when(sql.col("length") >= settings.min_words, FULL).otherwise(UNSEEN).cast("tinyint")
    every = sketches.select("number", "id", "given", "telling", "length").join(made, "number", "left")
    filled = {
        "cluster": sql.coalesce("cluster", "id"),
        "canonical": sql.coalesce("canonical", sql.lit(True)),  # noqa: FBT003 - a value
        "leader": sql.coalesce("leader", "number"),
        "first": sql.coalesce("first", "number"),
        "storyline": sql.coalesce("storyline", "id"),
        "mark": sql.coalesce("mark", able),
    }
    return every.withColumns(filled).select("id", "given", "telling", *COLUMNS)
