"""Measure the tracing of origins: `python -m benchmarks.origins [--corpus MADE.jsonl]`.

There are three tables. *Versions:* the corrected and extended versions of `wire` have numbers in the order of the agency; of the
later one of each labelled pair of a Jaccard similarity of .5 or more, a labelled earlier version must be the parent. *Made
copies:* a corpus of `benchmarks.corpus`, whose articles are made from the first telling of their story. *Time:* the seconds
of all processors that origins and diffs take, beside those of the run on `background`. Exits with 1 if a figure misses its aim.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import data
from benchmarks.corpus import make
from benchmarks.million import truth_of
from dedup import Result, deduplicate
from dedup.io.kept_corpus import KEPT_BYTES, KeptCorpus
from dedup.origins.compare import compare_articles
from dedup.origins.edit_log import build_edit_logs
from dedup.origins.story_diff import diff_articles, read_rows
from dedup.origins.trace import OriginEdge, Story, trace_origins

MIN_JACCARD = 0.5
FIRST_DAY, MINUTES_EACH = datetime(1996, 8, 20, tzinfo=UTC), 0.65
"""The agency numbered 806,791 stories within a year from this day, so a number gives a date that is right within days."""
NUMBER = re.compile(r"(\d+)newsML")
MADE_ARTICLES = 50_000
NEAREST = 0.02
"""Labelled Jaccard similarities that differ by no more are equal."""
LEAST_PARENTS, LEAST_PRECISION, LEAST_RECALL = 0.98, 0.99, 0.98
MOST_TIME = 0.2
"""The share of the time of the run that origins, with the diff of the largest story, may take."""
REPEATS = 3


class Figure(NamedTuple):
    """A measured figure, and whether it reaches its aim."""

    name: str
    value: float
    aim: float
    is_least: bool

    @property
    def is_reached(self) -> bool:
        """Return whether the figure reaches its aim."""
        return self.value >= self.aim if self.is_least else self.value <= self.aim


def number_of(name: str) -> int:
    """Return the number that the agency gave a story."""
    found = NUMBER.search(name)
    if not found:
        sys.exit(f"{name} has no number")
    return int(found[1])


def parents_in(stories: Iterable[Story]) -> dict[str, OriginEdge]:
    """Return the edge of each article that has one."""
    return {edge.child: edge for story in stories for edge in story.edges}


def origins_of(result: Result) -> list[Story]:
    """Return the stories of a result."""
    if result.source is None:
        sys.exit("the result has no articles")
    return trace_origins(result, result.source)


def dated_wire() -> list[dict[str, Any]]:
    """Return the stories of `wire` in the order of the agency, with dates by their numbers."""
    articles = sorted(data.lines("wire"), key=lambda article: number_of(article["id"]))
    return [
        {**each, "published": FIRST_DAY + timedelta(minutes=number_of(each["id"]) * MINUTES_EACH)}
        for each in articles
    ]


def versions() -> Figure:
    """Print how many later versions have an earlier one as their parent."""
    earlier: dict[str, dict[str, float]] = defaultdict(dict)
    for pair in data.pairs("wire"):
        if pair["jaccard3"] >= MIN_JACCARD:
            first, second = sorted((pair["a"], pair["b"]), key=number_of)
            earlier[second][first] = pair["jaccard3"]
    parents = parents_in(origins_of(deduplicate(dated_wire())))
    edges = {name: parents[name] for name in earlier if name in parents}
    found = sum(edge.parent in earlier[name] for name, edge in edges.items())
    nearest = sum(
        earlier[name].get(edge.parent, 0) >= max(earlier[name].values()) - NEAREST
        for name, edge in edges.items()
    )
    print(f"{'wire: later versions':44}{len(earlier):8,}")
    print(f"{'  parent is a labelled earlier version':44}{found / len(earlier):8.4f}")
    print(f"{'  parent is the nearest of them':44}{nearest / len(earlier):8.4f}")
    return Figure("wire: parent found", found / len(earlier), LEAST_PARENTS, is_least=True)


def made_copies(corpus: Path) -> list[Figure]:
    """Print precision and recall of the edges of a made corpus, and the recall of each way of telling a story again."""
    truth = truth_of(corpus)
    first: dict[int, int] = {}
    for place, story in enumerate(truth.stories):
        first.setdefault(story, place)
    parents = parents_in(origins_of(deduplicate(corpus)))
    edges = {int(child): int(edge.parent) for child, edge in parents.items()}
    retold = [place for place, how in enumerate(truth.told) if how != "first"]
    right = [child for child, parent in edges.items() if truth.stories[child] == truth.stories[parent]]
    exact = sum(parent == first[truth.stories[child]] for child, parent in edges.items())
    precision, recall = len(right) / len(edges), len(right) / len(retold)
    print(f"\n{'made: articles made from another':44}{len(retold):8,}")
    print(f"{'  precision of edges: to an article of the story':50}{precision:8.4f}")
    print(f"{'  precision of edges: to the very article':50}{exact / len(edges):8.4f}")
    print(f"{'  recall':50}{recall:8.4f}")
    times, hits = (
        Counter(truth.told[place] for place in retold),
        Counter(truth.told[place] for place in right),
    )
    for how in sorted(times, key=lambda how: hits[how] / times[how]):
        print(f"    {how:66}{times[how]:6,}{hits[how] / times[how]:8.4f}")
    return [
        Figure("made: precision", exact / len(edges), LEAST_PRECISION, is_least=True),
        Figure("made: recall", recall, LEAST_RECALL, is_least=True),
    ]


def time_taken() -> Figure:
    """Print the time of a run on `background`, of its origins, and of diffs; the medians of some repeats."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "background.jsonl")
        path.write_text("".join(json.dumps(each) + "\n" for each in data.lines("background")), "utf-8")
        corpus = KeptCorpus([str(path)], keep_bytes=KEPT_BYTES)
        deduplicate(corpus)  # compiles, and reads what later runs keep in memory
        rows = sorted(
            (timed_once(corpus) for _ in range(REPEATS)), key=lambda row: (row[1] + row[2]) / row[0]
        )
    run, origins, largest, every, stories = rows[REPEATS // 2]
    share = (origins + largest) / run
    print(f"\n{'background: seconds of all processors':44}{'seconds':>8}{'of run':>8}")
    print(f"{'  run':44}{run:8.2f}{1:8.2f}")
    print(f"{f'  origins of {stories:.0f} stories':44}{origins:8.2f}{origins / run:8.2f}")
    print(f"{'  diff of the largest story':44}{largest:8.2f}{largest / run:8.2f}")
    print(f"{'  diffs of all stories, one by one':44}{every:8.2f}{every / run:8.2f}")
    return Figure("background: origins and a diff, of the run", share, MOST_TIME, is_least=False)


def timed_once(corpus: KeptCorpus) -> tuple[float, float, float, float, float]:
    """Return the seconds of a run, of the origins, of the diff of the largest story and of all; and the number of stories."""
    clock = [time.process_time()]
    result = deduplicate(corpus)
    clock.append(time.process_time())
    stories = trace_origins(result, corpus)
    clock.append(time.process_time())
    diff_articles(result, corpus, [stories[0].canonical])
    clock.append(time.process_time())
    compare_all(result, corpus)
    clock.append(time.process_time())
    run, origins, largest, every = (after - before for before, after in pairwise(clock))
    return run, origins, largest, every, len(stories)


def compare_all(result: Result, corpus: KeptCorpus) -> None:
    """Compare the facts of the articles of each story."""
    clusters = [sorted(cluster) for cluster in result.list_cluster_positions()]
    found = read_rows(result, corpus.read_again(), sorted(a for cluster in clusters for a in cluster))
    rows = {row.pop("seen"): row for row in found}
    for cluster in clusters:
        articles = [rows[a] for a in cluster]
        compare_articles(articles, result.settings)
        build_edit_logs(articles)


def main() -> int:
    """Print the tables; return 1 if a figure misses its aim."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, help="a corpus of benchmarks.corpus; made if it is missing")
    options = parser.parse_args()
    figures = [versions()]
    with tempfile.TemporaryDirectory() as folder:
        corpus = options.corpus or Path(folder, "made.jsonl")
        if not corpus.exists():
            make(corpus, MADE_ARTICLES)
        figures += made_copies(corpus)
    figures.append(time_taken())
    print()
    for figure in figures:
        word = "at least" if figure.is_least else "at most"
        print(
            f"{figure.name:44}{figure.value:8.4f}  {word} {figure.aim}{'' if figure.is_reached else '  MISSED'}"
        )
    return int(not all(figure.is_reached for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
