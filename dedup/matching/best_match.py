"""Choose the kept article that an article joins, or the storyline that it follows.

An article joins the kept article that it matches best. If follow-ups do not join, a kept article then follows the first
article of the storyline that it matches best, or begins a storyline of its own. Other members of a cluster or storyline are
witnesses: an article that matches one of them needs a lower score with the first, as in the single and the average link
of hierarchical clustering (docs/decisions/0004-witnesses.md). At the level of stories only copies are witnesses: on natural
news, rewrites led to follow-ups being joined (docs/decisions/0009-levels.md).
"""

import numpy as np

from dedup.jit import jit
from dedup.matching.classifier import FOLLOWUP, NO_RELATION, REWRITE, classify_pair
from dedup.matching.comparisons import SIMILARITY, STORY_ODDS, STORYLINE_ODDS, find_comparison
from dedup.matching.models import (
    compute_context_odds,
    compute_probability,
    compute_story_odds,
    compute_storyline_odds,
)
from dedup.matching.neighbours import fill_neighbour_evidence, find_neighbours
from dedup.matching.pair_evidence import fill_pair_evidence
from dedup.matching.pair_workspace import copy_evidence, load_article

STRENGTH_MODEL, STRENGTH_TIE, STRENGTH_TEXT = 0, 1, 2
"""How strong the grounds for a kept article are, weakest first: the model alone; the model, and shared text with a
duplicate of the kept article; shared text with the kept article itself. So two copies of one text go to the same
place, even if either of two kept articles would do or if one copy alone would just miss the threshold."""


@jit
def assign_article(s, params, state, comparisons, chunk_row, a, scratch, workspace):
    """Assign article `a` by its comparisons: it joins a kept article, follows one, or stays as it is."""
    if comparisons.counts[chunk_row] == 0:
        return
    assignments, neighbours = state.assignments, scratch.neighbours
    load_article(s, a, workspace)
    n = find_neighbours(params, state, comparisons, chunk_row, neighbours)
    # First the articles that it may join, then the storylines that it may follow.
    root, relation, score = find_best_match(
        s,
        params,
        state,
        comparisons,
        chunk_row,
        a,
        assignments.leaders,
        params.by_storyline,
        neighbours,
        n,
        workspace,
    )
    joins = root >= 0
    if not joins and params.allowed[FOLLOWUP] and not params.by_storyline:
        root, relation, score = find_best_match(
            s,
            params,
            state,
            comparisons,
            chunk_row,
            a,
            assignments.storylines,
            True,
            neighbours,
            n,
            workspace,
        )
    if root < 0:
        return
    # Record the evidence of the match or link, then the assignment.
    fill_pair_evidence(s, a, root, workspace)
    odds = compute_storyline_odds(workspace.row, params)
    fill_neighbour_evidence(s, params, state, comparisons, chunk_row, a, root, odds, neighbours, n, workspace)
    copy_evidence(workspace, state.chunk_evidence[chunk_row])
    assignments.evidence_rows[a] = chunk_row
    if not joins:
        assignments.storylines[a], assignments.scores[a] = (
            assignments.storylines[root],
            to_reported_score(relation, score),
        )
        return
    if relation == NO_RELATION:
        relation, score = decide_relation(params, score, workspace)
    assignments.leaders[a], assignments.relations[a], assignments.scores[a] = root, relation, score
    assignments.storylines[a] = assignments.storylines[root]


@jit
def find_best_match(
    s, params, state, comparisons, chunk_row, a, roots, by_storyline, neighbours, n, workspace
):
    """Return the best match (root, relation, score) of the loaded article `a`; root is -1 if there is none.

    `roots` leads from each article to the one that a match with it would join: its leader, or the first of its storyline.
    `by_storyline` selects the storyline model. The score is a similarity, or the log-odds of that model.
    """
    best, best_relation, best_score = -1, NO_RELATION, 0.0
    best_strength, best_decisive = -1, 0.0
    threshold = params.storyline_threshold if by_storyline else params.story_threshold
    witnessed_threshold = (
        params.storyline_witnessed_threshold if by_storyline else params.story_witnessed_threshold
    )
    for k in range(comparisons.counts[chunk_row]):
        other, tie, witness_odds = comparisons.others[chunk_row, k], 0.0, -np.inf
        # A dropped article is a witness for its root: by shared text, or by the storyline model.
        root, root_index = roots[other], k
        if root != other:
            if comparisons.relations[chunk_row, k] != NO_RELATION:
                tie = comparisons.scores[chunk_row, k, SIMILARITY]
            elif by_storyline and comparisons.scores[chunk_row, k, STORYLINE_ODDS] >= threshold:
                witness_odds = comparisons.scores[chunk_row, k, STORYLINE_ODDS]
            else:
                continue
            root_index = find_comparison(comparisons, chunk_row, root)
        # Take the scores of the root from its comparison, or compute them now.
        if root_index >= 0:
            relation, similarity = (
                comparisons.relations[chunk_row, root_index],
                comparisons.scores[chunk_row, root_index, SIMILARITY],
            )
            story, storyline = (
                comparisons.scores[chunk_row, root_index, STORY_ODDS],
                comparisons.scores[chunk_row, root_index, STORYLINE_ODDS],
            )
        else:
            relation, similarity, story, storyline = classify_pair(
                s, root, a, params, params.storyline_witnessed_threshold, True, workspace
            )
        # Shared text with the root decides; otherwise the model does, with a lower threshold if there is a witness.
        score = storyline if by_storyline else story
        if relation != NO_RELATION:
            strength, decisive = STRENGTH_TEXT, similarity
            score = similarity
        else:
            if not by_storyline:
                if not params.joins[REWRITE] or score + params.max_context_gain < witnessed_threshold:
                    continue
                fill_neighbour_evidence(
                    s, params, state, comparisons, chunk_row, a, root, storyline, neighbours, n, workspace
                )
                score += compute_context_odds(workspace.row, params)
            if score < (witnessed_threshold if root != other else threshold):
                continue
            strength, decisive = (
                (STRENGTH_TIE, tie) if tie > 0.0 else (STRENGTH_MODEL, max(score, (score + witness_odds) / 2))
            )
            if strength == STRENGTH_MODEL and decisive < threshold:
                continue
        # Keep the strongest; ties go to the first in rank order.
        best_key = best_strength, best_decisive, -state.ranks[best] if best >= 0 else 0
        if (strength, decisive, -state.ranks[root]) > best_key:
            best, best_relation, best_score = root, relation, score
            best_strength, best_decisive = strength, decisive
    return best, best_relation, best_score


@jit
def decide_relation(params, score, workspace):
    """Return (relation, probability) of a match by a model, whose evidence is in `workspace.row`."""
    if not params.by_storyline:
        return REWRITE, compute_probability(score)
    story = compute_story_odds(workspace.row, params) + compute_context_odds(workspace.row, params)
    if params.allowed[REWRITE] and story >= params.story_threshold:
        return REWRITE, compute_probability(story)
    return FOLLOWUP, compute_probability(score)


@jit
def to_reported_score(relation, score):
    """Return the score of a match: a similarity as it is, log-odds as a probability."""
    return score if relation != NO_RELATION else compute_probability(score)
