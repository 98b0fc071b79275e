"""Measure time, memory and quality on up to a million articles with known stories: `python -m benchmarks.million`.

The corpora are those of `benchmarks.corpus`. Each size and memory gets a line: microseconds per article of the whole process, its
peak memory, and precision and recall against the truth. Then comes the recall for each kind of mutation in the largest corpus.
The smaller corpora are the beginning of the largest. With `--spread` they have as many articles over the whole year, so each
article has fewer to be compared with. The corpora are made in `--folder` if they are missing, and stay there.
"""

import argparse
import json
import re
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from benchmarks.corpus import make
from benchmarks.speed import measure_command
from dedup.evaluation.metrics import score_b_cubed, score_pairwise

MOST_GROWTH = 1.5
"""The largest corpus takes at most so many times as long an article as the smallest."""
LOW_MEMORY = "512M"
MOST_MEMORY = {"": 3e9, LOW_MEMORY: 1e9}
"""Bytes, by default and with `--memory`."""
LABELS = re.compile(rb'"story": (\d+), "told": "([^"]*)"\}\s*$')


class Truth(NamedTuple):
    """What the articles of a corpus tell, by place."""

    stories: list[int]
    told: list[str]


class Seen(NamedTuple):
    """A run: what it took, and where each article ended."""

    seconds: float
    memory: float
    work: float
    """Seconds of all processors together."""
    clusters: list[int]


def truth_of(corpus: Path) -> Truth:
    """Return what the articles of a corpus tell."""
    stories, told = [], []
    with corpus.open("rb") as lines:
        for line in lines:
            found = LABELS.search(line, max(len(line) - 200, 0))
            if not found:
                sys.exit(f"{corpus} was not made by benchmarks.corpus")
            stories.append(int(found[1]))
            told.append(found[2].decode())
    return Truth(stories, told)


def corpora(folder: Path, sizes: list[int], *, spread: bool) -> list[Path]:
    """Return the corpora of some sizes, the largest last, made where they are missing."""
    largest = folder / f"{sizes[-1]}.jsonl"
    if not largest.exists():
        make(largest, sizes[-1])
    found = []
    for size in sizes[:-1]:
        path = folder / f"{size}{'-spread' if spread else ''}.jsonl"
        if not path.exists() and spread:
            make(path, size)
        elif not path.exists():
            with largest.open("rb") as lines, path.open("wb") as file:
                file.writelines(islice(lines, size))
        found.append(path)
    return [*found, largest]


def run(corpus: Path, articles: int, memory: str) -> Seen:
    """Return what becomes of a corpus; `memory` is what is asked for, if anything."""
    out = corpus.with_suffix(".clusters")
    asked = ["--memory", memory] if memory else []
    command = [sys.executable, "-m", "dedup", "cluster", str(corpus), "-o", str(out), "--quiet", *asked]
    seconds, peak, work = measure_command(command)
    clusters = clusters_in(out, articles)
    out.unlink()
    return Seen(seconds, peak, work, clusters)


def clusters_in(out: Path, articles: int) -> list[int]:
    """Return where each article ended, of the clusters that a run wrote."""
    clusters = list(range(articles))
    with out.open("rb") as lines:
        for line in lines:
            cluster = json.loads(line)
            for member in cluster["members"]:
                clusters[int(member["id"])] = int(cluster["cluster"])
    return clusters


def shown(articles: int, memory: str, seen: Seen, truth: Truth) -> str:
    """Return a run as a line of the table."""
    pairs, b3 = (score(truth.stories, seen.clusters) for score in (score_pairwise, score_b_cubed))
    scores = "".join(f"{value:9.4f}" for value in (pairs.precision, pairs.recall, b3.precision, b3.recall))
    each = seen.seconds / articles * 1e6
    work = seen.work / articles * 1e6
    return f"{articles:9,} {memory or 'default':>8} {seen.seconds:8.1f} {each:8.0f} {work:8.0f} {seen.memory / 1e6:9,.0f}{scores}"


def recall_by_telling(seen: Seen, truth: Truth) -> dict[str, tuple[int, float]]:
    """Return for each way of telling a story again how often it was told so, and the share that is with the first telling."""
    first = {story: place for place, story in reversed(list(enumerate(truth.stories)))}
    told, found = (
        Counter(truth.told),
        Counter(
            how
            for place, (story, how) in enumerate(zip(*truth, strict=True))
            if seen.clusters[place] == seen.clusters[first[story]]
        ),
    )
    return {how: (told[how], found[how] / told[how]) for how in sorted(told) if how != "first"}


def main() -> int:
    """Print the tables; return 1 if a requirement is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--articles", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=1, help="of each size; the fastest counts")
    parser.add_argument("--spread", action="store_true")
    options = parser.parse_args()
    sizes = [options.articles // 100, options.articles // 10, options.articles]
    print(
        f"{'articles':>9} {'memory':>8} {'seconds':>8} {'µs each':>8} {'of CPU':>8} {'peak, MB':>9}", end=""
    )
    print(f"{'pair P':>9}{'R':>9}{'B³ P':>9}{'R':>9}")
    each, missed = [], False
    for corpus, size in zip(corpora(options.folder, sizes, spread=options.spread), sizes, strict=True):
        truth = truth_of(corpus)
        for memory in ("", LOW_MEMORY) if size == sizes[-1] else ("",):
            seen = min(run(corpus, size, memory) for _ in range(options.runs))
            print(shown(size, memory, seen, truth), flush=True)
            missed = missed or seen.memory > MOST_MEMORY[memory]
            if not memory:
                each.append((seen.seconds / size, seen.work / size))
    growth, of_work = (last / first for first, last in zip(each[0], each[-1], strict=True))
    print(
        f"\ntime an article, largest against smallest: {growth:.2f} × (required: {MOST_GROWTH} ×); CPU: {of_work:.2f} ×"
    )
    print(f"\n{'told again':66} {'times':>8} {'recall':>8}")
    for how, (times, recall) in recall_by_telling(seen, truth).items():
        print(f"{how:66} {times:8,} {recall:8.4f}")
    return int(missed or growth > MOST_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
