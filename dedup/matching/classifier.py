"""Classify a pair of articles: decide their relation and its score.

Equal texts are `exact`. Then the guards (`dedup.matching.guards`) reject templates, shingles decide `copy`, `excerpt` and
`extension`, and the models (`dedup.matching.models`) decide `rewrite` and `followup`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dedup.jit import jit
from dedup.matching.context_evidence import fill_context_evidence
from dedup.matching.digests import is_digest
from dedup.matching.evidence import compute_evidence
from dedup.matching.evidence_columns import CONTAINED, CONTAINS, JACCARD, OVERLAP, QUOTES
from dedup.matching.guards import has_different_subject, shares_only_template
from dedup.matching.match_params import MatchParams
from dedup.matching.models import (
    compute_context_odds,
    compute_probability,
    compute_story_odds,
    compute_storyline_odds,
)
from dedup.matching.pair_evidence import fill_quote_evidence, fill_story_evidence, fill_text_evidence
from dedup.matching.pair_workspace import load_article, make_pair_workspace

EXACT, COPY, EXCERPT, EXTENSION, REWRITE, FOLLOWUP = range(6)
"""Positions in `settings.RELATIONS`."""
NO_RELATION = -1
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


@jit
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


@jit
def cannot_share_storyline(s, kept, other, params, min_odds, row):
    """Return whether the storyline score stays below `min_odds`, no matter which shingles the pair shares.

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


@jit
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


@jit
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
    if shares_only_template(row):
        return NO_RELATION, 0.0, -np.inf, -np.inf
    if in_copy_window:
        other_shingles, kept_shingles = count_shingles(s, other), count_shingles(s, kept)
        if (
            params.allowed[EXCERPT]
            and other_shingles <= MAX_EXCERPT_SHARE * kept_shingles
            and row[CONTAINED] >= params.excerpt_containment
        ):
            if is_digest(s, other, kept, row):
                return NO_RELATION, 0.0, -np.inf, -np.inf
            return EXCERPT, float(row[CONTAINED]), -np.inf, -np.inf
        if (
            params.allowed[EXTENSION]
            and kept_shingles <= MAX_EXCERPT_SHARE * other_shingles
            and row[CONTAINS] >= params.excerpt_containment
        ):
            if is_digest(s, kept, other, row):
                return NO_RELATION, 0.0, -np.inf, -np.inf
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
