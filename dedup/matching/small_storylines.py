"""Join the stories of small storylines without dates, in which follow-ups cannot be told from rewrites."""

import numpy as np

from dedup.matching.assignments import Assignments
from dedup.matching.classifier import FOLLOWUP, NO_RELATION, REWRITE
from dedup.matching.clustering import assign_leaders
from dedup.matching.match_params import MatchParams
from dedup.sketches.sketch import Sketches

MAX_STORIES_JOINED = 3
"""The maximum number of stories of a small storyline. At 3, 10 of 65 labelled follow-ups in an archive of 5,000 undated
wire stories are joined; at 2, 4, 5 and 8 it is 7, 14, 16 and 26 (docs/decisions/0009-levels.md)."""


def join_small_storylines(
    sketches: Sketches, order: np.ndarray, assignments: Assignments, params: MatchParams, threads: int = 1
) -> tuple[Assignments, int]:
    """Return the assignments with the stories of small undated storylines joined, and the number of articles this drops.

    Without dates, a follow-up cannot be told from a rewrite. A storyline of at most `MAX_STORIES_JOINED` kept articles is
    more often one story; a larger one has chapters, which must be kept. So the articles of small ones are
    clustered again, among themselves, at the level of storylines; those that join become rewrites.
    """
    story_counts = np.bincount(
        assignments.storylines[assignments.leaders == np.arange(len(assignments.leaders))],
        minlength=len(assignments.leaders),
    )
    has_dated = np.zeros(len(assignments.leaders), bool)
    np.logical_or.at(has_dated, assignments.storylines, ~np.isnan(sketches.days))
    in_small_storyline = ((story_counts > 1) & (story_counts <= MAX_STORIES_JOINED) & ~has_dated)[
        assignments.storylines
    ]
    members = order[in_small_storyline[order]]
    if not len(members):
        return assignments, 0
    dropped_before = int((assignments.relations[members] != NO_RELATION).sum())
    storyline_params = params._replace(by_storyline=True, joins=params.allowed)
    reassigned = assign_leaders(sketches, members, storyline_params, threads)
    reassigned.relations[reassigned.relations == FOLLOWUP] = REWRITE
    for field in ("leaders", "relations", "scores", "storylines", "limit_reached"):
        getattr(assignments, field)[members] = getattr(reassigned, field)[members]
    assignments.verified[members] += reassigned.verified[members]
    has_evidence = members[reassigned.evidence_rows[members] >= 0]
    assignments.evidence_rows[members] = -1
    assignments.evidence_rows[has_evidence] = len(assignments.evidence) + np.arange(len(has_evidence))
    evidence = np.concatenate([assignments.evidence, reassigned.get_evidence_rows(has_evidence)])
    return assignments._replace(evidence=evidence), int(
        (assignments.relations[members] != NO_RELATION).sum()
    ) - dropped_before
