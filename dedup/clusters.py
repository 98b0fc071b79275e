"""Sketches in rank order → clusters: each article joins the kept article that it matches best, or is kept itself.

In: sketches and the order in which they come. Out: for each article the article that it repeats (itself if it is kept),
the relation, the score and the evidence. Leader clustering (Hartigan, *Clustering Algorithms*, 1975, ch. 3): every drop is
justified by a match with a *kept* article (law 4), which connected components cannot promise, and what was kept keeps
itself in a second run (law 3), for only kept articles are matched. The bands of dropped rewrites are indexed too, but only
to choose between kept articles that match.
"""

from typing import NamedTuple

import numpy as np

from dedup.candidates import Postings, fill_candidates, insert, keys_of, postings_for
from dedup.evidence import COUNT
from dedup.kernel import kernel
from dedup.matches import NONE, REWRITE, Rules, is_hopeless, judged
from dedup.sketches import Sketches


STORY, TIE, TEXT = 0, 1, 2
"""What speaks for a kept article, least to most: the story alone; the story, and the text of one that repeats it already;
the text. Two copies of one text thus go to the same place, even when either of two kept articles would do."""


class Assignments(NamedTuple):
    """What became of each article, and how much work it took."""

    leaders: np.ndarray
    """n, int64: the position of the kept article that it repeats; its own if it is kept."""
    relations: np.ndarray
    """n, int8: position in `RELATIONS`; `NONE` if it is kept."""
    scores: np.ndarray
    """n, float64."""
    evidence: np.ndarray
    """n × columns, float32: of the match; zeros if it is kept."""
    verified: np.ndarray
    """n, int32: candidates that were verified."""
    bounded: np.ndarray
    """n, int8: 1 where a bound on the work was reached."""


def assign(sketches: Sketches, order: np.ndarray, rules: Rules) -> Assignments:
    """Return the assignments of all articles, taken in `order` (positions, int64; each once)."""
    articles = len(sketches.texts)
    index = postings_for(articles, sketches.salient.shape[1] + rules.bands)
    days = sketches.days[order]
    dated = days[~np.isnan(days)]
    in_order = bool(np.all(np.diff(dated) >= 0)) and not np.isnan(days[: len(dated)]).any()
    return Assignments(*led(sketches, order, rules, index, in_order))


@kernel
def led(s, order, rules, index, in_order):
    """Return the fields of `Assignments`; see `assign`."""
    articles = len(s.texts)
    leaders = np.arange(articles)
    relations = np.full(articles, NONE, np.int8)
    scores = np.zeros(articles)
    evidence = np.zeros((articles, COUNT), np.float32)
    verified = np.zeros(articles, np.int32)
    bounded = np.zeros(articles, np.int8)
    shares = np.zeros(articles, np.int32)
    found = np.empty(articles, np.int32)
    keys = np.empty(s.salient.shape[1] + rules.bands, np.uint64)
    row = np.zeros(COUNT, np.float32)
    for a in order:
        if s.lengths[a] < rules.min_words:
            continue
        terms, n = keys_of(s, a, rules.bands, rules.rows, keys)
        m, banded, bounded[a] = fill_candidates(index, s, keys, terms, n, a, rules, in_order, shares, found)
        verified[a] = m
        best, relation, score, order_key = -1, NONE, 0.0, (-1, 0.0)
        for k in range(m):
            member, leader = found[k], leaders[found[k]]
            tie = 0.0
            if leader != member:
                r, tie = judged(s, member, a, rules, row)
                if r == NONE or r == REWRITE:
                    continue
            if k >= banded and is_hopeless(s, leader, a, rules, row):
                continue
            r, x = judged(s, leader, a, rules, row)
            if r == NONE:
                continue
            key = (TEXT, x) if r != REWRITE else (TIE, tie) if tie > 0.0 else (STORY, x)
            if key > order_key:
                best, relation, score, order_key = leader, r, x, key
                evidence[a] = row
        if best < 0:
            insert(index, keys, 0, n, a)
        else:
            leaders[a], relations[a], scores[a] = best, relation, score
            if relation == REWRITE:
                insert(index, keys, terms, n, a)
    return leaders, relations, scores, evidence, verified, bounded
