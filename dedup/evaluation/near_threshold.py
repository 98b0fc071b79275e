"""A result and its sketches → the pairs nearest the threshold of the level's model, on both sides of it.

In: what a run found, and the sketches that it found it in. Out: positions of pairs with their log-odds. A result
holds the matches; pairs that just missed are looked for again: articles kept, `MAX_LOOKUPS` of them at most, evenly
spread over the rank order, are looked up among those kept before them as in a run, and the best candidate of each
that falls short, by `MAX_SHORTFALL` at most, is taken: beside its neighbours, as the run saw it. So no article stands on the
lower side more than once as the later one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.matching.classifier import REWRITE, choose_level_model, get_level_threshold, make_match_params
from dedup.matching.pair_scoring import compute_evidence_in_context, find_best_per_article, iter_scored_pairs
from dedup.pipeline.results import Result
from dedup.settings.settings import LEVEL_MODELS
from dedup.sketches.sketch import Sketches

MAX_LOOKUPS = 20_000
"""So many kept articles are looked up again: about a second."""
MAX_SHORTFALL = 6.0
"""What lies further below the threshold (log-odds) than this is nobody's borderline."""


class NearThresholdPair(NamedTuple):
    """A pair near the threshold."""

    kept: int
    """The position of the one that ranks first, which is kept."""
    other: int
    log_odds: float
    """Those of the level's model, as they are compared with `level_threshold(rules_of(settings))`."""
    matched: bool
    """`other` is dropped as a rewrite or follow-up of `kept`; otherwise both are kept."""


def find_nearest_pairs(result: Result, sketches: Sketches, limit: int) -> list[NearThresholdPair]:
    """Return the pairs nearest the threshold, nearest first: at most so many that match, and as many that do not."""
    least = get_level_threshold(make_match_params(result.settings))
    both = (list_matched_pairs(result), find_missed_pairs(result, sketches))
    chosen = [pair for pairs in both for pair in sorted(pairs, key=lambda p: abs(p.log_odds - least))[:limit]]
    return sorted(chosen, key=lambda pair: (abs(pair.log_odds - least), pair.other))


def list_matched_pairs(result: Result) -> list[NearThresholdPair]:
    """Return every rewrite and follow-up that was dropped, with the article kept."""
    made, model = result.assignments, choose_level_model(result.settings)
    found = np.flatnonzero((made.relations >= REWRITE) & (result.duplicate_of_input < 0))
    log_odds = model.compute_log_odds(made.get_evidence_rows(found))
    columns = (made.leaders[found].tolist(), found.tolist(), log_odds.tolist())
    return [NearThresholdPair(*pair, matched=True) for pair in zip(*columns, strict=True)]


def find_missed_pairs(result: Result, sketches: Sketches) -> list[NearThresholdPair]:
    """Return of each kept article that is looked up the best candidate that falls short."""
    least, order = get_level_threshold(make_match_params(result.settings)), result.order
    kept = order[np.isin(order, result.kept_positions)]
    asked = np.zeros(len(sketches.text_hashes), np.bool_)
    places = np.unique(np.linspace(0, max(len(kept) - 1, 0), MAX_LOOKUPS).astype(np.int64))
    asked[kept[places[: len(kept)]]] = True
    parts = list(iter_scored_pairs(sketches, kept, result.settings, asked, MAX_SHORTFALL))
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *(found for found, _ in parts)])
    log_odds = np.concatenate([np.zeros(0), *(odds for _, odds in parts)])
    if LEVEL_MODELS[result.settings.level] == "story":
        log_odds = compute_context_log_odds(result, sketches, pairs)
    short = np.flatnonzero((log_odds < least) & (log_odds >= least - MAX_SHORTFALL))
    best = short[find_best_per_article(pairs[short, 1], log_odds[short])]
    columns = (pairs[best, 0].tolist(), pairs[best, 1].tolist(), log_odds[best].tolist())
    missed = [NearThresholdPair(*pair, matched=False) for pair in zip(*columns, strict=True)]
    return sorted(missed, key=lambda pair: pair.other)


def compute_context_log_odds(result: Result, sketches: Sketches, pairs: np.ndarray) -> np.ndarray:
    """Return the log-odds that the level's model gives to pairs among the articles that a result keeps."""
    leaders = result.assignments.leaders
    evidence = compute_evidence_in_context(sketches, result.order, pairs, result.settings, leaders)
    return choose_level_model(result.settings).compute_log_odds(evidence)
