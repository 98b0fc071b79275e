"""Stages → files in a work directory, so that no stage is run twice.

In: the DataFrame that a stage returns. Out: the same, read from Parquet: the next stage starts there, and a task that fails.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from pyspark.sql import DataFrame, SparkSession

from dedup.errors import EngineError
from dedup.spark.files.discovery import add_scheme, escape_path


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """A directory that all workers can read and write, by a path or URL that Spark understands."""

    path: str

    def save(self, frame: DataFrame, name: str) -> DataFrame:
        """Return a DataFrame as it is read from Parquet, after it was written there."""
        place = f"{self.path.rstrip('/')}/{name}"
        with set_job_description(frame.sparkSession, name):
            frame.write.mode("overwrite").parquet(add_scheme(place))
        return frame.sparkSession.read.schema(frame.schema).parquet(escape_path(place))


@contextmanager
def create_stage_folder(session: SparkSession, work: str | None, folder: str | None) -> Iterator[str]:
    """Give a new folder for the stages of a run: in `work`, or on one machine in `folder`, where it vanishes in the end."""
    if work is not None:
        yield f"{work.rstrip('/')}/stages-{uuid4().hex}"
        return
    if not str(session.sparkContext.master).startswith("local"):
        raise EngineError(
            "the workers of a cluster need a folder for their stages that all of them reach; "
            "name one (--stages, or `work`), as hdfs:///tmp/dedup or s3a://bucket/dedup"
        )
    with tempfile.TemporaryDirectory(prefix="dedup-spark-", dir=folder, ignore_cleanup_errors=True) as place:
        yield f"file:{place}"


@contextmanager
def set_job_description(session: SparkSession, name: str) -> Iterator[None]:
    """Let Spark call by a name, in its pages and logs, what it does in the meantime."""
    session.sparkContext.setJobDescription(name)
    try:
        yield
    finally:
        session.sparkContext.setLocalProperty("spark.job.description", None)  # type: ignore[arg-type] # None takes it back
