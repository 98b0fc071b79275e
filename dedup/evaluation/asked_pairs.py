"""Sketches → the pairs about which a run would ask the story model.

In: sketches in rank order, and settings. Out: positions of pairs that come up as candidates, lie in the window, and are
neither copies nor fillings of one template: what the model is there to decide. All articles are candidates here, not
only those kept, so that the pairs do not depend on a clustering.
"""

from typing import Any

import numpy as np

from dedup.matching.pair_scoring import weigh_pairs, weighed_pairs
from dedup.settings.settings import Settings

REACH = 8.0
"""A pair further below the threshold (log-odds) than this is hopeless: it teaches nothing."""


def asked_pairs(sketches: Any, order: np.ndarray, settings: Settings, most: int) -> np.ndarray:
    """Return pairs (n × 2, int64), the article first that ranks first; of more than `most` an even sample.

    Then only every second, third … article is looked up, all along the rank order.
    """
    step = 1
    while True:
        asked = np.zeros(len(sketches.texts), np.bool_)
        asked[order[::step]] = True
        pairs, found = first_asked(sketches, order, asked, settings, most)
        if found <= most:
            return pairs
        step += 1 + found // most


def first_asked(
    sketches: Any, order: np.ndarray, asked: np.ndarray, settings: Settings, most: int
) -> tuple[np.ndarray, int]:
    """Return the first pairs of the articles that are looked up, `most` or some more, and how many there are in all."""
    parts, found = [np.zeros((0, 2), np.int64)], 0
    for pairs, _ in weighed_pairs(sketches, order, settings, asked, REACH):
        parts += [pairs] if found <= most else []
        found += len(pairs)
    return np.concatenate(parts), found


def asks(sketches: Any, pairs: np.ndarray, settings: Settings) -> np.ndarray:
    """Return for each pair (n × 2, the kept article first) whether a run would ask the model, were it a candidate."""
    return weigh_pairs(sketches, pairs, settings) > -np.inf
