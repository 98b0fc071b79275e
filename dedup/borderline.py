"""A result and its sketches → the pairs nearest the threshold of a rewrite, on both sides of it.

In: what a run found, and the sketches that it found it in. Out: positions of pairs with their log-odds. A result
holds the matches; pairs that just missed are looked for again: articles kept, `LOOKED_UP` of them at most, evenly
spread over the rank order, are looked up among those kept before them as in a run, and the best candidate of each
that falls short, by `REACH` at most, is taken. So no article stands on the lower side more than once as the later one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.candidates import fill_candidates, keys_of, scratch_for
from dedup.clusters import rises
from dedup.evidence import desk, lay_open
from dedup.kernel import kernel
from dedup.matches import REWRITE, judged_on, rules_of
from dedup.postings import insert, postings_for
from dedup.results import Result
from dedup.sketches import Sketches

LOOKED_UP = 20_000
"""So many kept articles are looked up again: about a second."""
REACH = 6.0
"""What lies further below the threshold (log-odds) than this is nobody's borderline."""


class Nearby(NamedTuple):
    """A pair near the threshold."""

    kept: int
    """The position of the one that ranks first, which is kept."""
    other: int
    log_odds: float
    """The story model's, as they are compared with `rules_of(settings).least_logit`."""
    matched: bool
    """`other` is dropped as a rewrite of `kept`; otherwise both are kept."""


def nearest_pairs(result: Result, sketches: Sketches, most: int) -> list[Nearby]:
    """Return the pairs nearest the threshold, nearest first: at most so many that match, and as many that do not."""
    least = rules_of(result.settings).least_logit
    both = (matched_pairs(result), missed_pairs(result, sketches))
    chosen = [pair for pairs in both for pair in sorted(pairs, key=lambda p: abs(p.log_odds - least))[:most]]
    return sorted(chosen, key=lambda pair: (abs(pair.log_odds - least), pair.other))


def matched_pairs(result: Result) -> list[Nearby]:
    """Return every rewrite that was dropped, with the article kept."""
    made, rules = result.assignments, rules_of(result.settings)
    found = np.flatnonzero((made.relations == REWRITE) & (result.repeats < 0))
    log_odds = made.against(found).astype(np.float64) @ rules.coefficients + rules.intercept
    columns = (made.leaders[found].tolist(), found.tolist(), log_odds.tolist())
    return [Nearby(*pair, matched=True) for pair in zip(*columns, strict=True)]


def missed_pairs(result: Result, sketches: Sketches) -> list[Nearby]:
    """Return of each kept article that is looked up the best candidate that falls short."""
    rules, order = rules_of(result.settings), result.order
    kept = order[np.isin(order, result.kept_positions)]
    asked = np.zeros(len(sketches.texts), np.bool_)
    places = np.unique(np.linspace(0, max(len(kept) - 1, 0), LOOKED_UP).astype(np.int64))
    asked[kept[places[: len(kept)]]] = True
    keys = sketches.salient.shape[1] + sketches.bands.shape[1]
    others, log_odds = best_missed(
        sketches,
        kept,
        asked,
        rules,
        rises(sketches.days[kept]),
        postings_for(len(kept), keys),
        scratch_for(len(asked), keys),
        desk(),
    )
    found = np.flatnonzero(others >= 0)
    columns = (others[found].tolist(), found.tolist(), log_odds[found].tolist())
    return [Nearby(*pair, matched=False) for pair in zip(*columns, strict=True)]


@kernel
def best_missed(s, kept, asked, rules, in_order, index, scratch, desk):
    """Return for each position the kept article before it that comes nearest to a rewrite and is none (-1), and its log-odds."""
    best = np.full(len(asked), -1, np.int64)
    log_odds = np.full(len(asked), -np.inf)
    for a in kept:
        if s.lengths[a] < rules.min_words:
            continue
        terms, n = keys_of(s, a, scratch.keys)
        if asked[a]:
            m, _, _ = fill_candidates(index, s.days, terms, n, s.days[a], rules, in_order, scratch)
            if m:
                lay_open(s, a, desk)
            for k in range(min(m, rules.max_candidates)):
                other = scratch.found[k]
                relation, score = judged_on(s, other, a, rules, rules.least_logit - REACH, True, desk)
                if relation == REWRITE and log_odds[a] < score < rules.least_logit:
                    best[a], log_odds[a] = other, score
        insert(index, scratch.keys, 0, n, a)
    return best, log_odds
