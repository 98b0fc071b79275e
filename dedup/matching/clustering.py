"""Cluster articles in rank order: each joins the kept article that it matches best, or is kept.

This is leader clustering (Hartigan, *Clustering Algorithms*, 1975, ch. 3). Each drop is justified by a match with a *kept*
article (law 4), which connected components cannot guarantee; and a second run keeps the same articles (law 3), because a
match that reaches the threshold alone always joins. `dedup.matching.best_match` chooses the kept article; this module runs
the loop over chunks of articles.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np

from dedup.jit import jit
from dedup.matching.assignments import (
    NO_PRIOR_ASSIGNMENTS,
    Assignments,
    PriorAssignments,
    attach_evidence,
    make_kept_assignments,
)
from dedup.matching.best_match import assign_article
from dedup.matching.candidates import build_horizon, fill_lookup_keys, make_lookup_scratch
from dedup.matching.classifier import FOLLOWUP, NO_RELATION, REWRITE
from dedup.matching.comparisons import compare_with_candidates, make_empty_comparisons
from dedup.matching.evidence_columns import EVIDENCE_COUNT
from dedup.matching.inverted_index import (
    clear_index,
    ensure_room,
    insert_postings,
    make_index_for_articles,
    make_initial_index,
)
from dedup.matching.match_params import MatchParams
from dedup.matching.pair_workspace import make_pair_workspace
from dedup.sketches.sketch import Sketches

MAX_WITNESSES = 4
"""If follow-ups join, the number of dropped rewrites and follow-ups of a kept article (the first in rank order) that are
indexed by all keys; later ones only by their bands."""
MIN_ARTICLES_PER_THREAD = 32
"""With fewer articles per thread, starting a thread takes longer than the lookups."""
CHUNK_SIZE = 512
"""The number of articles per chunk."""
NOT_INDEXED = -1


class ClusteringState(NamedTuple):
    """The state of the loop over all articles; arrays by position."""

    assignments: Assignments
    chunk_evidence: np.ndarray
    """`CHUNK_SIZE` × columns, float32: the evidence of each article of the chunk, by row in the chunk."""
    ranks: np.ndarray
    """n, int64: the rank of each article, which breaks ties."""
    witnesses: np.ndarray
    """n, int32: the number of witnesses of each kept article."""


def assign_leaders(
    sketches: Sketches,
    order: np.ndarray,
    params: MatchParams,
    threads: int = 1,
    prior: PriorAssignments = NO_PRIOR_ASSIGNMENTS,
    *,
    after_chunk: Callable[[], None] = lambda: None,
) -> Assignments:
    """Return the assignments of all articles: first those of `prior`, then the others in `order` (positions, int64).

    Articles are processed in chunks. All threads compare a chunk with the articles indexed before the previous chunk;
    then each article of the chunk is compared, in order, with those of the previous chunk and of its own, and assigned.
    Meanwhile the threads compare the next chunk. The result is the same as one article at a time, with any number of
    threads, as long as no limit on the work is reached (`Assignments.limit_reached`): limits count per lookup, so they
    depend on where a chunk begins. `after_chunk` is called after each chunk.
    """
    threads = min(threads, 1 + len(order) // MIN_ARTICLES_PER_THREAD)
    articles, keys_each = len(sketches.text_hashes), (sketches.salient.shape[1], sketches.bands.shape[1])
    key_count, prior_count = sum(keys_each), len(prior.leaders)
    state = make_initial_state(articles, order, prior)
    in_order = is_date_ordered(np.concatenate([sketches.days[:prior_count], sketches.days[order]]))
    horizon = build_horizon(sketches, order, params, in_order=in_order)
    chunks = [order[start : start + CHUNK_SIZE] for start in range(0, len(order), CHUNK_SIZE)]
    # Two of each: one for the chunk that is settled, one for the chunk before or after it.
    chunk_rows = min(CHUNK_SIZE, max(len(order), 1))
    comparisons = [make_empty_comparisons(chunk_rows) for _ in range(2)]
    chunk_indexes = [make_index_for_articles(min(CHUNK_SIZE, len(order)), key_count) for _ in range(2)]
    index = make_initial_index(sketches.days[order], horizon, keys_each, 2 * CHUNK_SIZE, prior_count)
    index_prior(sketches, index, prior.indexed_by_terms, np.empty(key_count, np.uint64))
    first_keys = np.zeros(chunk_rows, np.int64)
    # The last of each belongs to the thread that settles.
    scratch = [make_lookup_scratch(articles, key_count) for _ in range(threads + 1)]
    workspaces = [make_pair_workspace() for _ in range(threads + 1)]
    matched_positions: list[np.ndarray] = []
    evidence: list[np.ndarray] = []

    def compare_chunk(k: int) -> Iterator[None]:
        """Compare chunk `k` with the index on all threads; the iterator ends when they are done."""
        chunk, chunk_comparisons = chunks[k], comparisons[k % 2]
        chunk_comparisons.counts[:] = 0
        compare_share = partial(
            match_against_index, sketches, params, index, in_order, state, chunk_comparisons, chunk
        )
        shares = [np.arange(thread, len(chunk), threads) for thread in range(threads)]
        return (pool.map if threads > 1 else map)(compare_share, shares, scratch, workspaces)

    with ThreadPoolExecutor(threads) as pool:
        pending = compare_chunk(0) if chunks else iter(())
        for k, chunk in enumerate(chunks):
            list(pending)
            if k + 1 < len(chunks):
                if k:
                    index = ensure_room(
                        index, len(chunks[k - 1]) * key_count, sketches.days[chunks[k + 1][0]], horizon
                    )
                    index_chunk(sketches, index, chunks[k - 1], first_keys, scratch[-1].keys)
                pending = compare_chunk(k + 1)
            resolve_chunk(
                sketches,
                params,
                in_order,
                state,
                comparisons[k % 2],
                chunk,
                scratch[-1],
                workspaces[-1],
                chunk_indexes[(k + 1) % 2],
                chunk_indexes[k % 2],
                first_keys,
            )
            has_evidence = state.assignments.evidence_rows[chunk] >= 0
            matched_positions.append(chunk[has_evidence])
            evidence.append(state.chunk_evidence[: len(chunk)][has_evidence])
            after_chunk()
    return attach_evidence(state.assignments, matched_positions, evidence)


def make_initial_state(articles: int, order: np.ndarray, prior: PriorAssignments) -> ClusteringState:
    """Return the state before the first article: the prior assignments, and every other article kept."""
    ranks, witnesses = np.zeros(articles, np.int64), np.zeros(articles, np.int32)
    prior_count = len(prior.leaders)
    ranks[:prior_count] = np.arange(prior_count)
    ranks[order] = prior_count + np.arange(len(order))
    witnesses[:prior_count] = prior.witnesses
    assignments = make_kept_assignments(articles)
    assignments.leaders[:prior_count] = prior.leaders
    assignments.storylines[:prior_count] = prior.storylines
    assignments.relations[:prior_count] = np.where(
        prior.leaders == np.arange(prior_count), NO_RELATION, REWRITE
    )
    return ClusteringState(
        assignments,
        chunk_evidence=np.zeros((min(CHUNK_SIZE, max(len(order), 1)), EVIDENCE_COUNT), np.float32),
        ranks=ranks,
        witnesses=witnesses,
    )


def is_date_ordered(days: np.ndarray) -> bool:
    """Return whether the dates rise and the undated come last, so that a lookup may stop at the end of its window.

    >>> is_date_ordered(np.array([1.0, 2.0, np.nan])), is_date_ordered(np.array([np.nan, 1.0]))
    (True, False)
    """
    dates = np.where(np.isnan(days), np.inf, days)
    return bool((dates[1:] >= dates[:-1]).all())


@jit
def index_prior(s, index, indexed_by_terms, keys):
    """Index the prior articles by their bands, and by their terms if `indexed_by_terms`."""
    for a in range(len(indexed_by_terms)):
        terms, n = fill_lookup_keys(s, a, keys)
        insert_postings(index, keys, 0 if indexed_by_terms[a] else terms, n, a)


@jit
def match_against_index(s, params, index, in_order, state, comparisons, chunk, share, scratch, workspace):
    """Compare the articles of a share of the chunk (rows of the chunk) with those indexed before the chunk."""
    for row in share:
        a = chunk[row]
        if s.lengths[a] >= params.min_words:
            compare_with_candidates(
                s, params, index, in_order, state.assignments, comparisons, row, a, scratch, workspace
            )


@jit
def resolve_chunk(
    s,
    params,
    in_order,
    state,
    comparisons,
    chunk,
    scratch,
    workspace,
    previous_index,
    chunk_index,
    first_keys,
):
    """Compare the articles of a chunk with those of the previous chunk and with each other, and assign each in order.

    A kept article is indexed by all keys, so that later ones find it. So is a dropped rewrite or follow-up if follow-ups
    join and its kept article has fewer than `MAX_WITNESSES`; otherwise only its bands are indexed, so that its copies join
    the same article. Copies are not indexed. `first_keys` receives the first key of each article that is indexed, or
    `NOT_INDEXED`.
    """
    clear_index(chunk_index)
    assignments = state.assignments
    for row in range(len(chunk)):
        a = chunk[row]
        first_keys[row] = NOT_INDEXED
        if s.lengths[a] < params.min_words:
            continue
        for index in (previous_index, chunk_index):
            terms, n = compare_with_candidates(
                s, params, index, in_order, assignments, comparisons, row, a, scratch, workspace
            )
        assign_article(s, params, state, comparisons, row, a, scratch, workspace)
        relation, leader = assignments.relations[a], assignments.leaders[a]
        if relation in (NO_RELATION, REWRITE, FOLLOWUP):
            is_witness = params.by_storyline and state.witnesses[leader] < MAX_WITNESSES
            first_keys[row] = 0 if leader == a or is_witness else terms
            state.witnesses[leader] += leader != a
            insert_postings(chunk_index, scratch.keys, first_keys[row], n, a)


@jit
def index_chunk(s, index, chunk, first_keys, keys):
    """Index the articles of a chunk by their keys from `first_keys` on; `keys` is scratch."""
    for row in range(len(chunk)):
        if first_keys[row] != NOT_INDEXED:
            _, n = fill_lookup_keys(s, chunk[row], keys)
            insert_postings(index, keys, first_keys[row], n, chunk[row])
