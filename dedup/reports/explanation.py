"""Explain why two articles match, or why they do not.

An `Explanation` has the verdict in a sentence, the contribution of each evidence feature to the log-odds, the
shared passages, and the boilerplate that was ignored. The verdict is the same as in a run on the pair: same
sketches, same rules, and the higher-ranked article is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.errors import InputError
from dedup.formatting import to_probability
from dedup.io.corpus import Corpus
from dedup.io.schema import SCHEMA
from dedup.matching.candidates import fill_lookup_keys
from dedup.matching.classifier import FOLLOWUP, NO_RELATION, REWRITE, classify_articles, classify_evidence
from dedup.matching.digests import has_digest
from dedup.matching.evidence_columns import EVIDENCE_NAMES
from dedup.matching.match_params import get_level_threshold, make_match_params
from dedup.matching.models import choose_level_model, choose_model
from dedup.matching.pair_scoring import compute_evidence_in_context
from dedup.pipeline.deduplicate import cluster_sketches, rank_articles, sketch_corpus, sketch_with_settings
from dedup.reports.evidence_labels import EVIDENCE_LABELS
from dedup.reports.lead_diff import Lead, LeadSource, build_lead
from dedup.reports.reasons import PairEvidence, explain_match, explain_mismatch
from dedup.reports.surface_forms import find_shared_names_and_numbers, get_term_kinds
from dedup.settings.settings import LEVEL_RELATIONS, RELATIONS, Settings
from dedup.sketches.sketch import Sketches
from dedup.text.boilerplate.passages import find_learned_passages, remove_boilerplate
from dedup.text.boilerplate.profile import BoilerplateProfile
from dedup.text.boilerplate.rules import clean_texts, clean_titles, find_boilerplate
from dedup.text.language_id import identify_languages
from dedup.text.shared_passages import find_shared_passages, format_opening
from dedup.text.tokenizer import tokenize_articles
from dedup.text.vocabulary import load_vocabulary

__all__ = [
    "BoilerplatePassage",
    "ExplainedArticle",
    "Explanation",
    "Feature",
    "explain_in_corpus",
    "explain_pair",
    "find_articles",
    "read_article_pair",
]

MAX_PASSAGES, MAX_AMBIGUOUS_IDS = 8, 5
"""The most shared passages, and the most ids listed for an ambiguous prefix."""
RELATION_NOUNS = {
    "exact": "an exact copy of",
    "copy": "a copy of",
    "excerpt": "an excerpt of",
    "extension": "an extension of",
    "rewrite": "a rewrite of",
    "followup": "a follow-up to",
}
"""By relation: the words between the two ids in a verdict."""


@dataclass(frozen=True, slots=True)
class BoilerplatePassage:
    """A passage that was left out of the sketch, and the rule that matched it."""

    rule: str
    passage: str


@dataclass(frozen=True, slots=True)
class ExplainedArticle:
    """One of the two articles."""

    id: str
    title: str | None
    opening: str
    """The headline or the first words of the text, without boilerplate."""
    source: str | None
    published: datetime | None
    words: int
    lead: Lead
    """Title and first words, with marks on shared parts and on parts missing from the other article."""
    boilerplate: tuple[BoilerplatePassage, ...]


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature of the evidence: its value and its contribution to the log-odds of the level's model."""

    name: str
    label: str
    """Its description in words."""
    value: float
    coefficient: float
    log_odds: float
    share: float
    """Its share of the sum of all absolute contributions, in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict of a run on two articles, with its evidence."""

    kept: ExplainedArticle
    """The higher-ranked article, which is kept."""
    other: ExplainedArticle
    relation: str | None
    """The relation of `other` to `kept`; None if they do not match."""
    joins: bool
    """Whether the relation makes `other` a duplicate at this level; otherwise it is kept and linked."""
    score: float | None
    verdict: str
    probability: float
    """The probability that they are one story (at level storyline, one storyline), even if another rule decided."""
    storyline_probability: float
    """The probability that they are one storyline."""
    intercept: float
    threshold: float
    """The log-odds needed for a match."""
    least: dict[str, float]
    """The thresholds of the other relations, by evidence name: jaccard, contained and contains."""
    features: tuple[Feature, ...]
    passages: tuple[str, ...]
    """Shared passages, longest first."""
    names: tuple[str, ...]
    """Shared names, most specific first."""
    numbers: tuple[str, ...]
    lookup: tuple[int, int]
    """The numbers of shared salient terms and of shared bands."""
    candidates: bool
    """Whether these are enough for the two to be compared in a corpus."""


def explain_in_corpus(
    corpus: Corpus, names: tuple[str, str], settings: Settings | None = None
) -> Explanation:
    """Return the explanation of two articles of a corpus, with the verdict of a run over the corpus.

    The story model also considers the other articles of the storyline, so the whole corpus is sketched.
    """
    sketched = sketch_corpus(corpus, settings or Settings())
    result = cluster_sketches(sketched, settings or Settings())
    articles = find_articles(corpus, names)
    rank = {result.ids[a]: n for n, a in enumerate(result.order.tolist())}
    places = {name: a for a, name in enumerate(result.ids)}
    pair = sorted(
        (places[name] for name in articles["id"].to_pylist()), key=lambda a: rank.get(result.ids[a], 0)
    )
    pairs = np.array([pair], np.int64)
    [row] = compute_evidence_in_context(
        sketched.sketches, result.order, pairs, result.settings, result.assignments.leaders
    )
    return explain_pair(articles, result.settings, row)


def explain_pair(
    articles: pa.RecordBatch, settings: Settings | None = None, evidence: np.ndarray | None = None
) -> Explanation:
    """Return the explanation of two articles, a batch of two.

    `evidence` is that of the pair in its corpus; without it, the two are compared alone.
    """
    settings = settings or Settings()
    s = sketch_with_settings(articles, settings)
    order = rank_articles(pa.Table.from_batches([articles]), s.lengths, np.full(2, -1, np.int64), settings)
    kept, other = (int(a) for a in order)
    rules = make_match_params(settings)
    relation, score, row = classify_articles(s, kept, other, rules)
    row = row if evidence is None else evidence
    model, storyline = choose_level_model(settings), choose_model(settings, "storyline")
    probability = to_probability(float(model.compute_log_odds(row[None])[0]))
    storyline_probability = to_probability(float(storyline.compute_log_odds(row[None])[0]))
    if evidence is not None and relation in {REWRITE, FOLLOWUP}:
        relation, score = classify_evidence(row, rules)
    named = None if relation == NO_RELATION else RELATIONS[relation]
    days = float(abs(s.days[0] - s.days[1]))
    texts = remove_boilerplate(articles, settings.boilerplate)
    leads = build_lead_sources(articles, s, texts)
    sides = [
        make_explained_article(articles, s, a, build_lead(leads[a], leads[1 - a]), settings.boilerplate)
        for a in (kept, other)
    ]
    shorter = min(sides, key=lambda side: (side.words, not side.boilerplate))
    witnessed = to_probability(
        rules.storyline_witnessed_threshold if rules.by_storyline else rules.story_witnessed_threshold
    )
    digest = bool(has_digest(s, kept, other, row))
    pair = PairEvidence(row, probability, witnessed, shorter.words, days, bool(shorter.boilerplate), digest)
    names, numbers = find_shared_names_and_numbers(
        s, (other, kept), leads[other].full_text, leads[other].vocabulary
    )
    terms, bands = count_common_keys(s, kept, other)
    return Explanation(
        kept=sides[0],
        other=sides[1],
        relation=named,
        joins=bool(relation != NO_RELATION and rules.joins[relation]),
        score=float(score) if named else None,
        verdict=format_pair_verdict(
            articles["id"][kept].as_py(), articles["id"][other].as_py(), named, float(score), pair, settings
        ),
        probability=probability,
        storyline_probability=storyline_probability,
        intercept=model.intercept,
        threshold=get_level_threshold(rules),
        least={
            "jaccard": settings.copy_jaccard,
            "contained": settings.excerpt_containment,
            "contains": settings.excerpt_containment,
        },
        features=explain_features(row, model.select_coefficients(row)),
        passages=tuple(find_shared_passages(texts[other].as_py(), texts[kept].as_py(), MAX_PASSAGES)),
        names=names,
        numbers=numbers,
        lookup=(terms, bands),
        candidates=bands > 0 or terms >= settings.shared_terms,
    )


def explain_features(row: np.ndarray, coefficients: np.ndarray) -> tuple[Feature, ...]:
    """Return a row of evidence as features, each with its contribution to the log-odds."""
    columns = zip(EVIDENCE_NAMES, row.tolist(), coefficients.tolist(), strict=True)
    total = float(np.abs(row * coefficients).sum()) or 1.0
    return tuple(
        Feature(name, EVIDENCE_LABELS[name], value, weight, value * weight, abs(value * weight) / total)
        for name, value, weight in columns
    )


def format_pair_verdict(
    kept: str, other: str, relation: str | None, score: float, pair: PairEvidence, settings: Settings
) -> str:
    """Return the verdict on two articles, by their ids, with the reason."""
    if relation is None:
        return f"{other} does not repeat {kept}: {explain_mismatch(pair, settings)}."
    kept_too = " It is kept, and linked to it." if relation not in LEVEL_RELATIONS[settings.level] else ""
    return f"{other} is {RELATION_NOUNS[relation]} {kept}: {explain_match(relation, score)}.{kept_too}"


def make_explained_article(
    articles: pa.RecordBatch, sketches: Sketches, a: int, lead: Lead, learned: BoilerplateProfile | None
) -> ExplainedArticle:
    """Return an article for an explanation."""
    article = articles.slice(a, 1)
    row = article.to_pylist()[0]
    found = find_learned_passages(clean_texts(article["text"]), article["source"], learned)
    recurring = (("learned", passage) for passage in found)
    return ExplainedArticle(
        id=row["id"],
        title=row["title"],
        opening=format_opening(remove_boilerplate(article, learned)[0].as_py()),
        source=row["source"],
        published=row["published"],
        words=int(sketches.lengths[a]),
        lead=lead,
        boilerplate=tuple(
            BoilerplatePassage(*found) for found in (*find_boilerplate(row["text"]), *recurring)
        ),
    )


def build_lead_sources(
    articles: pa.RecordBatch, sketches: Sketches, texts: pa.StringArray
) -> list[LeadSource]:
    """Return the title and text of each article without boilerplate, as the source of its lead."""
    titles = clean_titles(articles["title"])
    languages = identify_languages(articles["language"], texts, tokenize_articles(titles, texts))
    return [
        LeadSource(
            titles[a].as_py() or "",
            texts[a].as_py() or "",
            get_term_kinds(sketches, a),
            load_vocabulary(languages[a]),
        )
        for a in range(len(texts))
    ]


def count_common_keys(s: Sketches, kept: int, other: int) -> tuple[int, int]:
    """Return the numbers of salient terms and of bands that two articles share."""
    keys = np.zeros((2, s.salient.shape[1] + s.bands.shape[1]), np.uint64)
    counts = [fill_lookup_keys(s, a, out) for a, out in zip((kept, other), keys, strict=True)]
    terms = [set(row[:n].tolist()) for row, (n, _) in zip(keys, counts, strict=True)]
    bands = [set(row[n:m].tolist()) for row, (n, m) in zip(keys, counts, strict=True)]
    return len(terms[0] & terms[1]), len(bands[0] & bands[1])


def find_articles(batches: Iterable[pa.RecordBatch], names: tuple[str, str]) -> pa.RecordBatch:
    """Return the two articles with these ids, or with ids that start with them, as a batch.

    If an id is repeated with another text, `id#2` is the second article, as in a result. Raise `InputError`
    if there is no such article, or if several ids start with the prefix.
    """
    matches: list[list[dict[str, Any]]] = [[], []]
    for batch in batches:
        for rows, name in zip(matches, names, strict=True):
            add_matching_rows(batch, name, rows)
    return pa.RecordBatch.from_pylist(
        [pick_article(rows, name) for rows, name in zip(matches, names, strict=True)], SCHEMA
    )


def add_matching_rows(batch: pa.RecordBatch, name: str, rows: list[dict[str, Any]]) -> None:
    """Add the articles that `name` may refer to; of those whose id only starts with it, only the first is complete."""
    whole = {name, name.rpartition("#")[0]}
    for a, id_ in enumerate(batch["id"].to_pylist()):
        begins = id_.startswith(name)
        if id_ in whole or (begins and not any(row["id"].startswith(name) for row in rows)):
            rows += batch.slice(a, 1).to_pylist()
        elif begins:
            rows.append({"id": id_})


def read_article_pair(batches: Iterable[pa.RecordBatch]) -> pa.RecordBatch:
    """Return a corpus of two articles as a batch; raise `InputError` for any other number of articles."""
    table = pa.Table.from_batches(batches, SCHEMA)
    if len(table) != 2:  # noqa: PLR2004 - a pair
        raise InputError(f"these files hold {len(table)} articles, not one each; name a corpus and two ids")
    return table.combine_chunks().to_batches()[0]


def pick_article(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the one article that `name` refers to."""
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
        shown = ", ".join(ids[:MAX_AMBIGUOUS_IDS]) + (", …" if len(ids) > MAX_AMBIGUOUS_IDS else "")
        raise InputError(f"{len(ids)} ids begin with {name!r}: {shown}; give more of the one that you mean")
    return next(row for row in rows if row["id"] == ids[0])
