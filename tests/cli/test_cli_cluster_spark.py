"""`dedup cluster --engine spark`: the records of a local run, whatever happens on the way."""

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from commands import called, process, written
from newsmaker import planned
from pyspark.sql import SparkSession

from dedup.errors import OutputError
from dedup.spark.files.write import LINES_SCHEMA, write_folder

LOOKS, PATIENCE = 0.02, 0.4
"""Seconds between two looks at Spark, and between two kills: a task that fails four times ends the run."""


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpus with copies, rewrites, an article given twice, an id that two have, and what is no article."""
    articles = planned(400, seed=8, stories=40)
    same = {**articles[3], "text": articles[9]["text"]}
    lines: list[dict[str, Any] | bytes | str] = [
        *articles,
        articles[0],
        same,
        b"nonsense",
        {"title": "no text"},
    ]
    return written(tmp_path_factory.mktemp("news") / "news.jsonl", lines)


def test_spark_writes_what_a_local_run_writes_though_workers_are_killed(
    spark: SparkSession, news: Path, tmp_path: Path
) -> None:
    local, there = tmp_path / "local.jsonl", tmp_path / "spark.jsonl"
    expected = called("cluster", news, "--format", "articles", "-o", local)
    killed, ended = threading.Event(), threading.Event()
    killer = threading.Thread(target=kill_workers, args=(spark, killed, ended), daemon=True)
    killer.start()

    try:
        answer = called("cluster", news, "--format", "articles", "-o", there, "--engine", "spark")
    finally:
        ended.set()
        killer.join()

    assert killed.is_set()
    assert answer.exit_code == 0, answer.stderr
    assert there.read_bytes() == local.read_bytes()
    rejects = [path.with_name(path.name + ".rejects.jsonl").read_bytes() for path in (there, local)]
    assert rejects[0] == rejects[1]
    assert said(answer.stderr, there) == said(expected.stderr, local)


def said(stderr: str, output: Path) -> list[str]:
    """Return what a run says, without its time and the name of its output."""
    return [line.partition(";")[0].replace(str(output), "…") for line in stderr.splitlines()]


def test_a_folder_gets_lines_in_parts_and_is_not_replaced(spark: SparkSession, tmp_path: Path) -> None:
    lines = spark.createDataFrame([(b"one\ntwo",), (b"three",)], LINES_SCHEMA).coalesce(1)

    write_folder(f"{tmp_path}/parts/", lines)

    (part,) = (tmp_path / "parts").glob("part-*")
    assert part.read_text().split() == ["one", "two", "three"]
    with pytest.raises(OutputError, match="already"):
        write_folder(f"{tmp_path}/parts/", lines)


def kill_workers(spark: SparkSession, killed: threading.Event, ended: threading.Event) -> None:
    """Kill Python workers of Spark while they are at work, one after the other, until a task has failed by it."""
    tracker = spark.sparkContext.statusTracker()
    stages: set[int] = set()
    last = 0.0
    while not ended.wait(LOOKS):
        stages.update(tracker.getActiveStageIds())
        infos = [info for info in map(tracker.getStageInfo, stages) if info]
        if any(info.numFailedTasks for info in infos):
            killed.set()
            return
        if any(info.numActiveTasks for info in infos) and time.monotonic() - last > PATIENCE:
            last = time.monotonic()
            for worker in workers()[:1]:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)


def workers() -> list[int]:
    """Return the Python workers of Spark: the children of its daemon, which is a descendant of this process."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            pid, _, rest = status.read_text().partition(" ")
            parents[int(pid)] = int(rest.rpartition(") ")[2].split()[1])
    daemons = {
        pid for pid in parents if b"pyspark.daemon" in command(pid) and os.getpid() in above(pid, parents)
    }
    return [pid for pid, parent in parents.items() if parent in daemons]


def above(pid: int, parents: dict[int, int]) -> list[int]:
    """Return the processes that a process descends from."""
    found = []
    while pid := parents.get(pid, 0):
        found.append(pid)
    return found


def command(pid: int) -> bytes:
    """Return the command line of a process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_run_of_its_own_says_its_summary_and_nothing_else(news: Path, tmp_path: Path) -> None:
    there = tmp_path / "stories.jsonl"
    spark = ("--engine", "spark", "--master", "local[2]")

    answer = process("cluster", news, "--sources", "Norwire", "-o", there, *spark)

    assert answer.returncode == 0, answer.stderr
    assert there.read_text() == called("cluster", news, "--sources", "Norwire").stdout
    rejects, summary, *odd = answer.stderr.splitlines()
    assert rejects.startswith("2 articles could not be read")
    assert summary.startswith("402 articles, ")
    assert [line.partition(" ")[0] for line in odd] == ["1", "1"]
