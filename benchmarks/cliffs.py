"""Measure time and work on invented corpora that are hard for a deduper: `python -m benchmarks.cliffs`.

Each corpus and size gets a line with the CPU time and the work per article. If the cost is nearly linear, an article takes as
long at the larger size as at the smaller. Otherwise limits (`max_candidates`, `max_postings`) bound the work, and the line has
the share of articles that reached a limit, as a run would report it.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import accumulate
from random import Random
from typing import Any

from dedup import Settings, deduplicate
from dedup.io.articles import to_batches
from dedup.pipeline.deduplicate import load_kernels
from dedup.pipeline.results import Result

Article = dict[str, Any]
Hard = Callable[[int], Iterator[Article]]
"""How many articles → the articles."""

SIZES = (10_000, 100_000)
MOST_GROWTH = 1.5
FIRST_DAY = datetime(2031, 1, 1, tzinfo=UTC)
APART = timedelta(days=365) / 100_000
"""A hundred thousand articles are those of a year."""
SYLLABLES = "ba dor fen gil hask jun kel lom mer nop quist rav sand tam ul vick wex yor zell ash".split()
VOCABULARY, COMMONEST = 20_000, 300
WORDS, SENTENCE = 120, 12
"""Words of an article, and of a sentence."""
LONG = 50_000_000
"""Bytes of the one long article."""
FORM = (
    "{} {} of {} was fined {} crowns by the court of {} after a car without a permit was found in {} Street on the {} of May, "
    "the clerk of the court said in the daily list of penalties. A fine that is not paid within {} days is doubled."
)
HOT = "Rosmere harbour strike: "


@cache
def words() -> tuple[list[str], list[float]]:
    """Return invented words, and how often they come, added up: the n-th comes as often as 1 / n, but for the `COMMONEST`."""
    random = Random(1)
    found = {"".join(random.choices(SYLLABLES, k=random.randint(2, 5))): None for _ in range(2 * VOCABULARY)}
    return list(found)[:VOCABULARY], list(accumulate(1 / (n + COMMONEST) for n in range(VOCABULARY)))


def story(number: int) -> Article:
    """Return an invented story, the same one for the same number, without a date."""
    random = Random(number)
    known, often = words()
    drawn = random.choices(known, cum_weights=often, k=WORDS)
    sentences = [" ".join(drawn[k : k + SENTENCE]).capitalize() + "." for k in range(0, WORDS, SENTENCE)]
    return {"title": " ".join(drawn[:6]).capitalize(), "text": " ".join(sentences)}


def dated(articles: Iterator[Article], apart: timedelta = APART) -> Iterator[Article]:
    """Yield articles with dates, each so much later than the one before it."""
    for place, article in enumerate(articles):
        yield {**article, "published": FIRST_DAY + apart * place}


def filled(number: int) -> Article:
    """Return a form with other names and numbers than it has for any other number."""
    random = Random(number)
    names = ["".join(random.choices(SYLLABLES, k=2)).capitalize() for _ in range(5)]
    first, second, town, court, street = names
    fine, day, delay = random.randrange(10_000), random.randrange(28), random.randrange(90)
    return {"text": FORM.format(first, second, town, fine, court, street, day, delay)}


def reworded(number: int) -> Article:
    """Return one story with a few words changed, others for each number."""
    random, known = Random(number), words()[0]
    told = story(0)["text"].split(" ")
    for _ in range(5):
        told[random.randrange(WORDS)] = random.choice(known)
    return {"text": " ".join(told)}


def hot(number: int) -> Article:
    """Return a story that has some words in its title which all have."""
    told = story(number)
    return {**told, "title": HOT + told["title"]}


def long_one(count: int) -> Iterator[Article]:
    """Yield stories, and one of them told so often in one article that it has fifty megabytes."""
    yield from map(story, range(count))
    text = story(0)["text"]
    yield {"text": " ".join(story(count + k % 500)["text"] for k in range(LONG // len(text)))}


HARD: dict[str, Hard] = {
    "unlike stories": lambda count: dated(map(story, range(count))),
    "one form filled in": lambda count: dated(map(filled, range(count))),
    "one form filled in, on one day": lambda count: dated(map(filled, range(count)), timedelta(1) / count),
    "one story": lambda count: dated(story(0) for _ in range(count)),
    "one story, reworded": lambda count: dated(map(reworded, range(count))),
    "no words": lambda count: dated({"text": ""} for _ in range(count)),
    "words that all have": lambda count: dated(map(hot, range(count))),
    "unlike stories on one day": lambda count: dated(map(story, range(count)), timedelta(1) / count),
    "unlike stories, undated": lambda count: map(story, range(count)),
    "one of fifty megabytes": long_one,
}


def timed(hard: Hard, count: int, settings: Settings) -> tuple[float, Result]:
    """Return (seconds of CPU, result) of a hard corpus; making it is not counted."""
    articles = ({"id": str(k), "language": "en", **article} for k, article in enumerate(hard(count)))
    batches = list(to_batches(articles))
    start = time.process_time()
    result = deduplicate(batches, settings)
    return time.process_time() - start, result


def main() -> int:
    """Print the table; return 1 where time an article grows and no bound was reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=partial(str.split, sep=","), default=[str(size) for size in SIZES])
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    load_kernels()
    missed = False
    print(f"{'':32}{'articles':>9}{'µs each':>9}{'verified':>10}{'bounded':>9}{'clusters':>10}{'kept':>9}")
    for name, hard in HARD.items():
        each = []
        for size in map(int, options.sizes):
            seconds, result = timed(hard, size, Settings(threads=options.threads))
            made = result.assignments
            each.append(seconds / len(result.ids) * 1e6)
            bounded = float(made.limit_reached.mean())
            print(
                f"{name:32}{size:9,}{each[-1]:9.0f}{made.verified.mean():10.1f}{bounded:9.1%}"
                f"{len(result.clusters):10,}{len(result.kept):9,}",
                flush=True,
            )
        missed = missed or (each[-1] > MOST_GROWTH * each[0] and not bounded)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
