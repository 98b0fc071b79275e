"""Law 6: Spark gives the clusters of a local run, article for article, however the work is divided."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from newsmaker import make_storylines, planned, story
from pyspark.sql import SparkSession
from sparking import expected, frame, verdicts

from benchmarks.verdicts import links_in, links_of
from dedup.pipeline.deduplicate import deduplicate as deduplicate_locally
from dedup.settings.settings import LEVELS, Settings
from dedup.spark import deduplicate
from dedup.spark.candidates import PAIR_SCHEMA
from dedup.spark.checkpoints import Checkpoints
from dedup.spark.components import connect_components
from dedup.spark.deduplicate import run_stages
from dedup.spark.verify import split_slices


def divide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Divide the work of a few hundred articles as that of millions is."""
    sizes = {
        "numbering.SLICE_ARTICLES": 32,
        "candidates.CELL_ARTICLES": 40,
        "verify.MAX_SLICE_SKETCHES": 20,
        "cluster.BUCKET_ARTICLES": 16,
    }
    for constant, size in sizes.items():
        monkeypatch.setattr(f"dedup.spark.{constant}", size)


@pytest.mark.parametrize("partitions", [1, 64])
def test_law_6_spark_gives_the_clusters_of_a_local_run(
    spark: SparkSession, partitions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = planned(300, seed=61, stories=40)
    divide(monkeypatch)

    found = verdicts(deduplicate(frame(spark, articles, partitions)))

    assert found == expected(deduplicate_locally(articles))


SETTINGS = {
    "a source and the longest first": Settings(
        sources=("Inland Tribune",), keep="longest", max_candidates=50
    ),
    "excerpts alone": Settings(relations=("excerpt",), keep="longest"),
    "rewrites far apart": Settings(window_days=60, bands=16, salient_terms=20),
}


@pytest.mark.parametrize("level", LEVELS)
def test_law_6_spark_gives_the_storylines_of_a_local_run(
    spark: SparkSession, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles, settings = make_storylines(200, seed=62), Settings(level=level)
    divide(monkeypatch)

    found = deduplicate(frame(spark, articles, 3), settings)

    local = deduplicate_locally(articles, settings)
    assert verdicts(found) == expected(local)
    assert links_in(found.collect()) == links_of(local)
    assert (level == "storyline") == (not local.links)


def test_law_6_spark_joins_small_storylines_without_dates(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    articles = [{**article, "published": None} for article in planned(120, seed=63, stories=25)]
    divide(monkeypatch)

    found = deduplicate(frame(spark, articles, 3))

    local = deduplicate_locally(articles)
    assert local.settings.undated == "together"
    assert verdicts(found) == expected(local)
    assert links_in(found.collect()) == links_of(local)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_law_6_holds_under_other_settings(spark: SparkSession, settings: Settings) -> None:
    articles = planned(150, seed=62, stories=20)

    found = verdicts(deduplicate(frame(spark, articles), settings))

    assert found == expected(deduplicate_locally(articles, settings))


def test_law_6_holds_without_dates(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    articles = [article | {"published": None} for article in planned(150, seed=63, stories=20)]
    divide(monkeypatch)

    found = verdicts(deduplicate(frame(spark, articles)))

    assert found == expected(deduplicate_locally(articles))


def test_ids_that_come_again_are_told_apart_as_in_a_local_run(spark: SparkSession, tmp_path: Path) -> None:
    noon = datetime(2031, 5, 4, 12, tzinfo=UTC)
    given: list[dict[str, Any]] = [
        {"id": name, **story(number), "published": noon.replace(hour=hour)}
        for hour, (name, number) in enumerate(
            [("a", 1), ("a", 1), ("a", 2), ("a#2", 3), ("a", 4), ("a", 2), ("b", 1), ("b", 1), ("c", 9)]
        )
    ]
    shuffled = given.copy()
    Random(5).shuffle(shuffled)
    local = deduplicate_locally(given)

    found = run_stages(frame(spark, shuffled), Settings(), str(tmp_path))

    rows = [tuple(row) for row in found.articles.select("id", "cluster", "relation", "score").collect()]
    assert sorted(rows, key=str) == sorted(
        [
            (name, match.canonical, match.relation, match.score) if match else (name, name, None, None)
            for name, match in local
        ],
        key=str,
    )
    assert found.warnings == local.warnings


def dying(marker: str) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return a function that hands batches on, and kills the process that runs it, but once in all."""

    def pass_on(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if not Path(marker).exists():
                Path(marker).touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch

    return pass_on


def test_a_worker_that_is_killed_changes_nothing(spark: SparkSession, tmp_path: Path) -> None:
    articles, marker = planned(60, seed=68), tmp_path / "killed"
    given = frame(spark, articles)

    found = verdicts(deduplicate(given.mapInArrow(dying(str(marker)), given.schema)))

    assert marker.exists()
    assert found == expected(deduplicate_locally(articles))


def test_nothing_becomes_of_no_articles(spark: SparkSession) -> None:
    assert deduplicate(frame(spark, [])).collect() == []


def test_bounds_that_are_reached_are_counted(spark: SparkSession, tmp_path: Path) -> None:
    articles = planned(60, seed=64, stories=3)

    found = run_stages(frame(spark, articles), Settings(max_postings=3), str(tmp_path))

    assert found.limit_reached > 30
    assert found.articles.count() == 60


def test_stars_connect_what_edges_connect(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(7)
    ends = list(range(120))
    random.shuffle(ends)
    path = list(pairwise(ends[:60]))
    edges = [(max(e), min(e)) for e in [*path, *((random.choice(ends[60:90]), ends[90]) for _ in range(40))]]
    given = spark.createDataFrame(edges, "later bigint, earlier bigint")
    at_once = sorted(map(tuple, connect_components(given, Checkpoints(str(tmp_path))).collect()))
    monkeypatch.setattr("dedup.spark.components.MAX_EDGES_IN_TASK", 0)

    found = sorted(map(tuple, connect_components(given, Checkpoints(str(tmp_path))).collect()))

    assert found == at_once
    assert len({component for _, component in found}) == 2


def test_a_slice_that_wants_too_many_sketches_is_parted(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [((s << 33) + a, b, False) for s in (0, 1) for a in range(19) for b in range(1, 2 + s * 30)]
    pairs = spark.createDataFrame(given, PAIR_SCHEMA)
    monkeypatch.setattr("dedup.spark.verify.MAX_SLICE_SKETCHES", 10)

    found = split_slices(pairs).collect()

    assert sorted((row.later, row.earlier, row.banded) for row in found) == sorted(given)
    parts = {(row.slice, row.part) for row in found}
    assert [slice_ for slice_, _ in parts].count(0) == 1
    assert [slice_ for slice_, _ in parts].count(1) >= 3
