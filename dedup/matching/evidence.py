"""Compute the evidence of pairs without neighbours, from the sketches alone (law 1)."""

from typing import Any

import numpy as np

from dedup.jit import jit
from dedup.matching.context_evidence import fill_context_evidence
from dedup.matching.evidence_columns import EVIDENCE_COUNT
from dedup.matching.pair_evidence import fill_pair_evidence
from dedup.matching.pair_workspace import copy_evidence, load_article, make_pair_workspace


def compute_evidence(s: Any, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the evidence (pairs × columns, float32) of pairs of positions in `s`, without neighbours."""
    evidence = np.zeros((len(left), EVIDENCE_COUNT), np.float32)
    fill_evidence_rows(s, left, right, make_pair_workspace(), evidence)
    return evidence


@jit
def fill_evidence_rows(s, left, right, workspace, out):
    """Write the evidence of pairs of positions in `s`; `workspace` is scratch."""
    for k in range(len(left)):
        load_article(s, left[k], workspace)
        fill_evidence(s, left[k], right[k], workspace)
        copy_evidence(workspace, out[k])


@jit
def fill_evidence(s, i, j, workspace):
    """Write the evidence of the loaded sketch `i` and sketch `j` into `workspace.row`, without neighbours."""
    fill_pair_evidence(s, i, j, workspace)
    fill_context_evidence(s, i, j, s.term_offsets, 0, 0, 0, workspace)
