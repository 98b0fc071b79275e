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
from dedup.index.compatibility import check_compatible, compute_fingerprint
from dedup.index.lookup import LEVEL_ALL, LEVEL_NONE
from dedup.settings.settings import RELATIONS, Settings
from dedup.spark.checkpoints import Checkpoints
from dedup.spark.files.discovery import add_scheme, escape_path
from dedup.spark.numbering import WRITTEN_COLUMNS

LOG_SCHEMA = "run string, meta map<string, string>"
DECISION_COLUMNS = (
    "number", "cluster", "canonical", "relation", "score", "evidence", "leader", "mark",
    "storyline", "follows", "probability", "first",
)  # fmt: skip
"""What is remembered of a decision, beside the ids and the hash of the text."""
WITNESS_RELATIONS = RELATIONS[-2:]
"""The relations whose articles may be witnesses: rewrites and follow-ups."""


class PastArticles(NamedTuple):
    """What is remembered of the articles of earlier runs."""

    sketches: DataFrame
    """Numbered, with the id that was `given` beside the one that it was called by."""
    decisions: DataFrame
    """id, given, telling, and `DECISION_COLUMNS`."""

    def join_marks(self) -> DataFrame:
        """Return the sketches with their marks: how each is looked up."""
        return self.sketches.join(self.decisions.select("number", "mark"), "number")


@dataclass(frozen=True, slots=True)
class RunHistory:
    """The articles of the runs before, in a directory that all workers share."""

    spark: SparkSession
    path: str
    run_names: tuple[str, ...]
    next_run: str
    """What the next run is called, as no other."""

    @property
    def checkpoints(self) -> Checkpoints:
        """Return where the next run writes."""
        return Checkpoints(f"{self.path.rstrip('/')}/run={self.next_run}")

    def read_past(self) -> PastArticles | None:
        """Return what is remembered of all runs; None where there was none."""
        return (
            PastArticles(self._read_all_runs("sketches"), self._read_all_runs("decisions"))
            if self.run_names
            else None
        )

    def commit(self, settings: Settings) -> None:
        """Write down that the run is whole; IndexingError where another has been since it began, which it knows nothing of."""
        if {row.run for row in read_run_log(self.path, self.spark)} != set(self.run_names):
            raise IndexingError(
                f"another run wrote to {self.path} in the meantime, so this one is not remembered; run it again"
            )
        row = self.spark.createDataFrame([(self.next_run, compute_fingerprint(settings))], LOG_SCHEMA)
        row.coalesce(1).write.parquet(f"{add_scheme(self.path).rstrip('/')}/log/{self.next_run}")

    def _read_all_runs(self, name: str) -> DataFrame:
        """Return a table of all runs."""
        place = escape_path(self.path).rstrip("/")
        return self.spark.read.parquet(*(f"{place}/run={run}/{name}" for run in self.run_names))


def open_history(path: str, spark: SparkSession, settings: Settings) -> RunHistory:
    """Return the lake in a directory; IndexingError where its runs were made with other settings, or by other rules."""
    rows = read_run_log(path, spark)
    for row in rows:
        check_compatible(row.meta, settings, path)
    return RunHistory(spark, path, tuple(sorted(row.run for row in rows)), f"{len(rows) + 1}-{uuid4().hex}")


def read_run_log(path: str, spark: SparkSession) -> list[Row]:
    """Return the log of a lake: a row for each run that is whole."""
    try:
        return spark.read.schema(LOG_SCHEMA).parquet(f"{escape_path(path).rstrip('/')}/log/*").collect()
    except AnalysisException as error:
        if error.getCondition() != "PATH_NOT_FOUND":
            raise
        return []


def find_seen_before(raw: DataFrame, decisions: DataFrame) -> DataFrame:
    """Return the rows of those that came before, with the same id and text, and the number that they got then."""
    before = decisions.select(sql.col("given").alias("id"), "telling", "number")
    return raw.select("row", "id", "telling").join(before, ["id", "telling"]).select("row", "number")


def restore_decisions(raw: DataFrame, again: DataFrame, decisions: DataFrame) -> DataFrame:
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
    here = raw.select("row", *(name for name in WRITTEN_COLUMNS if name != "id"), once)
    return here.join(again, "row").join(then, "number")


def collect_prior_decisions(edges: DataFrame, decisions: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Return edges from those articles of `decisions` that have one to what they repeat and follow, and all that is settled."""
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
    known = decisions.select("number", "leader", "first", "mark").join(witnesses, "number", "left")
    return led[0].unionByName(led[1]), known.fillna(0, ["witnesses"])


def build_history_rows(sketches: DataFrame, decisions: DataFrame, settings: Settings) -> DataFrame:
    """Return the decisions of a run as a lake keeps them, those on articles that nothing matches included."""
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
