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

from dedup.jit import leaf
from dedup.matching.candidates import fill_candidates, keys_of, reach_of, scratch_for
from dedup.matching.classifier import (
    FOLLOWUP,
    NONE,
    REWRITE,
    Rules,
    add_context_odds,
    add_story_odds,
    add_storyline_odds,
    classify_pair,
    probability,
)
from dedup.matching.evidence import (
    COUNT,
    MOST_NEIGHBOURS,
    desk,
    fill_context_evidence,
    fill_pair_evidence,
    lay_open,
)
from dedup.matching.inverted_index import empty, insert, postings_for, room_at_first, with_room
from dedup.sketches.sketch import Sketches

STORY, TIE, TEXT = 0, 1, 2
"""What speaks for a kept article, least to most: a model alone; a model, and the text of one that repeats it already;
the text. Two copies of one text thus go to the same place, even when either of two kept articles would do, or when one
alone would just miss it."""
WITNESSES = 4
"""So many dropped rewrites and follow-ups of a kept article are looked up beside it, the first in rank order; of more only the
bands."""
WORTH_A_THREAD = 32
"""Fewer articles are looked up sooner than a thread is started."""
MOST_STORIES = 3
"""A small storyline has at most so many stories: at 3, 10 of 65 judged follow-ups in an archive of 5,000 undated wire stories
are joined, at 2, 4, 5 and 8 of them 7, 14, 16 and 26 (docs/decisions/0009-levels.md)."""
CHUNK = 512
"""Articles that are looked up at once."""
MOST_COMPARISONS = 512
"""Comparisons of an article that are kept until it is decided about: those that share most come first."""


class Assignments(NamedTuple):
    """What became of each article, and how much work it took."""

    leaders: np.ndarray
    """n, int64: the position of the kept article that it repeats; its own if it is kept."""
    relations: np.ndarray
    """n, int8: position in `RELATIONS`; `NONE` if it is kept."""
    scores: np.ndarray
    """n, float64; of a kept article that follows another, the probability that they belong to one storyline."""
    storylines: np.ndarray
    """n, int64: the position of the first article of its storyline: a kept article, its own if it begins one."""
    evidence: np.ndarray
    """Matches × columns, float32: of each match or link, in the order in which they were made."""
    places: np.ndarray
    """n, int32: where in `evidence` that of its match or link stands; -1 if it has none."""
    verified: np.ndarray
    """n, int32: candidates that were verified."""
    bounded: np.ndarray
    """n, int8: 1 where a bound on the work was reached."""

    def against(self, positions: Any) -> np.ndarray:
        """Return the evidence of the matches (or links) of the articles at some positions (or one position)."""
        return self.evidence[self.places[positions]]

    def follows(self) -> np.ndarray:
        """Return (n, bool) which articles are kept and follow another, the first of their storyline."""
        return (self.relations == NONE) & (self.storylines != np.arange(len(self.storylines)))


class Comparisons(NamedTuple):
    """What the articles of a chunk are to their candidates, by place in the chunk: those that may matter."""

    counts: np.ndarray
    """`CHUNK`, int32: how many an article has."""
    others: np.ndarray
    """`CHUNK` × `MOST_COMPARISONS`, int64: the candidate."""
    relations: np.ndarray
    """As above, int8: a relation of the text, or `NONE`."""
    scores: np.ndarray
    """As above × 3, float64: similarity; log-odds of one story without context; log-odds of one storyline."""


SIMILARITY, STORY_ODDS, STORYLINE_ODDS = range(3)


class Settled(NamedTuple):
    """The first m of some sketches, whose place was found before: in the order in which they came."""

    leaders: np.ndarray
    """m, int64: the position, among them, of the kept article that each repeats; its own if it is kept."""
    storylines: np.ndarray
    """m, int64: the position, among them, of the first article of the storyline of each."""
    full: np.ndarray
    """m, bool: found by its terms too, and not by its bands alone."""
    witnesses: np.ndarray
    """m, int32: how many rewrites of a kept article there are, be they among these or not."""


NOTHING_SETTLED = Settled(
    np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, np.int32)
)


class ClusteringState(NamedTuple):
    """What is known of all articles while they are taken one after the other; arrays by position."""

    made: Assignments
    rows: np.ndarray
    """`CHUNK` × columns, float32: the evidence of each article of the chunk, by its place there."""
    ranks: np.ndarray
    """n, int64: the place of each article in rank order, which decides between equals."""
    witnesses: np.ndarray
    """n, int32: how many witnesses a kept article has."""


def assign(
    sketches: Sketches,
    order: np.ndarray,
    rules: Rules,
    threads: int = 1,
    settled: Settled = NOTHING_SETTLED,
    *,
    rest: Callable[[], None] = lambda: None,
) -> Assignments:
    """Return the assignments of all articles, taken in `order` (positions, int64; each once), after those that are settled.

    A chunk of articles is first compared, by all threads at once, with those kept before the chunk; then, one after the
    other, with those of the chunk itself. So the result is that of one by one, whatever the number of threads, as long as no
    bound on the work is reached (`bounded`): bounds are counted per lookup, and so depend on where a chunk begins. `rest` is
    called after each chunk.
    """
    threads = min(threads, 1 + len(order) // WORTH_A_THREAD)
    articles, keys_each = len(sketches.texts), (sketches.salient.shape[1], sketches.bands.shape[1])
    each, known = sum(keys_each), len(settled.leaders)
    state = start_state(articles, order, settled)
    in_order = rises(np.concatenate([sketches.days[:known], sketches.days[order]]))
    reach = reach_of(sketches, order, rules, in_order=in_order)
    room = min(CHUNK, max(len(order), 1))
    fresh, found = postings_for(min(CHUNK, len(order)), each), make_comparisons(room)
    index = room_at_first(sketches.days[order], reach, keys_each, CHUNK, known)
    recall(sketches, index, settled.full, np.empty(each, np.uint64))
    matched: list[np.ndarray] = []
    evidence: list[np.ndarray] = []
    scratch, desks = [scratch_for(articles, each) for _ in range(threads)], [desk() for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(order), CHUNK):
            chunk = order[start : start + CHUNK]
            index = with_room(index, len(chunk) * each, sketches.days[chunk[0]], reach)
            found.counts[:] = 0
            look = partial(match_against_index, sketches, rules, index, in_order, state, found, chunk)
            shares = [np.arange(thread, len(chunk), threads) for thread in range(threads)]
            list((pool.map if threads > 1 else map)(look, shares, scratch, desks))
            resolve_chunk(sketches, rules, index, in_order, state, found, chunk, scratch[0], desks[0], fresh)
            has_evidence = state.made.places[chunk] >= 0
            matched.append(chunk[has_evidence])
            evidence.append(state.rows[: len(chunk)][has_evidence])
            rest()
    return with_evidence(state.made, matched, evidence)


def make_comparisons(articles: int) -> Comparisons:
    """Return room for the comparisons of so many articles."""
    return Comparisons(
        np.zeros(articles, np.int32),
        np.empty((articles, MOST_COMPARISONS), np.int64),
        np.empty((articles, MOST_COMPARISONS), np.int8),
        np.empty((articles, MOST_COMPARISONS, 3)),
    )


def with_evidence(made: Assignments, matched: list[np.ndarray], evidence: list[np.ndarray]) -> Assignments:
    """Return the assignments with the evidence of the articles that were matched or linked in each chunk."""
    positions = np.concatenate([*matched, np.zeros(0, np.int64)])
    made.places[positions] = np.arange(len(positions))
    return made._replace(evidence=np.concatenate([*evidence, made.evidence]))


def start_state(articles: int, order: np.ndarray, settled: Settled) -> ClusteringState:
    """Return the state before the first article: each is kept until a match is found, but for those that are settled."""
    ranks, witnesses = np.zeros(articles, np.int64), np.zeros(articles, np.int32)
    known = len(settled.leaders)
    ranks[:known] = np.arange(known)
    ranks[order] = known + np.arange(len(order))
    witnesses[:known] = settled.witnesses
    made = keep_all(articles)
    made.leaders[:known] = settled.leaders
    made.storylines[:known] = settled.storylines
    made.relations[:known] = np.where(settled.leaders == np.arange(known), NONE, REWRITE)
    return ClusteringState(
        made,
        rows=np.zeros((min(CHUNK, max(len(order), 1)), COUNT), np.float32),
        ranks=ranks,
        witnesses=witnesses,
    )


def keep_all(articles: int) -> Assignments:
    """Return the assignments of so many articles that repeat and follow nothing."""
    return Assignments(
        leaders=np.arange(articles),
        relations=np.full(articles, NONE, np.int8),
        scores=np.zeros(articles),
        storylines=np.arange(articles),
        evidence=np.zeros((0, COUNT), np.float32),
        places=np.full(articles, -1, np.int32),
        verified=np.zeros(articles, np.int32),
        bounded=np.zeros(articles, np.int8),
    )


def rises(days: np.ndarray) -> bool:
    """Return whether the dates rise and the undated come last, so that a lookup may stop where its window ends.

    >>> rises(np.array([1.0, 2.0, np.nan])), rises(np.array([np.nan, 1.0]))
    (True, False)
    """
    dates = np.where(np.isnan(days), np.inf, days)
    return bool((dates[1:] >= dates[:-1]).all())


@leaf
def compare(s, rules, index, in_order, made, found, place, a, scratch, desk):
    """Compare article `a`, at a place of its chunk, with its candidates in `index`; return its (terms, keys), in the scratch.

    What may matter is put beside what was found before. Kept candidates and others are bounded apart.
    """
    terms, n = keys_of(s, a, scratch.keys)
    m, banded, bounded = fill_candidates(index, s.days, terms, n, s.days[a], rules, in_order, scratch)
    made.bounded[a] |= bounded
    kept, dropped = 0, 0
    if m:
        lay_open(s, a, desk)
    for k in range(m):
        other = scratch.found[k]
        is_kept = made.leaders[other] == other
        kept += is_kept
        dropped += not is_kept
        if (kept if is_kept else dropped) > rules.max_candidates:
            made.bounded[a] = 1
            continue
        made.verified[a] += 1
        relation, similarity, story, storyline = classify_pair(
            s, other, a, rules, rules.storyline_least, k < banded, desk
        )
        if relation == NONE and storyline < rules.storyline_least:
            continue
        slot = found.counts[place]
        if slot == MOST_COMPARISONS:
            made.bounded[a] = 1
            break
        found.counts[place] += 1
        found.others[place, slot], found.relations[place, slot] = other, relation
        found.scores[place, slot, SIMILARITY] = similarity
        found.scores[place, slot, STORY_ODDS] = story
        found.scores[place, slot, STORYLINE_ODDS] = storyline
    return terms, n


@leaf
def find_neighbours(rules, state, found, place, neighbours):
    """Write the kept articles nearest to the article at a place into `neighbours`, nearest first; return how many.

    Only those count that it would follow: they stand for its affair.
    """
    n = 0
    for k in range(found.counts[place]):
        other, odds = found.others[place, k], found.scores[place, k, STORYLINE_ODDS]
        if state.made.leaders[other] != other or odds < rules.storyline_least:
            continue
        at = n if n < MOST_NEIGHBOURS else MOST_NEIGHBOURS - 1
        if n == MOST_NEIGHBOURS and not is_nearer(state, found, place, k, neighbours[at]):
            continue
        while at > 0 and is_nearer(state, found, place, k, neighbours[at - 1]):
            neighbours[at] = neighbours[at - 1]
            at -= 1
        neighbours[at] = k
        n = min(n + 1, MOST_NEIGHBOURS)
    for k in range(n):
        neighbours[k] = found.others[place, neighbours[k]]
    return n


@leaf
def is_nearer(state, found, place, k, other):
    """Return whether comparison `k` is of a nearer article than comparison `other`; of equals the first in rank order is."""
    odds, other_odds = found.scores[place, k, STORYLINE_ODDS], found.scores[place, other, STORYLINE_ODDS]
    if odds != other_odds:
        return odds > other_odds
    return state.ranks[found.others[place, k]] < state.ranks[found.others[place, other]]


@leaf
def count_neighbours(rules, state, found, place, root, odds):
    """Return (kept articles that are nearer than `root`, whose log-odds are given; kept articles of the affair but `root`)."""
    nearer = beside = 0
    for k in range(found.counts[place]):
        other = found.others[place, k]
        if other == root or state.made.leaders[other] != other:
            continue
        its_odds = found.scores[place, k, STORYLINE_ODDS]
        nearer += its_odds > odds and its_odds >= rules.storyline_least
        beside += its_odds >= rules.storyline_least
    return nearer, beside


@leaf
def find_comparison(found, place, other):
    """Return the number of the comparison with an article, -1 where there is none."""
    for k in range(found.counts[place]):
        if found.others[place, k] == other:
            return k
    return -1


@leaf
def fill_context(s, rules, state, found, place, a, root, odds, neighbours, n, desk):
    """Write the columns of evidence from `CONTEXT` on, of article `a`, which lies open, and `root`."""
    nearer, beside = count_neighbours(rules, state, found, place, root, odds)
    fill_context_evidence(s, a, root, neighbours, n, nearer, beside, desk)


@leaf
def find_best_match(s, rules, state, found, place, a, roots, by_storyline, neighbours, n, desk):
    """Return the best match (root, relation, score) of article `a`, which lies open, in one layer; root -1 for none.

    `roots` leads from an article to the one that a match would join. The score is a similarity, or log-odds of the model that
    decides in this layer.
    """
    best, best_relation, best_score = -1, NONE, 0.0
    best_strength, best_decisive = -1, 0.0
    least = rules.storyline_least if by_storyline else rules.least_logit
    witnessed = rules.storyline_witnessed if by_storyline else rules.witnessed_logit
    for k in range(found.counts[place]):
        other, tie, support = found.others[place, k], 0.0, -np.inf
        root, at = roots[other], k
        if root != other:
            if found.relations[place, k] != NONE:
                tie = found.scores[place, k, SIMILARITY]
            elif by_storyline and found.scores[place, k, STORYLINE_ODDS] >= least:
                support = found.scores[place, k, STORYLINE_ODDS]
            else:
                continue
            at = find_comparison(found, place, root)
        if at >= 0:
            relation, similarity = found.relations[place, at], found.scores[place, at, SIMILARITY]
            story, storyline = found.scores[place, at, STORY_ODDS], found.scores[place, at, STORYLINE_ODDS]
        else:
            relation, similarity, story, storyline = classify_pair(
                s, root, a, rules, rules.storyline_witnessed, True, desk
            )
        score = storyline if by_storyline else story
        if relation != NONE:
            strength, decisive = TEXT, similarity
            score = similarity
        else:
            if not by_storyline:
                if not rules.joins[REWRITE] or score + rules.context_gain < witnessed:
                    continue
                fill_context(s, rules, state, found, place, a, root, storyline, neighbours, n, desk)
                score += add_context_odds(desk.row, rules)
            if score < (witnessed if root != other else least):
                continue
            strength, decisive = (TIE, tie) if tie > 0.0 else (STORY, max(score, (score + support) / 2))
            if strength == STORY and decisive < least:
                continue
        before = best_strength, best_decisive, -state.ranks[best] if best >= 0 else 0
        if (strength, decisive, -state.ranks[root]) > before:
            best, best_relation, best_score = root, relation, score
            best_strength, best_decisive = strength, decisive
    return best, best_relation, best_score


@leaf
def decide(s, rules, state, found, place, a, scratch, desk):
    """Decide about article `a`, at a place of its chunk, by its comparisons: which kept article it joins, or which it follows."""
    if found.counts[place] == 0:
        return
    made, neighbours = state.made, scratch.neighbours
    lay_open(s, a, desk)
    n = find_neighbours(rules, state, found, place, neighbours)
    root, relation, score = find_best_match(
        s, rules, state, found, place, a, made.leaders, rules.by_storyline, neighbours, n, desk
    )
    joins = root >= 0
    if not joins and rules.allowed[FOLLOWUP] and not rules.by_storyline:
        root, relation, score = find_best_match(
            s, rules, state, found, place, a, made.storylines, True, neighbours, n, desk
        )
    if root < 0:
        return
    fill_pair_evidence(s, a, root, desk)
    odds = add_storyline_odds(desk.row, rules)
    fill_context(s, rules, state, found, place, a, root, odds, neighbours, n, desk)
    for column in range(COUNT):
        state.rows[place, column] = desk.row[column]
    made.places[a] = place
    if not joins:
        made.storylines[a], made.scores[a] = made.storylines[root], similarity_or_probability(relation, score)
        return
    if relation == NONE:
        relation, score = name_relation(rules, score, desk)
    made.leaders[a], made.relations[a], made.scores[a] = root, relation, score
    made.storylines[a] = made.storylines[root]


@leaf
def similarity_or_probability(relation, score):
    """Return the score of a match: of a text's relation as it is, else the probability of its log-odds."""
    return score if relation != NONE else probability(score)


@leaf
def name_relation(rules, score, desk):
    """Return (relation, probability) of a match by a model, whose evidence is in the desk's row."""
    if not rules.by_storyline:
        return REWRITE, probability(score)
    story = add_story_odds(desk.row, rules) + add_context_odds(desk.row, rules)
    if rules.allowed[REWRITE] and story >= rules.least_logit:
        return REWRITE, probability(story)
    return FOLLOWUP, probability(score)


@leaf
def recall(s, index, full, keys):
    """Index the articles that are settled, each by its bands, and by its terms too if it is `full`."""
    for a in range(len(full)):
        terms, n = keys_of(s, a, keys)
        insert(index, keys, 0 if full[a] else terms, n, a)


@leaf
def match_against_index(s, rules, index, in_order, state, found, chunk, share, scratch, desk):
    """Compare the articles of a thread's share of a chunk (places in it) with those kept before the chunk."""
    for place in share:
        a = chunk[place]
        if s.lengths[a] >= rules.min_words:
            compare(s, rules, index, in_order, state.made, found, place, a, scratch, desk)


@leaf
def resolve_chunk(s, rules, index, in_order, state, found, chunk, scratch, desk, fresh):
    """Compare the articles of a chunk with each other, in order, decide about each, and index what later ones may match.

    A dropped article is a witness where follow-ups join, if its kept article has not enough of them; else only the bands of
    a rewrite are indexed, so that copies of it can go where it went.
    """
    empty(fresh)
    made = state.made
    for place in range(len(chunk)):
        a = chunk[place]
        if s.lengths[a] < rules.min_words:
            continue
        terms, n = compare(s, rules, fresh, in_order, made, found, place, a, scratch, desk)
        decide(s, rules, state, found, place, a, scratch, desk)
        relation, leader = made.relations[a], made.leaders[a]
        if relation in (NONE, REWRITE, FOLLOWUP):
            is_witness = rules.by_storyline and state.witnesses[leader] < WITNESSES
            first = 0 if leader == a or is_witness else terms
            state.witnesses[leader] += leader != a
            insert(fresh, scratch.keys, first, n, a)
            insert(index, scratch.keys, first, n, a)


def join_small_storylines(
    sketches: Sketches, order: np.ndarray, made: Assignments, rules: Rules, threads: int = 1
) -> tuple[Assignments, int]:
    """Return the assignments with the stories of each small storyline without dates joined; and how many articles that drops.

    Without dates a chapter cannot be told from a retelling. But a storyline of at most `MOST_STORIES` kept articles is more
    often one story, while one of many is an affair whose chapters must not be lost. Its articles are taken once more, among
    themselves, as at the level of storylines; what then joins is called a rewrite.
    """
    stories = np.bincount(
        made.storylines[made.leaders == np.arange(len(made.leaders))], minlength=len(made.leaders)
    )
    dated = np.zeros(len(made.leaders), bool)
    np.logical_or.at(dated, made.storylines, ~np.isnan(sketches.days))
    small = ((stories > 1) & (stories <= MOST_STORIES) & ~dated)[made.storylines]
    members = order[small[order]]
    if not len(members):
        return made, 0
    before = int((made.relations[members] != NONE).sum())
    by_storyline = rules._replace(by_storyline=True, joins=rules.allowed)
    again = assign(sketches, members, by_storyline, threads)
    again.relations[again.relations == FOLLOWUP] = REWRITE
    for field in ("leaders", "relations", "scores", "storylines", "bounded"):
        getattr(made, field)[members] = getattr(again, field)[members]
    made.verified[members] += again.verified[members]
    has_evidence = members[again.places[members] >= 0]
    made.places[members] = -1
    made.places[has_evidence] = len(made.evidence) + np.arange(len(has_evidence))
    evidence = np.concatenate([made.evidence, again.against(has_evidence)])
    return made._replace(evidence=evidence), int((made.relations[members] != NONE).sum()) - before


def placed(made: Assignments, order: np.ndarray, articles: int) -> Assignments:
    """Return assignments of articles by rank as such by position: `order` holds the position of each, of so many articles."""
    by_position = keep_all(articles)._replace(evidence=made.evidence)
    by_position.leaders[order] = order[made.leaders]
    by_position.storylines[order] = order[made.storylines]
    for field in ("relations", "scores", "places", "verified", "bounded"):
        getattr(by_position, field)[order] = getattr(made, field)
    return by_position
