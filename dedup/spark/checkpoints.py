"""Save the result of each stage as Parquet, so that no stage runs twice and a failed task restarts from there."""

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
    """A directory that all workers can read and write; its path or URL is one that Spark supports."""

    path: str

    def save(self, frame: DataFrame, name: str) -> DataFrame:
        """Write a DataFrame as Parquet, and return the DataFrame that reads it."""
        place = f"{self.path.rstrip('/')}/{name}"
        with set_job_description(frame.sparkSession, name):
            frame.write.mode("overwrite").parquet(add_scheme(place))
        return frame.sparkSession.read.schema(frame.schema).parquet(escape_path(place))


@contextmanager
def create_stage_folder(session: SparkSession, work: str | None, folder: str | None) -> Iterator[str]:
    """Yield a new folder for the stages of a run: in `work`, or a temporary one in `folder` on a single machine."""
    if work is not None:
        yield f"{work.rstrip('/')}/stages-{uuid4().hex}"
        return
    if not str(session.sparkContext.master).startswith("local"):
        raise EngineError(
            "on a cluster, the stages need a folder that all workers can reach; "
            "name one (--stages, or `work`), such as hdfs:///tmp/dedup or s3a://bucket/dedup"
        )
    with tempfile.TemporaryDirectory(prefix="dedup-spark-", dir=folder, ignore_cleanup_errors=True) as place:
        yield f"file:{place}"


@contextmanager
def set_job_description(session: SparkSession, name: str) -> Iterator[None]:
    """Set the name that Spark shows for its jobs in web pages and logs."""
    session.sparkContext.setJobDescription(name)
    try:
        yield
    finally:
        session.sparkContext.setLocalProperty("spark.job.description", None)  # type: ignore[arg-type] # None removes it
