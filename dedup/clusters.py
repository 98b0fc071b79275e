"""Sketches in rank order → clusters: each article joins the kept article that it matches best, or is kept itself.

In: sketches and the order in which they come. Out: for each article the article that it repeats (itself if it is kept),
the relation, the score and the evidence. Leader clustering (Hartigan, *Clustering Algorithms*, 1975, ch. 3): every drop is
justified by a match with a *kept* article (law 4), which connected components cannot promise, and what was kept keeps
itself in a second run (law 3), for a match that is strong enough alone always joins. Rewrites that were dropped are
witnesses: an article that matches one of them needs less of a match with the kept article, after the single and the average
link of hierarchical clustering (docs/decisions/0004-witnesses.md).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from dedup.candidates import fill_candidates, keys_of, reach_of, scratch_for
from dedup.evidence import COUNT, desk, lay_open
from dedup.kernel import leaf
from dedup.matches import NONE, REWRITE, Rules, judged_on, probability
from dedup.postings import empty, insert, postings_for, room_at_first, with_room
from dedup.sketches import Sketches

STORY, TIE, TEXT = 0, 1, 2
"""What speaks for a kept article, least to most: the story alone; the story, and the text of one that repeats it already;
the text. Two copies of one text thus go to the same place, even when either of two kept articles would do, or when one
alone would just miss it."""
WITNESSES = 4
"""So many rewrites of a kept article are looked up beside it, the first in rank order; of more only the bands."""
WORTH_A_THREAD = 32
"""Fewer articles are looked up sooner than a thread is started."""
CHUNK = 512
"""Articles that are looked up at once."""


class Assignments(NamedTuple):
    """What became of each article, and how much work it took."""

    leaders: np.ndarray
    """n, int64: the position of the kept article that it repeats; its own if it is kept."""
    relations: np.ndarray
    """n, int8: position in `RELATIONS`; `NONE` if it is kept."""
    scores: np.ndarray
    """n, float64."""
    evidence: np.ndarray
    """Dropped × columns, float32: of each match, in the order in which they were made."""
    places: np.ndarray
    """n, int32: where in `evidence` that of its match stands; -1 if it is kept."""
    verified: np.ndarray
    """n, int32: candidates that were verified."""
    bounded: np.ndarray
    """n, int8: 1 where a bound on the work was reached."""

    def against(self, positions: Any) -> np.ndarray:
        """Return the evidence against the articles at some positions (or one position), which must have been dropped."""
        return self.evidence[self.places[positions]]


class Best(NamedTuple):
    """The best match found so far for each article, and what speaks for it; arrays by position."""

    made: Assignments
    rows: np.ndarray
    """`CHUNK` × columns, float32: the evidence of each article of the chunk, by rank modulo `CHUNK`."""
    strengths: np.ndarray
    """n, int8: `STORY`, `TIE` or `TEXT`; -1 for no match."""
    ties: np.ndarray
    """n, float64: what decides between matches of one strength."""
    ranks: np.ndarray
    """n, int64: the place of each article in rank order, which decides between equals."""
    witnesses: np.ndarray
    """n, int32: how many witnesses a kept article has."""


class Settled(NamedTuple):
    """The first m of some sketches, whose place was found before: in the order in which they came."""

    leaders: np.ndarray
    """m, int64: the position, among them, of the kept article that each repeats as a rewrite; its own if it is kept."""
    full: np.ndarray
    """m, bool: found by its terms too, and not by its bands alone."""
    witnesses: np.ndarray
    """m, int32: how many rewrites of a kept article there are, be they among these or not."""


NOTHING_SETTLED = Settled(np.zeros(0, np.int64), np.zeros(0, bool), np.zeros(0, np.int32))


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

    A chunk of articles is first looked up, by all threads at once, among those kept before the chunk; then, one after the
    other, among those of the chunk itself. So the result is that of one by one, whatever the number of threads, as long as no
    bound on the work is reached (`bounded`): bounds are counted per lookup, and so depend on where a chunk begins. `rest` is
    called after each chunk.
    """
    threads = min(threads, 1 + len(order) // WORTH_A_THREAD)
    articles, keys_each = len(sketches.texts), (sketches.salient.shape[1], sketches.bands.shape[1])
    each, known = sum(keys_each), len(settled.leaders)
    best = nothing_found(articles, order, settled)
    in_order = rises(np.concatenate([sketches.days[:known], sketches.days[order]]))
    reach = reach_of(sketches, order, rules, in_order=in_order)
    fresh = postings_for(min(CHUNK, len(order)), each)
    index = room_at_first(sketches.days[order], reach, keys_each, CHUNK, known)
    recall(sketches, index, settled.full, np.empty(each, np.uint64))
    drops: list[np.ndarray] = []
    evidence: list[np.ndarray] = []
    scratch, desks = [scratch_for(articles, each) for _ in range(threads)], [desk() for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(order), CHUNK):
            chunk = order[start : start + CHUNK]
            index = with_room(index, len(chunk) * each, sketches.days[chunk[0]], reach)
            look = partial(look_up, sketches, rules, index, in_order, best)
            shares = [np.ascontiguousarray(chunk[thread::threads]) for thread in range(threads)]
            list((pool.map if threads > 1 else map)(look, shares, scratch, desks))
            settle(sketches, rules, index, in_order, best, chunk, scratch[0], desks[0], fresh)
            dropped = chunk[best.made.relations[chunk] != NONE]
            drops.append(dropped)
            evidence.append(best.rows[best.ranks[dropped] % len(best.rows)])
            rest()
    return with_evidence(best.made, drops, evidence)


def with_evidence(made: Assignments, drops: list[np.ndarray], evidence: list[np.ndarray]) -> Assignments:
    """Return the assignments with the evidence against those dropped in each chunk."""
    dropped = np.concatenate([*drops, np.zeros(0, np.int64)])
    made.places[dropped] = np.arange(len(dropped))
    return made._replace(evidence=np.concatenate([*evidence, made.evidence]))


def nothing_found(articles: int, order: np.ndarray, settled: Settled) -> Best:
    """Return the state before the first article: each is kept until a match is found, but for those that are settled."""
    ranks, witnesses = np.zeros(articles, np.int64), np.zeros(articles, np.int32)
    known = len(settled.leaders)
    ranks[:known] = np.arange(known)
    ranks[order] = known + np.arange(len(order))
    witnesses[:known] = settled.witnesses
    made = all_kept(articles)
    made.leaders[:known] = settled.leaders
    made.relations[:known] = np.where(settled.leaders == np.arange(known), NONE, REWRITE)
    return Best(
        made,
        rows=np.zeros((CHUNK, COUNT), np.float32),
        strengths=np.full(articles, -1, np.int8),
        ties=np.zeros(articles),
        ranks=ranks,
        witnesses=witnesses,
    )


def all_kept(articles: int) -> Assignments:
    """Return the assignments of so many articles that repeat nothing."""
    return Assignments(
        leaders=np.arange(articles),
        relations=np.full(articles, NONE, np.int8),
        scores=np.zeros(articles),
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
def consider(s, rules, index, in_order, best, a, scratch, desk):
    """Match article `a` with what `index` holds and keep the best match; return (terms, keys) of `a`, left in the scratch."""
    terms, n = keys_of(s, a, scratch.keys)
    m, banded, bounded = fill_candidates(index, s.days, terms, n, s.days[a], rules, in_order, scratch)
    found = scratch.found
    best.made.bounded[a] |= bounded
    kept, dropped = 0, 0
    if m:
        lay_open(s, a, desk)
    for k in range(m):
        member, leader = found[k], best.made.leaders[found[k]]
        tie, support = 0.0, -np.inf
        kept += leader == member
        dropped += leader != member
        if (kept if leader == member else dropped) > rules.max_candidates:
            best.made.bounded[a] = 1
            continue
        best.made.verified[a] += 1
        if leader != member:
            relation, score = judged_on(s, member, a, rules, rules.least_logit, k < banded, desk)
            if relation == NONE:
                continue
            if relation == REWRITE:
                support = score
            else:
                tie = score
        least = rules.least_logit if leader == member else rules.witnessed_logit
        relation, score = judged_on(s, leader, a, rules, least, k < banded, desk)
        if relation == NONE:
            continue
        if relation != REWRITE:
            strength, decisive = TEXT, score
        elif tie > 0.0:
            strength, decisive = TIE, tie
        else:
            strength, decisive = STORY, max(score, (score + support) / 2)
            if decisive < rules.least_logit:
                continue
        before = best.strengths[a], best.ties[a], -best.ranks[best.made.leaders[a]]
        if (strength, decisive, -best.ranks[leader]) > before:
            best.strengths[a], best.ties[a] = strength, decisive
            best.made.leaders[a], best.made.relations[a] = leader, relation
            best.made.scores[a] = probability(score) if relation == REWRITE else score
            for column in range(COUNT):
                best.rows[best.ranks[a] % len(best.rows), column] = desk.row[column]
    return terms, n


@leaf
def recall(s, index, full, keys):
    """Index the articles that are settled, each by its bands, and by its terms too if it is `full`."""
    for a in range(len(full)):
        terms, n = keys_of(s, a, keys)
        insert(index, keys, 0 if full[a] else terms, n, a)


@leaf
def look_up(s, rules, index, in_order, best, share, scratch, desk):
    """Find the best match of each article of a thread's share of a chunk among those kept before the chunk."""
    for a in share:
        if s.lengths[a] >= rules.min_words:
            consider(s, rules, index, in_order, best, a, scratch, desk)


@leaf
def settle(s, rules, index, in_order, best, chunk, scratch, desk, fresh):
    """Match the articles of a chunk with each other, in order, by an index of its own, and index those that are kept.

    A dropped rewrite is a witness, if its kept article has not enough of them; else only its bands are indexed, so that
    copies of it can go where it went.
    """
    empty(fresh)
    for a in chunk:
        if s.lengths[a] < rules.min_words:
            continue
        terms, n = consider(s, rules, fresh, in_order, best, a, scratch, desk)
        if best.made.relations[a] in (NONE, REWRITE):
            leader = best.made.leaders[a]
            first = 0 if leader == a or best.witnesses[leader] < WITNESSES else terms
            best.witnesses[leader] += leader != a
            insert(fresh, scratch.keys, first, n, a)
            insert(index, scratch.keys, first, n, a)


def placed(made: Assignments, order: np.ndarray, articles: int) -> Assignments:
    """Return assignments of articles by rank as such by position: `order` holds the position of each, of so many articles."""
    by_position = all_kept(articles)._replace(evidence=made.evidence)
    by_position.leaders[order] = order[made.leaders]
    for field in ("relations", "scores", "places", "verified", "bounded"):
        getattr(by_position, field)[order] = getattr(made, field)
    return by_position
