"""Compute the evidence that depends on the neighbours of an article: other kept articles of its storyline.

The neighbours show which terms are common in the storyline, so that the rest of a new article says whether it reports the same
moment as a kept one (docs/decisions/0009-levels.md).
"""

import numpy as np

from dedup.jit import jit
from dedup.matching.evidence_columns import (
    NEARER,
    NEIGHBOURS,
    NEW_LEAD_FOUND,
    NEW_OPENING_FOUND,
    NEW_TEXT_FOUND,
    NEW_TITLE_FOUND,
    SAME_DAY_NEIGHBOUR,
)
from dedup.matching.pair_evidence import compute_share_or_half
from dedup.matching.pair_workspace import WORKSPACE_SLOTS
from dedup.sketches.term_norms import (
    is_in_first_80,
    is_in_first_220,
)
from dedup.sketches.terms import (
    IN_TITLE,
    WEIGHT,
)
from dedup.text.vocabulary import WEIGHT_SCALE

MAX_NEIGHBOURS = 5
"""The number of neighbours used; five describe a storyline as well as forty do (docs/decisions/0009-levels.md)."""


@jit
def fill_context_evidence(s, i, j, neighbours, n, nearer_count, other_count, workspace):
    """Write the columns from `CONTEXT_START` on: of the terms that are new in the loaded sketch `i`, the share that `j` has.

    `neighbours[:n]` represent the storyline; `j` itself does not count among them. The fewer of them have a term, the more
    it weighs, so the common words of the storyline cancel out. Without neighbours a term has its usual weight.
    `nearer_count` and `other_count` are numbers of kept articles: those nearer to `i` than `j` is, and those of the
    storyline other than `j`. An undated article is most likely of the same day as its neighbours.
    """
    count_in_neighbours(s, i, neighbours, n, workspace)
    mark_shared_terms(s, i, j, workspace)
    other_neighbours, is_neighbour = n, np.float32(0.0)
    for k in range(n):
        if neighbours[k] == j:
            other_neighbours, is_neighbour = n - 1, np.float32(1.0)
    # Weigh each term of `i` by its rarity among the neighbours: all of them, and those that `j` has.
    total_title = total_lead = total_opening = total = np.float32(0.0)
    title = lead = opening = text = np.float32(0.0)
    for t in range(s.term_offsets[i], s.term_offsets[i + 1]):
        term, k = s.term_facts[t], t - s.term_offsets[i]
        is_shared = workspace.is_shared[k]
        rarity = np.log(
            np.float32(other_neighbours + 2)
            / (workspace.neighbour_counts[k] - is_neighbour * is_shared + np.float32(1.0))
        )
        weight = rarity * np.float32(term[WEIGHT]) / np.float32(WEIGHT_SCALE)
        total += weight
        text += weight * is_shared
        if is_in_first_220(term):
            total_opening += weight
            opening += weight * is_shared
        if is_in_first_80(term):
            total_lead += weight
            lead += weight * is_shared
        if term[IN_TITLE]:
            total_title += weight
            title += weight * is_shared
    row = workspace.row
    row[NEW_TITLE_FOUND] = compute_share_or_half(title, total_title)
    row[NEW_LEAD_FOUND] = compute_share_or_half(lead, total_lead)
    row[NEW_OPENING_FOUND] = compute_share_or_half(opening, total_opening)
    row[NEW_TEXT_FOUND] = compute_share_or_half(text, total)
    row[NEARER] = np.log1p(np.float32(nearer_count))
    row[NEIGHBOURS] = np.log1p(np.float32(other_count))
    row[SAME_DAY_NEIGHBOUR] = np.isnan(s.days[i]) and has_same_day(s, j, neighbours, n)


@jit
def count_in_neighbours(s, i, neighbours, n, workspace):
    """Count, for each term of the loaded sketch `i`, how many of `neighbours[:n]` have it."""
    workspace.neighbour_counts[: s.term_offsets[i + 1] - s.term_offsets[i]] = 0.0
    for k in range(n):
        mark_shared_terms(s, i, neighbours[k], workspace)
        for t in range(s.term_offsets[i + 1] - s.term_offsets[i]):
            workspace.neighbour_counts[t] += workspace.is_shared[t]


@jit
def mark_shared_terms(s, i, j, workspace):
    """Mark in `workspace.is_shared` the terms of the loaded sketch `i` that sketch `j` has."""
    hashes, slots, offset = s.term_hashes, workspace.term_slots, s.term_offsets[i] - 1
    workspace.is_shared[: s.term_offsets[i + 1] - s.term_offsets[i]] = 0.0
    for t in range(s.term_offsets[j], s.term_offsets[j + 1]):
        slot = np.int64(hashes[t]) & (WORKSPACE_SLOTS - 1)
        k = np.int64(slots[slot])
        while k and hashes[offset + k] != hashes[t]:
            slot = (slot + 1) & (WORKSPACE_SLOTS - 1)
            k = np.int64(slots[slot])
        if k:
            workspace.is_shared[k - 1] = 1.0


@jit
def has_same_day(s, j, neighbours, n):
    """Return whether one of `neighbours[:n]` other than `j` is dated within a day of `j`."""
    same_day = False
    for k in range(n):
        same_day |= (
            neighbours[k] != j and abs(s.days[neighbours[k]] - s.days[j]) <= 1
        )  # NaN, and so False, if undated
    return same_day
