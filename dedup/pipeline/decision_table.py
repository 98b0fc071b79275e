"""Build the table of decisions: one row per article, in input order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from dedup.matching.assignments import Assignments
from dedup.matching.classifier import NO_RELATION
from dedup.settings.settings import RELATIONS

__all__ = ["build_decision_table", "make_id_array"]


def build_decision_table(ids: pa.Array, assignments: Assignments, digits: int) -> pa.Table:
    """Return the decisions on n articles, with scores rounded to `digits` decimals.

    The columns are id, cluster, canonical, relation, score, storyline and follows. Relation and score are
    null for kept articles. Follows is the first article of the storyline; it is null for that article and for
    dropped ones.
    """
    positions = np.arange(len(ids))
    is_kept = assignments.relations == NO_RELATION
    is_follower = is_kept & (assignments.storylines != positions)
    scores = np.round(assignments.scores.astype(np.float64), digits)
    relations = np.where(is_kept, 0, assignments.relations).astype(np.int64)
    columns = {
        "id": ids,
        "cluster": ids.take(pa.array(assignments.leaders)),
        "canonical": pa.array(is_kept),
        "relation": pa.array(RELATIONS, pa.string()).take(pa.array(relations, mask=is_kept)),
        "score": pa.array(scores, mask=is_kept),
        "storyline": ids.take(pa.array(assignments.storylines)),
        "follows": ids.take(pa.array(assignments.storylines, mask=~is_follower)),
    }
    return pa.table(columns)


def make_id_array(ids: list[Any]) -> pa.Array:
    """Return ids as an Arrow array: of their own type if they share one, otherwise of strings."""
    try:
        return pa.array(ids)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([str(name) for name in ids], pa.string())
