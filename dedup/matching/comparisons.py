"""Compare an article with its candidates, and keep the comparisons that may decide where it belongs."""

from typing import NamedTuple

import numpy as np

from dedup.jit import jit
from dedup.matching.candidates import fill_candidates, fill_lookup_keys
from dedup.matching.classifier import NO_RELATION, classify_pair
from dedup.matching.pair_workspace import load_article

MAX_COMPARISONS = 512
"""The maximum number of comparisons kept per article of a chunk: those with the largest overlap."""


class Comparisons(NamedTuple):
    """The comparisons of the articles of a chunk with their candidates that may decide, by row in the chunk."""

    counts: np.ndarray
    """`CHUNK_SIZE`, int32: the number of comparisons of each article."""
    others: np.ndarray
    """`CHUNK_SIZE` × `MAX_COMPARISONS`, int64: the position of the candidate."""
    relations: np.ndarray
    """As above, int8: a relation decided by shingles, or `NO_RELATION`."""
    scores: np.ndarray
    """As above × 3, float64: `SIMILARITY`, `STORY_ODDS` (without context) and `STORYLINE_ODDS`."""


SIMILARITY, STORY_ODDS, STORYLINE_ODDS = range(3)


def make_empty_comparisons(articles: int) -> Comparisons:
    """Return empty comparisons for `articles` articles."""
    return Comparisons(
        np.zeros(articles, np.int32),
        np.empty((articles, MAX_COMPARISONS), np.int64),
        np.empty((articles, MAX_COMPARISONS), np.int8),
        np.empty((articles, MAX_COMPARISONS, 3)),
    )


@jit
def compare_with_candidates(
    s, params, index, in_order, assignments, comparisons, chunk_row, a, scratch, workspace
):
    """Compare article `a` with its candidates in `index`; return its number of terms and of keys.

    Comparisons that may decide are appended to row `chunk_row`. `max_candidates` limits kept and dropped candidates
    separately. The keys stay in `scratch.keys`.
    """
    terms, n = fill_lookup_keys(s, a, scratch.keys)
    candidate_count, banded_count, limit_reached = fill_candidates(
        index, s.days, terms, n, s.days[a], params, in_order, scratch
    )
    assignments.limit_reached[a] |= limit_reached
    kept_count, dropped_count = 0, 0
    if candidate_count:
        load_article(s, a, workspace)
    for k in range(candidate_count):
        other = scratch.candidates[k]
        is_kept = assignments.leaders[other] == other
        kept_count += is_kept
        dropped_count += not is_kept
        if (kept_count if is_kept else dropped_count) > params.max_candidates:
            assignments.limit_reached[a] = 1
            continue
        assignments.verified[a] += 1
        relation, similarity, story, storyline = classify_pair(
            s, other, a, params, params.storyline_threshold, k < banded_count, workspace
        )
        if relation == NO_RELATION and storyline < params.storyline_threshold:
            continue
        # Keep the comparison: it has a relation, or the storyline model finds a match.
        slot = comparisons.counts[chunk_row]
        if slot == MAX_COMPARISONS:
            assignments.limit_reached[a] = 1
            break
        comparisons.counts[chunk_row] += 1
        comparisons.others[chunk_row, slot], comparisons.relations[chunk_row, slot] = other, relation
        comparisons.scores[chunk_row, slot, SIMILARITY] = similarity
        comparisons.scores[chunk_row, slot, STORY_ODDS] = story
        comparisons.scores[chunk_row, slot, STORYLINE_ODDS] = storyline
    return terms, n


@jit
def find_comparison(comparisons, chunk_row, other):
    """Return the index of the comparison with an article; -1 if there is none."""
    for k in range(comparisons.counts[chunk_row]):
        if comparisons.others[chunk_row, k] == other:
            return k
    return -1
