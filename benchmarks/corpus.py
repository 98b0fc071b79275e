"""Make a corpus of any size, with known stories, from real articles: `python -m benchmarks.corpus 1000000 -o million.jsonl`.

The material is the English sets of the labelled data. Without them it is the invented newsroom, which is enough for a trial but
not for measuring. The corpus is JSON Lines by date; `story` names the story of an article, and `told` the way in which this
article was changed.

There are too few real articles for a million, so stories are composed. A topic is what real articles with a common term are
about. A story is made of sentences of its topic, each from another article, with a cast of its own: each name in the sentences
is replaced throughout the story by the same name of as many words. Two names of a cast are frequent in its topic, as in the
news; the others are its own, composed from the words of real names. The headline is made of words of the lead. So words are as
frequent as in real news, and two stories of one topic share terms, names and sometimes a sentence, but are not the same. Seven
of ten articles are stories told once. The others tell stories whose number of articles has a heavy tail, and each later
article is a mutation (`benchmarks.mutations`) of the first.
"""

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from benchmarks import data
from benchmarks.mutations import SENTENCE, Mutation, mutated, mutations_of
from dedup.io.articles import to_batches
from dedup.pipeline.deduplicate import sketch_with_settings
from dedup.settings.settings import Settings

SETS = ("background", "wire", "roundups", "incidents")
NEWSROOM = Path(__file__).parents[1] / "examples" / "newsroom.jsonl"
FIRST_DAY = datetime(2031, 1, 1, tzinfo=UTC)
SINGLE = 0.7
"""The share of articles whose story is told once."""
TAIL, MOST_TOLD = 2.2, 500
"""Of the other stories the share with n tellings falls as n to this power; none has more tellings than that."""
DELAY_HOURS, LATEST_HOURS = 10.0, 96.0
"""A telling comes so long after the first, on average and at most: within the window for rewrites."""
SPREAD, SHORTEST, LONGEST = 0.5, 60, 3_000
"""Lengths are log-normal, with this deviation, between so many words."""
COMMON_TOPIC, RARE_TOPIC = 0.01, 30
"""What makes a topic: the commonest term of an article that no more than this share and no fewer than so many articles have."""
SENTENCE_WORDS = range(6, 50)
TITLE_WORDS, LEAD_WORD = 7, 5
"""A headline has so many words of the first two sentences, of so many letters or more, after two names of the cast."""
STANDING, CAST = 5, 3
"""The first name of each kind is one of so many that the topic is full of; a cast has so many of a kind."""
NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w’'-]+(?: [A-Z][\w’'-]+)*")
"""A run of capitals in mid-sentence."""
NO_NAMES = set(
    """
        Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June
        July August September October November December I I'm I've I’m I’ve Mr Mrs Ms Dr
    """.split()
)
SLOTS = [[chr(0xE000 + CAST * kind + k) for k in range(CAST)] for kind in range(2)]
"""What stands for a name in a sentence, for names of one word and of more."""
SOURCES = 200
SPARE = 500
"""Mutations draw on so many stories, which are told nowhere."""
TELLINGS = (
    (15, (("as sent", 0.0),)),
    (15, (("re-datelined", 1.0),)),
    (10, (("re-headlined", 1.0),)),
    (8, (("cut to its first", 0.6),)),
    (5, (("cut to its first", 0.4),)),
    (4, (("cut to its middle", 0.6),)),
    (8, (("extended by", 0.2),)),
    (4, (("extended by", 0.5),)),
    (8, (("sentences dropped", 0.1),)),
    (5, (("sentences dropped", 0.3),)),
    (4, (("sentences reordered", 0.3),)),
    (5, (("words replaced", 0.05),)),
    (4, (("words replaced", 0.2), ("re-headlined", 0.5), ("sentences reordered", 1.0))),
    (2, (("typing noise", 0.01),)),
    (3, (("quotes and dashes", 1.0),)),
)
"""How often a story is told again in which way: weight, mutations with their strengths."""
SHARE = 2_000
"""Articles that a process makes at once."""

Article = dict[str, Any]


class Topic(NamedTuple):
    """What stories of one kind are made of; `FUNCTION_WORD_SLOTS` stand for the names."""

    sentences: list[str]
    standing: tuple[list[str], list[str]]
    """The commonest names, of one word and of more."""


class Material(NamedTuple):
    """What stories are made of."""

    topics: list[Topic]
    weights: list[int]
    """How many real articles each topic has, added up."""
    words: list[str]
    """The words of names, each once."""


class Plan(NamedTuple):
    """What each article tells, by date."""

    stories: np.ndarray
    tellings: np.ndarray
    """0 for the first telling of a story."""
    hours: np.ndarray


def real_articles() -> list[Article]:
    """Return the articles that sentences are taken from."""
    if data.FOLDER.is_dir():
        return [article for name in SETS for article in data.lines(name)]
    return [json.loads(line) for line in NEWSROOM.read_text("utf-8").splitlines()]


def topics_of(articles: list[Article]) -> list[list[Article]]:
    """Return the articles parted by topic, each under the commonest of its terms that makes one; without one it is left out."""
    keys = ("title", "text", "language")
    batches = to_batches([{name: article.get(name) for name in keys} for article in articles])
    salient = np.concatenate([sketch_with_settings(batch, Settings()).salient for batch in batches])
    terms, counts = np.unique(salient[salient > 0], return_counts=True)
    few, most = min(RARE_TOPIC, len(articles) // 20), max(COMMON_TOPIC * len(articles), RARE_TOPIC)
    common = dict(zip(terms[counts >= few].tolist(), counts[counts >= few].tolist(), strict=True))
    found = defaultdict(list)
    for article, row in zip(articles, salient.tolist(), strict=True):
        known = [(common[term], term) for term in row if 0 < common.get(term, 0) <= most]
        if known:
            found[max(known)[1]].append(article)
    return [found[term] for term in sorted(found) if len(found[term]) >= few]


def material_of(articles: list[Article]) -> Material:
    """Return what stories are made of: the topics of real articles, and the words of their names."""
    words: set[str] = set()
    topics = [topic_of(group, words) for group in topics_of(articles)]
    topics = [topic for topic in topics if len(topic.sentences) >= RARE_TOPIC]
    return Material(topics, list(accumulate(len(topic.sentences) for topic in topics)), sorted(words))


def topic_of(articles: list[Article], words: set[str]) -> Topic:
    """Return what stories like these articles are made of; the words of their names are added to `words`."""
    names: tuple[Counter[str], Counter[str]] = Counter(), Counter()
    sentences = []
    for article in articles:
        for found in SENTENCE.findall(article["text"]):
            sentence = " ".join(found.split())
            if (
                sentence.count(" ") + 1 in SENTENCE_WORDS
                and sentence[0].isupper()
                and sentence[-1] in '.!?"”'
            ):
                sentences.append(NAME.sub(partial(slot_of, names, words), sentence))
    standing = tuple([name for name, _ in kind.most_common(STANDING)] for kind in names)
    return Topic(sentences, (standing[0], standing[1]))


def slot_of(names: tuple[Counter[str], Counter[str]], words: set[str], found: re.Match[str]) -> str:
    """Return what stands for a name, the same for the same one; the name is counted, and its words are taken down."""
    name = found[0]
    parts = name.split(" ")
    if NO_NAMES.intersection(parts):
        return name
    names[len(parts) > 1][name] += 1
    words.update(parts)
    return SLOTS[len(parts) > 1][crc32(name.encode()) % CAST]


def story(material: Material, words: int, seed: int, number: int) -> Article:
    """Return the first telling of a story: the same one for the same four."""
    random = Random(f"{seed} {number}")
    topic = random.choices(material.topics, cum_weights=material.weights)[0]
    wanted = min(max(random.lognormvariate(np.log(words) - SPREAD**2 / 2, SPREAD), SHORTEST), LONGEST)
    sentences, told = [], 0
    while told < wanted:
        sentences.append(random.choice(topic.sentences))
        told += sentences[-1].count(" ") + 1
    cast = cast_of(material, topic, random)
    text = "\n\n".join(" ".join(sentences[k : k + 2]) for k in range(0, len(sentences), 2))
    for slot, name in cast.items():
        text = text.replace(slot, name)
    lead = [word for word in text[: text.find("\n")].split() if len(word) >= LEAD_WORD]
    title = " ".join([*random.sample(sorted(cast.values()), 2), *lead[:TITLE_WORDS]])
    return {"title": title, "text": text, "source": f"Outlet {random.randrange(SOURCES)}", "language": "en"}


def cast_of(material: Material, topic: Topic, random: Random) -> dict[str, str]:
    """Return a name for each slot: the first of its kind one that the topic is full of, the others the story's own."""
    cast = {}
    for kind, slots in enumerate(SLOTS):
        for k, slot in enumerate(slots):
            own = " ".join(random.choices(material.words, k=kind + 1))
            standing = topic.standing[kind]
            cast[slot] = random.choice(standing) if k == 0 and standing else own
    return cast


def planned(articles: int, days: float, seed: int) -> Plan:
    """Return what each of so many articles tells, spread over so many days."""
    random = np.random.default_rng(seed)
    alone = round(articles * SINGLE)
    sizes = np.arange(2, MOST_TOLD + 1)
    odds = sizes**-TAIL / (sizes**-TAIL).sum()
    drawn = random.choice(sizes, size=articles, p=odds)
    told = drawn[: np.searchsorted(np.cumsum(drawn), articles - alone) + 1]
    counts = np.concatenate([np.ones(alone, np.int64), told])
    stories = np.repeat(np.arange(len(counts)), counts)[:articles]
    first = np.concatenate([[True], stories[1:] != stories[:-1]])
    tellings = np.arange(articles) - np.maximum.accumulate(np.where(first, np.arange(articles), 0))
    delays = np.minimum(random.exponential(DELAY_HOURS, articles), LATEST_HOURS) * ~first
    hours = random.uniform(0, days * 24, len(counts))[stories] + delays
    order = np.argsort(hours, kind="stable")
    return Plan(stories[order], tellings[order], hours[order])


class Maker:
    """Articles by their place in a plan, each made on its own: a process makes some of them."""

    def __init__(self, articles: int, days: float, words: int, seed: int) -> None:
        self.plan = planned(articles, days, seed)
        self.seed = seed
        self.first = lru_cache(1 << 12)(partial(story, material_of(real_articles()), words, seed))
        texts = [self.first(-1 - k)["text"] for k in range(SPARE)]
        self.mutations = {mutation.name: mutation for mutation in mutations_of(texts)}

    def article(self, place: int) -> Article:
        """Return an article of the plan."""
        number, telling = int(self.plan.stories[place]), int(self.plan.tellings[place])
        published = FIRST_DAY + timedelta(hours=float(self.plan.hours[place]))
        article, how = self.first(number), "first"
        if telling:
            article, how = retold(article, self.mutations, Random(f"{self.seed} {number} {telling}"))
        head = {"id": f"{place:07d}", "published": published.isoformat(timespec="seconds")}
        return {**head, **article, "story": number, "told": how}

    def lines(self, places: list[int]) -> bytes:
        """Return some articles of the plan as lines of JSON."""
        articles = map(self.article, places)
        return b"".join(json.dumps(article, ensure_ascii=False).encode() + b"\n" for article in articles)


def retold(article: Article, mutations: dict[str, Mutation], random: Random) -> tuple[Article, str]:
    """Return a later telling of a story, and what was done to it."""
    (how,) = random.choices([told for _, told in TELLINGS], [weight for weight, _ in TELLINGS])
    article = {**article, "source": f"Outlet {random.randrange(SOURCES)}"}
    for name, strength in how:
        if name in mutations:
            article = mutated(article, mutations[name], strength, random)
    return article, ", ".join(f"{name} {strength:.0%}" if strength else name for name, strength in how)


def written(maker: Maker, places: list[int], processes: int) -> Iterator[bytes]:
    """Yield the articles at some places of a plan as lines of JSON, made by so many processes."""
    shares = [places[k : k + SHARE] for k in range(0, len(places), SHARE)]
    if processes == 1:
        yield from map(maker.lines, shares)
        return
    with get_context("fork").Pool(processes) as pool:
        yield from pool.imap(maker.lines, shares)


def make(
    path: Path, articles: int, *, days: float = 365.0, words: int = 500, seed: int = 1, processes: int = 1
) -> None:
    """Write a corpus of so many articles by date, of so many words each on average, over so many days."""
    maker = Maker(articles, days, words, seed)
    with path.open("wb") as file:
        file.writelines(written(maker, list(range(articles)), processes))


def main() -> None:
    """Write a corpus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("articles", type=int)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--days", type=float, default=365.0)
    parser.add_argument("--words", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    make(
        options.output,
        options.articles,
        days=options.days,
        words=options.words,
        seed=options.seed,
        processes=options.processes,
    )


if __name__ == "__main__":
    main()
