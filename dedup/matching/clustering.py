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
"""What speaks for a kept article, least to most: a model alone; a model, and the text of one that repeats it already;
the text. Two copies of one text thus go to the same place, even when either of two kept articles would do, or when one
alone would just miss it."""
MAX_WITNESSES = 4
"""So many dropped rewrites and follow-ups of a kept article are looked up beside it, the first in rank order; of more only the
bands."""
MIN_ARTICLES_PER_THREAD = 32
"""Fewer articles are looked up sooner than a thread is started."""
MAX_STORIES_JOINED = 3
"""A small storyline has at most so many stories: at 3, 10 of 65 judged follow-ups in an archive of 5,000 undated wire stories
are joined, at 2, 4, 5 and 8 of them 7, 14, 16 and 26 (docs/decisions/0009-levels.md)."""
CHUNK_SIZE = 512
"""Articles that are looked up at once."""
MAX_COMPARISONS = 512
"""Comparisons of an article that are kept until it is decided about: those that share most come first."""


class Assignments(NamedTuple):
    """What became of each article, and how much work it took."""

    leaders: np.ndarray
    """n, int64: the position of the kept article that it repeats; its own if it is kept."""
    relations: np.ndarray
    """n, int8: position in `RELATIONS`; `NO_RELATION` if it is kept."""
    scores: np.ndarray
    """n, float64; of a kept article that follows another, the probability that they belong to one storyline."""
    storylines: np.ndarray
    """n, int64: the position of the first article of its storyline: a kept article, its own if it begins one."""
    evidence: np.ndarray
    """Matches × columns, float32: of each match or link, in the order in which they were made."""
    evidence_rows: np.ndarray
    """n, int32: where in `evidence` that of its match or link stands; -1 if it has none."""
    verified: np.ndarray
    """n, int32: candidates that were verified."""
    limit_reached: np.ndarray
    """n, int8: 1 where a bound on the work was reached."""

    def get_evidence_rows(self, positions: Any) -> np.ndarray:
        """Return the evidence of the matches (or links) of the articles at some positions (or one position)."""
        return self.evidence[self.evidence_rows[positions]]

    def is_follower(self) -> np.ndarray:
        """Return (n, bool) which articles are kept and follow another, the first of their storyline."""
        return (self.relations == NO_RELATION) & (self.storylines != np.arange(len(self.storylines)))


class Comparisons(NamedTuple):
    """What the articles of a chunk are to their candidates, by place in the chunk: those that may matter."""

    counts: np.ndarray
    """`CHUNK_SIZE`, int32: how many an article has."""
    others: np.ndarray
    """`CHUNK_SIZE` × `MAX_COMPARISONS`, int64: the candidate."""
    relations: np.ndarray
    """As above, int8: a relation of the text, or `NO_RELATION`."""
    scores: np.ndarray
    """As above × 3, float64: similarity; log-odds of one story without context; log-odds of one storyline."""


SIMILARITY, STORY_ODDS, STORYLINE_ODDS = range(3)


class PriorAssignments(NamedTuple):
    """The first m of some sketches, whose place was found before: in the order in which they came."""

    leaders: np.ndarray
    """m, int64: the position, among them, of the kept article that each repeats; its own if it is kept."""
    storylines: np.ndarray
    """m, int64: the position, among them, of the first article of the storyline of each."""
    indexed_by_terms: np.ndarray
    """m, bool: found by its terms too, and not by its bands alone."""
    witnesses: np.ndarray
    """m, int32: how many rewrites of a kept article there are, be they among these or not."""


NO_PRIOR_ASSIGNMENTS = PriorAssignments(
    np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, np.int32)
)


class ClusteringState(NamedTuple):
    """What is known of all articles while they are taken one after the other; arrays by position."""

    assignments: Assignments
    chunk_evidence: np.ndarray
    """`CHUNK_SIZE` × columns, float32: the evidence of each article of the chunk, by its place there."""
    ranks: np.ndarray
    """n, int64: the place of each article in rank order, which decides between equals."""
    witnesses: np.ndarray
    """n, int32: how many witnesses a kept article has."""


def assign_leaders(
    sketches: Sketches,
    order: np.ndarray,
    params: MatchParams,
    threads: int = 1,
    prior: PriorAssignments = NO_PRIOR_ASSIGNMENTS,
    *,
    after_chunk: Callable[[], None] = lambda: None,
) -> Assignments:
    """Return the assignments of all articles, taken in `order` (positions, int64; each once), after those that are settled.

    A chunk of articles is first compared, by all threads at once, with those kept before the chunk; then, one after the
    other, with those of the chunk itself. So the result is that of one by one, whatever the number of threads, as long as no
    bound on the work is reached (`bounded`): bounds are counted per lookup, and so depend on where a chunk begins. `rest` is
    called after each chunk.
    """
    threads = min(threads, 1 + len(order) // MIN_ARTICLES_PER_THREAD)
    articles, keys_each = len(sketches.text_hashes), (sketches.salient.shape[1], sketches.bands.shape[1])
    each, known = sum(keys_each), len(prior.leaders)
    state = make_initial_state(articles, order, prior)
    in_order = is_date_ordered(np.concatenate([sketches.days[:known], sketches.days[order]]))
    reach = build_horizon(sketches, order, params, in_order=in_order)
    room = min(CHUNK_SIZE, max(len(order), 1))
    fresh, found = make_index_for_articles(min(CHUNK_SIZE, len(order)), each), make_comparisons(room)
    index = make_initial_index(sketches.days[order], reach, keys_each, CHUNK_SIZE, known)
    index_prior(sketches, index, prior.indexed_by_terms, np.empty(each, np.uint64))
    matched: list[np.ndarray] = []
    evidence: list[np.ndarray] = []
    scratch, desks = (
        [make_lookup_scratch(articles, each) for _ in range(threads)],
        [make_pair_workspace() for _ in range(threads)],
    )
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(order), CHUNK_SIZE):
            chunk = order[start : start + CHUNK_SIZE]
            index = ensure_room(index, len(chunk) * each, sketches.days[chunk[0]], reach)
            found.counts[:] = 0
            look = partial(match_against_index, sketches, params, index, in_order, state, found, chunk)
            shares = [np.arange(thread, len(chunk), threads) for thread in range(threads)]
            list((pool.map if threads > 1 else map)(look, shares, scratch, desks))
            resolve_chunk(sketches, params, index, in_order, state, found, chunk, scratch[0], desks[0], fresh)
            has_evidence = state.assignments.evidence_rows[chunk] >= 0
            matched.append(chunk[has_evidence])
            evidence.append(state.chunk_evidence[: len(chunk)][has_evidence])
            after_chunk()
    return attach_evidence(state.assignments, matched, evidence)


def make_comparisons(articles: int) -> Comparisons:
    """Return room for the comparisons of so many articles."""
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
    """Return the state before the first article: each is kept until a match is found, but for those that are settled."""
    ranks, witnesses = np.zeros(articles, np.int64), np.zeros(articles, np.int32)
    known = len(prior.leaders)
    ranks[:known] = np.arange(known)
    ranks[order] = known + np.arange(len(order))
    witnesses[:known] = prior.witnesses
    made = make_kept_assignments(articles)
    made.leaders[:known] = prior.leaders
    made.storylines[:known] = prior.storylines
    made.relations[:known] = np.where(prior.leaders == np.arange(known), NO_RELATION, REWRITE)
    return ClusteringState(
        made,
        chunk_evidence=np.zeros((min(CHUNK_SIZE, max(len(order), 1)), EVIDENCE_COUNT), np.float32),
        ranks=ranks,
        witnesses=witnesses,
    )


def make_kept_assignments(articles: int) -> Assignments:
    """Return the assignments of so many articles that repeat and follow nothing."""
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
    """Return whether the dates rise and the undated come last, so that a lookup may stop where its window ends.

    >>> is_date_ordered(np.array([1.0, 2.0, np.nan])), is_date_ordered(np.array([np.nan, 1.0]))
    (True, False)
    """
    dates = np.where(np.isnan(days), np.inf, days)
    return bool((dates[1:] >= dates[:-1]).all())


@jit_leaf
def compare_with_candidates(
    s, params, index, in_order, assignments, comparisons, chunk_row, a, scratch, workspace
):
    """Compare article `a`, at a place of its chunk, with its candidates in `index`; return its (terms, keys), in the scratch.

    What may matter is put beside what was found before. Kept candidates and others are bounded apart.
    """
    terms, n = fill_lookup_keys(s, a, scratch.keys)
    m, banded, bounded = fill_candidates(index, s.days, terms, n, s.days[a], params, in_order, scratch)
    assignments.limit_reached[a] |= bounded
    kept, dropped = 0, 0
    if m:
        load_article(s, a, workspace)
    for k in range(m):
        other = scratch.candidates[k]
        is_kept = assignments.leaders[other] == other
        kept += is_kept
        dropped += not is_kept
        if (kept if is_kept else dropped) > params.max_candidates:
            assignments.limit_reached[a] = 1
            continue
        assignments.verified[a] += 1
        relation, similarity, story, storyline = classify_pair(
            s, other, a, params, params.storyline_threshold, k < banded, workspace
        )
        if relation == NO_RELATION and storyline < params.storyline_threshold:
            continue
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
    """Write the kept articles nearest to the article at a place into `neighbours`, nearest first; return how many.

    Only those count that it would follow: they stand for its affair.
    """
    n = 0
    for k in range(comparisons.counts[chunk_row]):
        other, odds = comparisons.others[chunk_row, k], comparisons.scores[chunk_row, k, STORYLINE_ODDS]
        if state.assignments.leaders[other] != other or odds < params.storyline_threshold:
            continue
        at = n if n < MAX_NEIGHBOURS else MAX_NEIGHBOURS - 1
        if n == MAX_NEIGHBOURS and not is_nearer(state, comparisons, chunk_row, k, neighbours[at]):
            continue
        while at > 0 and is_nearer(state, comparisons, chunk_row, k, neighbours[at - 1]):
            neighbours[at] = neighbours[at - 1]
            at -= 1
        neighbours[at] = k
        n = min(n + 1, MAX_NEIGHBOURS)
    for k in range(n):
        neighbours[k] = comparisons.others[chunk_row, neighbours[k]]
    return n


@jit_leaf
def is_nearer(state, comparisons, chunk_row, k, other):
    """Return whether comparison `k` is of a nearer article than comparison `other`; of equals the first in rank order is."""
    odds, other_odds = (
        comparisons.scores[chunk_row, k, STORYLINE_ODDS],
        comparisons.scores[chunk_row, other, STORYLINE_ODDS],
    )
    if odds != other_odds:
        return odds > other_odds
    return state.ranks[comparisons.others[chunk_row, k]] < state.ranks[comparisons.others[chunk_row, other]]


@jit_leaf
def count_neighbours(params, state, comparisons, chunk_row, root, odds):
    """Return (kept articles that are nearer than `root`, whose log-odds are given; kept articles of the affair but `root`)."""
    nearer = beside = 0
    for k in range(comparisons.counts[chunk_row]):
        other = comparisons.others[chunk_row, k]
        if other == root or state.assignments.leaders[other] != other:
            continue
        its_odds = comparisons.scores[chunk_row, k, STORYLINE_ODDS]
        nearer += its_odds > odds and its_odds >= params.storyline_threshold
        beside += its_odds >= params.storyline_threshold
    return nearer, beside


@jit_leaf
def find_comparison(comparisons, chunk_row, other):
    """Return the number of the comparison with an article, -1 where there is none."""
    for k in range(comparisons.counts[chunk_row]):
        if comparisons.others[chunk_row, k] == other:
            return k
    return -1


@jit_leaf
def fill_neighbour_evidence(
    s, params, state, comparisons, chunk_row, a, root, odds, neighbours, n, workspace
):
    """Write the columns of evidence from `CONTEXT_START` on, of article `a`, which lies open, and `root`."""
    nearer, beside = count_neighbours(params, state, comparisons, chunk_row, root, odds)
    fill_context_evidence(s, a, root, neighbours, n, nearer, beside, workspace)


@jit_leaf
def find_best_match(
    s, params, state, comparisons, chunk_row, a, roots, by_storyline, neighbours, n, workspace
):
    """Return the best match (root, relation, score) of article `a`, which lies open, in one layer; root -1 for none.

    `roots` leads from an article to the one that a match would join. The score is a similarity, or log-odds of the model that
    decides in this layer.
    """
    best, best_relation, best_score = -1, NO_RELATION, 0.0
    best_strength, best_decisive = -1, 0.0
    least = params.storyline_threshold if by_storyline else params.story_threshold
    witnessed = params.storyline_witnessed_threshold if by_storyline else params.story_witnessed_threshold
    for k in range(comparisons.counts[chunk_row]):
        other, tie, support = comparisons.others[chunk_row, k], 0.0, -np.inf
        root, at = roots[other], k
        if root != other:
            if comparisons.relations[chunk_row, k] != NO_RELATION:
                tie = comparisons.scores[chunk_row, k, SIMILARITY]
            elif by_storyline and comparisons.scores[chunk_row, k, STORYLINE_ODDS] >= least:
                support = comparisons.scores[chunk_row, k, STORYLINE_ODDS]
            else:
                continue
            at = find_comparison(comparisons, chunk_row, root)
        if at >= 0:
            relation, similarity = (
                comparisons.relations[chunk_row, at],
                comparisons.scores[chunk_row, at, SIMILARITY],
            )
            story, storyline = (
                comparisons.scores[chunk_row, at, STORY_ODDS],
                comparisons.scores[chunk_row, at, STORYLINE_ODDS],
            )
        else:
            relation, similarity, story, storyline = classify_pair(
                s, root, a, params, params.storyline_witnessed_threshold, True, workspace
            )
        score = storyline if by_storyline else story
        if relation != NO_RELATION:
            strength, decisive = STRENGTH_TEXT, similarity
            score = similarity
        else:
            if not by_storyline:
                if not params.joins[REWRITE] or score + params.max_context_gain < witnessed:
                    continue
                fill_neighbour_evidence(
                    s, params, state, comparisons, chunk_row, a, root, storyline, neighbours, n, workspace
                )
                score += compute_context_odds(workspace.row, params)
            if score < (witnessed if root != other else least):
                continue
            strength, decisive = (
                (STRENGTH_TIE, tie) if tie > 0.0 else (STRENGTH_MODEL, max(score, (score + support) / 2))
            )
            if strength == STRENGTH_MODEL and decisive < least:
                continue
        before = best_strength, best_decisive, -state.ranks[best] if best >= 0 else 0
        if (strength, decisive, -state.ranks[root]) > before:
            best, best_relation, best_score = root, relation, score
            best_strength, best_decisive = strength, decisive
    return best, best_relation, best_score


@jit_leaf
def assign_article(s, params, state, comparisons, chunk_row, a, scratch, workspace):
    """Decide about article `a`, at a place of its chunk, by its comparisons: which kept article it joins, or which it follows."""
    if comparisons.counts[chunk_row] == 0:
        return
    made, neighbours = state.assignments, scratch.neighbours
    load_article(s, a, workspace)
    n = find_neighbours(params, state, comparisons, chunk_row, neighbours)
    root, relation, score = find_best_match(
        s,
        params,
        state,
        comparisons,
        chunk_row,
        a,
        made.leaders,
        params.by_storyline,
        neighbours,
        n,
        workspace,
    )
    joins = root >= 0
    if not joins and params.allowed[FOLLOWUP] and not params.by_storyline:
        root, relation, score = find_best_match(
            s, params, state, comparisons, chunk_row, a, made.storylines, True, neighbours, n, workspace
        )
    if root < 0:
        return
    fill_pair_evidence(s, a, root, workspace)
    odds = compute_storyline_odds(workspace.row, params)
    fill_neighbour_evidence(s, params, state, comparisons, chunk_row, a, root, odds, neighbours, n, workspace)
    for column in range(EVIDENCE_COUNT):
        state.chunk_evidence[chunk_row, column] = workspace.row[column]
    made.evidence_rows[a] = chunk_row
    if not joins:
        made.storylines[a], made.scores[a] = made.storylines[root], to_reported_score(relation, score)
        return
    if relation == NO_RELATION:
        relation, score = decide_relation(params, score, workspace)
    made.leaders[a], made.relations[a], made.scores[a] = root, relation, score
    made.storylines[a] = made.storylines[root]


@jit_leaf
def to_reported_score(relation, score):
    """Return the score of a match: of a text's relation as it is, else the probability of its log-odds."""
    return score if relation != NO_RELATION else compute_probability(score)


@jit_leaf
def decide_relation(params, score, workspace):
    """Return (relation, probability) of a match by a model, whose evidence is in the desk's row."""
    if not params.by_storyline:
        return REWRITE, compute_probability(score)
    story = compute_story_odds(workspace.row, params) + compute_context_odds(workspace.row, params)
    if params.allowed[REWRITE] and story >= params.story_threshold:
        return REWRITE, compute_probability(story)
    return FOLLOWUP, compute_probability(score)


@jit_leaf
def index_prior(s, index, indexed_by_terms, keys):
    """Index the articles that are settled, each by its bands, and by its terms too if it is `full`."""
    for a in range(len(indexed_by_terms)):
        terms, n = fill_lookup_keys(s, a, keys)
        insert_postings(index, keys, 0 if indexed_by_terms[a] else terms, n, a)


@jit_leaf
def match_against_index(s, params, index, in_order, state, comparisons, chunk, share, scratch, workspace):
    """Compare the articles of a thread's share of a chunk (places in it) with those kept before the chunk."""
    for place in share:
        a = chunk[place]
        if s.lengths[a] >= params.min_words:
            compare_with_candidates(
                s, params, index, in_order, state.assignments, comparisons, place, a, scratch, workspace
            )


@jit_leaf
def resolve_chunk(s, params, index, in_order, state, comparisons, chunk, scratch, workspace, fresh):
    """Compare the articles of a chunk with each other, in order, decide about each, and index what later ones may match.

    A dropped article is a witness where follow-ups join, if its kept article has not enough of them; else only the bands of
    a rewrite are indexed, so that copies of it can go where it went.
    """
    clear_index(fresh)
    made = state.assignments
    for place in range(len(chunk)):
        a = chunk[place]
        if s.lengths[a] < params.min_words:
            continue
        terms, n = compare_with_candidates(
            s, params, fresh, in_order, made, comparisons, place, a, scratch, workspace
        )
        assign_article(s, params, state, comparisons, place, a, scratch, workspace)
        relation, leader = made.relations[a], made.leaders[a]
        if relation in (NO_RELATION, REWRITE, FOLLOWUP):
            is_witness = params.by_storyline and state.witnesses[leader] < MAX_WITNESSES
            first = 0 if leader == a or is_witness else terms
            state.witnesses[leader] += leader != a
            insert_postings(fresh, scratch.keys, first, n, a)
            insert_postings(index, scratch.keys, first, n, a)


def join_small_storylines(
    sketches: Sketches, order: np.ndarray, assignments: Assignments, params: MatchParams, threads: int = 1
) -> tuple[Assignments, int]:
    """Return the assignments with the stories of each small storyline without dates joined; and how many articles that drops.

    Without dates a chapter cannot be told from a retelling. But a storyline of at most `MAX_STORIES_JOINED` kept articles is more
    often one story, while one of many is an affair whose chapters must not be lost. Its articles are taken once more, among
    themselves, as at the level of storylines; what then joins is called a rewrite.
    """
    stories = np.bincount(
        assignments.storylines[assignments.leaders == np.arange(len(assignments.leaders))],
        minlength=len(assignments.leaders),
    )
    dated = np.zeros(len(assignments.leaders), bool)
    np.logical_or.at(dated, assignments.storylines, ~np.isnan(sketches.days))
    small = ((stories > 1) & (stories <= MAX_STORIES_JOINED) & ~dated)[assignments.storylines]
    members = order[small[order]]
    if not len(members):
        return assignments, 0
    before = int((assignments.relations[members] != NO_RELATION).sum())
    by_storyline = params._replace(by_storyline=True, joins=params.allowed)
    again = assign_leaders(sketches, members, by_storyline, threads)
    again.relations[again.relations == FOLLOWUP] = REWRITE
    for field in ("leaders", "relations", "scores", "storylines", "limit_reached"):
        getattr(assignments, field)[members] = getattr(again, field)[members]
    assignments.verified[members] += again.verified[members]
    has_evidence = members[again.evidence_rows[members] >= 0]
    assignments.evidence_rows[members] = -1
    assignments.evidence_rows[has_evidence] = len(assignments.evidence) + np.arange(len(has_evidence))
    evidence = np.concatenate([assignments.evidence, again.get_evidence_rows(has_evidence)])
    return assignments._replace(evidence=evidence), int(
        (assignments.relations[members] != NO_RELATION).sum()
    ) - before


def to_input_order(assignments: Assignments, order: np.ndarray, articles: int) -> Assignments:
    """Return assignments of articles by rank as such by position: `order` holds the position of each, of so many articles."""
    by_position = make_kept_assignments(articles)._replace(evidence=assignments.evidence)
    by_position.leaders[order] = order[assignments.leaders]
    by_position.storylines[order] = order[assignments.storylines]
    for field in ("relations", "scores", "evidence_rows", "verified", "limit_reached"):
        getattr(by_position, field)[order] = getattr(assignments, field)
    return by_position
