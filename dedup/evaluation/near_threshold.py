"""Find the pairs nearest the threshold of the level's model, on both sides of it.

A result holds the pairs that match. To find the nearest misses, each kept article is looked up again among those
kept before it, as in a run, and its best candidate is taken. So each article is the later one of at
most one miss. The number of lookups is bounded. If the sketches of a run are available, the articles are an
even sample along the rank order. Otherwise only the last articles are sketched again, because an article
finds its match among those before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.matching.classifier import REWRITE
from dedup.matching.digests import has_digest
from dedup.matching.match_params import get_level_threshold, make_match_params
from dedup.matching.models import choose_level_model
from dedup.matching.pair_scoring import (
    compute_evidence_in_context,
    find_best_per_article,
    iter_candidate_pairs,
    iter_model_pairs,
)
from dedup.pipeline.deduplicate import iter_sketched_batches, make_empty_sketches
from dedup.pipeline.results import Result
from dedup.settings.settings import LEVEL_MODELS, Settings
from dedup.sketches.sketch import Sketches, concat_sketches

__all__ = [
    "MAX_LOOKUPS",
    "MAX_SHORTFALL",
    "NearMisses",
    "NearThresholdPair",
    "compute_context_log_odds",
    "find_missed_pairs",
    "find_near_misses",
    "find_nearest_pairs",
    "list_matched_pairs",
    "order_by_rank",
]

MAX_LOOKUPS = 20_000
"""The most kept articles that are looked up again: a second of work, or four seconds and 150 MB if they are sketched again."""
MAX_SHORTFALL = 6.0
"""Log-odds; a pair that is further below the threshold is not near it."""
MAX_WEIGHED_CANDIDATES = 16
"""The most candidates of an article that are scored if it is sketched again: those that share most keys."""


class NearThresholdPair(NamedTuple):
    """A pair near the threshold."""

    kept: int
    """The position of the article that ranks first, which is kept."""
    other: int
    log_odds: float
    """Log-odds of the level's model, to compare with `get_level_threshold`."""
    matched: bool
    """Whether `other` is dropped as a rewrite or follow-up of `kept`; otherwise both are kept."""


class NearMisses(NamedTuple):
    """The best candidate of each kept article that has one, with any reason for keeping both; arrays of equal length."""

    articles_searched: int
    """The number of kept articles that were looked up."""
    first: np.ndarray
    """int64: the position of the candidate, which ranks before the other."""
    later: np.ndarray
    """int64: the position of the article that was looked up."""
    evidence: np.ndarray
    """pairs × columns, float32: the evidence for the later article."""
    log_odds: np.ndarray
    """float64: log-odds of the level's model."""
    words: np.ndarray
    """int32: words in the shorter of the two."""
    days: np.ndarray
    """float64: days between them; NaN if either is undated."""
    has_digest: np.ndarray
    """bool: whether the longer one, if it holds the text of the other, tells other stories as well."""


def find_nearest_pairs(result: Result, sketches: Sketches, limit: int) -> list[NearThresholdPair]:
    """Return at most `limit` matching pairs and `limit` other pairs, nearest the threshold first."""
    threshold = get_level_threshold(make_match_params(result.settings))
    sides = (list_matched_pairs(result), find_missed_pairs(result, sketches))
    nearest = [p for side in sides for p in sorted(side, key=lambda p: abs(p.log_odds - threshold))[:limit]]
    return sorted(nearest, key=lambda pair: (abs(pair.log_odds - threshold), pair.other))


def list_matched_pairs(result: Result) -> list[NearThresholdPair]:
    """Return every dropped rewrite and follow-up with its kept article."""
    assignments, model = result.assignments, choose_level_model(result.settings)
    dropped = np.flatnonzero((assignments.relations >= REWRITE) & (result.duplicate_of_input < 0))
    log_odds = model.compute_log_odds(assignments.get_evidence_rows(dropped))
    return make_pairs(assignments.leaders[dropped], dropped, log_odds, matched=True)


def find_missed_pairs(result: Result, sketches: Sketches) -> list[NearThresholdPair]:
    """Return, for each kept article, its best candidate among those that only the model rejects.

    Only candidates with a score at most `MAX_SHORTFALL` below the threshold count.
    """
    settings, kept = result.settings, list_kept_in_order(result)
    threshold = get_level_threshold(make_match_params(settings))
    lookup_mask = np.zeros(len(sketches.text_hashes), np.bool_)
    sample = np.unique(np.linspace(0, max(len(kept) - 1, 0), MAX_LOOKUPS).astype(np.int64))
    lookup_mask[kept[sample[: len(kept)]]] = True
    parts = list(iter_model_pairs(sketches, kept, settings, lookup_mask, MAX_SHORTFALL))
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *(pairs for pairs, _ in parts)])
    log_odds = np.concatenate([np.zeros(0), *(odds for _, odds in parts)])
    if LEVEL_MODELS[settings.level] == "story":
        log_odds = compute_context_log_odds(result, sketches, pairs)
    short = np.flatnonzero((log_odds < threshold) & (log_odds >= threshold - MAX_SHORTFALL))
    best = short[find_best_per_article(pairs[short, 1], log_odds[short])]
    kept_, other = pairs[best].T
    return make_pairs(kept_, other, log_odds[best], matched=False)


def find_near_misses(batches: Iterable[pa.RecordBatch], result: Result) -> NearMisses:
    """Return the best candidate of each of the last kept articles; `batches` are the corpus of the result."""
    settings, kept = result.settings, list_kept_in_order(result)[-MAX_LOOKUPS:]
    selected = np.zeros(len(result.ids), bool)
    selected[kept] = True
    sketches = sketch_selected(batches, selected, settings)
    order = (np.cumsum(selected) - 1)[kept]  # rows of the sketches instead of positions in the corpus
    parts = iter_candidate_pairs(sketches, order, settings, max_candidates=MAX_WEIGHED_CANDIDATES)
    pairs = np.concatenate([np.zeros((0, 2), np.int64), *parts])
    evidence = compute_evidence_in_context(sketches, order, pairs, settings)
    log_odds = choose_level_model(settings).compute_log_odds(evidence)
    best = find_best_per_article(pairs[:, 1], log_odds)
    first, later = pairs[best].T
    positions = np.flatnonzero(selected)
    return NearMisses(
        articles_searched=len(kept),
        first=positions[first],
        later=positions[later],
        evidence=evidence[best],
        log_odds=log_odds[best],
        words=np.minimum(sketches.lengths[first], sketches.lengths[later]),
        days=np.abs(sketches.days[first] - sketches.days[later]),
        has_digest=np.array(
            [has_digest(sketches, *pair, row) for pair, row in zip(pairs[best], evidence[best], strict=True)],
            bool,
        ),
    )


def compute_context_log_odds(result: Result, sketches: Sketches, pairs: np.ndarray) -> np.ndarray:
    """Return the log-odds of pairs by the level's model, in the context of the kept articles of a result."""
    leaders = result.assignments.leaders
    evidence = compute_evidence_in_context(sketches, result.order, pairs, result.settings, leaders)
    return choose_level_model(result.settings).compute_log_odds(evidence)


def order_by_rank(pairs: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return pairs (n × 2) with the higher-ranked article first; an unranked article comes last.

    >>> order_by_rank(np.array([[0, 2], [2, 1]]), np.array([2, 0, 1])).tolist()
    [[2, 0], [2, 1]]
    """
    rank = np.full(int(max(pairs.max(initial=0), order.max(initial=0))) + 1, len(order), np.int64)
    rank[order] = np.arange(len(order))
    reversed_ = rank[pairs[:, 0]] > rank[pairs[:, 1]]
    return np.where(reversed_[:, None], pairs[:, ::-1], pairs)


def list_kept_in_order(result: Result) -> np.ndarray:
    """Return the positions of the kept articles, in rank order."""
    return result.order[np.isin(result.order, result.kept_positions)]


def make_pairs(
    kept: np.ndarray, other: np.ndarray, log_odds: np.ndarray, *, matched: bool
) -> list[NearThresholdPair]:
    """Return columns of pairs as a list of pairs."""
    rows = zip(kept.tolist(), other.tolist(), log_odds.tolist(), strict=True)
    return [NearThresholdPair(*row, matched=matched) for row in rows]


def sketch_selected(batches: Iterable[pa.RecordBatch], selected: np.ndarray, settings: Settings) -> Sketches:
    """Return the sketches of the selected articles, in the order of the corpus."""
    parts = [part for _, part in iter_sketched_batches(filter_selected(batches, selected), settings)]
    return concat_sketches(parts or [make_empty_sketches(settings)])


def filter_selected(batches: Iterable[pa.RecordBatch], selected: np.ndarray) -> Iterator[pa.RecordBatch]:
    """Yield the selected articles of each batch that has any."""
    start = 0
    for batch in batches:
        mask = selected[start : start + batch.num_rows]
        start += batch.num_rows
        if mask.any():
            yield batch.filter(pa.array(mask))
