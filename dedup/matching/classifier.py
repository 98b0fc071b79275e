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
"""From this containment on, shared words may be a template's. Below it, tellings of one story that share a paragraph of wire copy
and differ in the rest are commoner: of the labelled pairs with a containment of .2 to .35 that the model would match, the guard
would strike 57 of 332 true ones (and 12 of 18 false ones)."""
TEMPLATE_NAMES = 0.6
"""A copy has at least this share of the names in the other's lead (1 % of the pairs in real wire copy have less than .68)."""
TEMPLATE_FIGURES = 0.4
"""... and this share of its numbers, where there are `MIN_TEMPLATE_FIGURES` to go by."""
MIN_TEMPLATE_FIGURES = 4
TEMPLATE_WORDS = 0.7
"""Two fillings of one form are at least this like each other (cosine) in the words that are neither names nor numbers."""
REPORT_SHARE = 0.17
"""From this share of numbers among their terms on, articles are reports of figures, and the figures are the news: earnings,
incidences, auctions. From .15 on the guard strikes six times as many true pairs of look-alike quakes and firings."""
REPORT_FIGURES = 0.55
"""One report has at least this share of the other's numbers, less where the other words differ too. Daily figures of another day
repeat .4 to .57 of them (the day before, the week before, the record), nearly all of those of the same day .63 and more. The
mean F1 of the story sets stays as it was; at .6 it falls by .0015."""
SHORT_ARTICLE_TERMS = 40
"""Articles of so many distinct terms or fewer are short: one piece of news, and no room for another. At 60 the guard of titles
strikes 6 of 1,030 true pairs of `incidents`, at 40 none."""
MIN_SHORT_TITLE_SHARE = 0.4
"""Of two short articles on one affair, one has at least this share of the terms of the other's title. It strikes 1 of 3,767
labelled true pairs that the storyline model would match, and 15 of 54 unlike ones of `flashes`."""
WITNESS_BONUS = 3.6
"""By how much (log-odds) a match with the kept article may be weaker than one that stands alone, where another member of the
cluster speaks for it too (docs/decisions/0004-witnesses.md): any member at the level of storylines, a copy at that of stories.
It loosens laws 1 and 5: a third article then helps to decide whether two match."""
SHINGLE_SAMPLE_SIZE = 64
"""So many shingles tell whether two articles may be copies."""
MAX_EXCERPT_SHARE = 0.8
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
    """What the two share, by name (`dedup.matching.evidence.EVIDENCE_NAMES`), recomputed exactly."""


class MatchParams(NamedTuple):
    """The settings and the models as kernels take them; probabilities as log-odds."""

    allowed: np.ndarray
    """By relation: whether it is looked for."""
    joins: np.ndarray
    """By relation: whether it joins two articles, at the level in force."""
    by_storyline: bool
    """Whether follow-ups join, so that the storyline model decides which kept article is the best match."""
    story_coefficients: np.ndarray
    """Of the story model, as in `LinearModel`."""
    story_intercept: float
    story_threshold: float
    story_witnessed_threshold: float
    max_context_gain: float
    """How much (log-odds) the neighbours of an article may add to what the story model says of a pair without them."""
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
    """What two articles are to each other, as `classify_pair` says."""

    relation: int
    """One of the text's; `NO_RELATION` where the models decide."""
    similarity: float
    """Jaccard or containment; 0 where the models decide."""
    story: float
    """Log-odds that they tell the same story, without the columns from `CONTEXT_START` on; -inf for certainly not."""
    storyline: float
    """Log-odds that they belong to one storyline; -inf for certainly not."""


class LinearModel(NamedTuple):
    """A model as numbers: log-odds are the evidence by its coefficients, and an intercept."""

    coefficients: np.ndarray
    """2 × columns: of pairs that are both dated, and of those in which a date is missing."""
    intercept: float

    def select_coefficients(self, row: np.ndarray) -> np.ndarray:
        """Return the coefficients that weigh a row of evidence."""
        return self.coefficients[int(row[UNDATED])]

    def compute_log_odds(self, evidence: np.ndarray) -> np.ndarray:
        """Return the log-odds (float64) of rows of evidence."""
        chosen = self.coefficients[evidence[:, UNDATED].astype(np.int64)]
        return (evidence.astype(np.float64) * chosen).sum(axis=1) + self.intercept


@cache
def read_shipped_model(name: str) -> LinearModel:
    """Return a model that the package ships, "story" or "storyline".

    The storyline model has coefficients of its own for pairs without dates: among these chapters are told apart by other things.
    """
    shipped = json.loads((files("dedup") / "data" / f"{name}.json").read_text("utf-8"))
    dated = shipped["coefficients"]
    rows = [
        [part.get(column, 0.0) for column in EVIDENCE_NAMES]
        for part in (dated, shipped.get("undated", dated))
    ]
    return LinearModel(np.array(rows), float(shipped["intercept"]))


def choose_model(settings: Settings, name: str) -> LinearModel:
    """Return one of the two models, "story" or "storyline": the settings' own if they have one, else the shipped one."""
    own = settings.model
    if own is None or own.level != name:
        return read_shipped_model(name)
    row = [own.coefficients.get(column, 0.0) for column in EVIDENCE_NAMES]
    return LinearModel(np.array([row, row]), own.intercept)


def choose_level_model(settings: Settings) -> LinearModel:
    """Return the model that decides at the level of the settings: the storyline model, or else the story model."""
    return choose_model(settings, LEVEL_MODELS[settings.level])


def get_level_threshold(params: MatchParams) -> float:
    """Return the log-odds that a match needs of the model that decides at the level in force."""
    return params.storyline_threshold if params.by_storyline else params.story_threshold


def to_log_odds(probability: float) -> float:
    """Return the log-odds of a probability; of 0 and 1 very small and very large ones.

    >>> to_log_odds(0.5)
    0.0
    """
    p = min(max(probability, 1e-9), 1 - 1e-9)
    return float(np.log(p / (1 - p)))


def make_match_params(settings: Settings) -> MatchParams:
    """Return the settings, with the models, as kernels take them."""
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
    """Return the probability that log-odds stand for."""
    return 1.0 / (1.0 + np.exp(-odds))


@jit_leaf
def add_weighted_evidence(row, coefficients, begin, end, total):
    """Return `total` and the columns `begin:end` of evidence, by the coefficients for its dates (2 × columns)."""
    own = coefficients[np.int64(row[UNDATED])]
    for k in range(begin, end):
        total += own[k] * row[k]
    return total


@jit_leaf
def compute_story_odds(row, params):
    """Return the log-odds that two articles with this evidence tell the same story, without their neighbours."""
    return add_weighted_evidence(row, params.story_coefficients, 0, CONTEXT_START, params.story_intercept)


@jit_leaf
def compute_context_odds(row, params):
    """Return how much the columns from `CONTEXT_START` on add to the log-odds of one story."""
    return add_weighted_evidence(row, params.story_coefficients, CONTEXT_START, EVIDENCE_COUNT, 0.0)


@jit_leaf
def compute_storyline_odds(row, params):
    """Return the log-odds that two articles with this evidence belong to one storyline."""
    return add_weighted_evidence(
        row, params.storyline_coefficients, 0, CONTEXT_START, params.storyline_intercept
    )


@jit_leaf
def is_different_report(row):
    """Return whether two articles are reports of figures, and most of the figures are others."""
    undamaged = min(row[WORDS_220] ** 2 / TEMPLATE_WORDS, 1.0)
    return row[FIGURE_SHARE] >= REPORT_SHARE and row[FIGURES_FOUND] < REPORT_FIGURES * undamaged**2


@jit_leaf
def is_template(row):
    """Return whether the words that two articles share are a template with other facts filled in.

    Reports of figures need not share their shingles, only their numbers are others. Of a garbled copy less is asked, in
    proportion to its other words: there all words are damaged, in a template only the facts are others.
    """
    if is_different_report(row):
        return True
    undamaged = min(row[WORDS_220] ** 2 / TEMPLATE_WORDS, 1.0)
    if max(row[CONTAINED], row[CONTAINS]) < TEMPLATE_OVERLAP:
        return False
    return (row[NAMES] > 0 and row[NAMES_FOUND] < TEMPLATE_NAMES * undamaged) or (
        row[FIGURES] >= MIN_TEMPLATE_FIGURES and row[FIGURES_FOUND] < TEMPLATE_FIGURES * undamaged
    )


@jit_leaf
def has_different_subject(row):
    """Return whether two articles are short, and neither has enough of the other's title: other firms, other places."""
    return row[TERMS_OF_LONGER] <= SHORT_ARTICLE_TERMS and row[TITLE_FOUND_MORE] < MIN_SHORT_TITLE_SHARE


@jit_leaf
def count_shingles(s, a):
    """Return the number of distinct shingles of article `a`."""
    return s.shingle_offsets[a + 1] - s.shingle_offsets[a]


def classify_articles(s: Any, kept: int, other: int, params: MatchParams) -> tuple[int, float, np.ndarray]:
    """Return (relation, score, evidence) of article `other` to the article `kept`; (`NO_RELATION`, 0, ...) for no match.

    Nothing but the two counts: no other article of the affair. The evidence is as seen from `other`: `contained` is the share
    of its shingles found in `kept`. The relation is one that the settings look for, whether or not it joins at their level.
    """
    used = make_pair_workspace()
    relation, score = classify_without_context(s, kept, other, params, used)
    return relation, score, compute_evidence(s, np.array([other]), np.array([kept]))[0]


@jit
def classify_without_context(s, kept, other, params, workspace):
    """Return (relation, score) of two articles with no other beside them; the score of a model is a probability."""
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
    """Return the (relation, probability) that the models give to a row of evidence; (`NO_RELATION`, 0) for no match."""
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
def cannot_share_storyline(s, kept, other, params, least, row):
    """Return whether no wording could make these two of one storyline, with `least` log-odds, by the evidence in `row`.

    The quotations are counted, into `row`, only where as many as there are could make them one.
    """
    row[OVERLAP] = 1.0
    quotes = min(
        s.quote_offsets[kept + 1] - s.quote_offsets[kept], s.quote_offsets[other + 1] - s.quote_offsets[other]
    )
    row[QUOTES] = np.log1p(np.float32(quotes))
    if compute_storyline_odds(row, params) < least:
        return True
    fill_quote_evidence(s, other, kept, row)
    return compute_storyline_odds(row, params) < least


@jit_leaf
def is_clearly_below_copy_threshold(s, kept, other, params):
    """Return whether two articles share far too few shingles for a copy, and for either to be part of the other.

    Both ask for a share of the shorter one's shingles: a Jaccard similarity of J for 2J / (1 + J) of them. The
    `SHINGLE_SAMPLE_SIZE` with the lowest hashes are a random sample (Broder 1997): far too few are six standard deviations
    below that share.
    """
    a, b = s.shingle_offsets[kept], s.shingle_offsets[other]
    a_end, b_end = s.shingle_offsets[kept + 1], s.shingle_offsets[other + 1]
    if b_end - b < a_end - a:
        a, b, a_end, b_end = b, a, b_end, a_end
    least = min(2.0 * params.copy_jaccard / (1.0 + params.copy_jaccard), params.excerpt_containment)
    a_end = min(a_end, a + SHINGLE_SAMPLE_SIZE)
    sample, both = a_end - a, 0
    far_too_few = least * sample - 6.0 * np.sqrt(least * (1.0 - least) * sample)
    while a < a_end and b < b_end:
        x, y = s.shingles[a], s.shingles[b]
        both += x == y
        a += x <= y
        b += y <= x
    return both < far_too_few


@jit_leaf
def classify_pair(s, kept, other, params, least, banded, workspace):
    """Return the `PairScores` of article `other`, which lies open on the desk, beside the article `kept`, as a tuple.

    What has not `least` log-odds of one storyline is nothing at all: a rewrite is of its storyline too.

    Shingles come first where two articles share a band (`banded`) or only copies are looked for; else the story does, and
    most go no further. Where there is a relation, or the log-odds are finite, the evidence before `CONTEXT_START` is left in the
    desk's row.
    """
    if s.lengths[other] < params.min_words or s.lengths[kept] < params.min_words:
        return NO_RELATION, 0.0, -np.inf, -np.inf
    apart = abs(s.days[kept] - s.days[other])  # NaN, and so in no comparison, where either is undated
    near, current = not apart > params.copy_window_days, not apart > params.window_days
    current &= params.allowed[REWRITE] or params.allowed[FOLLOWUP]
    alike = near and (banded or not current) and not is_clearly_below_copy_threshold(s, kept, other, params)
    if not alike and not current:
        return NO_RELATION, 0.0, -np.inf, -np.inf
    row = workspace.row
    fill_story_evidence(s, other, kept, workspace)
    if alike:
        fill_quote_evidence(s, other, kept, row)
    elif cannot_share_storyline(s, kept, other, params, least, row):
        return NO_RELATION, 0.0, -np.inf, -np.inf
    fill_text_evidence(s, other, kept, row)
    if near and params.allowed[EXACT] and s.text_hashes[kept] == s.text_hashes[other] and row[JACCARD] == 1.0:
        return EXACT, 1.0, -np.inf, -np.inf
    if is_template(row):
        return NO_RELATION, 0.0, -np.inf, -np.inf
    if near:
        a, b = count_shingles(s, other), count_shingles(s, kept)
        if (
            params.allowed[EXCERPT]
            and a <= MAX_EXCERPT_SHARE * b
            and row[CONTAINED] >= params.excerpt_containment
        ):
            return EXCERPT, float(row[CONTAINED]), -np.inf, -np.inf
        if (
            params.allowed[EXTENSION]
            and b <= MAX_EXCERPT_SHARE * a
            and row[CONTAINS] >= params.excerpt_containment
        ):
            return EXTENSION, float(row[CONTAINS]), -np.inf, -np.inf
        if params.allowed[COPY] and row[JACCARD] >= params.copy_jaccard:
            return COPY, float(row[JACCARD]), -np.inf, -np.inf
    if not current or has_different_subject(row):
        return NO_RELATION, 0.0, -np.inf, -np.inf
    storyline = compute_storyline_odds(row, params)
    if storyline < least:
        return NO_RELATION, 0.0, -np.inf, -np.inf
    return NO_RELATION, 0.0, compute_story_odds(row, params), storyline
