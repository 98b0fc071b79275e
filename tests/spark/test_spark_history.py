"""A run that goes on from a lake gives the clusters of an index that was fed the same articles in the same turns."""

from pathlib import Path
from typing import Any

import pytest
from newsmaker import Article, planned
from pyspark.sql import SparkSession
from sparking import expected, frame, verdicts

from benchmarks.verdicts import Verdict
from dedup import Index
from dedup.errors import IndexingError
from dedup.index.key_run import LEVEL_ALL, LEVEL_BANDS
from dedup.pipeline.deduplicate import deduplicate as locally
from dedup.settings.settings import Settings
from dedup.spark import deduplicate
from dedup.spark.history import collect_prior_decisions, open_history
from dedup.spark.verify import EDGE_SCHEMA


def answers(index: Index, articles: list[Article]) -> list[Verdict]:
    """Return the answers of an index to articles, which get to it by their rank."""
    result = locally(articles)
    return expected((name, match) for name, match in index.add([articles[a] for a in result.order.tolist()]))


def test_new_articles_are_compared_with_those_of_the_runs_before(spark: SparkSession, tmp_path: Path) -> None:
    articles, lake = planned(240, seed=65, stories=60), str(tmp_path / "lake")
    turns = [articles[0::2], articles[1::2]]

    with Index.open(":memory:") as index:
        for turn in turns:
            found = verdicts(deduplicate(frame(spark, turn), lake=lake))

            assert found == answers(index, turn)
    assert {cluster for _, cluster, *_ in found} - {article["id"] for article in turn}


def test_who_came_before_gets_the_same_answer_again(spark: SparkSession, tmp_path: Path) -> None:
    articles, lake = planned(60, seed=66, stories=9), str(tmp_path / "lake")
    first = verdicts(deduplicate(frame(spark, articles), lake=lake))
    other: dict[str, Any] = planned(1, seed=99, stories=1)[0] | {"id": articles[7]["id"], "published": None}

    again = verdicts(deduplicate(frame(spark, [*articles, other]), lake=lake))

    name = f"{other['id']}#2"
    assert len(again) == len(first) + 1
    assert [verdict for verdict in again if verdict[0] != name] == first


def test_a_lake_is_used_with_the_settings_that_it_was_made_with(spark: SparkSession, tmp_path: Path) -> None:
    articles, lake = planned(5, seed=67), str(tmp_path / "lake")
    deduplicate(frame(spark, articles), lake=lake)

    with pytest.raises(IndexingError, match=r"window_days was 5\.0 and is 3"):
        deduplicate(frame(spark, articles), Settings(window_days=3), lake=lake)


def test_of_runs_that_overlap_only_the_first_is_remembered(spark: SparkSession, tmp_path: Path) -> None:
    path, settings = str(tmp_path / "lake"), Settings()
    slow, fast = open_history(path, spark, settings), open_history(path, spark, settings)

    fast.commit(settings)
    with pytest.raises(IndexingError, match=r"another run wrote to .* run it again"):
        slow.commit(settings)

    assert open_history(path, spark, settings).run_names == (fast.next_run,)
    open_history(path, spark, settings).commit(settings)
    assert len(open_history(path, spark, settings).run_names) == 2


def test_what_an_article_repeats_comes_along_with_it(spark: SparkSession) -> None:
    columns = "number bigint, leader bigint, first bigint, relation string, mark tinyint"
    decisions = [
        (1, 1, 1, None, LEVEL_ALL),
        (2, 1, 1, "rewrite", LEVEL_ALL),
        (3, 1, 1, "followup", LEVEL_BANDS),
        (4, 4, 1, None, LEVEL_ALL),
    ]
    edges = spark.createDataFrame([(10, 2), (11, 10), (11, 4)], EDGE_SCHEMA)

    led, known = collect_prior_decisions(edges, spark.createDataFrame(decisions, columns))

    assert sorted(set(map(tuple, led.collect()))) == [(2, 1), (4, 1)]
    found = {row.number: (row.leader, row.mark, row.witnesses) for row in known.collect()}
    assert found == {1: (1, LEVEL_ALL, 2), 2: (1, LEVEL_ALL, 0), 3: (1, LEVEL_BANDS, 0), 4: (4, LEVEL_ALL, 0)}
