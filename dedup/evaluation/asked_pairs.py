"""Sketches → the pairs about which a run would ask the story model.

In: sketches in rank order, and settings. Out: positions of pairs that come up as candidates, lie in the window, and are
neither copies nor fillings of one template: what the model is there to decide. All articles are candidates here, not
only those kept, so that the pairs do not depend on a clustering.
"""

from typing import Any

import numpy as np

from dedup.matching.pair_scoring import iter_scored_pairs, score_pairs
from dedup.settings.settings import Settings

MAX_MODEL_SHORTFALL = 8.0
"""A pair further below the threshold (log-odds) than this is hopeless: it teaches nothing."""


def select_model_pairs(sketches: Any, order: np.ndarray, settings: Settings, limit: int) -> np.ndarray:
    """Return pairs (n × 2, int64), the article first that ranks first; of more than `most` an even sample.

    Then only every second, third … article is looked up, all along the rank order.
    """
    step = 1
    while True:
        asked = np.zeros(len(sketches.text_hashes), np.bool_)
        asked[order[::step]] = True
        pairs, found = collect_model_pairs(sketches, order, asked, settings, limit)
        if found <= limit:
            return pairs
        step += 1 + found // limit


def collect_model_pairs(
    sketches: Any, order: np.ndarray, lookup_mask: np.ndarray, settings: Settings, limit: int
) -> tuple[np.ndarray, int]:
    """Return the first pairs of the articles that are looked up, `most` or some more, and how many there are in all."""
    parts, found = [np.zeros((0, 2), np.int64)], 0
    for pairs, _ in iter_scored_pairs(sketches, order, settings, lookup_mask, MAX_MODEL_SHORTFALL):
        parts += [pairs] if found <= limit else []
        found += len(pairs)
    return np.concatenate(parts), found


def is_decided_by_model(sketches: Any, pairs: np.ndarray, settings: Settings) -> np.ndarray:
    """Return for each pair (n × 2, the kept article first) whether a run would ask the model, were it a candidate."""
    return score_pairs(sketches, pairs, settings) > -np.inf
