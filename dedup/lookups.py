"""Articles in rank order → each one's candidates among those before it, and what the story model would say of them.

In: sketches in rank order, and settings. Out: positions of pairs, the article first that ranks first; and for such pairs their
relation and score. A run judges each candidate as it finds it, and keeps only what matches; whoever wants to know what it
passed over looks the articles up again, here.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from dedup.candidates import fill_candidates, keys_of, scratch_for
from dedup.clusters import rises
from dedup.evidence import desk, lay_open
from dedup.kernel import kernel
from dedup.matches import REWRITE, judged_on, rules_of
from dedup.postings import insert, postings_for
from dedup.settings import Settings

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
    """Yield (pairs, log-odds) of the candidate pairs that are for the story model to decide.

    They are neither copies nor fillings of one template, lie in the window, and at most `reach` below the threshold.
    """
    least = rules_of(settings).least_logit - reach
    for pairs in candidate_pairs(sketches, order, settings, asked=asked):
        relations, scores = verdicts(sketches, pairs, settings, least)
        yield pairs[relations == REWRITE], scores[relations == REWRITE]


def verdicts(
    sketches: Any, pairs: np.ndarray, settings: Settings, least: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return (relations, scores) of pairs, each judged as a candidate; the score of a rewrite is its log-odds.

    A rewrite needs `least` of them, whatever the settings say.
    """
    relations, scores = np.empty(len(pairs), np.int8), np.empty(len(pairs))
    fill_verdicts(sketches, pairs, rules_of(settings), least, desk(), relations, scores)
    return relations, scores


@kernel
def fill_verdicts(s, pairs, rules, least, desk, relations, scores):
    """Write the relation and the score of each pair; an article that stays the later one is laid open once."""
    opened = -1
    for k in range(len(pairs)):
        kept, other = pairs[k, 0], pairs[k, 1]
        if other != opened:
            lay_open(s, other, desk)
            opened = other
        relations[k], scores[k] = judged_on(s, kept, other, rules, least, True, desk)


def best_of_each(later: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """Return the places of the highest log-odds of each article, in the order of the articles' numbers.

    >>> best_of_each(np.array([7, 7, 2]), np.array([-1.0, 0.5, -3.0])).tolist()
    [2, 1]
    """
    order = np.lexsort((-log_odds, later))
    return order[np.diff(later[order], prepend=-1) != 0]
