"""Hold the result of clustering: the kept article, the storyline and the match of each article."""

from typing import Any, NamedTuple

import numpy as np

from dedup.matching.classifier import NO_RELATION
from dedup.matching.evidence_columns import EVIDENCE_COUNT


class Assignments(NamedTuple):
    """The result for each article, and the work that it took."""

    leaders: np.ndarray
    """n, int64: the position of the kept article that it repeats; its own if it is kept."""
    relations: np.ndarray
    """n, int8: a position in `RELATIONS`; `NO_RELATION` if it is kept."""
    scores: np.ndarray
    """n, float64: the score of the match; for a kept article that follows another, the probability of one storyline."""
    storylines: np.ndarray
    """n, int64: the position of the first article of its storyline, a kept article; its own if it begins one."""
    evidence: np.ndarray
    """Matches × columns, float32: the evidence of each match or link."""
    evidence_rows: np.ndarray
    """n, int32: the row of `evidence` for its match or link; -1 if it has none."""
    verified: np.ndarray
    """n, int32: the number of candidates compared."""
    limit_reached: np.ndarray
    """n, int8: 1 if a limit on the work was reached."""

    def get_evidence_rows(self, positions: Any) -> np.ndarray:
        """Return the evidence of the matches or links of the articles at one or more positions."""
        return self.evidence[self.evidence_rows[positions]]

    def is_follower(self) -> np.ndarray:
        """Return (n, bool) which articles are kept and follow another, the first of their storyline."""
        return (self.relations == NO_RELATION) & (self.storylines != np.arange(len(self.storylines)))


class PriorAssignments(NamedTuple):
    """The assignments of the first m sketches, from earlier runs, in the order of arrival."""

    leaders: np.ndarray
    """m, int64: the position (among the m) of the kept article that each repeats; its own if it is kept."""
    storylines: np.ndarray
    """m, int64: the position (among the m) of the first article of the storyline of each."""
    indexed_by_terms: np.ndarray
    """m, bool: indexed by its terms and bands, not by its bands only."""
    witnesses: np.ndarray
    """m, int32: the number of dropped rewrites and follow-ups of each kept article, whether or not they are among the m."""


NO_PRIOR_ASSIGNMENTS = PriorAssignments(
    np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, np.int32)
)


def make_kept_assignments(articles: int) -> Assignments:
    """Return assignments in which each of `articles` articles is kept and follows no other."""
    return Assignments(
        leaders=np.arange(articles),
        relations=np.full(articles, NO_RELATION, np.int8),
        scores=np.zeros(articles),
        storylines=np.arange(articles),
        evidence=np.zeros((0, EVIDENCE_COUNT), np.float32),
        evidence_rows=np.full(articles, -1, np.int32),
        verified=np.zeros(articles, np.int32),
        limit_reached=np.zeros(articles, np.int8),
    )


def attach_evidence(
    assignments: Assignments, matched_positions: list[np.ndarray], evidence: list[np.ndarray]
) -> Assignments:
    """Return the assignments with the evidence of the articles that were matched or linked in each chunk."""
    positions = np.concatenate([*matched_positions, np.zeros(0, np.int64)])
    assignments.evidence_rows[positions] = np.arange(len(positions))
    return assignments._replace(evidence=np.concatenate([*evidence, assignments.evidence]))


def to_input_order(assignments: Assignments, order: np.ndarray, articles: int) -> Assignments:
    """Return assignments by rank as assignments by position; `order` has the position of each rank, out of `articles`."""
    by_position = make_kept_assignments(articles)._replace(evidence=assignments.evidence)
    by_position.leaders[order] = order[assignments.leaders]
    by_position.storylines[order] = order[assignments.storylines]
    for field in ("relations", "scores", "evidence_rows", "verified", "limit_reached"):
        getattr(by_position, field)[order] = getattr(assignments, field)
    return by_position
