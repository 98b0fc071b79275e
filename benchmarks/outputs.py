"""Record the output of every engine, and compare it with an earlier record: `python -m benchmarks.outputs FILE`.

A change of the code that must not change results is checked by two runs: the first writes the record, each later one prints
"identical" or names the runs that differ, and exits 1. A run is a corpus at a level through an engine: a local run, an index in
SQLite, or Spark. A record holds, for each run, a digest of the ids and of each article's verdict: cluster, storyline, relation,
score, and the evidence of the dropped articles.

The corpora are the labelled sets of `--data`, and a made corpus (`benchmarks.corpus`) where `--corpus` names one.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import data

SETS = (*data.LABELLED_SETS, "flashes", "portuguese", "background")
LEVELS = ("text", "story", "storyline")
SPARK_SETS = ("outlets", "graded")
"""Spark takes twenty seconds a run, so it runs a few sets, at the default level."""


class Run(NamedTuple):
    """One run of the command line."""

    corpus: Path
    level: str
    engine: str

    @property
    def name(self) -> str:
        """The key of the run in a record."""
        return f"{self.corpus.name.split('.')[0]} {self.level} {self.engine}"


def list_runs(folder: Path, corpus: Path | None, sets: list[str]) -> Iterator[Run]:
    """Yield the runs to record."""
    for name in sets:
        path = folder / f"{name}.jsonl.gz"
        for level in LEVELS:
            yield Run(path, level, "local")
        yield Run(path, "story", "index")
        if name in SPARK_SETS:
            yield Run(path, "story", "spark")
    if corpus:
        yield Run(corpus, "story", "local")


def record_run(run: Run) -> dict[str, str | int]:
    """Return the counts and the digest of a run."""
    with tempfile.TemporaryDirectory(prefix="dedup-outputs-") as folder:
        articles, kept, dropped = (
            Path(folder, name) for name in ("articles.jsonl", "kept.jsonl", "dropped.jsonl")
        )
        if run.engine != "index":
            call("cluster", run, "--format", "articles", "--engine", run.engine, "-o", str(articles))
            lines = read_verdicts(articles)
        if run.engine != "spark":
            index = ("--index", str(Path(folder, "seen.db"))) if run.engine == "index" else ()
            call("filter", run, "-o", str(kept), "--dropped", str(dropped), *index)
            drops = read_verdicts(dropped)
            lines = [*read_ids(kept), *drops] if run.engine == "index" else [*lines, *drops]
    digest = hashlib.blake2b(digest_size=12)
    for line in sorted(lines):
        digest.update(line.encode() + b"\n")
    return {"lines": len(lines), "digest": digest.hexdigest()}


def call(command: str, run: Run, *options: str) -> None:
    """Call the command line for a run, and wait for it."""
    line = [
        sys.executable,
        "-m",
        "dedup",
        command,
        str(run.corpus),
        "--level",
        run.level,
        "--quiet",
        *options,
    ]
    subprocess.run(line, check=True)


def read_lines(path: Path) -> Iterator[dict[str, object]]:
    """Yield the JSON objects of an output, which Spark writes as a folder."""
    paths = sorted(path.glob("*.jsonl*")) or sorted(path.glob("part-*")) if path.is_dir() else [path]
    for file in paths:
        with file.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def read_verdicts(path: Path) -> list[str]:
    """Return the id and the verdict of each article, as one canonical line each."""
    return [json.dumps([row["id"], row["dedup"]], sort_keys=True) for row in read_lines(path)]


def read_ids(path: Path) -> list[str]:
    """Return the id of each article, as one line each."""
    return [json.dumps(row["id"]) for row in read_lines(path)]


def main() -> int:
    """Write a record, or compare with the one that is there; return 1 where a run differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("record", type=Path, help="written where it is missing, else compared with")
    parser.add_argument("--data", type=Path, default=data.FOLDER, help="the folder of the labelled sets")
    parser.add_argument(
        "--corpus", type=Path, help="a made corpus, such as the first 100,000 articles of the million"
    )
    parser.add_argument("--sets", default=",".join(SETS))
    options = parser.parse_args()
    earlier = json.loads(options.record.read_text("utf-8")) if options.record.exists() else None
    record = {}
    for run in list_runs(options.data, options.corpus, options.sets.split(",")):
        record[run.name] = seen = record_run(run)
        changed = earlier is not None and earlier.get(run.name) != seen
        print(f"{run.name:32} {seen['lines']:8,} {seen['digest']} {'DIFFERS' if changed else ''}", flush=True)
    if earlier is None:
        options.record.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
        return 0
    differing = [name for name, seen in record.items() if earlier.get(name) != seen]
    print(f"{len(differing)} of {len(record)} runs differ" if differing else "identical")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())
