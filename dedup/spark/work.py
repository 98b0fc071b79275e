"""Stages → files in a work directory, so that no stage is run twice.

In: the DataFrame that a stage returns. Out: the same, read from Parquet: the next stage starts there, and a task that fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from dedup.spark.listing import schemed, spelled


@dataclass(frozen=True, slots=True)
class Work:
    """A directory that all workers can read and write, by a path or URL that Spark understands."""

    path: str

    def kept(self, frame: DataFrame, name: str) -> DataFrame:
        """Return a DataFrame as it is read from Parquet, after it was written there."""
        place = f"{self.path.rstrip('/')}/{name}"
        with described(frame.sparkSession, name):
            frame.write.mode("overwrite").parquet(schemed(place))
        return frame.sparkSession.read.schema(frame.schema).parquet(spelled(place))


@contextmanager
def described(session: SparkSession, name: str) -> Iterator[None]:
    """Let Spark call by a name, in its pages and logs, what it does in the meantime."""
    session.sparkContext.setJobDescription(name)
    try:
        yield
    finally:
        session.sparkContext.setLocalProperty("spark.job.description", None)  # type: ignore[arg-type] # None takes it back
