"""Evidence → a match, or none: the relation of two articles and how sure it is.

In: a row of evidence. Out: a relation and its score. `exact`, `copy`, `excerpt` and `extension` are read off the shingles.
Two models decide the rest, each a logistic regression over the evidence: the story model says whether two articles report
the same event of the same moment (`rewrite`), the storyline model whether they are chapters of one affair (`followup`).
Their coefficients are in `data/story.json` and `data/storyline.json`, fitted by `benchmarks/fit_story.py` and
`benchmarks/fit.py`. The template guard comes first: the same words about other names or other numbers are not a copy but
a form filled in twice (weather, results, share prices). Where the words are a form in full, the shingles need not agree
(daily figures, earnings, notices of one line).
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from dedup.jit import jit, jit_inline, jit_leaf
from dedup.matching.evidence import (
    CONTAINED,
    CONTAINS,
    CONTEXT_START,
    EVIDENCE_COUNT,
    EVIDENCE_NAMES,
    FIGURE_SHARE,
    FIGURES,
    FIGURES_FOUND,
    JACCARD,
    NAMES,
    NAMES_FOUND,
    OVERLAP,
    QUOTES,
    TERMS_OF_LONGER,
    TITLE_FOUND_MORE,
    UNDATED,
    WORDS_220,
    compute_evidence,
    fill_context_evidence,
    fill_quote_evidence,
    fill_story_evidence,
    fill_text_evidence,
    load_article,
    make_pair_workspace,
)
from dedup.settings.settings import LEVEL_MODELS, LEVEL_RELATIONS, RELATIONS, Settings

EXACT, COPY, EXCERPT, EXTENSION, REWRITE, FOLLOWUP = range(6)
"""Positions in `settings.RELATIONS`."""
NO_RELATION = -1

TEMPLATE_OVERLAP = 0.35
"""From this containment on, shared words may be those of a template. Below it, two reports of one story that share a
paragraph of wire copy are more common: of the labelled pairs with a containment of .2 to .35 that the model would
match, the guard would reject 57 of 332 true ones (and 12 of 18 false ones)."""
TEMPLATE_NAMES = 0.6
"""A copy has at least this share of the names in the lead of the other (1 % of the pairs in real wire copy have less than
.68)."""
TEMPLATE_FIGURES = 0.4
"""A copy has at least this share of the numbers of the other, if both have `MIN_TEMPLATE_FIGURES` or more."""
MIN_TEMPLATE_FIGURES = 4
TEMPLATE_WORDS = 0.7
"""Two articles of one template have at least this cosine similarity in the words that are neither names nor numbers."""
REPORT_SHARE = 0.17
"""From this share of numbers among their terms on, articles are reports of figures, whose news is the figures: earnings,
incidences, auctions. From .15 on, the guard rejects six times as many true pairs of similar earthquakes and firings."""
REPORT_FIGURES = 0.55
"""Two copies of one report share at least this share of numbers, less if the other words differ too. Daily figures of
another day repeat .4 to .57 of the numbers (of the day before, the week before, the record); nearly all those of the
same day repeat .63 or more. At .55 the mean F1 of the story sets does not change; at .6 it falls by .0015."""
SHORT_ARTICLE_TERMS = 40
"""Articles of at most this number of distinct terms are short: they report one piece of news. At 60 the guard of titles
rejects 6 of 1,030 true pairs of `incidents`, at 40 none."""
MIN_SHORT_TITLE_SHARE = 0.4
"""Of two short articles on one subject, one has at least this share of the terms of the other's title. The guard rejects
1 of 3,767 labelled true pairs that the storyline model would match, and 15 of 54 false ones of `flashes`."""
WITNESS_BONUS = 3.6
"""How far (log-odds) below the threshold a match with the kept article may score if another member of the cluster matches
too (docs/decisions/0004-witnesses.md): any member at the level of storylines, a copy at the level of stories. It
loosens laws 1 and 5, because a third article then helps to decide whether two match."""
SHINGLE_SAMPLE_SIZE = 64
"""The number of shingles in the sample that tests whether two articles may be copies."""
MAX_EXCERPT_SHARE = 0.8
"""An excerpt has at most this share of the shingles of the whole article; a longer part is a copy."""


@dataclass(frozen=True, slots=True)
class Match:
    """The reason why an article is dropped: the kept article that it repeats, the relation, the score and the evidence."""

    id: str
    """The id of the dropped article."""
    canonical: str
    """The id of the kept article."""
    relation: str
    """One of `RELATIONS`, seen from the dropped article: an excerpt is a part of the canonical article."""
    score: float
    """In [0, 1]: the Jaccard similarity of a copy, the containment of an excerpt or extension, otherwise a probability."""
    evidence: dict[str, float]
    """The evidence by name (`EVIDENCE_NAMES`), computed exactly."""


class MatchParams(NamedTuple):
    """The settings and the models in the form that kernels take; probabilities are log-odds."""

    allowed: np.ndarray
    """By relation, bool: whether it is detected."""
    joins: np.ndarray
    """By relation, bool: whether it joins two articles at the level of the settings."""
    by_storyline: bool
    """Whether follow-ups join. The storyline model then chooses the best match."""
    story_coefficients: np.ndarray
    """As `LinearModel.coefficients`, of the story model."""
    story_intercept: float
    story_threshold: float
    story_witnessed_threshold: float
    max_context_gain: float
    """The most (log-odds) that the context columns can add to the score of the story model."""
    storyline_coefficients: np.ndarray
    storyline_intercept: float
    storyline_threshold: float
    storyline_witnessed_threshold: float
    copy_jaccard: float
    excerpt_containment: float
    window_days: float
    copy_window_days: float
    min_words: int
    shared_terms: int
    max_candidates: int
    max_postings: int


class PairScores(NamedTuple):
    """The result of `classify_pair`."""

    relation: int
    """A relation decided by shingles, or `NO_RELATION` if the models decide."""
    similarity: float
    """The Jaccard similarity or containment; 0 if the models decide."""
    story: float
    """The log-odds of one story, without the columns from `CONTEXT_START` on; -inf if it is ruled out."""
    storyline: float
    """The log-odds of one storyline; -inf if it is ruled out."""


class LinearModel(NamedTuple):
    """A logistic regression: the log-odds are the evidence times the coefficients, plus the intercept."""

    coefficients: np.ndarray
    """2 × columns: the first row is for pairs of dated articles, the second for pairs with an undated one."""
    intercept: float

    def select_coefficients(self, row: np.ndarray) -> np.ndarray:
        """Return the coefficients for a row of evidence: those for dated or for undated pairs."""
        return self.coefficients[int(row[UNDATED])]

    def compute_log_odds(self, evidence: np.ndarray) -> np.ndarray:
        """Return the log-odds (float64) of rows of evidence."""
        coefficients = self.coefficients[evidence[:, UNDATED].astype(np.int64)]
        return (evidence.astype(np.float64) * coefficients).sum(axis=1) + self.intercept


@cache
def read_shipped_model(name: str) -> LinearModel:
    """Return a model that the package ships: "story" or "storyline".

    The storyline model has separate coefficients for undated pairs, whose follow-ups differ in other evidence.
    """
    document = json.loads((files("dedup") / "data" / f"{name}.json").read_text("utf-8"))
    dated = document["coefficients"]
    rows = [
        [part.get(column, 0.0) for column in EVIDENCE_NAMES]
        for part in (dated, document.get("undated", dated))
    ]
    return LinearModel(np.array(rows), float(document["intercept"]))


def choose_model(settings: Settings, name: str) -> LinearModel:
    """Return the model named "story" or "storyline": the one of the settings if there is one, else the shipped one."""
    model = settings.model
    if model is None or model.level != name:
        return read_shipped_model(name)
    row = [model.coefficients.get(column, 0.0) for column in EVIDENCE_NAMES]
    return LinearModel(np.array([row, row]), model.intercept)


def choose_level_model(settings: Settings) -> LinearModel:
    """Return the model that decides at the level of the settings."""
    return choose_model(settings, LEVEL_MODELS[settings.level])


def get_level_threshold(params: MatchParams) -> float:
    """Return the threshold (log-odds) of the model that decides at the level of the settings."""
    return params.storyline_threshold if params.by_storyline else params.story_threshold


def to_log_odds(probability: float) -> float:
    """Return the log-odds of a probability, which is clipped to [1e-9, 1 - 1e-9].

    >>> to_log_odds(0.5)
    0.0
    """
    p = min(max(probability, 1e-9), 1 - 1e-9)
    return float(np.log(p / (1 - p)))


def make_match_params(settings: Settings) -> MatchParams:
    """Return the settings and their models in the form that kernels take."""
    story, storyline = choose_model(settings, "story"), choose_model(settings, "storyline")
    return MatchParams(
        allowed=np.array([relation in settings.relations for relation in RELATIONS]),
        joins=np.array(
            [
                relation in settings.relations and relation in LEVEL_RELATIONS[settings.level]
                for relation in RELATIONS
            ]
        ),
        by_storyline=settings.level == "storyline" and "followup" in settings.relations,
        story_coefficients=story.coefficients,
        story_intercept=story.intercept,
        story_threshold=to_log_odds(settings.rewrite_probability),
        story_witnessed_threshold=to_log_odds(settings.rewrite_probability) - WITNESS_BONUS,
        max_context_gain=float(np.maximum(story.coefficients[:, CONTEXT_START:], 0.0).sum(axis=1).max()),
        storyline_coefficients=storyline.coefficients,
        storyline_intercept=storyline.intercept,
        storyline_threshold=to_log_odds(settings.followup_probability),
        storyline_witnessed_threshold=to_log_odds(settings.followup_probability) - WITNESS_BONUS,
        copy_jaccard=float(settings.copy_jaccard),
        excerpt_containment=float(settings.excerpt_containment),
        window_days=float(settings.window_days),
        copy_window_days=float(settings.copy_window_days),
        min_words=settings.min_words,
        shared_terms=settings.shared_terms,
        max_candidates=settings.max_candidates,
        max_postings=settings.max_postings,
    )


@jit_inline
def compute_probability(odds):
    """Return the probability of log-odds."""
    return 1.0 / (1.0 + np.exp(-odds))


@jit_leaf
def add_weighted_evidence(row, coefficients, begin, end, total):
    """Return `total` plus the weighted sum of the columns `begin:end`; `coefficients` is 2 × columns."""
    weights = coefficients[np.int64(row[UNDATED])]
    for k in range(begin, end):
        total += weights[k] * row[k]
    return total


@jit_leaf
def compute_story_odds(row, params):
    """Return the log-odds that two articles tell the same story, without the context columns."""
    return add_weighted_evidence(row, params.story_coefficients, 0, CONTEXT_START, params.story_intercept)


@jit_leaf
def compute_context_odds(row, params):
    """Return the log-odds that the columns from `CONTEXT_START` on add to the score of the story model."""
    return add_weighted_evidence(row, params.story_coefficients, CONTEXT_START, EVIDENCE_COUNT, 0.0)


@jit_leaf
def compute_storyline_odds(row, params):
    """Return the log-odds that two articles belong to one storyline."""
    return add_weighted_evidence(
        row, params.storyline_coefficients, 0, CONTEXT_START, params.storyline_intercept
    )


@jit_leaf
def is_different_report(row):
    """Return whether two articles are reports of figures, most of which differ."""
    word_similarity = min(row[WORDS_220] ** 2 / TEMPLATE_WORDS, 1.0)
    return row[FIGURE_SHARE] >= REPORT_SHARE and row[FIGURES_FOUND] < REPORT_FIGURES * word_similarity**2


@jit_leaf
def is_template(row):
    """Return whether two articles share only a template, filled in with different facts.

    Reports of figures count even if they share few shingles. The thresholds fall with the similarity of the other words:
    in a garbled copy all words are damaged, in a template only the facts differ.
    """
    if is_different_report(row):
        return True
    word_similarity = min(row[WORDS_220] ** 2 / TEMPLATE_WORDS, 1.0)
    if max(row[CONTAINED], row[CONTAINS]) < TEMPLATE_OVERLAP:
        return False
    return (row[NAMES] > 0 and row[NAMES_FOUND] < TEMPLATE_NAMES * word_similarity) or (
        row[FIGURES] >= MIN_TEMPLATE_FIGURES and row[FIGURES_FOUND] < TEMPLATE_FIGURES * word_similarity
    )


@jit_leaf
def has_different_subject(row):
    """Return whether two articles are short and neither has enough terms of the title of the other."""
    return row[TERMS_OF_LONGER] <= SHORT_ARTICLE_TERMS and row[TITLE_FOUND_MORE] < MIN_SHORT_TITLE_SHARE


@jit_leaf
def count_shingles(s, a):
    """Return the number of distinct shingles of article `a`."""
    return s.shingle_offsets[a + 1] - s.shingle_offsets[a]


def classify_articles(s: Any, kept: int, other: int, params: MatchParams) -> tuple[int, float, np.ndarray]:
    """Return (relation, score, evidence) of the articles `other` and `kept`, without neighbours or witnesses.

    Without a match the relation is `NO_RELATION` and the score 0. The evidence is seen from `other`: `contained` is the
    share of its shingles found in `kept`. The relation is one that the settings detect, whether or not it joins at their
    level.
    """
    workspace = make_pair_workspace()
    relation, score = classify_without_context(s, kept, other, params, workspace)
    return relation, score, compute_evidence(s, np.array([other]), np.array([kept]))[0]


@jit
def classify_without_context(s, kept, other, params, workspace):
    """Return (relation, score) of two articles without neighbours; the score of a model is a probability."""
    load_article(s, other, workspace)
    relation, similarity, story, storyline = classify_pair(
        s, kept, other, params, params.storyline_threshold, True, workspace
    )
    if relation != NO_RELATION:
        return relation, similarity
    if story + params.max_context_gain >= params.story_threshold:
        fill_context_evidence(s, other, kept, s.term_offsets, 0, 0, 0, workspace)
        story += compute_context_odds(workspace.row, params)
    if params.allowed[REWRITE] and story >= params.story_threshold:
        return REWRITE, compute_probability(story)
    if params.allowed[FOLLOWUP] and storyline >= params.storyline_threshold:
        return FOLLOWUP, compute_probability(storyline)
    return NO_RELATION, 0.0


def classify_evidence(row: np.ndarray, params: MatchParams) -> tuple[int, float]:
    """Return (relation, probability) of a row of evidence by the models alone; (`NO_RELATION`, 0) without a match."""
    story = compute_story_odds(row, params) + compute_context_odds(row, params)
    storyline = compute_storyline_odds(row, params)
    if (
        params.allowed[REWRITE]
        and story >= params.story_threshold
        and storyline >= params.storyline_threshold
    ):
        return REWRITE, float(compute_probability(story))
    if params.allowed[FOLLOWUP] and storyline >= params.storyline_threshold:
        return FOLLOWUP, float(compute_probability(storyline))
    return NO_RELATION, 0.0


@jit_leaf
def cannot_share_storyline(s, kept, other, params, min_odds, row):
    """Return whether the storyline score stays below `min_odds` whatever the shingles of the pair.

    `row` has the evidence of terms and dates. The shared quotations are counted (into `row`) only if the greatest
    possible number would lift the score to `min_odds`.
    """
    row[OVERLAP] = 1.0
    quotes = min(
        s.quote_offsets[kept + 1] - s.quote_offsets[kept], s.quote_offsets[other + 1] - s.quote_offsets[other]
    )
    row[QUOTES] = np.log1p(np.float32(quotes))
    if compute_storyline_odds(row, params) < min_odds:
        return True
    fill_quote_evidence(s, other, kept, row)
    return compute_storyline_odds(row, params) < min_odds


@jit_leaf
def is_clearly_below_copy_threshold(s, kept, other, params):
    """Return whether two articles share far too few shingles for a copy, an excerpt or an extension.

    All three need a share of the shingles of the shorter article; a Jaccard similarity of J needs 2J / (1 + J). The
    `SHINGLE_SAMPLE_SIZE` shingles with the lowest hashes are a random sample (Broder 1997). Far too few means six
    standard deviations below the needed share.
    """
    a, b = s.shingle_offsets[kept], s.shingle_offsets[other]
    a_end, b_end = s.shingle_offsets[kept + 1], s.shingle_offsets[other + 1]
    if b_end - b < a_end - a:
        a, b, a_end, b_end = b, a, b_end, a_end
    needed_share = min(2.0 * params.copy_jaccard / (1.0 + params.copy_jaccard), params.excerpt_containment)
    a_end = min(a_end, a + SHINGLE_SAMPLE_SIZE)
    sample, shared = a_end - a, 0
    lower_bound = needed_share * sample - 6.0 * np.sqrt(needed_share * (1.0 - needed_share) * sample)
    while a < a_end and b < b_end:
        x, y = s.shingles[a], s.shingles[b]
        shared += x == y
        a += x <= y
        b += y <= x
    return shared < lower_bound


@jit_leaf
def classify_pair(s, kept, other, params, min_odds, banded, workspace):
    """Return the `PairScores` (as a tuple) of article `other`, loaded in the workspace, and the article `kept`.

    A pair with storyline log-odds below `min_odds` scores -inf for both models, since a rewrite also belongs to the
    storyline. With `banded` (the two share a band), or if only copies are possible, shingles are compared first;
    otherwise terms are, and most pairs go no further. If there is a relation, or if the log-odds are finite,
    `workspace.row` then holds the columns before `CONTEXT_START`.
    """
    if s.lengths[other] < params.min_words or s.lengths[kept] < params.min_words:
        return NO_RELATION, 0.0, -np.inf, -np.inf
    # Compare dates and sample shingles, the cheapest tests first.
    gap = abs(s.days[kept] - s.days[other])  # NaN if either is undated: within both windows
    in_copy_window, in_window = not gap > params.copy_window_days, not gap > params.window_days
    in_window &= params.allowed[REWRITE] or params.allowed[FOLLOWUP]
    may_be_copy = (
        in_copy_window
        and (banded or not in_window)
        and not is_clearly_below_copy_threshold(s, kept, other, params)
    )
    if not may_be_copy and not in_window:
        return NO_RELATION, 0.0, -np.inf, -np.inf
    # Compute the columns of terms and dates; stop if no wording could reach `min_odds`.
    row = workspace.row
    fill_story_evidence(s, other, kept, workspace)
    if may_be_copy:
        fill_quote_evidence(s, other, kept, row)
    elif cannot_share_storyline(s, kept, other, params, min_odds, row):
        return NO_RELATION, 0.0, -np.inf, -np.inf
    # Compare all shingles: exact copies, templates, excerpts, extensions and copies.
    fill_text_evidence(s, other, kept, row)
    if (
        in_copy_window
        and params.allowed[EXACT]
        and s.text_hashes[kept] == s.text_hashes[other]
        and row[JACCARD] == 1.0
    ):
        return EXACT, 1.0, -np.inf, -np.inf
    if is_template(row):
        return NO_RELATION, 0.0, -np.inf, -np.inf
    if in_copy_window:
        other_shingles, kept_shingles = count_shingles(s, other), count_shingles(s, kept)
        if (
            params.allowed[EXCERPT]
            and other_shingles <= MAX_EXCERPT_SHARE * kept_shingles
            and row[CONTAINED] >= params.excerpt_containment
        ):
            return EXCERPT, float(row[CONTAINED]), -np.inf, -np.inf
        if (
            params.allowed[EXTENSION]
            and kept_shingles <= MAX_EXCERPT_SHARE * other_shingles
            and row[CONTAINS] >= params.excerpt_containment
        ):
            return EXTENSION, float(row[CONTAINS]), -np.inf, -np.inf
        if params.allowed[COPY] and row[JACCARD] >= params.copy_jaccard:
            return COPY, float(row[JACCARD]), -np.inf, -np.inf
    # Score the rest with the models.
    if not in_window or has_different_subject(row):
        return NO_RELATION, 0.0, -np.inf, -np.inf
    storyline = compute_storyline_odds(row, params)
    if storyline < min_odds:
        return NO_RELATION, 0.0, -np.inf, -np.inf
    return NO_RELATION, 0.0, compute_story_odds(row, params), storyline
