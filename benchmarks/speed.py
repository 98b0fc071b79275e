"""Articles a second, side by side in one run: `make speed`, or `python -m benchmarks.speed --data FOLDER`.

`dedup cluster` runs as a whole process, from JSON Lines on disk to clusters on disk, both channels, start-up included;
datasketch's pipeline is what its documentation shows (regular-expression words → 3-shingles → `MinHash.generator` →
`MinHashLSH`), rensa's what its README shows, with 3-shingles made in Python; each in a process of its own as well. Runs
alternate; medians are reported, beside what is aimed at.
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

DEDUP, COPIES, READING = "dedup cluster", "dedup cluster, copies only", "only reading (pyarrow.json)"
DATASKETCHS, RENSAS = "datasketch pipeline", "rensa"
AIMS = ((DEDUP, DATASKETCHS, 20.0), (DEDUP, RENSAS, 6.0))
"""By how many times the first should have the articles a second of the second."""
BOUNDS = ((DEDUP, READING, 6.0), (COPIES, READING, 4.5))
"""How many times the seconds of the second the first should take, at most."""
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
RENSA = """
import json, sys
from rensa import RMinHash, RMinHashDeduplicator

with open(sys.argv[1], encoding="utf-8") as file:
    articles = [json.loads(line) for line in file]

def shingles(text):
    words = text.lower().split()
    return [" ".join(words[i:i + 3]) for i in range(len(words) - 2)]

found = RMinHashDeduplicator(threshold=0.5, num_perm=128, use_lsh=True)
with open(sys.argv[2], "w") as out:
    for article in articles:
        minhash = RMinHash(num_perm=128, seed=42)
        minhash.update(shingles(article["text"]))
        out.write(json.dumps([article["id"], [str(other) for other in found.get_duplicates(minhash)]]) + "\\n")
        found.add(article["id"], minhash)
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
    parser.add_argument("--without-peers", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus, out = Path(folder) / "corpus.jsonl", str(Path(folder) / "out.jsonl")
        with gzip.open(options.data / f"{options.set}.jsonl.gz") as packed, corpus.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        articles = sum(1 for _ in corpus.open("rb"))
        ours = [sys.executable, "-m", "dedup", "cluster", str(corpus), "-o", out, "--quiet"]
        commands = {
            READING: [sys.executable, "-c", READ, str(corpus)],
            DEDUP: ours,
            COPIES: [*ours, "--relations", "exact,copy,excerpt,extension"],
            RENSAS: [sys.executable, "-c", RENSA, str(corpus), out],
            DATASKETCHS: [sys.executable, "-c", DATASKETCH, str(corpus), out],
        }
        if options.without_peers:
            del commands[DATASKETCHS], commands[RENSAS]
        measured(commands[DEDUP])  # compiles the kernels, once
        runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, command in commands.items():
                runs[name].append(measured(command))
    return report(articles, runs)


def report(articles: int, runs: dict[str, list[tuple[float, float, float]]]) -> int:
    """Print each command's median, rate and peak memory, and the ratios aimed at; return 1 if one is missed."""
    took = {name: statistics.median(seconds for seconds, _, _ in seen) for name, seen in runs.items()}
    print(f"{articles} articles, medians of {len(next(iter(runs.values())))} alternating runs\n")
    print(f"{'':30} {'seconds':>8} {'articles/s':>11} {'peak memory':>12}")
    for name, seen in runs.items():
        peak = max(memory for _, memory, _ in seen) / 1e6
        print(f"{name:30} {took[name]:8.2f} {articles / took[name]:11,.0f} {peak:9,.0f} MB")
    print()
    missed = [max(memory for _, memory, _ in runs[DEDUP]) > MOST_MEMORY]
    for name, other, aim in AIMS:
        if other in took:
            missed.append(took[other] / took[name] < aim)
            print(f"{name}: {took[other] / took[name]:.1f} times as fast as {other} (aim: {aim:g})")
    for name, other, aim in BOUNDS:
        missed.append(took[name] / took[other] > aim)
        print(f"{name}: {took[name] / took[other]:.1f} times as long as {other} (aim: {aim:g} at most)")
    return int(any(missed))


if __name__ == "__main__":
    sys.exit(main())
