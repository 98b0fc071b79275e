"""Evidence → a match, or none: the relation of two articles and how sure it is.

In: a row of evidence. Out: a relation and its score. `exact`, `copy`, `excerpt` and `extension` are read off the shingles;
`rewrite` is the story model's: a logistic regression over the evidence, its coefficients in `data/model.json`, fitted by
`benchmarks/fit.py`. The template guard comes first: the same words about other names or other numbers are not a copy but
a form filled in twice (weather, results, share prices).
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from dedup.evidence import (
    CONTAINED,
    CONTAINS,
    COUNT,
    EVIDENCE,
    FIGURES,
    FIGURES_FOUND,
    JACCARD,
    NAMES,
    NAMES_FOUND,
    OVERLAP,
    QUOTES,
    WORDS_220,
    desk,
    evidence_of,
    fill_quotes,
    fill_story_evidence,
    fill_text_evidence,
    lay_open,
)
from dedup.kernel import inlined, leaf
from dedup.settings import RELATIONS, Settings

EXACT, COPY, EXCERPT, EXTENSION, REWRITE = range(5)
"""Positions in `settings.RELATIONS`."""
NONE = -1

TEMPLATE_OVERLAP = 0.35
"""From this containment on, shared words may be a template's. Below it, tellings of one story that share a paragraph of wire copy
and differ in the rest are commoner: of the labelled pairs with a containment of .2 to .35 that the model would match, the guard
would strike 57 of 332 true ones (and 12 of 18 false ones)."""
TEMPLATE_NAMES = 0.6
"""A copy has at least this share of the names in the other's lead (1 % of the pairs in real wire copy have less than .68)."""
TEMPLATE_FIGURES = 0.4
"""... and this share of its numbers, where there are `FEWEST_FIGURES` to go by."""
FEWEST_FIGURES = 4
TEMPLATE_WORDS = 0.7
"""Two fillings of one form are at least this like each other (cosine) in the words that are neither names nor numbers."""
CORROBORATION = 3.6
"""By how much (log-odds) a match with the kept article may be weaker than one that stands alone, where an article that repeats
it already speaks for it too (docs/decisions/0004-witnesses.md). It loosens laws 1 and 5: a third article then helps to
decide whether two match."""
SAMPLE = 64
"""So many shingles tell whether two articles may be copies."""
PART = 0.8
"""An excerpt has at most this share of the shingles of the whole; what is longer is a copy."""


@dataclass(frozen=True, slots=True)
class Match:
    """Why an article is dropped: the kept article that it repeats, how, and the evidence."""

    id: str
    """The article that repeats."""
    canonical: str
    """The kept article that it matches."""
    relation: str
    """One of `RELATIONS`, seen from the dropped article: an excerpt is part of the canonical."""
    score: float
    """In [0, 1]: Jaccard of a copy, containment of an excerpt or extension, probability of a rewrite."""
    evidence: dict[str, float]
    """What the two share, by name (`dedup.evidence.EVIDENCE`), recomputed exactly."""


class Rules(NamedTuple):
    """The settings and the model as kernels take them."""

    allowed: np.ndarray
    coefficients: np.ndarray
    intercept: float
    least_logit: float
    witnessed_logit: float
    copy_jaccard: float
    excerpt_containment: float
    window_days: float
    copy_window_days: float
    min_words: int
    shared_terms: int
    max_candidates: int
    max_postings: int


@cache
def model() -> tuple[np.ndarray, float]:
    """Return the story model that the package ships: a coefficient for each column of evidence, and the intercept."""
    shipped = json.loads((files("dedup") / "data" / "model.json").read_text("utf-8"))
    coefficients = np.array([shipped["coefficients"].get(name, 0.0) for name in EVIDENCE])
    return coefficients, float(shipped["intercept"])


def model_of(settings: Settings) -> tuple[np.ndarray, float]:
    """Return the story model of the settings, or else the shipped one: coefficients and intercept."""
    if settings.model is None:
        return model()
    return np.array(
        [settings.model.coefficients.get(name, 0.0) for name in EVIDENCE]
    ), settings.model.intercept


def rules_of(settings: Settings) -> Rules:
    """Return the settings, with the model, as kernels take them."""
    coefficients, intercept = model_of(settings)
    p = min(max(settings.rewrite_probability, 1e-9), 1 - 1e-9)
    return Rules(
        allowed=np.array([relation in settings.relations for relation in RELATIONS]),
        coefficients=coefficients,
        intercept=intercept,
        least_logit=float(np.log(p / (1 - p))),
        witnessed_logit=float(np.log(p / (1 - p))) - CORROBORATION,
        copy_jaccard=float(settings.copy_jaccard),
        excerpt_containment=float(settings.excerpt_containment),
        window_days=float(settings.window_days),
        copy_window_days=float(settings.copy_window_days),
        min_words=settings.min_words,
        shared_terms=settings.shared_terms,
        max_candidates=settings.max_candidates,
        max_postings=settings.max_postings,
    )


@inlined
def probability(odds):
    """Return the probability that log-odds stand for."""
    return 1.0 / (1.0 + np.exp(-odds))


@leaf
def logit(row, rules):
    """Return the log-odds that two articles with this evidence tell the same story."""
    total = rules.intercept
    for k in range(COUNT):
        total += rules.coefficients[k] * row[k]
    return total


@leaf
def is_template(row):
    """Return whether the words that two articles share are a template with other facts filled in.

    Of a garbled copy less is asked, in proportion to its other words: there all words are damaged, in a template only the facts
    are others.
    """
    if max(row[CONTAINED], row[CONTAINS]) < TEMPLATE_OVERLAP:
        return False
    undamaged = min(row[WORDS_220] ** 2 / TEMPLATE_WORDS, 1.0)
    return (row[NAMES] > 0 and row[NAMES_FOUND] < TEMPLATE_NAMES * undamaged) or (
        row[FIGURES] >= FEWEST_FIGURES and row[FIGURES_FOUND] < TEMPLATE_FIGURES * undamaged
    )


@leaf
def shingle_count(s, a):
    """Return the number of distinct shingles of article `a`."""
    return s.shingle_offsets[a + 1] - s.shingle_offsets[a]


def judged(s: Any, kept: int, other: int, rules: Rules, least: float) -> tuple[int, float, np.ndarray]:
    """Return (relation, score, evidence) of article `other` to the article `kept`; (`NONE`, 0, ...) for no match.

    The evidence is as seen from `other`: `contained` is the share of its shingles found in `kept`.
    """
    used = desk()
    lay_open(s, other, used)
    relation, score = judged_on(s, kept, other, rules, least, True, used)
    row = evidence_of(s, np.array([other]), np.array([kept]))[0]
    return relation, probability(score) if relation == REWRITE else score, row


@leaf
def is_hopeless(s, kept, other, rules, least, row):
    """Return whether no wording could make these two a rewrite, by the evidence of the story in `row`.

    The quotations are counted, into `row`, only where as many as there are could make them one.
    """
    row[OVERLAP] = 1.0
    quotes = min(
        s.quote_offsets[kept + 1] - s.quote_offsets[kept], s.quote_offsets[other + 1] - s.quote_offsets[other]
    )
    row[QUOTES] = np.log1p(np.float32(quotes))
    if logit(row, rules) < least:
        return True
    fill_quotes(s, other, kept, row)
    return logit(row, rules) < least


@leaf
def is_apart(s, kept, other, rules):
    """Return whether two articles share far too few shingles for a copy, and for either to be part of the other.

    Both ask for a share of the shorter one's shingles: a Jaccard similarity of J for 2J / (1 + J) of them. The `SAMPLE` with the
    lowest hashes are a random sample (Broder 1997): far too few are six standard deviations below that share.
    """
    a, b = s.shingle_offsets[kept], s.shingle_offsets[other]
    a_end, b_end = s.shingle_offsets[kept + 1], s.shingle_offsets[other + 1]
    if b_end - b < a_end - a:
        a, b, a_end, b_end = b, a, b_end, a_end
    least = min(2.0 * rules.copy_jaccard / (1.0 + rules.copy_jaccard), rules.excerpt_containment)
    a_end = min(a_end, a + SAMPLE)
    sample, both = a_end - a, 0
    far_too_few = least * sample - 6.0 * np.sqrt(least * (1.0 - least) * sample)
    while a < a_end and b < b_end:
        x, y = s.shingles[a], s.shingles[b]
        both += x == y
        a += x <= y
        b += y <= x
    return both < far_too_few


@leaf
def judged_on(s, kept, other, rules, least, banded, desk):
    """Return (relation, score) of article `other`, which lies open on the desk, to `kept`; (`NONE`, 0) for no match.

    The score of a rewrite is its log-odds. It needs `least` of them: `rules.least_logit`, or `rules.witnessed_logit` where
    another telling of the kept article's story speaks for it as well. Shingles come first where two articles share a band
    (`banded`) or only copies count; else the story does, and most go no further. The evidence of a match is left in the
    desk's row.
    """
    if s.lengths[other] < rules.min_words or s.lengths[kept] < rules.min_words:
        return NONE, 0.0
    apart = abs(s.days[kept] - s.days[other])  # NaN, and so in no comparison, where either is undated
    near, current = not apart > rules.copy_window_days, not apart > rules.window_days
    current &= rules.allowed[REWRITE]
    alike = near and (banded or not current) and not is_apart(s, kept, other, rules)
    if not alike and not current:
        return NONE, 0.0
    row = desk.row
    fill_story_evidence(s, other, kept, desk)
    if alike:
        fill_quotes(s, other, kept, row)
    elif is_hopeless(s, kept, other, rules, least, row):
        return NONE, 0.0
    fill_text_evidence(s, other, kept, row)
    if near and rules.allowed[EXACT] and s.texts[kept] == s.texts[other] and row[JACCARD] == 1.0:
        return EXACT, 1.0
    if is_template(row):
        return NONE, 0.0
    if near:
        a, b = shingle_count(s, other), shingle_count(s, kept)
        if rules.allowed[EXCERPT] and a <= PART * b and row[CONTAINED] >= rules.excerpt_containment:
            return EXCERPT, float(row[CONTAINED])
        if rules.allowed[EXTENSION] and b <= PART * a and row[CONTAINS] >= rules.excerpt_containment:
            return EXTENSION, float(row[CONTAINS])
        if rules.allowed[COPY] and row[JACCARD] >= rules.copy_jaccard:
            return COPY, float(row[JACCARD])
    if current:
        odds = logit(row, rules)
        if odds >= least:
            return REWRITE, odds
    return NONE, 0.0
