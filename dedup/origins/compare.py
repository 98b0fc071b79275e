"""Compare the facts of articles that tell one story: what they agree on, where they differ, and who says it first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from dedup.io.schema import SCHEMA
from dedup.origins.facts import Fact, list_facts
from dedup.pipeline.deduplicate import sketch_with_settings
from dedup.reports.explanation import build_lead_sources
from dedup.settings.settings import Settings
from dedup.text.boilerplate.passages import remove_boilerplate

__all__ = ["AGREE", "DIFFER", "ONLY", "ComparedFact", "FactValue", "compare_articles", "compare_facts"]

AGREE, DIFFER, ONLY = "agree", "differ", "only"
STATUSES = (DIFFER, AGREE, ONLY)
"""The statuses of facts, in the order of the output."""
KINDS = ("number", "sum", "date", "name", "quotation")


@dataclass(frozen=True, slots=True)
class FactValue:
    """A value of a fact, and the articles that give it."""

    value: str
    written: str
    """The words of the first article that gives it."""
    articles: tuple[str, ...]
    """The ids, earliest first."""
    first_published: datetime | None
    """The date of the first of them."""


@dataclass(frozen=True, slots=True)
class ComparedFact:
    """A fact in all articles that tell it."""

    kind: str
    about: str
    """The unit or noun of a number, the currency of a sum, otherwise ""."""
    status: str
    """`AGREE`: two or more articles give the value, and none another; `DIFFER`: they give different values for one unit
    or noun; `ONLY`: one article gives it."""
    values: tuple[FactValue, ...]


def compare_articles(rows: Sequence[Mapping[str, Any]], settings: Settings) -> list[ComparedFact]:
    """Return the facts of articles (rows of `SCHEMA` with unique ids, earliest first), those that differ first."""
    batch = pa.RecordBatch.from_pylist([dict(row) for row in rows], SCHEMA)
    sketches = sketch_with_settings(batch, settings)
    sources = build_lead_sources(batch, sketches, remove_boilerplate(batch, settings.boilerplate))
    facts = {row["id"]: list_facts(source) for row, source in zip(rows, sources, strict=True)}
    return compare_facts(facts, {row["id"]: row["published"] for row in rows})


def compare_facts(
    facts: Mapping[str, Sequence[Fact]], published: Mapping[str, datetime | None]
) -> list[ComparedFact]:
    """Return the facts of articles by id (earliest first), each with its status."""
    groups: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    nouns: dict[tuple[str, str], str] = {}
    for name, told in facts.items():
        for fact in told:
            key = (fact.kind, fact.about or fact.value)
            nouns.setdefault(key, fact.noun or fact.about)
            groups.setdefault(key, {}).setdefault(fact.value, {})[name] = fact.written
    compared = [
        part for key, values in groups.items() for part in split_values(key[0], nouns[key], values, published)
    ]
    return sorted(compared, key=rank_fact)


def split_values(
    kind: str,
    about: str,
    values: Mapping[str, Mapping[str, str]],
    published: Mapping[str, datetime | None],
) -> list[ComparedFact]:
    """Return the facts about one thing: the values that agree, those that differ, and those of one article only.

    Values differ if two articles each give one that the other does not.
    """
    made = {value: make_value(value, told, published) for value, told in values.items()}
    tellers = {name for told in values.values() for name in told}
    own = {value: told for value, told in values.items() if len(told) < len(tellers)}
    is_open = {
        value
        for value, told in own.items()
        if any(told.keys() - other.keys() and other.keys() - told.keys() for other in own.values())
    }
    facts = [ComparedFact(kind, about, DIFFER, tuple(made[value] for value in own if value in is_open))]
    for value, each in made.items():
        if value not in is_open:
            status = AGREE if len(each.articles) > 1 else ONLY
            facts.append(ComparedFact(kind, about, status, (each,)))
    return [fact for fact in facts if fact.values]


def make_value(value: str, told: Mapping[str, str], published: Mapping[str, datetime | None]) -> FactValue:
    """Return a value with the articles that give it, in their order."""
    names = [name for name in published if name in told]
    return FactValue(value, told[names[0]], tuple(names), published[names[0]])


def rank_fact(fact: ComparedFact) -> tuple[int, int, int]:
    """Return the key that sorts facts: by status, kind, and number of articles, most first."""
    return STATUSES.index(fact.status), KINDS.index(fact.kind), -sum(len(v.articles) for v in fact.values)
