"""Sketches in rank order → clusters and storylines: each article joins the kept article that it matches best, or is kept itself.

In: sketches and the order in which they come. Out: for each article the article that it repeats (itself if it is kept),
the relation, the score and the evidence; and the storyline that it belongs to. Leader clustering (Hartigan, *Clustering
Algorithms*, 1975, ch. 3): every drop is justified by a match with a *kept* article (law 4), which connected components cannot
promise, and what was kept keeps itself in a second run (law 3), for a match that is strong enough alone always joins.

Two layers, one rule. At the level in force, an article joins a kept article. Where follow-ups do not join, a kept article is
then placed in a storyline in the same way: it follows the first article of the storyline that it matches best, or begins one
of its own. Other members of a cluster or a storyline are witnesses: an article that matches one of them needs less of a match
with the first, after the single and the average link of hierarchical clustering (docs/decisions/0004-witnesses.md). At the
level of stories only copies are witnesses: on natural news rewrites brought chapters together (docs/decisions/0009-levels.md).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from dedup.jit import jit_leaf
from dedup.matching.candidates import build_horizon, fill_candidates, fill_lookup_keys, make_lookup_scratch
from dedup.matching.classifier import (
    FOLLOWUP,
    NO_RELATION,
    REWRITE,
    MatchParams,
    classify_pair,
    compute_context_odds,
    compute_probability,
    compute_story_odds,
    compute_storyline_odds,
)
from dedup.matching.evidence import (
    EVIDENCE_COUNT,
    MAX_NEIGHBOURS,
    fill_context_evidence,
    fill_pair_evidence,
    load_article,
    make_pair_workspace,
)
from dedup.matching.inverted_index import (
    clear_index,
    ensure_room,
    insert_postings,
    make_index_for_articles,
    make_initial_index,
)
from dedup.sketches.sketch import Sketches

STRENGTH_MODEL, STRENGTH_TIE, STRENGTH_TEXT = 0, 1, 2
"""How strong the grounds for a kept article are, weakest first: the model alone; the model, and shared text with a
duplicate of the kept article; shared text with the kept article itself. So two copies of one text go to the same
place, even if either of two kept articles would do or if one copy alone would just miss the threshold."""
MAX_WITNESSES = 4
"""The number of dropped rewrites and follow-ups of a kept article (the first in rank order) that are indexed by all keys;
later ones only by their bands."""
MIN_ARTICLES_PER_THREAD = 32
"""With fewer articles per thread, starting a thread takes longer than the lookups."""
MAX_STORIES_JOINED = 3
"""The maximum number of stories of a small storyline. At 3, 10 of 65 labelled follow-ups in an archive of 5,000 undated
wire stories are joined; at 2, 4, 5 and 8 it is 7, 14, 16 and 26 (docs/decisions/0009-levels.md)."""
CHUNK_SIZE = 512
"""The number of articles per chunk."""
MAX_COMPARISONS = 512
"""The maximum number of comparisons kept per article of a chunk: those with the largest overlap."""


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

    All threads first compare a chunk of articles with those indexed before it; then each article of the chunk is
    compared, in order, with those of the chunk. The result is the same as one article at a time, with any number of
    threads, as long as no limit on the work is reached (`Assignments.limit_reached`): limits count per lookup, so they
    depend on where a chunk begins. `after_chunk` is called after each chunk.
    """
    threads = min(threads, 1 + len(order) // MIN_ARTICLES_PER_THREAD)
    articles, keys_each = len(sketches.text_hashes), (sketches.salient.shape[1], sketches.bands.shape[1])
    key_count, prior_count = sum(keys_each), len(prior.leaders)
    state = make_initial_state(articles, order, prior)
    in_order = is_date_ordered(np.concatenate([sketches.days[:prior_count], sketches.days[order]]))
    horizon = build_horizon(sketches, order, params, in_order=in_order)
    chunk_rows = min(CHUNK_SIZE, max(len(order), 1))
    chunk_index, comparisons = (
        make_index_for_articles(min(CHUNK_SIZE, len(order)), key_count),
        make_comparisons(chunk_rows),
    )
    index = make_initial_index(sketches.days[order], horizon, keys_each, CHUNK_SIZE, prior_count)
    index_prior(sketches, index, prior.indexed_by_terms, np.empty(key_count, np.uint64))
    matched_positions: list[np.ndarray] = []
    evidence: list[np.ndarray] = []
    scratch, workspaces = (
        [make_lookup_scratch(articles, key_count) for _ in range(threads)],
        [make_pair_workspace() for _ in range(threads)],
    )
    # Per chunk: compare with earlier articles on all threads, then assign in order.
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(order), CHUNK_SIZE):
            chunk = order[start : start + CHUNK_SIZE]
            index = ensure_room(index, len(chunk) * key_count, sketches.days[chunk[0]], horizon)
            comparisons.counts[:] = 0
            compare_share = partial(
                match_against_index, sketches, params, index, in_order, state, comparisons, chunk
            )
            shares = [np.arange(thread, len(chunk), threads) for thread in range(threads)]
            list((pool.map if threads > 1 else map)(compare_share, shares, scratch, workspaces))
            resolve_chunk(
                sketches,
                params,
                index,
                in_order,
                state,
                comparisons,
                chunk,
                scratch[0],
                workspaces[0],
                chunk_index,
            )
            has_evidence = state.assignments.evidence_rows[chunk] >= 0
            matched_positions.append(chunk[has_evidence])
            evidence.append(state.chunk_evidence[: len(chunk)][has_evidence])
            after_chunk()
    return attach_evidence(state.assignments, matched_positions, evidence)


def make_comparisons(articles: int) -> Comparisons:
    """Return empty comparisons for `articles` articles."""
    return Comparisons(
        np.zeros(articles, np.int32),
        np.empty((articles, MAX_COMPARISONS), np.int64),
        np.empty((articles, MAX_COMPARISONS), np.int8),
        np.empty((articles, MAX_COMPARISONS, 3)),
    )


def attach_evidence(
    assignments: Assignments, matched: list[np.ndarray], evidence: list[np.ndarray]
) -> Assignments:
    """Return the assignments with the evidence of the articles that were matched or linked in each chunk."""
    positions = np.concatenate([*matched, np.zeros(0, np.int64)])
    assignments.evidence_rows[positions] = np.arange(len(positions))
    return assignments._replace(evidence=np.concatenate([*evidence, assignments.evidence]))


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


def is_date_ordered(days: np.ndarray) -> bool:
    """Return whether the dates rise and the undated come last, so that a lookup may stop at the end of its window.

    >>> is_date_ordered(np.array([1.0, 2.0, np.nan])), is_date_ordered(np.array([np.nan, 1.0]))
    (True, False)
    """
    dates = np.where(np.isnan(days), np.inf, days)
    return bool((dates[1:] >= dates[:-1]).all())


@jit_leaf
def compare_with_candidates(
    s, params, index, in_order, assignments, comparisons, chunk_row, a, scratch, workspace
):
    """Compare article `a` with its candidates in `index`; return its number of terms and of keys.

    Comparisons that may decide are appended to row `chunk_row`. `max_candidates` limits kept and dropped candidates
    separately. The keys stay in `scratch.keys`.
    """
    terms, n = fill_lookup_keys(s, a, scratch.keys)
    candidate_count, banded, limited = fill_candidates(
        index, s.days, terms, n, s.days[a], params, in_order, scratch
    )
    assignments.limit_reached[a] |= limited
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
            s, other, a, params, params.storyline_threshold, k < banded, workspace
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


@jit_leaf
def find_neighbours(params, state, comparisons, chunk_row, neighbours):
    """Write the nearest kept articles of an article into `neighbours`, nearest first; return their number.

    Only kept articles that it would follow count: they represent its affair.
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


@jit_leaf
def is_nearer(state, comparisons, chunk_row, k, other):
    """Return whether comparison `k` has higher storyline odds than comparison `other`; ties go to the first in rank order."""
    odds, other_odds = (
        comparisons.scores[chunk_row, k, STORYLINE_ODDS],
        comparisons.scores[chunk_row, other, STORYLINE_ODDS],
    )
    if odds != other_odds:
        return odds > other_odds
    return state.ranks[comparisons.others[chunk_row, k]] < state.ranks[comparisons.others[chunk_row, other]]


@jit_leaf
def count_neighbours(params, state, comparisons, chunk_row, root, odds):
    """Return (kept articles nearer than `root`, whose storyline log-odds are `odds`; other kept articles of the affair)."""
    nearer = beside = 0
    for k in range(comparisons.counts[chunk_row]):
        other = comparisons.others[chunk_row, k]
        if other == root or state.assignments.leaders[other] != other:
            continue
        other_odds = comparisons.scores[chunk_row, k, STORYLINE_ODDS]
        nearer += other_odds > odds and other_odds >= params.storyline_threshold
        beside += other_odds >= params.storyline_threshold
    return nearer, beside


@jit_leaf
def find_comparison(comparisons, chunk_row, other):
    """Return the index of the comparison with an article; -1 if there is none."""
    for k in range(comparisons.counts[chunk_row]):
        if comparisons.others[chunk_row, k] == other:
            return k
    return -1


@jit_leaf
def fill_neighbour_evidence(
    s, params, state, comparisons, chunk_row, a, root, odds, neighbours, n, workspace
):
    """Write the columns from `CONTEXT_START` on, of the loaded article `a` and the article `root`."""
    nearer, beside = count_neighbours(params, state, comparisons, chunk_row, root, odds)
    fill_context_evidence(s, a, root, neighbours, n, nearer, beside, workspace)


@jit_leaf
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


@jit_leaf
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
    for column in range(EVIDENCE_COUNT):
        state.chunk_evidence[chunk_row, column] = workspace.row[column]
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


@jit_leaf
def to_reported_score(relation, score):
    """Return the score of a match: a similarity as it is, log-odds as a probability."""
    return score if relation != NO_RELATION else compute_probability(score)


@jit_leaf
def decide_relation(params, score, workspace):
    """Return (relation, probability) of a match by a model, whose evidence is in `workspace.row`."""
    if not params.by_storyline:
        return REWRITE, compute_probability(score)
    story = compute_story_odds(workspace.row, params) + compute_context_odds(workspace.row, params)
    if params.allowed[REWRITE] and story >= params.story_threshold:
        return REWRITE, compute_probability(story)
    return FOLLOWUP, compute_probability(score)


@jit_leaf
def index_prior(s, index, indexed_by_terms, keys):
    """Index the prior articles by their bands, and by their terms if `indexed_by_terms`."""
    for a in range(len(indexed_by_terms)):
        terms, n = fill_lookup_keys(s, a, keys)
        insert_postings(index, keys, 0 if indexed_by_terms[a] else terms, n, a)


@jit_leaf
def match_against_index(s, params, index, in_order, state, comparisons, chunk, share, scratch, workspace):
    """Compare the articles of a share of the chunk (rows of the chunk) with those indexed before the chunk."""
    for row in share:
        a = chunk[row]
        if s.lengths[a] >= params.min_words:
            compare_with_candidates(
                s, params, index, in_order, state.assignments, comparisons, row, a, scratch, workspace
            )


@jit_leaf
def resolve_chunk(s, params, index, in_order, state, comparisons, chunk, scratch, workspace, chunk_index):
    """Compare the articles of a chunk with each other, assign each in order, and index those that later ones may match.

    A kept article is indexed by all keys. So is a dropped rewrite or follow-up if follow-ups join and its kept article
    has fewer than `MAX_WITNESSES`; otherwise only its bands are indexed, so that its copies join the same article.
    """
    clear_index(chunk_index)
    assignments = state.assignments
    for row in range(len(chunk)):
        a = chunk[row]
        if s.lengths[a] < params.min_words:
            continue
        terms, n = compare_with_candidates(
            s, params, chunk_index, in_order, assignments, comparisons, row, a, scratch, workspace
        )
        assign_article(s, params, state, comparisons, row, a, scratch, workspace)
        relation, leader = assignments.relations[a], assignments.leaders[a]
        if relation in (NO_RELATION, REWRITE, FOLLOWUP):
            is_witness = params.by_storyline and state.witnesses[leader] < MAX_WITNESSES
            first_key = 0 if leader == a or is_witness else terms
            state.witnesses[leader] += leader != a
            insert_postings(chunk_index, scratch.keys, first_key, n, a)
            insert_postings(index, scratch.keys, first_key, n, a)


def join_small_storylines(
    sketches: Sketches, order: np.ndarray, assignments: Assignments, params: MatchParams, threads: int = 1
) -> tuple[Assignments, int]:
    """Return the assignments with the stories of small undated storylines joined, and the number of articles dropped thereby.

    Without dates, a follow-up cannot be told from a rewrite. A storyline of at most `MAX_STORIES_JOINED` kept articles is
    more often one story; a larger one is an affair, whose chapters must be kept. So the articles of small ones are
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


def to_input_order(assignments: Assignments, order: np.ndarray, articles: int) -> Assignments:
    """Return assignments by rank as assignments by position; `order` has the position of each rank, out of `articles`."""
    by_position = make_kept_assignments(articles)._replace(evidence=assignments.evidence)
    by_position.leaders[order] = order[assignments.leaders]
    by_position.storylines[order] = order[assignments.storylines]
    for field in ("relations", "scores", "evidence_rows", "verified", "limit_reached"):
        getattr(by_position, field)[order] = getattr(assignments, field)
    return by_position
