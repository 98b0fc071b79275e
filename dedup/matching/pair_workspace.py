"""Load an article so that it can be compared with many others.

Its terms are put in a small hash table, so that a pair costs one lookup per term of the other article.
"""

from typing import NamedTuple

import numpy as np

from dedup.jit import jit, jit_inline
from dedup.matching.evidence_columns import EVIDENCE_COUNT
from dedup.sketches.term_norms import (
    WINDOW_COUNT,
    fill_term_log_counts,
)
from dedup.sketches.terms import (
    MAX_ARTICLE_TERMS,
)

WORKSPACE_SLOTS = 1 << 12
"""Slots of the hash table: twenty-five times `MAX_ARTICLE_TERMS`, so that most lookups end at a free slot."""

NOTHING_LOADED = -1


class PairWorkspace(NamedTuple):
    """The buffers for comparing one loaded article with others."""

    log_frequencies: np.ndarray
    """Terms × (windows and lead), float32: 1 + ln(count) of each term of the loaded article."""
    other_log_frequencies: np.ndarray
    """The same for one term of the other article."""
    term_slots: np.ndarray
    """`WORKSPACE_SLOTS`, uint8: an open-addressing table from term hashes to 1 + the index of the term; 0 is free."""
    dot_products: np.ndarray
    """2 × (windows and lead), float32: the dot products of a pair, of words and of names."""
    row: np.ndarray
    """The evidence of the latest pair (float32)."""
    neighbour_counts: np.ndarray
    """Terms, float32: the number of neighbours that have each term of the loaded article."""
    is_shared: np.ndarray
    """Terms, float32: 1 if the other article has the term, else 0."""
    loaded: np.ndarray
    """1, int64: the position of the loaded article; `NOTHING_LOADED` at first."""


def make_pair_workspace() -> PairWorkspace:
    """Return an empty workspace."""
    return PairWorkspace(
        log_frequencies=np.zeros((MAX_ARTICLE_TERMS, WINDOW_COUNT + 1), np.float32),
        other_log_frequencies=np.zeros(WINDOW_COUNT + 1, np.float32),
        term_slots=np.zeros(WORKSPACE_SLOTS, np.uint8),
        dot_products=np.zeros((2, WINDOW_COUNT + 1), np.float32),
        row=np.zeros(EVIDENCE_COUNT, np.float32),
        neighbour_counts=np.zeros(MAX_ARTICLE_TERMS, np.float32),
        is_shared=np.zeros(MAX_ARTICLE_TERMS, np.float32),
        loaded=np.full(1, NOTHING_LOADED, np.int64),
    )


@jit
def load_article(s, i, workspace):
    """Load sketch `i` into the workspace, unless it is the one that is loaded; a workspace serves one set of sketches."""
    if workspace.loaded[0] == i:
        return
    workspace.loaded[0] = i
    begin, end = s.term_offsets[i], s.term_offsets[i + 1]
    workspace.term_slots[:] = 0
    for t in range(begin, end):
        k = t - begin
        fill_term_log_counts(s.term_facts[t], workspace.log_frequencies[k])
        slot = np.int64(s.term_hashes[t]) & (WORKSPACE_SLOTS - 1)
        while workspace.term_slots[slot]:
            slot = (slot + 1) & (WORKSPACE_SLOTS - 1)
        workspace.term_slots[slot] = k + 1


@jit_inline
def copy_evidence(workspace, out):
    """Copy the evidence of the latest pair into `out`."""
    for column in range(EVIDENCE_COUNT):
        out[column] = workspace.row[column]
