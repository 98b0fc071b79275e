"""Measure how fast an index answers and how large it is: `python -m benchmarks.index_speed PLACE [PLACE ...]`.

Each place (a file, or `postgresql://...`) must be new. First the given number of processes add all but the last articles of a set
in batches; each has read and compiled what it needs before the clock starts. Then one process adds the last articles one by one.
The time includes sketching, waiting for the write lock, and recording.
"""

import argparse
import statistics
import sys
import time
from multiprocessing import get_context
from multiprocessing.context import SpawnContext
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks import data
from dedup.index.index import Index
from dedup.io.corpus import read_articles
from dedup.settings.settings import Settings

PROCESSES: SpawnContext = get_context("spawn")


class Stream(NamedTuple):
    """What is given to an index, and how."""

    corpus: Path
    batch: int
    last: int
    """So many articles are given one by one."""
    workers: int
    threads: int


def batches_of(stream: Stream) -> tuple[list[pa.RecordBatch], list[pa.RecordBatch]]:
    """Return the articles in batches, and the last ones each alone."""
    table = pa.Table.from_batches(list(read_articles(stream.corpus))).combine_chunks()
    first = table.num_rows - stream.last
    return table.slice(0, first).to_batches(stream.batch), table.slice(first).to_batches(1)


def work(
    place: str, stream: Stream, number: int, start: Barrier, done: "Queue[tuple[float, float, list[float]]]"
) -> None:
    """Feed a worker's share of the batches to an index; the first worker then feeds the last articles, when all are done."""
    batches, singles = batches_of(stream)
    settings = Settings(threads=stream.threads)
    with Index.open(":memory:", settings) as index:
        index.decide(batches[0])  # loads the kernels
    with Index.open(place, settings) as index:
        start.wait()
        began = time.perf_counter()
        for batch in batches[number :: stream.workers]:
            index.decide(batch)
        ended = time.perf_counter()
        start.wait()
        done.put((began, ended, [seconds_of(index, single) for single in singles] if not number else []))


def seconds_of(index: Index, batch: pa.RecordBatch) -> float:
    """Return how long an answer takes."""
    began = time.perf_counter()
    index.decide(batch)
    return time.perf_counter() - began


def measure(place: str, stream: Stream) -> str:
    """Return a place's line of the table."""
    with Index.open(place) as index:
        if index.backend.read_state().articles:
            sys.exit(f"{index.backend.name} is not new")
        empty, name = index.backend.get_size(), index.backend.name
    start, done = PROCESSES.Barrier(stream.workers), PROCESSES.Queue()
    workers = [
        PROCESSES.Process(target=work, args=(place, stream, number, start, done))
        for number in range(stream.workers)
    ]
    for worker in workers:
        worker.start()
    found = [done.get() for _ in workers]
    for worker in workers:
        worker.join()
    seconds = max(ended for _, ended, _ in found) - min(began for began, _, _ in found)
    with Index.open(place) as index:
        articles = index.backend.read_state().articles
        kept = sum(row.leader == row.position for rows in index.backend.iter_rows() for row in rows)
        room = index.backend.get_size() - empty
    waits = 1_000 * np.array([wait for _, _, waits in found for wait in waits])
    return (
        f"{name[:40]:40} {(articles - stream.last) / seconds:11,.0f} {kept / articles:6.0%} {room / kept:11,.0f}"
        f" {statistics.median(waits):10.1f} {np.percentile(waits, 99):8.1f}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="+")
    parser.add_argument("--data", type=Path, default=data.FOLDER)
    parser.add_argument("--set", default="background")
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--last", type=int, default=500)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    stream = Stream(
        options.data / f"{options.set}.jsonl.gz",
        options.batch,
        options.last,
        options.workers,
        options.threads,
    )
    print(f"{stream.workers} workers of {stream.threads} threads, batches of {stream.batch:,}\n")
    print(f"{'':40} articles/s   kept  bytes/kept  median ms   99 % ms")
    for place in options.places:
        print(measure(place, stream), flush=True)


if __name__ == "__main__":
    main()
