"""Compare dedup on Spark with the local engine and with Spark's own MinHashLSH: `python -m benchmarks.spark CORPUS`.

The corpus is one of `benchmarks.corpus`, with known stories; its beginnings are the smaller corpora. Each run is a whole process
on two cores of this machine. The tables have seconds, the memory of all processes together, the largest heap, the bytes shuffled
(from Spark's event log), and precision and recall; then the bytes per article, stage by stage; then the same task for
`approxSimilarityJoin` of spark.ml over the same shingles. That join gets the distance at which it is as precise as ours, and its
clusters are the components of its pairs, which cost it nothing here.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from benchmarks.million import Truth, clusters_in, truth_of
from dedup.evaluation.metrics import score_pairwise

MASTER = "local[2]"
BEATS = 0.5
"""Seconds between two looks at the memory."""
SHINGLE, BUCKETS, TABLES = 3, 1 << 20, 5
"""What the peer is given: words of a shingle, what shingles are hashed to, and hash tables, as in Spark's example."""
LOOSEST = 0.8
"""Pairs up to this Jaccard distance are asked of the peer; where it is as precise as ours is found among them."""
DISTANCES = [step / 50 for step in range(1, int(LOOSEST * 50) + 1)]
HEAP = "JVMHeapMemory"


class Cost(NamedTuple):
    """What a process took, with all its descendants."""

    seconds: float
    memory: float
    """Bytes at the most, each page counted once."""
    failed: bool


class Stage(NamedTuple):
    """What Spark says of a stage of ours."""

    shuffled: int
    spilled: int
    seconds: float
    """Of all its tasks together."""


def observed(command: list[str], limit: float) -> Cost:
    """Return what a command took; it is ended where it takes longer than the limit, in seconds."""
    start, peak = time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            time.sleep(BEATS)
            peak = max(peak, memory_of(process.pid))
            if time.perf_counter() - start > limit:
                for each in [*psutil.Process(process.pid).children(recursive=True), process]:
                    each.kill()
                break
    return Cost(time.perf_counter() - start, peak, process.returncode != 0)


def memory_of(pid: int) -> float:
    """Return the bytes that a process and its descendants hold, pages that they share counted once."""
    try:
        together = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    total = 0.0
    for each in together:
        try:
            total += each.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def events_in(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what Spark logged."""
    for log in sorted(path for path in folder.rglob("*") if path.is_file()):
        with log.open("rb") as lines:
            yield from map(json.loads, lines)


def stages_in(folder: Path) -> tuple[dict[str, Stage], int]:
    """Return our stages by name, with what Spark says of them, and the largest heap."""
    names: dict[int, str] = {}
    told: dict[str, list[float]] = defaultdict(lambda: [0, 0, 0])
    heap = 0
    for event in events_in(folder):
        kind = event["Event"]
        if kind == "SparkListenerStageSubmitted":
            properties = event.get("Properties") or {}
            names[event["Stage Info"]["Stage ID"]] = properties.get("spark.job.description") or "other"
        elif kind == "SparkListenerTaskEnd" and event.get("Task Metrics"):
            metrics = event["Task Metrics"]
            row = told[names.get(event["Stage ID"], "other")]
            row[0] += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
            row[1] += metrics["Disk Bytes Spilled"]
            row[2] += metrics["Executor Run Time"] / 1000
        elif kind == "SparkListenerStageExecutorMetrics":
            heap = max(heap, event["Executor Metrics"].get(HEAP, 0))
    return {name: Stage(int(row[0]), int(row[1]), row[2]) for name, row in told.items()}, heap


def beginning(corpus: Path, articles: int, folder: Path) -> Path:
    """Return the beginning of a corpus as a file."""
    path = folder / f"{articles}.jsonl"
    if not path.exists():
        with corpus.open("rb") as lines, path.open("wb") as file:
            file.writelines(islice(lines, articles))
    return path


def on_spark(corpus: Path, out: Path, log: Path, memory: str) -> list[str]:
    """Return the command that clusters a corpus on Spark, which logs what it does."""
    log.mkdir()
    conf = {
        "spark.driver.memory": memory,
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": log.absolute().as_uri(),
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.logStageExecutorMetrics": "true",
        "spark.executor.processTreeMetrics.enabled": "true",
    }
    settings = [part for name, value in conf.items() for part in ("--conf", f"{name}={value}")]
    return [*locally(corpus, out), "--engine", "spark", "--master", MASTER, *settings]


def locally(corpus: Path, out: Path) -> list[str]:
    """Return the command that clusters a corpus in its own process."""
    return [sys.executable, "-m", "dedup", "cluster", str(corpus), "-o", str(out), "--quiet"]


def grown(corpus: Path, sizes: list[int], folder: Path, memory: str, limit: float) -> dict[int, Any]:
    """Print a line for each size and engine, and the stages of the largest; return ours on Spark by size."""
    print(
        f"{'articles':>9} {'engine':>7} {'seconds':>8} {'µs each':>8} {'memory, MB':>11} {'heap, MB':>9}",
        end="",
    )
    print(f" {'shuffled, B each':>17} {'P':>7} {'R':>7}")
    found: dict[int, Any] = {}
    stages: dict[str, Stage] = {}
    for size in sizes:
        part, out, log = beginning(corpus, size, folder), folder / "out.jsonl", folder / f"log-{size}"
        truth = truth_of(part)
        for engine, command in (("local", locally(part, out)), ("spark", on_spark(part, out, log, memory))):
            cost = observed(command, limit)
            if cost.failed:
                print(f"{size:9,} {engine:>7}: not finished after {cost.seconds:.0f} s")
                continue
            clusters = clusters_in(out, size)
            stages, heap = stages_in(log) if engine == "spark" else ({}, 0)
            shuffled = sum(stage.shuffled for stage in stages.values())
            score = score_pairwise(truth.stories, clusters)
            print(
                f"{size:9,} {engine:>7} {cost.seconds:8.1f} {cost.seconds / size * 1e6:8.0f} {cost.memory / 1e6:11,.0f} "
                f"{heap / 1e6:9,.0f} {shuffled / size:17,.0f} {score.precision:7.4f} {score.recall:7.4f}",
                flush=True,
            )
            if engine == "spark":
                found[size] = (cost, score)
        if stages:
            show_stages(stages, size)
    return found


def show_stages(stages: dict[str, Stage], size: int) -> None:
    """Print what each stage of a run shuffled and spilled, an article, and how long its tasks took."""
    print(f"\n{'stage':24} {'shuffled, B each':>17} {'spilled, B each':>16} {'task seconds':>13}")
    for name, stage in stages.items():
        print(
            f"{name[:24]:24} {stage.shuffled / size:17,.0f} {stage.spilled / size:16,.0f} {stage.seconds:13.1f}"
        )
    print()


def peer(corpus: Path, out: Path, memory: str) -> None:
    """Write the pairs that spark.ml finds, with their Jaccard distances: as its guide does it, over 3-shingles of words."""
    from pyspark.ml.feature import HashingTF, MinHashLSH, NGram, RegexTokenizer
    from pyspark.sql import functions as sql

    from dedup.settings.settings import Settings
    from dedup.spark.session import start_session

    session = start_session(Settings(), master=MASTER, conf={"spark.driver.memory": memory})
    articles = session.read.json(corpus.absolute().as_uri()).select("id", "text")
    words = RegexTokenizer(inputCol="text", outputCol="words", pattern=r"\W+").transform(articles)
    shingles = NGram(n=SHINGLE, inputCol="words", outputCol="shingles").transform(words)
    hashed = HashingTF(inputCol="shingles", outputCol="features", numFeatures=BUCKETS, binary=True)
    rows = hashed.transform(shingles.where(sql.size("shingles") > 0)).select("id", "features").persist()
    model = MinHashLSH(inputCol="features", outputCol="hashes", numHashTables=TABLES, seed=1).fit(rows)
    near = model.approxSimilarityJoin(rows, rows, LOOSEST, distCol="distance")
    pairs = near.select(sql.col("datasetA.id").alias("a"), sql.col("datasetB.id").alias("b"), "distance")
    with out.open("w") as file:
        for row in pairs.where("a < b").toLocalIterator():
            file.write(f"{int(row['a'])} {int(row['b'])} {row['distance']}\n")
    sys.stdout.flush()
    os._exit(0)


def components(pairs: list[tuple[int, int]], articles: int) -> list[int]:
    """Return for each article the least one that it is connected with."""
    parents = list(range(articles))

    def root(a: int) -> int:
        while parents[a] != a:
            parents[a] = parents[parents[a]]
            a = parents[a]
        return a

    for a, b in pairs:
        first, second = sorted((root(a), root(b)))
        parents[second] = first
    return [root(a) for a in range(articles)]


def recall_at(truth: Truth, out: Path, precision: float) -> tuple[float, float, float]:
    """Return (distance, precision, recall) of the peer where it finds most and is at least so precise.

    Where it never is, that is where it is most precise.
    """
    rows = [line.split() for line in out.read_text().splitlines()]
    pairs = [(int(a), int(b), float(distance)) for a, b, distance in rows]
    scores = []
    for most in DISTANCES:
        near = [(a, b) for a, b, distance in pairs if distance <= most]
        score = score_pairwise(truth.stories, components(near, len(truth.stories)))
        scores.append((most, score.precision, score.recall))
    enough = [score for score in scores if score[1] >= precision]
    return max(enough, key=lambda score: score[2]) if enough else max(scores, key=lambda score: score[1])


def compared(corpus: Path, sizes: list[int], folder: Path, memory: str, limit: float) -> int:
    """Print the peer beside ours, size by size, until it does not finish; return 1 where ours is not faster and better."""
    ours = grown(corpus, sizes, folder, memory, limit)
    print(f"{'articles':>9} {'MinHashLSH, s':>14} {'memory, MB':>11} {'distance':>9} {'P':>7} {'R':>7}")
    lost = 0
    for size in sizes:
        part, out = beginning(corpus, size, folder), folder / "pairs"
        asked = ["--peer", str(out), "--memory", memory]
        cost = observed([sys.executable, "-m", "benchmarks.spark", str(part), *asked], limit)
        if cost.failed:
            print(f"{size:9,} not finished after {cost.seconds:.0f} s")
            break
        if size not in ours:
            continue
        mine, score = ours[size]
        distance, precision, recall = recall_at(truth_of(part), out, score.precision)
        print(
            f"{size:9,} {cost.seconds:14.1f} {cost.memory / 1e6:11,.0f} {distance:9.2f} {precision:7.4f} {recall:7.4f}",
            flush=True,
        )
        lost = int(cost.seconds < mine.seconds or recall >= score.recall)
    return lost


def numbers(text: str) -> list[int]:
    """Return the numbers of a list."""
    return [int(number) for number in text.split(",") if number]


def main() -> int:
    """Print the tables; return 1 if ours is not the better at the largest size that the peer finishes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--grow", type=numbers, default=[10_000, 100_000], help="sizes for both engines")
    parser.add_argument("--compare", type=numbers, default=[1_000, 3_000, 10_000], help="sizes for the peer")
    parser.add_argument("--memory", default="6g", help="of the driver")
    parser.add_argument("--limit", type=float, default=3600, help="seconds after which a run is ended")
    parser.add_argument("--peer", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        peer(options.corpus, options.peer, options.memory)
    folder = Path(tempfile.mkdtemp(prefix="dedup-bench-"))
    try:
        given = (folder, options.memory, options.limit)
        grown(options.corpus, options.grow, *given)
        return compared(options.corpus, options.compare, *given) if options.compare else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
