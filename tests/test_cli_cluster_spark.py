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

KILLS = 3
"""A task is tried four times."""
PATIENCE = 0.002


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


@pytest.mark.parametrize("shape", ["clusters", "articles"])
def test_spark_writes_what_a_local_run_writes(
    spark: SparkSession, news: Path, tmp_path: Path, shape: str
) -> None:
    local, there = tmp_path / "local.jsonl", tmp_path / "spark.jsonl"
    expected = called("cluster", news, "--format", shape, "-o", local)

    answer = called("cluster", news, "--format", shape, "-o", there, "--engine", "spark")

    assert answer.exit_code == 0, answer.stderr
    assert there.read_bytes() == local.read_bytes()
    rejects = [path.with_name(path.name + ".rejects.jsonl").read_bytes() for path in (there, local)]
    assert rejects[0] == rejects[1]
    assert said(answer.stderr, there) == said(expected.stderr, local)


def said(stderr: str, output: Path) -> list[str]:
    """Return what a run says, without its time and the name of its output."""
    return [line.partition(";")[0].replace(str(output), "…") for line in stderr.splitlines()]


def test_a_folder_gets_the_lines_in_parts(spark: SparkSession, news: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"

    called("cluster", news, "-o", f"{folder}/", "--engine", "spark")

    parts = b"".join(part.read_bytes() for part in sorted(folder.glob("part-*")))
    assert parts == called("cluster", news).stdout_bytes
    again = called("cluster", news, "-o", f"{folder}/", "--engine", "spark")
    assert again.exit_code == 1
    assert "already" in again.stderr


def test_a_worker_that_is_killed_changes_nothing(spark: SparkSession, news: Path, tmp_path: Path) -> None:
    expected = called("cluster", news, "--format", "articles").stdout_bytes
    killed, ended = threading.Event(), threading.Event()
    killer = threading.Thread(target=kill_workers, args=(spark, killed, ended))
    killer.start()

    answer = called("cluster", news, "--format", "articles", "--engine", "spark")

    ended.set()
    killer.join()
    assert killed.is_set()
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout_bytes == expected


def kill_workers(spark: SparkSession, killed: threading.Event, ended: threading.Event) -> None:
    """Kill the Python workers of Spark while they are at work, until Spark has noticed."""
    tracker = spark.sparkContext.statusTracker()
    kills = 0
    while not ended.is_set() and kills < KILLS:
        infos = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        if any(info and info.numFailedTasks for info in infos):
            killed.set()
            return
        if any(info and info.numActiveTasks for info in infos):
            for worker in workers():
                kills += 1
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
                break
        time.sleep(PATIENCE)


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


def test_a_run_of_its_own_says_its_summary_and_nothing_else(newsroom: Path) -> None:
    answer = process("cluster", newsroom, "--engine", "spark", "--master", "local[2]")

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == called("cluster", newsroom).stdout
    assert answer.stderr.startswith("47 articles, ")
    assert len(answer.stderr.splitlines()) == 1
