"""Sketches → the pairs about which a run would ask the story model.

In: sketches in rank order, and settings. Out: positions of pairs that come up as candidates, lie in the window, and are
neither copies nor fillings of one template: what the model is there to decide. All articles are candidates here, not
only those kept, so that the pairs do not depend on a clustering.
"""

from typing import Any

import numpy as np

from dedup.candidates import fill_candidates, keys_of, scratch_for
from dedup.clusters import rises
from dedup.evidence import desk, lay_open
from dedup.kernel import kernel
from dedup.matches import REWRITE, judged_on, rules_of
from dedup.postings import insert, postings_for
from dedup.settings import Settings

REACH = 8.0
"""A pair further below the threshold (log-odds) than this is hopeless: it teaches nothing."""


def asked_pairs(sketches: Any, order: np.ndarray, settings: Settings, most: int) -> np.ndarray:
    """Return pairs (n × 2, int64), the article first that ranks first; of more than `most` an even sample.

    Then only every second, third … article is looked up, all along the rank order.
    """
    rules, keys = rules_of(settings), sketches.salient.shape[1] + settings.bands
    step = 1
    while True:
        asked = np.zeros(len(sketches.texts), np.bool_)
        asked[order[::step]] = True
        pairs, found = fill_pairs(
            sketches,
            order,
            asked,
            rules,
            rises(sketches.days[order]),
            postings_for(len(order), keys),
            scratch_for(len(asked), keys),
            desk(),
            np.empty((most, 2), np.int64),
        )
        if found <= most:
            return pairs[:found]
        step += 1 + found // most


def asks(sketches: Any, pairs: np.ndarray, settings: Settings) -> np.ndarray:
    """Return for each pair (n × 2, the kept article first) whether a run would ask the model, were it a candidate."""
    rules, used, out = rules_of(settings), desk(), np.zeros(len(pairs), np.bool_)
    for k, (kept, other) in enumerate(pairs.tolist()):
        lay_open(sketches, other, used)
        out[k] = judged_on(sketches, kept, other, rules, -np.inf, True, used)[0] == REWRITE
    return out


@kernel
def fill_pairs(s, order, asked, rules, in_order, index, scratch, desk, pairs):
    """Write the pairs of the articles that are asked for; return them and how many there are, which may be more than fit."""
    found = 0
    for a in order:
        if s.lengths[a] < rules.min_words:
            continue
        terms, n = keys_of(s, a, scratch.keys)
        if asked[a]:
            m, _, _ = fill_candidates(index, s.days, terms, n, s.days[a], rules, in_order, scratch)
            if m:
                lay_open(s, a, desk)
            for k in range(min(m, rules.max_candidates)):
                other = scratch.found[k]
                relation, _ = judged_on(s, other, a, rules, rules.least_logit - REACH, True, desk)
                if relation == REWRITE:
                    if found < len(pairs):
                        pairs[found, 0], pairs[found, 1] = other, a
                    found += 1
        insert(index, scratch.keys, 0, n, a)
    return pairs, found
