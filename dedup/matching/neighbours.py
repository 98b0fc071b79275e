"""Find the neighbours of an article: the nearest kept articles of its storyline, which the story model needs."""

from dedup.jit import jit
from dedup.matching.comparisons import STORYLINE_ODDS
from dedup.matching.context_evidence import MAX_NEIGHBOURS, fill_context_evidence


@jit
def find_neighbours(params, state, comparisons, chunk_row, neighbours):
    """Write the nearest kept articles of an article into `neighbours`, nearest first; return their number.

    Only kept articles that it would follow count: they represent its storyline.
    """
    n = 0
    for k in range(comparisons.counts[chunk_row]):
        other, odds = comparisons.others[chunk_row, k], comparisons.scores[chunk_row, k, STORYLINE_ODDS]
        if state.assignments.leaders[other] != other or odds < params.storyline_threshold:
            continue
        slot = n if n < MAX_NEIGHBOURS else MAX_NEIGHBOURS - 1
        if n == MAX_NEIGHBOURS and not is_nearer(state, comparisons, chunk_row, k, neighbours[slot]):
            continue
        while slot > 0 and is_nearer(state, comparisons, chunk_row, k, neighbours[slot - 1]):
            neighbours[slot] = neighbours[slot - 1]
            slot -= 1
        neighbours[slot] = k
        n = min(n + 1, MAX_NEIGHBOURS)
    for k in range(n):
        neighbours[k] = comparisons.others[chunk_row, neighbours[k]]
    return n


@jit
def is_nearer(state, comparisons, chunk_row, k, other):
    """Return whether comparison `k` has higher storyline odds than comparison `other`; ties go to the first in rank order."""
    odds, other_odds = (
        comparisons.scores[chunk_row, k, STORYLINE_ODDS],
        comparisons.scores[chunk_row, other, STORYLINE_ODDS],
    )
    if odds != other_odds:
        return odds > other_odds
    return state.ranks[comparisons.others[chunk_row, k]] < state.ranks[comparisons.others[chunk_row, other]]


@jit
def count_neighbours(params, state, comparisons, chunk_row, root, odds):
    """Return (kept articles nearer than `root`, whose storyline log-odds are `odds`; other kept articles of the storyline)."""
    nearer_count = other_count = 0
    for k in range(comparisons.counts[chunk_row]):
        other = comparisons.others[chunk_row, k]
        if other == root or state.assignments.leaders[other] != other:
            continue
        other_odds = comparisons.scores[chunk_row, k, STORYLINE_ODDS]
        nearer_count += other_odds > odds and other_odds >= params.storyline_threshold
        other_count += other_odds >= params.storyline_threshold
    return nearer_count, other_count


@jit
def fill_neighbour_evidence(
    s, params, state, comparisons, chunk_row, a, root, odds, neighbours, n, workspace
):
    """Write the columns from `CONTEXT_START` on, of the loaded article `a` and the article `root`."""
    nearer_count, other_count = count_neighbours(params, state, comparisons, chunk_row, root, odds)
    fill_context_evidence(s, a, root, neighbours, n, nearer_count, other_count, workspace)
