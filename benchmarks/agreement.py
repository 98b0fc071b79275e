"""Test law 6 on Spark: `python -m benchmarks.agreement --data FOLDER [--corpus million.jsonl --articles 100000]`.

For each labelled set, or the beginning of a corpus of `benchmarks.corpus`, and for each number of partitions, this prints how
many articles get another cluster, relation, score or evidence on Spark than in a local run. Beside it stands how many articles
reached a limit on the work in the local run, where the two may differ. It exits with 1 if more articles differ than that.
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks import data
from benchmarks.spark import MASTER, beginning, numbers
from benchmarks.verdicts import Verdict, verdict_in, verdict_of
from dedup import deduplicate, read_articles
from dedup.settings.settings import Settings


def told_locally(path: Path) -> tuple[Counter[Verdict], int]:
    """Return what a local run says of each article, and of how many it reached a bound."""
    result = deduplicate(read_articles(path))
    verdicts = Counter(verdict_of(name, match) for name, match in result)
    return verdicts, int(result.assignments.limit_reached.sum())


def told_on_spark(path: Path, parts: int, folder: Path, memory: str) -> Counter[Verdict]:
    """Return what a run on Spark says of each article, the articles parted in so many, and all that is shuffled."""
    from dedup.spark.deduplicate import run_stages
    from dedup.spark.files import read
    from dedup.spark.session import start_session

    session = start_session(Settings(), master=MASTER, conf={"spark.driver.memory": memory})
    session.conf.set("spark.sql.shuffle.partitions", parts)
    session.conf.set("spark.sql.adaptive.coalescePartitions.enabled", "false")
    work = folder / "stages"
    articles = read.read_articles(session, path).frame.repartition(parts)
    rows = run_stages(articles, Settings(), work.absolute().as_uri()).articles.collect()
    shutil.rmtree(work)
    return Counter(map(verdict_in, rows))


def main() -> int:
    """Print a line for each corpus and number of partitions; return 1 where more differs than bounds explain."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=data.FOLDER, help="the folder of the labelled sets")
    parser.add_argument("--sets", default=",".join((*data.LABELLED_SETS, "background")))
    parser.add_argument("--corpus", type=Path, help="made by benchmarks.corpus, instead of the labelled sets")
    parser.add_argument("--articles", type=int, default=100_000, help="so many of its articles")
    parser.add_argument("--parts", type=numbers, default=[1, 7, 64], help="numbers of partitions")
    parser.add_argument("--memory", default="4g", help="of the driver")
    options = parser.parse_args()
    folder, lost = Path(tempfile.mkdtemp(prefix="dedup-bench-")), 0
    try:
        if options.corpus:
            paths = [beginning(options.corpus, options.articles, folder)]
        else:
            paths = [options.data / f"{name}.jsonl.gz" for name in options.sets.split(",")]
        print(f"{'corpus':18} {'articles':>9} {'dropped':>8} {'bounded':>8} {'partitions':>11} {'differ':>7}")
        for path in paths:
            local, bounded = told_locally(path)
            dropped = sum(relation is not None for _, _, relation, *_ in local.elements())
            for parts in options.parts:
                found = told_on_spark(path, parts, folder, options.memory)
                differ = max((local - found).total(), (found - local).total())
                lost |= differ > bounded
                told = f"{local.total():9,} {dropped:8,} {bounded:8,} {parts:11} {differ:7,}"
                print(f"{path.name:18} {told}", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return lost


if __name__ == "__main__":
    sys.exit(main())
