"""Articles a second, side by side in one run: `make speed`, or `python -m benchmarks.speed --data FOLDER`.

`dedup cluster` runs as a whole process, from JSON Lines on disk to clusters on disk, both channels, start-up included;
datasketch's pipeline is what its documentation shows (regular-expression words → 3-shingles → `MinHash.generator` →
`MinHashLSH`), in a process of its own as well. Runs alternate; medians are reported.
"""

import argparse
import gzip
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import data

REQUIRED = 8.0
"""Times the articles a second of datasketch's pipeline."""
MOST_MEMORY = 1.5e9

DATASKETCH = """
import json, re, sys
from datasketch import MinHash, MinHashLSH

def shingles(text):
    words = re.findall(r"\\w+", text.lower())
    return [" ".join(words[i:i + 3]).encode() for i in range(len(words) - 2)]

with open(sys.argv[1], encoding="utf-8") as file:
    articles = [json.loads(line) for line in file]
lsh = MinHashLSH(threshold=0.5, num_perm=128)
with open(sys.argv[2], "w") as out:
    for article, minhash in zip(articles, MinHash.generator((shingles(a["text"]) for a in articles), num_perm=128)):
        out.write(json.dumps([article["id"], lsh.query(minhash)]) + "\\n")
        lsh.insert(article["id"], minhash)
"""
READ = """
import sys, pyarrow.json
pyarrow.json.read_json(sys.argv[1])
"""


def measured(command: list[str]) -> tuple[float, float, float]:
    """Return (seconds, peak resident bytes, seconds of all processors) of a command that must succeed."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"failed: {' '.join(command)[:200]}")
    return seconds, used.ru_maxrss * 1024.0, used.ru_utime + used.ru_stime


def main() -> int:
    """Print the table; return 1 if a requirement is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=data.FOLDER)
    parser.add_argument("--set", default="background")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--without-datasketch", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus, out = Path(folder) / "corpus.jsonl", str(Path(folder) / "out.jsonl")
        with gzip.open(options.data / f"{options.set}.jsonl.gz") as packed, corpus.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        articles = sum(1 for _ in corpus.open("rb"))
        commands = {
            "only reading (pyarrow.json)": [sys.executable, "-c", READ, str(corpus)],
            "dedup cluster": [sys.executable, "-m", "dedup", "cluster", str(corpus), "-o", out, "--quiet"],
            "datasketch pipeline": [sys.executable, "-c", DATASKETCH, str(corpus), out],
        }
        if options.without_datasketch:
            del commands["datasketch pipeline"]
        measured(commands["dedup cluster"])  # compiles the kernels, once
        runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, command in commands.items():
                runs[name].append(measured(command))
    return report(articles, runs)


def report(articles: int, runs: dict[str, list[tuple[float, float, float]]]) -> int:
    """Print each command's median, rate and peak memory, and the ratios asked for; return 1 if one is missed."""
    rate = {}
    print(f"{articles} articles, medians of {len(next(iter(runs.values())))} alternating runs\n")
    print(f"{'':30} {'seconds':>8} {'articles/s':>11} {'peak memory':>12}")
    for name, seen in runs.items():
        seconds = statistics.median(s for s, _, _ in seen)
        rate[name] = articles / seconds
        print(f"{name:30} {seconds:8.2f} {rate[name]:11,.0f} {max(m for _, m, _ in seen) / 1e6:9,.0f} MB")
    print(f"\ntime against only reading: {rate['only reading (pyarrow.json)'] / rate['dedup cluster']:.1f} ×")
    memory = max(m for _, m, _ in runs["dedup cluster"])
    missed = memory > MOST_MEMORY
    if "datasketch pipeline" in rate:
        ratio = rate["dedup cluster"] / rate["datasketch pipeline"]
        print(f"against datasketch's pipeline: {ratio:.1f} × (required: {REQUIRED:.0f} ×)")
        missed = missed or ratio < REQUIRED
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
