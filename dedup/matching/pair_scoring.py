"""Articles in rank order → each one's candidates among those before it, and what the story model would say of them.

In: sketches in rank order, and settings. Out: positions of pairs, the article first that ranks first; and for such pairs their
relation and score. A run judges each candidate as it finds it, and keeps only what matches; whoever wants to know what it
passed over looks the articles up again, here.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from dedup.jit import kernel
from dedup.matching.candidates import fill_candidates, keys_of, scratch_for
from dedup.matching.classifier import (
    add_context_odds,
    add_storyline_odds,
    classify_pair,
    level_threshold,
    rules_of,
)
from dedup.matching.clustering import (
    ClusteringState,
    compare,
    fill_context,
    find_neighbours,
    keep_all,
    make_comparisons,
    rises,
)
from dedup.matching.evidence import COUNT, desk, fill_context_evidence, fill_pair_evidence, lay_open
from dedup.matching.inverted_index import insert, postings_for
from dedup.settings.settings import Settings

AT_ONCE = 1 << 16
"""So many pairs are handed out at once: a megabyte."""


def candidate_pairs(
    sketches: Any, order: np.ndarray, settings: Settings, *, asked: np.ndarray | None = None, most: int = 0
) -> Iterator[np.ndarray]:
    """Yield the candidates of articles among those before them in `order`: pairs (n × 2, int64), most shared first.

    Only articles that are `asked` for (a mask over all positions) are looked up. Each has at most so many candidates: the
    settings' `max_candidates`, where `most` is 0.
    """
    rules, articles = rules_of(settings), len(sketches.texts)
    each = sketches.salient.shape[1] + sketches.bands.shape[1]
    asked = np.ones(articles, np.bool_) if asked is None else asked
    most = min(most or rules.max_candidates, max(articles, 1))
    index, scratch = postings_for(len(order), each), scratch_for(articles, each)
    in_order, room = rises(sketches.days[order]), np.empty((max(AT_ONCE, most), 2), np.int64)
    done = 0
    while done < len(order):
        done, found = fill_pairs(sketches, order, done, asked, rules, in_order, most, index, scratch, room)
        yield room[:found].copy()


@kernel
def fill_pairs(s, order, start, asked, rules, in_order, most, index, scratch, pairs):
    """Write candidate pairs of the articles from `order[start]` on; return (where to go on, how many pairs)."""
    found = 0
    for place in range(start, len(order)):
        if found + most > len(pairs):
            return place, found
        a = order[place]
        if s.lengths[a] < rules.min_words:
            continue
        terms, n = keys_of(s, a, scratch.keys)
        if asked[a]:
            m, _, _ = fill_candidates(index, s.days, terms, n, s.days[a], rules, in_order, scratch)
            for k in range(min(m, most)):
                pairs[found, 0], pairs[found, 1] = scratch.found[k], a
                found += 1
        insert(index, scratch.keys, 0, n, a)
    return len(order), found


def weighed_pairs(
    sketches: Any, order: np.ndarray, settings: Settings, asked: np.ndarray, reach: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (pairs, log-odds) of the candidate pairs that are for the model of the level to decide.

    They are neither copies nor fillings of one template, lie in the window, and at most `reach` below the threshold. No other
    article of the affair is looked at.
    """
    least = level_threshold(rules_of(settings)) - reach
    for pairs in candidate_pairs(sketches, order, settings, asked=asked):
        odds = weigh_pairs(sketches, pairs, settings)
        yield pairs[odds >= least], odds[odds >= least]


def weigh_pairs(sketches: Any, pairs: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the log-odds (float64) that the model of the level gives to pairs (n × 2, the kept article first), however low.

    -inf where it is not for a model to decide: copies, fillings of one template, articles too short or too far apart in time.
    """
    odds = np.empty(len(pairs))
    fill_odds(sketches, pairs, rules_of(settings), desk(), odds)
    return odds


@kernel
def fill_odds(s, pairs, rules, desk, odds):
    """Write the log-odds of each pair; an article that stays the later one is laid open once."""
    opened = -1
    for k in range(len(pairs)):
        kept, other = pairs[k, 0], pairs[k, 1]
        if other != opened:
            lay_open(s, other, desk)
            opened = other
        _, _, story, storyline = classify_pair(s, kept, other, rules, -np.inf, True, desk)
        if rules.by_storyline:
            odds[k] = storyline
            continue
        if story > -np.inf:
            fill_context_evidence(s, other, kept, s.term_offsets, 0, 0, 0, desk)
            story += add_context_odds(desk.row, rules)
        odds[k] = story


def evidence_in_context(
    sketches: Any, order: np.ndarray, pairs: np.ndarray, settings: Settings, leaders: np.ndarray | None = None
) -> np.ndarray:
    """Return the evidence (pairs × columns, float32) of pairs (n × 2, the earlier in rank order first) among all of `order`.

    The neighbours of the later article are those articles before it that are kept by `leaders` (all, where it is None), as in
    a run that finds them.
    """
    rules, articles = rules_of(settings), len(sketches.texts)
    each = sketches.salient.shape[1] + sketches.bands.shape[1]
    made = keep_all(articles)
    if leaders is not None:
        made.leaders[:] = leaders
    ranks = np.full(articles, len(order), np.int64)  # what is given twice is not in the order, and comes last
    ranks[order] = np.arange(len(order))
    state = ClusteringState(made, np.zeros((1, COUNT), np.float32), ranks, np.zeros(articles, np.int32))
    by_rank = np.argsort(ranks[pairs[:, 1]], kind="stable")
    found = np.zeros((len(pairs), COUNT), np.float32)
    fill_evidence_in_context(
        sketches,
        order,
        pairs[by_rank],
        rules,
        rises(sketches.days[order]),
        state,
        make_comparisons(1),
        postings_for(len(order), each),
        scratch_for(articles, each),
        desk(),
        found,
    )
    evidence = np.empty_like(found)
    evidence[by_rank] = found
    return evidence


@kernel
def fill_evidence_in_context(s, order, pairs, rules, in_order, state, found, index, scratch, desk, out):
    """Write the evidence of pairs, which come by the rank of their second article, among the articles of `order`."""
    k = 0
    for a in order:
        if k == len(pairs):
            return
        if pairs[k, 1] == a:
            found.counts[0] = 0
            _, n = compare(s, rules, index, in_order, state.made, found, 0, a, scratch, desk)
            neighbours = find_neighbours(rules, state, found, 0, scratch.neighbours)
            lay_open(s, a, desk)
        else:
            _, n = keys_of(s, a, scratch.keys)
        while k < len(pairs) and pairs[k, 1] == a:
            other = pairs[k, 0]
            fill_pair_evidence(s, a, other, desk)
            odds = add_storyline_odds(desk.row, rules)
            fill_context(s, rules, state, found, 0, a, other, odds, scratch.neighbours, neighbours, desk)
            out[k] = desk.row
            k += 1
        if state.made.leaders[a] == a:
            insert(index, scratch.keys, 0, n, a)


def best_of_each(later: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """Return the places of the highest log-odds of each article, in the order of the articles' numbers.

    >>> best_of_each(np.array([7, 7, 2]), np.array([-1.0, 0.5, -3.0])).tolist()
    [2, 1]
    """
    order = np.lexsort((-log_odds, later))
    return order[np.diff(later[order], prepend=-1) != 0]
