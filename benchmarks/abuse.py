"""Measure how many damaged copies of real articles are found, and what happens to the others.

A seeded sample of `wire`, `incidents` and `background` of the labelled data is copied. Each copy is mutated
(`benchmarks.mutations`) and dated a few hours later. Copies and originals are clustered together with default settings. A copy
is found if it is in the cluster of its original. Text that is put into copies comes from articles that are not clustered. Each
mutation and strength gets a line, and figures with floors are returned.
"""

from collections import Counter
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import pyarrow as pa

from benchmarks import data
from benchmarks.mutations import Mutation, mutated, mutations_of
from dedup import Result, Settings, deduplicate
from dedup.io.articles import to_batches
from dedup.matching.classifier import NO_RELATION, classify_articles
from dedup.matching.guards import shares_only_template
from dedup.matching.match_params import make_match_params
from dedup.pipeline.deduplicate import sketch_with_settings
from dedup.settings.settings import RELATIONS

SETS = ("wire", "incidents", "background")
COPIED, OTHERS, HELD_BACK = 300, 1_200, 100
"""Articles of each set that are copied, that only stand beside them, and that are drawn from to extend and reword."""
FEWEST_WORDS = 150
"""An article that is copied has at least so many."""
LATEST = 12
"""A copy is dated at most so many hours after its original."""
SEED = 1
FIGURES = {
    ("cut to its first", 0.3): "copies cut to 30 %",
    ("words replaced", 0.2): "copies with 20 % of words replaced",
    ("OCR noise", 0.05): "copies with OCR noise at 5 %",
}
"""The figures that are asked for, by mutation and strength."""
TURNED = {"excerpt": "extension", "extension": "excerpt"}
"""What one article is to another, seen from the other."""
LOST = ("short", "guard", "weak", "leader", "unseen", "elsewhere")
"""Why a copy is not found: see `why_lost`."""
WIDTH = 10
HEADER = "".join(
    (
        f"{'mutation':29}{'copies':>7}{'recall':>8}",
        *(f"{name:>{WIDTH}}" for name in (*RELATIONS, *LOST, "joined")),
    )
)

Article = dict[str, Any]


class Outcome(NamedTuple):
    """What became of the copies of one mutation and strength."""

    copies: int
    relations: Counter[str]
    """Copies found, by what they are to the kept article."""
    lost: Counter[str]
    """Copies not found, by the reason."""
    joined: int
    """Pairs of originals that only came together with the copies, alike or not: an upper bound of false joins."""

    @property
    def recall(self) -> float:
        """Return the share of copies found; 1 where there are none."""
        return self.relations.total() / self.copies if self.copies else 1.0


class Sample(NamedTuple):
    """What is clustered, and what copies are made from."""

    originals: list[Article]
    """All that stand beside the copies, those that are copied among them."""
    copied: list[Article]
    spare: list[str]
    """Texts of articles that are not clustered."""


def drawn() -> Sample:
    """Return a seeded sample of the sets, its articles' ids made unique by the name of their set."""
    originals, copied, spare = [], [], []
    for name in SETS:
        articles = [{**record, "id": f"{name} {record['id']}"} for record in data.lines(name)]
        Random(SEED).shuffle(articles)
        long = [a for a in articles if len(a["text"].split()) >= FEWEST_WORDS]
        chosen = long[:COPIED]
        names = {a["id"] for a in chosen}
        rest = [a for a in articles if a["id"] not in names]
        copied += chosen
        originals += chosen + rest[HELD_BACK : HELD_BACK + OTHERS]
        spare += [a["text"] for a in rest[:HELD_BACK]]
    return Sample(originals, copied, spare)


def copies_of(articles: list[Article], mutation: Mutation, strength: float) -> list[Article]:
    """Return the articles after a mutation, `~` added to their ids; without those that it leaves as they are."""
    copies = []
    for article in articles:
        random = Random(f"{SEED} {mutation.name} {strength} {article['id']}")
        copy = mutated(article, mutation, strength, random)
        if copy != article:
            copies.append({**copy, "id": article["id"] + "~", "published": later(article, random)})
    return copies


def later(article: Article, random: Random) -> str | None:
    """Return a time some hours after the article's, None where it is undated."""
    published = article.get("published")
    if published is None:
        return None
    return (datetime.fromisoformat(published) + timedelta(hours=random.randint(1, LATEST))).isoformat()


def outcome(
    sample: Sample, batches: list[pa.RecordBatch], copies: list[Article], before: list[int]
) -> Outcome:
    """Return what becomes of copies that are clustered with the originals, which had the leaders `before` alone."""
    result = deduplicate([*batches, *to_batches(copies)])
    leaders = result.assignments.leaders.tolist()
    articles = sample.originals + copies
    place = {name: a for a, name in enumerate(result.ids)}
    relations: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for copy in copies:
        a, original = place[copy["id"]], place[copy["id"][:-1]]
        if leaders[a] == leaders[original]:
            relations[relation_of(result, a, original)] += 1
        else:
            kept = articles[leaders[original]]
            lost[why_lost(articles[original], kept, copy, alone=leaders[a] == a)] += 1
    return Outcome(len(copies), relations, lost, pairs_joined(before, leaders[: len(before)]))


def relation_of(result: Result, copy: int, original: int) -> str:
    """Return what a copy is to the kept article of its cluster; if it is that one, what it is to its original."""
    relations = result.assignments.relations
    if relations[copy] != NO_RELATION:
        return RELATIONS[relations[copy]]
    relation = RELATIONS[relations[original]]
    return TURNED.get(relation, relation)


def why_lost(original: Article, kept: Article, copy: Article, *, alone: bool) -> str:
    """Return why a copy is not in the cluster of its original, for which `kept` is kept (often the original itself).

    It does not match its original: it is "short" of words, the "guard" takes the two for a template, or the evidence is "weak".
    It does, but not the "leader", which is another. It matches both: "unseen", for it was no candidate or one too many, or
    "elsewhere", with an article that it matched better.
    """
    settings = Settings()
    rules = make_match_params(settings)
    (batch,) = to_batches([original, {**kept, "id": "kept"}, copy])
    sketches = sketch_with_settings(batch, settings)
    relation, _, evidence = classify_articles(sketches, 0, 2, rules)
    if relation == NO_RELATION and sketches.lengths.min() < rules.min_words:
        return "short"
    if relation == NO_RELATION:
        return "guard" if shares_only_template(evidence) else "weak"
    if classify_articles(sketches, 1, 2, rules)[0] == NO_RELATION:
        return "leader"
    return "unseen" if alone else "elsewhere"


def pairs_joined(before: list[int], after: list[int]) -> int:
    """Return how many pairs of originals are in one cluster `after` the copies came and were not `before`."""
    both = Counter(zip(before, after, strict=True))
    return sum(map(pairs, Counter(after).values())) - sum(map(pairs, both.values()))


def pairs(members: int) -> int:
    """Return the number of pairs among some articles."""
    return members * (members - 1) // 2


def copies_under_abuse() -> dict[str, float]:
    """Print what becomes of mutated copies; return the recall for those mutations that a figure is asked for."""
    sample = drawn()
    batches = list(to_batches(sample.originals))
    before = deduplicate(batches).assignments.leaders.tolist()
    print(
        f"\n{len(sample.copied)} copies beside {len(before)} articles; reasons and joins: see benchmarks/abuse.py"
    )
    print(HEADER)
    figures = {}
    for mutation in mutations_of(sample.spare):
        for strength in mutation.strengths:
            seen = outcome(sample, batches, copies_of(sample.copied, mutation, strength), before)
            print(row(f"{mutation.name} {strength:.0%}", seen))
            if (mutation.name, strength) in FIGURES:
                figures[FIGURES[mutation.name, strength]] = seen.recall
    return figures


def row(name: str, seen: Outcome) -> str:
    """Return an outcome as a line of the table."""
    found = "".join(f"{seen.relations[relation]:{WIDTH}}" for relation in RELATIONS)
    lost = "".join(f"{seen.lost[reason]:{WIDTH}}" for reason in LOST)
    return f"{name:29}{seen.copies:7}{seen.recall:8.3f}{found}{lost}{seen.joined:{WIDTH}}"
