"""Keep the articles of earlier runs in a directory (the lake), so that later runs can compare with them.

Each run has a folder of Parquet files: its sketches with their keys, and its decisions. Texts are never read
again. A run counts once it is in the log, which is written last; the folder of an interrupted run is ignored.
Of overlapping runs, the first to finish is recorded, and the others must be run again. Runs that finish
within the same seconds are not detected. Kept articles stay kept, as in an index (`dedup.index`), and the
settings are checked in the same way.
"""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as sql

from dedup.errors import IndexingError
from dedup.index.compatibility import check_compatible, compute_fingerprint
from dedup.index.key_run import LEVEL_ALL, LEVEL_NONE
from dedup.settings.settings import RELATIONS, Settings
from dedup.spark.checkpoints import Checkpoints
from dedup.spark.files.discovery import add_scheme, escape_path
from dedup.spark.numbering import WRITTEN_COLUMNS

LOG_SCHEMA = "run string, meta map<string, string>"
DECISION_COLUMNS = (
    "number", "cluster", "canonical", "relation", "score", "evidence", "leader", "mark",
    "storyline", "follows", "probability", "first",
)  # fmt: skip
"""The recorded columns of a decision, besides the ids and the hash of the text."""
WITNESS_RELATIONS = RELATIONS[-2:]
"""The relations whose articles may be witnesses: rewrites and follow-ups."""


class PastArticles(NamedTuple):
    """The recorded articles of earlier runs."""

    sketches: DataFrame
    """Numbered, with the column given: the id in the input, which may differ from the unique id."""
    decisions: DataFrame
    """id, given, telling (the hash of the text), and `DECISION_COLUMNS`."""

    def join_marks(self) -> DataFrame:
        """Return the sketches with their marks, which determine how each article is looked up."""
        return self.sketches.join(self.decisions.select("number", "mark"), "number")


@dataclass(frozen=True, slots=True)
class RunHistory:
    """The articles of earlier runs, in a directory that all workers share."""

    spark: SparkSession
    path: str
    run_names: tuple[str, ...]
    next_run: str
    """The unique name of the next run."""

    @property
    def checkpoints(self) -> Checkpoints:
        """Return the folder that the next run writes to."""
        return Checkpoints(f"{self.path.rstrip('/')}/run={self.next_run}")

    def read_past(self) -> PastArticles | None:
        """Return the articles of all earlier runs; None if there are none."""
        return (
            PastArticles(self._read_all_runs("sketches"), self._read_all_runs("decisions"))
            if self.run_names
            else None
        )

    def commit(self, settings: Settings) -> None:
        """Record the run as complete; raise `IndexingError` if another run was recorded since this one started."""
        if {row.run for row in read_run_log(self.path, self.spark)} != set(self.run_names):
            raise IndexingError(
                f"another run wrote to {self.path} in the meantime, so this one was not recorded; run it again"
            )
        row = self.spark.createDataFrame([(self.next_run, compute_fingerprint(settings))], LOG_SCHEMA)
        row.coalesce(1).write.parquet(f"{add_scheme(self.path).rstrip('/')}/log/{self.next_run}")

    def _read_all_runs(self, name: str) -> DataFrame:
        """Return a table of all runs."""
        place = escape_path(self.path).rstrip("/")
        return self.spark.read.parquet(*(f"{place}/run={run}/{name}" for run in self.run_names))


def open_history(path: str, spark: SparkSession, settings: Settings) -> RunHistory:
    """Return the history in a directory; raise `IndexingError` if its runs had other settings or rules."""
    rows = read_run_log(path, spark)
    for row in rows:
        check_compatible(row.meta, settings, path)
    return RunHistory(spark, path, tuple(sorted(row.run for row in rows)), f"{len(rows) + 1}-{uuid4().hex}")


def read_run_log(path: str, spark: SparkSession) -> list[Row]:
    """Return the log of a lake: one row per complete run."""
    try:
        return spark.read.schema(LOG_SCHEMA).parquet(f"{escape_path(path).rstrip('/')}/log/*").collect()
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        return []


def find_seen_before(raw: DataFrame, decisions: DataFrame) -> DataFrame:
    """Return the rows of articles that an earlier run has with the same id and text, and their numbers there."""
    before = decisions.select(sql.col("given").alias("id"), "telling", "number")
    return raw.select("row", "id", "telling").join(before, ["id", "telling"]).select("row", "number")


def restore_decisions(raw: DataFrame, again: DataFrame, decisions: DataFrame) -> DataFrame:
    """Return the earlier decisions on articles that an earlier run has already."""
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
    here = raw.select("row", *(name for name in WRITTEN_COLUMNS if name != "id"), once)
    return here.join(again, "row").join(then, "number")


def collect_prior_decisions(edges: DataFrame, decisions: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Return edges from past articles to those that they repeat or follow, and the decisions on all past articles.

    Only past articles with an edge in `edges` get such edges.
    """
    ends = edges.select(sql.explode(sql.array("later", "earlier")).alias("number")).distinct()
    touched = decisions.join(ends, "number", "left_semi")
    led = [
        touched.where(sql.col(end) != sql.col("number")).select(
            sql.col("number").alias("later"), sql.col(end).alias("earlier")
        )
        for end in ("leader", "first")
    ]
    rewrites = decisions.where(sql.col("relation").isin(*WITNESS_RELATIONS)).groupBy("leader").count()
    witnesses = rewrites.select(
        sql.col("leader").alias("number"), sql.col("count").cast("int").alias("witnesses")
    )
    prior = decisions.select("number", "leader", "first", "mark").join(witnesses, "number", "left")
    return led[0].unionByName(led[1]), prior.fillna(0, ["witnesses"])


def build_history_rows(sketches: DataFrame, decisions: DataFrame, settings: Settings) -> DataFrame:
    """Return the decisions of a run as the lake stores them, including those on articles without a match."""
    able = sql.when(sql.col("length") >= settings.min_words, LEVEL_ALL).otherwise(LEVEL_NONE).cast("tinyint")
    every = sketches.select("number", "id", "given", "telling", "length").join(decisions, "number", "left")
    filled = {
        "cluster": sql.coalesce("cluster", "id"),
        "canonical": sql.coalesce("canonical", sql.lit(True)),  # noqa: FBT003 - a value
        "leader": sql.coalesce("leader", "number"),
        "first": sql.coalesce("first", "number"),
        "storyline": sql.coalesce("storyline", "id"),
        "mark": sql.coalesce("mark", able),
    }
    return every.withColumns(filled).select("id", "given", "telling", *DECISION_COLUMNS)
