"""Measure an index as it grows, beside datasketch's MinHashLSH in Redis: `python -m benchmarks.index_growth CORPUS`.

The corpus is one of `benchmarks.corpus`, by date. This prints the articles per second when the index has nearly 10,000, 100,000,
300,000 and 990,000 of them (batches of 1,000, sketched ahead as `dedup filter --index` does, durable commits), the waits of
single articles after that, the bytes on disk per kept article, and the time to open the index. datasketch runs as in its
documentation (regular-expression words, 3-shingles, `MinHash.generator`, query and insert), with its own Redis server on this
machine, which writes nothing to the disk. This favours datasketch.
"""

import argparse
import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.index.index import Index
from dedup.io.corpus import read_articles
from dedup.pipeline.deduplicate import iter_sketched_batches
from dedup.settings.settings import Settings

BATCH = 1_000
SINGLE = 500
"""Articles that are answered one by one, after each mark."""
MARKS = (10_000, 100_000, 300_000, 990_000)
AROUND = 0.9
"""A rate is that of the last tenth before a mark."""


def batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Yield a corpus in batches of `SAMPLE_BATCH_BYTES`."""
    for batch in read_articles(path):
        for start in range(0, batch.num_rows, BATCH):
            yield batch.slice(start, BATCH)


def grow(path: Path, place: Path, most: int) -> None:
    """Feed a corpus to a new index, and print a line at each mark."""
    settings = Settings()
    print(
        f"{'articles':>10} {'articles/s':>11} {'bytes/kept':>11} {'median ms':>10} {'99 % ms':>8} {'peak MB':>8}"
    )
    with Index.open(place) as index:
        marks = [mark for mark in MARKS if mark <= most]
        begun, since = 0.0, 0
        for batch, sketches in iter_sketched_batches(batches(path), settings):
            done = index.backend.read_state().articles
            if done >= marks[0]:
                rate = (done - since) / (time.perf_counter() - begun)
                print_mark(index, rate, batch)
                marks, begun = marks[1:], 0.0
                if not marks:
                    break
            if not begun and done >= AROUND * marks[0]:
                begun, since = time.perf_counter(), done
            index.decide(batch, sketches)
    began = time.perf_counter()
    with Index.open(place) as index:
        index.find({"text": "Nothing of this has been in the news."})
        print(f"\nopened again in {time.perf_counter() - began:.1f} s")


def print_mark(index: Index, rate: float, batch: pa.RecordBatch) -> None:
    """Print a line of the table; the articles of the next batch come one by one."""
    stats = index.stats()
    waits = []
    for a in range(min(SINGLE, batch.num_rows)):
        began = time.perf_counter()
        index.decide(batch.slice(a, 1))
        waits.append(1_000 * (time.perf_counter() - began))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000
    print(
        f"{stats.articles:10,} {rate:11,.0f} {stats.bytes_per_kept:11,.0f} {statistics.median(waits):10.1f}"
        f" {np.percentile(waits, 99):8.1f} {peak:8,.0f}",
        flush=True,
    )


def datasketch_in_redis(path: Path, most: int) -> float:
    """Return the articles a second of datasketch's MinHashLSH with Redis storage."""
    from datasketch import MinHash, MinHashLSH

    server = shutil.which("redis-server") or sys.exit(
        "redis-server is not on the PATH: apt install redis-server"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        with subprocess.Popen([server, *options], stdout=subprocess.DEVNULL) as redis:
            try:
                wait_for(port)
                with path.open(encoding="utf-8") as file:
                    articles = [json.loads(line) for line in islice(file, most)]
                storage: dict[str, Any] = {"type": "redis", "redis": {"host": "127.0.0.1", "port": port}}
                began = time.perf_counter()
                lsh = MinHashLSH(threshold=0.5, num_perm=128, storage_config=storage)
                texts = (shingles(article["text"]) for article in articles)
                for article, minhash in zip(articles, MinHash.generator(texts, num_perm=128), strict=True):
                    lsh.query(minhash)
                    lsh.insert(article["id"], minhash)
                return len(articles) / (time.perf_counter() - began)
            finally:
                redis.terminate()


def shingles(text: str) -> list[bytes]:
    """Return the 3-shingles of the words of a text."""
    words = re.findall(r"\w+", text.lower())
    return [" ".join(words[k : k + 3]).encode() for k in range(len(words) - 2)]


def wait_for(port: int) -> None:
    """Wait until a server answers."""
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("the Redis server does not answer")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--most", type=int, default=MARKS[-1], help="articles, at most")
    parser.add_argument("--datasketch", type=int, default=10_000, help="articles for datasketch; 0 for none")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        grow(asked.corpus, Path(folder) / "seen.db", asked.most)
    if asked.datasketch:
        print(f"datasketch in Redis: {datasketch_in_redis(asked.corpus, asked.datasketch):,.0f} articles/s")


if __name__ == "__main__":
    main()
