"""List candidate pairs and score them, for evaluation and reports.

A run keeps only the matches, but evaluation and reports also need the pairs that it rejects. So these functions look up
the same candidates again, in rank order. In each pair, the article that ranks first comes first.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from dedup.jit import jit
from dedup.matching.assignments import make_kept_assignments
from dedup.matching.candidates import fill_candidates, fill_lookup_keys, make_lookup_scratch
from dedup.matching.classifier import NO_RELATION, classify_pair, classify_without_context
from dedup.matching.clustering import ClusteringState, is_date_ordered
from dedup.matching.comparisons import compare_with_candidates, make_empty_comparisons
from dedup.matching.context_evidence import fill_context_evidence
from dedup.matching.evidence_columns import CONTAINED, CONTAINS, EVIDENCE_COUNT
from dedup.matching.inverted_index import insert_postings, make_index_for_articles
from dedup.matching.match_params import get_level_threshold, make_match_params
from dedup.matching.models import compute_context_odds, compute_storyline_odds
from dedup.matching.neighbours import fill_neighbour_evidence, find_neighbours
from dedup.matching.pair_evidence import fill_pair_evidence, fill_text_evidence
from dedup.matching.pair_workspace import copy_evidence, load_article, make_pair_workspace
from dedup.settings.settings import Settings

PAIRS_PER_BATCH = 1 << 16
"""The number of pairs per batch: a megabyte."""


def iter_candidate_pairs(
    sketches: Any,
    order: np.ndarray,
    settings: Settings,
    *,
    query_mask: np.ndarray | None = None,
    index_mask: np.ndarray | None = None,
    max_candidates: int = 0,
) -> Iterator[np.ndarray]:
    """Yield the candidate pairs (n × 2, int64) of each article, largest overlap first.

    The candidates of an article are among those before it in `order`. Only articles in `query_mask` (a mask over all
    positions) are looked up, and only among those in `index_mask`. Each has at most `max_candidates` candidates; 0 means
    the limit in the settings.
    """
    params, articles = make_match_params(settings), len(sketches.text_hashes)
    keys_each = sketches.salient.shape[1] + sketches.bands.shape[1]
    query_mask = np.ones(articles, np.bool_) if query_mask is None else query_mask
    index_mask = np.ones(articles, np.bool_) if index_mask is None else index_mask
    max_candidates = min(max_candidates or params.max_candidates, max(articles, 1))
    index, scratch = make_index_for_articles(len(order), keys_each), make_lookup_scratch(articles, keys_each)
    in_order, pairs = (
        is_date_ordered(sketches.days[order]),
        np.empty((max(PAIRS_PER_BATCH, max_candidates), 2), np.int64),
    )
    start = 0
    while start < len(order):
        start, count = fill_candidate_pairs(
            sketches,
            order,
            start,
            query_mask,
            index_mask,
            params,
            in_order,
            max_candidates,
            index,
            scratch,
            pairs,
        )
        yield pairs[:count].copy()


@jit
def fill_candidate_pairs(
    s, order, start, query_mask, index_mask, params, in_order, max_candidates, index, scratch, pairs
):
    """Write candidate pairs of the articles from `order[start]` on; return (next index in `order`, number of pairs)."""
    count = 0
    for k in range(start, len(order)):
        if count + max_candidates > len(pairs):
            return k, count
        a = order[k]
        if s.lengths[a] < params.min_words:
            continue
        terms, n = fill_lookup_keys(s, a, scratch.keys)
        if query_mask[a]:
            candidate_count, _, _ = fill_candidates(
                index, s.days, terms, n, s.days[a], params, in_order, scratch
            )
            for c in range(min(candidate_count, max_candidates)):
                pairs[count, 0], pairs[count, 1] = scratch.candidates[c], a
                count += 1
        if index_mask[a]:
            insert_postings(index, scratch.keys, 0, n, a)
    return len(order), count


def iter_model_pairs(
    sketches: Any, order: np.ndarray, settings: Settings, query_mask: np.ndarray, margin: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (pairs, log-odds) of the candidate pairs that the model of the level decides.

    These are neither copies nor templates, lie within the window, and score at most `margin` below the threshold. They
    are scored without neighbours.
    """
    min_odds = get_level_threshold(make_match_params(settings)) - margin
    for pairs in iter_candidate_pairs(sketches, order, settings, query_mask=query_mask):
        odds = score_pairs(sketches, pairs, settings)
        yield pairs[odds >= min_odds], odds[odds >= min_odds]


def score_pairs(sketches: Any, pairs: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the log-odds (float64) that the model of the level gives to pairs (n × 2, kept article first).

    Low values are not left out. The value is -inf for pairs that no model decides: copies, templates, and articles that
    are too short or too far apart in time.
    """
    odds = np.empty(len(pairs))
    fill_pair_odds(sketches, pairs, make_match_params(settings), make_pair_workspace(), odds)
    return odds


@jit
def fill_pair_odds(s, pairs, params, workspace, odds):
    """Write the log-odds of each pair; pairs in a row with the same second article load it once."""
    for k in range(len(pairs)):
        kept, other = pairs[k, 0], pairs[k, 1]
        load_article(s, other, workspace)
        _, _, story, storyline = classify_pair(s, kept, other, params, -np.inf, True, workspace)
        if params.by_storyline:
            odds[k] = storyline
            continue
        if story > -np.inf:
            fill_context_evidence(s, other, kept, s.term_offsets, 0, 0, 0, workspace)
            story += compute_context_odds(workspace.row, params)
        odds[k] = story


def classify_pairs(
    sketches: Any, pairs: np.ndarray, settings: Settings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the relations (int8), scores and shares (n × 2, float64) of pairs (n × 2), without neighbours.

    The relation and the shares are those of the second article: the share of its shingles that the first has, and the
    share of the shingles of the first that it has. Without a match at the level of the settings the relation is
    `NO_RELATION` and the score 0.
    """
    relations = np.full(len(pairs), NO_RELATION, np.int8)
    scores, shares = np.zeros(len(pairs)), np.zeros((len(pairs), 2))
    fill_pair_relations(
        sketches, pairs, make_match_params(settings), make_pair_workspace(), relations, scores, shares
    )
    return relations, scores, shares


@jit
def fill_pair_relations(s, pairs, params, workspace, relations, scores, shares):
    """Write the relation, the score and the shares of each pair."""
    for k in range(len(pairs)):
        kept, other = pairs[k, 0], pairs[k, 1]
        relation, score = classify_without_context(s, kept, other, params, workspace)
        if relation != NO_RELATION and params.joins[relation]:
            relations[k], scores[k] = relation, score
        fill_text_evidence(s, other, kept, workspace.row)
        shares[k, 0], shares[k, 1] = workspace.row[CONTAINED], workspace.row[CONTAINS]


def compute_evidence_in_context(
    sketches: Any, order: np.ndarray, pairs: np.ndarray, settings: Settings, leaders: np.ndarray | None = None
) -> np.ndarray:
    """Return the evidence (pairs × columns, float32) of pairs (n × 2), computed as in a run over the articles in `order`.

    In each pair, the article that ranks first comes first. The neighbours of the second article are those articles before
    it that `leaders` keeps. If `leaders` is None, they are all articles before it.
    """
    params, articles = make_match_params(settings), len(sketches.text_hashes)
    keys_each = sketches.salient.shape[1] + sketches.bands.shape[1]
    assignments = make_kept_assignments(articles)
    if leaders is not None:
        assignments.leaders[:] = leaders
    ranks = np.full(articles, len(order), np.int64)  # repeated articles are not in the order, and rank last
    ranks[order] = np.arange(len(order))
    state = ClusteringState(
        assignments, np.zeros((1, EVIDENCE_COUNT), np.float32), ranks, np.zeros(articles, np.int32)
    )
    by_rank = np.argsort(ranks[pairs[:, 1]], kind="stable")
    sorted_evidence = np.zeros((len(pairs), EVIDENCE_COUNT), np.float32)
    fill_evidence_in_context(
        sketches,
        order,
        pairs[by_rank],
        params,
        is_date_ordered(sketches.days[order]),
        state,
        make_empty_comparisons(1),
        make_index_for_articles(len(order), keys_each),
        make_lookup_scratch(articles, keys_each),
        make_pair_workspace(),
        sorted_evidence,
    )
    evidence = np.empty_like(sorted_evidence)
    evidence[by_rank] = sorted_evidence
    return evidence


@jit
def fill_evidence_in_context(
    s, order, pairs, params, in_order, state, comparisons, index, scratch, workspace, out
):
    """Write the evidence of pairs, sorted by the rank of their second article, among the articles of `order`."""
    k = 0
    for a in order:
        if k == len(pairs):
            return
        if pairs[k, 1] == a:
            comparisons.counts[0] = 0
            _, n = compare_with_candidates(
                s, params, index, in_order, state.assignments, comparisons, 0, a, scratch, workspace
            )
            neighbours = find_neighbours(params, state, comparisons, 0, scratch.neighbours)
            load_article(s, a, workspace)
        else:
            _, n = fill_lookup_keys(s, a, scratch.keys)
        while k < len(pairs) and pairs[k, 1] == a:
            other = pairs[k, 0]
            fill_pair_evidence(s, a, other, workspace)
            odds = compute_storyline_odds(workspace.row, params)
            fill_neighbour_evidence(
                s, params, state, comparisons, 0, a, other, odds, scratch.neighbours, neighbours, workspace
            )
            copy_evidence(workspace, out[k])
            k += 1
        if state.assignments.leaders[a] == a:
            insert_postings(index, scratch.keys, 0, n, a)


def find_best_per_article(later: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """Return the index of the highest log-odds of each article, sorted by article.

    >>> find_best_per_article(np.array([7, 7, 2]), np.array([-1.0, 0.5, -3.0])).tolist()
    [2, 1]
    """
    order = np.lexsort((-log_odds, later))
    return order[np.diff(later[order], prepend=-1) != 0]
