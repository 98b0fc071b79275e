"""Law 6: Spark gives the clusters of a local run, article for article, however the work is divided."""

import pytest
from newsmaker import planned
from pyspark.sql import SparkSession
from sparking import expected, frame, verdicts

from dedup import pipeline
from dedup.spark import deduplicate


@pytest.mark.parametrize("partitions", [1, 7, 64])
def test_law_6_spark_gives_the_clusters_of_a_local_run(spark: SparkSession, partitions: int) -> None:
    articles = planned(300, seed=61, stories=12)

    found = verdicts(deduplicate(frame(spark, articles, partitions)))

    assert found == expected(pipeline.deduplicate(articles))
