"""Two articles → why they match, or why they do not.

In: two articles as the corpus gives them, and the settings. Out: an `Explanation`: the verdict in a
sentence, the evidence with each feature's part in the story model's log-odds, what both say in the same
words, and what was left out as furniture. It is what a run finds for the pair: the same sketches, the same
rules, and the article that ranks first is the one kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.errors import InputError
from dedup.formatting import chance
from dedup.io.corpus import Corpus
from dedup.io.schema import SCHEMA
from dedup.matching.candidates import keys_of
from dedup.matching.classifier import (
    FOLLOWUP,
    NONE,
    REWRITE,
    choose_model,
    classify_row,
    judged,
    level_model,
    level_threshold,
    rules_of,
)
from dedup.matching.evidence import EVIDENCE
from dedup.matching.pair_scoring import evidence_in_context
from dedup.pipeline.deduplicate import decided, prepared, ranked, sketch_with
from dedup.reports.evidence_labels import LABELS
from dedup.reports.lead_diff import Lead, Told, lead
from dedup.reports.reasons import Pair, why, why_not
from dedup.reports.surface_forms import kinds_of, shared_names_and_numbers
from dedup.settings.settings import JOINING, RELATIONS, Settings
from dedup.sketches.sketch import Sketches
from dedup.text.boilerplate.passages import learned_in, plain
from dedup.text.boilerplate.profile import Learned
from dedup.text.boilerplate.rules import cleaned, cleaned_titles, furniture_in
from dedup.text.language_id import languages_of
from dedup.text.shared_passages import opening, shared_passages
from dedup.text.tokenizer import words_of
from dedup.text.vocabulary import vocabulary

__all__ = [
    "Explanation",
    "Feature",
    "Furniture",
    "Side",
    "explain",
    "explain_in",
    "find_articles",
    "only_two",
]

MOST_PASSAGES, MOST_NAMED = 8, 5
"""How many shared passages, and how many ids of which one was meant, are worth reading."""
NOUNS = {
    "exact": "an exact copy of",
    "copy": "a copy of",
    "excerpt": "an excerpt of",
    "extension": "an extension of",
    "rewrite": "a rewrite of",
    "followup": "a follow-up to",
}
"""What an article is to another, by relation."""


@dataclass(frozen=True, slots=True)
class Furniture:
    """A passage that was left out of the sketch, and the rule that said so."""

    rule: str
    passage: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two articles."""

    id: str
    title: str | None
    opening: str
    """The headline or the first words of the text, furniture left out."""
    source: str | None
    published: datetime | None
    words: int
    lead: Lead
    """Title and first words, with what the other article says too, and what it says nowhere, marked."""
    furniture: tuple[Furniture, ...]


@dataclass(frozen=True, slots=True)
class Feature:
    """A piece of evidence: its value, and what it adds to the log-odds of the story model."""

    name: str
    label: str
    """The name in plain words."""
    value: float
    coefficient: float
    log_odds: float
    share: float
    """Of all that the evidence adds or takes away, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a run finds for two articles."""

    kept: Side
    """The one that ranks first, and would be kept."""
    other: Side
    relation: str | None
    """Of `other` to `kept`; None: no match."""
    joins: bool
    """At the level in force, that relation makes `other` a duplicate; a follow-up is else kept, and linked."""
    score: float | None
    verdict: str
    probability: float
    """That they tell the same story, whatever the verdict rests on; at the level of storylines, that they belong to one."""
    storyline_probability: float
    """That they belong to one storyline."""
    intercept: float
    threshold: float
    """The log-odds that a match needs of the model that decides."""
    least: dict[str, float]
    """What the other relations need: of `jaccard`, `contained` and `contains`."""
    features: tuple[Feature, ...]
    passages: tuple[str, ...]
    """What both say in the same words, longest first."""
    names: tuple[str, ...]
    """Names in both, most telling first."""
    numbers: tuple[str, ...]
    lookup: tuple[int, int]
    """Salient terms and bands that both are looked up by."""
    candidates: bool
    """They are enough for the two to be compared in a corpus."""


def explain_in(corpus: Corpus, wanted: tuple[str, str], settings: Settings | None = None) -> Explanation:
    """Return why two articles of a corpus match or do not, as a run over all of it finds.

    The story model looks at the other articles of the affair too, so the whole corpus is taken.
    """
    given = prepared(corpus, settings or Settings())
    result = decided(given, settings or Settings())
    articles = find_articles(corpus, wanted)
    rank = {result.ids[a]: n for n, a in enumerate(result.order.tolist())}
    places = {name: a for a, name in enumerate(result.ids)}
    pair = sorted(
        (places[name] for name in articles["id"].to_pylist()), key=lambda a: rank.get(result.ids[a], 0)
    )
    pairs = np.array([pair], np.int64)
    [row] = evidence_in_context(
        given.sketches, result.order, pairs, result.settings, result.assignments.leaders
    )
    return explain(articles, result.settings, row)


def explain(
    articles: pa.RecordBatch, settings: Settings | None = None, evidence: np.ndarray | None = None
) -> Explanation:
    """Return why two articles, given as a batch of two, match or do not.

    `evidence` is that of the pair in its corpus; without it the two are taken alone.
    """
    settings = settings or Settings()
    s = sketch_with(articles, settings)
    order = ranked(pa.Table.from_batches([articles]), s.lengths, np.full(2, -1, np.int64), settings)
    kept, other = (int(a) for a in order)
    rules = rules_of(settings)
    relation, score, row = judged(s, kept, other, rules)
    row = row if evidence is None else evidence
    model, storyline = level_model(settings), choose_model(settings, "storyline")
    probability = chance(float(model.log_odds(row[None])[0]))
    storyline_probability = chance(float(storyline.log_odds(row[None])[0]))
    if evidence is not None and relation in {REWRITE, FOLLOWUP}:
        relation, score = classify_row(row, rules)
    named = None if relation == NONE else RELATIONS[relation]
    days = float(abs(s.days[0] - s.days[1]))
    texts = plain(articles, settings.furniture)
    told = told_by(articles, s, texts)
    sides = [side(articles, s, a, lead(told[a], told[1 - a]), settings.furniture) for a in (kept, other)]
    shorter = min(sides, key=lambda side: (side.words, not side.furniture))
    witnessed = chance(rules.storyline_witnessed if rules.by_storyline else rules.witnessed_logit)
    pair = Pair(row, probability, witnessed, shorter.words, days, bool(shorter.furniture))
    names, numbers = shared_names_and_numbers(s, (other, kept), told[other].whole, told[other].known)
    terms, bands = shared_keys(s, kept, other)
    return Explanation(
        kept=sides[0],
        other=sides[1],
        relation=named,
        joins=bool(relation != NONE and rules.joins[relation]),
        score=float(score) if named else None,
        verdict=sentence(
            articles["id"][kept].as_py(), articles["id"][other].as_py(), named, float(score), pair, settings
        ),
        probability=probability,
        storyline_probability=storyline_probability,
        intercept=model.intercept,
        threshold=level_threshold(rules),
        least={
            "jaccard": settings.copy_jaccard,
            "contained": settings.excerpt_containment,
            "contains": settings.excerpt_containment,
        },
        features=features(row, model.for_pair(row)),
        passages=tuple(shared_passages(texts[other].as_py(), texts[kept].as_py(), MOST_PASSAGES)),
        names=names,
        numbers=numbers,
        lookup=(terms, bands),
        candidates=bands > 0 or terms >= settings.shared_terms,
    )


def features(row: np.ndarray, coefficients: np.ndarray) -> tuple[Feature, ...]:
    """Return a row of evidence by name, with what each adds to the log-odds."""
    columns = zip(EVIDENCE, row.tolist(), coefficients.tolist(), strict=True)
    total = float(np.abs(row * coefficients).sum()) or 1.0
    return tuple(
        Feature(name, LABELS[name], value, weight, value * weight, abs(value * weight) / total)
        for name, value, weight in columns
    )


def sentence(
    kept: str, other: str, relation: str | None, score: float, pair: Pair, settings: Settings
) -> str:
    """Return the verdict on two ids, with its reason."""
    if relation is None:
        return f"{other} does not repeat {kept}: {why_not(pair, settings)}."
    kept_too = " It is kept, and linked to it." if relation not in JOINING[settings.level] else ""
    return f"{other} is {NOUNS[relation]} {kept}: {why(relation, score)}.{kept_too}"


def side(articles: pa.RecordBatch, sketches: Sketches, a: int, lead: Lead, learned: Learned | None) -> Side:
    """Return what is shown of an article."""
    article = articles.slice(a, 1)
    row = article.to_pylist()[0]
    found = learned_in(cleaned(article["text"]), article["source"], learned)
    recurring = (("learned", passage) for passage in found)
    return Side(
        id=row["id"],
        title=row["title"],
        opening=opening(plain(article, learned)[0].as_py()),
        source=row["source"],
        published=row["published"],
        words=int(sketches.lengths[a]),
        lead=lead,
        furniture=tuple(Furniture(*found) for found in (*furniture_in(row["text"]), *recurring)),
    )


def told_by(articles: pa.RecordBatch, sketches: Sketches, texts: pa.StringArray) -> list[Told]:
    """Return what each article tells, furniture left out."""
    titles = cleaned_titles(articles["title"])
    languages = languages_of(articles["language"], texts, words_of(titles, texts))
    return [
        Told(titles[a].as_py() or "", texts[a].as_py() or "", kinds_of(sketches, a), vocabulary(languages[a]))
        for a in range(len(texts))
    ]


def shared_keys(s: Sketches, kept: int, other: int) -> tuple[int, int]:
    """Return how many salient terms and how many bands two articles are both looked up by."""
    keys = np.zeros((2, s.salient.shape[1] + s.bands.shape[1]), np.uint64)
    counts = [keys_of(s, a, out) for a, out in zip((kept, other), keys, strict=True)]
    terms = [set(row[:n].tolist()) for row, (n, _) in zip(keys, counts, strict=True)]
    bands = [set(row[n:m].tolist()) for row, (n, m) in zip(keys, counts, strict=True)]
    return len(terms[0] & terms[1]), len(bands[0] & bands[1])


def find_articles(batches: Iterable[pa.RecordBatch], wanted: tuple[str, str]) -> pa.RecordBatch:
    """Return the two articles with these ids, or with ids that begin like this, as a batch.

    Of an id that comes again with another text, `id#2` is the second article, as in a result. `InputError`
    where there is no such article, or where more than one id begins like this.
    """
    found: list[list[dict[str, Any]]] = [[], []]
    for batch in batches:
        for rows, name in zip(found, wanted, strict=True):
            collect(batch, name, rows)
    return pa.RecordBatch.from_pylist(
        [chosen(rows, name) for rows, name in zip(found, wanted, strict=True)], SCHEMA
    )


def collect(batch: pa.RecordBatch, name: str, rows: list[dict[str, Any]]) -> None:
    """Add to `rows` what a name may stand for; of the articles that begin like it, the first in full."""
    whole = {name, name.rpartition("#")[0]}
    for a, id_ in enumerate(batch["id"].to_pylist()):
        begins = id_.startswith(name)
        if id_ in whole or (begins and not any(row["id"].startswith(name) for row in rows)):
            rows += batch.slice(a, 1).to_pylist()
        elif begins:
            rows.append({"id": id_})


def only_two(batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """Return the articles of a corpus of two, as a batch; `InputError` where there are more or fewer."""
    table = pa.Table.from_batches(batches, SCHEMA)
    if len(table) != 2:  # noqa: PLR2004 - a pair
        raise InputError(f"these files hold {len(table)} articles, not one each; name a corpus and two ids")
    return table.combine_chunks().to_batches()[0]


def chosen(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the one article that a name stands for."""
    for row in rows:
        if row["id"] == name:
            return row
    base, _, number = name.rpartition("#")
    tellings = list({row["text"]: row for row in rows if row["id"] == base}.values())
    if number.isdecimal() and 1 < int(number) <= len(tellings):
        return {**tellings[int(number) - 1], "id": name}
    ids = list(dict.fromkeys(row["id"] for row in rows if row["id"].startswith(name)))
    if not ids:
        raise InputError(f"there is no article {name!r} in the corpus")
    if len(ids) > 1:
        shown = ", ".join(ids[:MOST_NAMED]) + (", …" if len(ids) > MOST_NAMED else "")
        raise InputError(f"{len(ids)} ids begin with {name!r}: {shown}; give more of the one that is meant")
    return next(row for row in rows if row["id"] == ids[0])
