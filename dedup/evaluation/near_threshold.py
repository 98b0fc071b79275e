"""A result and its sketches → the pairs nearest the threshold of the level's model, on both sides of it.

In: what a run found, and the sketches that it found it in. Out: positions of pairs with their log-odds. A result
holds the matches; pairs that just missed are looked for again: articles kept, `LOOKED_UP` of them at most, evenly
spread over the rank order, are looked up among those kept before them as in a run, and the best candidate of each
that falls short, by `REACH` at most, is taken: beside its neighbours, as the run saw it. So no article stands on the
lower side more than once as the later one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.matching.classifier import REWRITE, level_model, level_threshold, rules_of
from dedup.matching.pair_scoring import best_of_each, evidence_in_context, weighed_pairs
from dedup.pipeline.results import Result
from dedup.settings.settings import MODEL_OF
from dedup.sketches.sketch import Sketches

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
    """Those of the level's model, as they are compared with `level_threshold(rules_of(settings))`."""
    matched: bool
    """`other` is dropped as a rewrite or follow-up of `kept`; otherwise both are kept."""


def nearest_pairs(result: Result, sketches: Sketches, most: int) -> list[Nearby]:
    """Return the pairs nearest the threshold, nearest first: at most so many that match, and as many that do not."""
    least = level_threshold(rules_of(result.settings))
    both = (matched_pairs(result), missed_pairs(result, sketches))
    chosen = [pair for pairs in both for pair in sorted(pairs, key=lambda p: abs(p.log_odds - least))[:most]]
    return sorted(chosen, key=lambda pair: (abs(pair.log_odds - least), pair.other))


def matched_pairs(result: Result) -> list[Nearby]:
    """Return every rewrite and follow-up that was dropped, with the article kept."""
    made, model = result.assignments, level_model(result.settings)
    found = np.flatnonzero((made.relations >= REWRITE) & (result.repeats < 0))
    log_odds = model.log_odds(made.against(found))
    columns = (made.leaders[found].tolist(), found.tolist(), log_odds.tolist())
    return [Nearby(*pair, matched=True) for pair in zip(*columns, strict=True)]


def missed_pairs(result: Result, sketches: Sketches) -> list[Nearby]:
    """Return of each kept article that is looked up the best candidate that falls short."""
    least, order = level_threshold(rules_of(result.settings)), result.order
    kept = order[np.isin(order, result.kept_positions)]
    asked = np.zeros(len(sketches.texts), np.bool_)
    places = np.unique(np.linspace(0, max(len(kept) - 1, 0), LOOKED_UP).astype(np.int64))
    asked[kept[places[: len(kept)]]] = True
    parts = list(weighed_pairs(sketches, kept, result.settings, asked, REACH))
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *(found for found, _ in parts)])
    log_odds = np.concatenate([np.zeros(0), *(odds for _, odds in parts)])
    if MODEL_OF[result.settings.level] == "story":
        log_odds = weigh_in_context(result, sketches, pairs)
    short = np.flatnonzero((log_odds < least) & (log_odds >= least - REACH))
    best = short[best_of_each(pairs[short, 1], log_odds[short])]
    columns = (pairs[best, 0].tolist(), pairs[best, 1].tolist(), log_odds[best].tolist())
    missed = [Nearby(*pair, matched=False) for pair in zip(*columns, strict=True)]
    return sorted(missed, key=lambda pair: pair.other)


def weigh_in_context(result: Result, sketches: Sketches, pairs: np.ndarray) -> np.ndarray:
    """Return the log-odds that the level's model gives to pairs among the articles that a result keeps."""
    leaders = result.assignments.leaders
    evidence = evidence_in_context(sketches, result.order, pairs, result.settings, leaders)
    return level_model(result.settings).log_odds(evidence)
