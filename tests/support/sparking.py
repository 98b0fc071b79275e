"""A Spark session for the tests, and what becomes of articles there and in a local run."""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import give_up
from pyspark.sql import DataFrame, SparkSession

from benchmarks.verdicts import Verdict, verdict_in, verdict_of
from dedup.errors import EngineError
from dedup.matching.classifier import Match
from dedup.spark.session import find_java

ROOT = Path(__file__).parents[2]
COLUMNS = "id string, title string, text string, source string, published timestamp, language string"


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """Give a session of two threads on this machine, where a task that fails is tried again."""
    try:
        find_java()
    except EngineError as error:
        give_up(str(error))
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings: dict[str, bool | float | int | str | None] = {
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",  # by the quick compiler alone
        "spark.driver.memory": "1g",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    session = SparkSession.builder.master("local[2,4]").config(map=settings).getOrCreate()
    yield session
    session.stop()


def frame(spark: SparkSession, articles: list[dict[str, Any]], partitions: int = 2) -> DataFrame:
    """Return articles as a DataFrame of so many partitions."""
    names = [column.split()[0] for column in COLUMNS.split(", ")]
    rows = [tuple(article.get(name) for name in names) for article in articles]
    return spark.createDataFrame(rows, COLUMNS).repartition(partitions)


def verdicts(found: DataFrame) -> list[Verdict]:
    """Return what became of each article on Spark, in order of ids; as many as there are rows."""
    return sorted(map(verdict_in, found.collect()), key=str)


def expected(answers: Iterable[tuple[str, Match | None]]) -> list[Verdict]:
    """Return what became of each article in a local run, or by an index, in order of ids."""
    return sorted((verdict_of(name, match) for name, match in answers), key=str)
