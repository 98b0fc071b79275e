"""Kept articles → the pairs of them that came nearest to being matched.

A result holds no pair that was not matched. So a bounded number of kept articles, the latest in rank order, are sketched again
and looked up among each other, as a run does; of each, the few candidates that share most are weighed, and the best one is
remembered. In: the corpus and the result. Out: `NearMisses`, best candidates with their evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.matching.classifier import choose_level_model
from dedup.matching.pair_scoring import (
    compute_evidence_in_context,
    find_best_per_article,
    iter_candidate_pairs,
)
from dedup.pipeline.deduplicate import iter_sketched_batches, make_empty_sketches
from dedup.pipeline.results import Result
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches, concat_sketches

__all__ = ["MAX_ARTICLES_SEARCHED", "NearMisses", "find_near_misses"]

MAX_ARTICLES_SEARCHED = 20_000
"""Kept articles that are looked up among each other, at most: four seconds of work, and some 150 MB."""
MAX_CANDIDATES_WEIGHED = 16
"""Candidates of each that are weighed: those that share most."""


class NearMisses(NamedTuple):
    """Each looked-up article's best candidate, where it had any; arrays of one length."""

    articles_searched: int
    """How many kept articles were looked up."""
    first: np.ndarray
    """int64: the position of the candidate, which ranks before the other."""
    later: np.ndarray
    """int64: the position of the article that was looked up."""
    evidence: np.ndarray
    """Pairs × columns, float32, as seen from the later one."""
    log_odds: np.ndarray
    """float64: the story model's."""
    words: np.ndarray
    """int32: words in the shorter of the two."""
    days: np.ndarray
    """float64: days between them; NaN where either is undated."""


def find_near_misses(batches: Iterable[pa.RecordBatch], result: Result) -> NearMisses:
    """Return the best candidates of kept articles among other kept articles; `batches` are the corpus of the result."""
    is_kept = np.zeros(len(result.ids), bool)
    is_kept[result.kept_positions] = True
    kept = result.order[is_kept[result.order]][-MAX_ARTICLES_SEARCHED:]
    chosen = np.zeros(len(result.ids), bool)
    chosen[kept] = True
    sketches = sketch_selected(batches, chosen, result.settings)
    rows = np.cumsum(chosen) - 1  # position in the corpus → row among the sketches
    parts = iter_candidate_pairs(sketches, rows[kept], result.settings, max_candidates=MAX_CANDIDATES_WEIGHED)
    first, later = np.concatenate([np.zeros((0, 2), np.int64), *parts]).T.copy()
    evidence = compute_evidence_in_context(
        sketches, rows[kept], np.stack([first, later], axis=1), result.settings
    )
    log_odds = choose_level_model(result.settings).compute_log_odds(evidence)
    best = find_best_per_article(later, log_odds)
    first, later, evidence, log_odds = first[best], later[best], evidence[best], log_odds[best]
    positions = np.flatnonzero(chosen)
    return NearMisses(
        articles_searched=len(kept),
        first=positions[first],
        later=positions[later],
        evidence=evidence,
        log_odds=log_odds,
        words=np.minimum(sketches.lengths[first], sketches.lengths[later]),
        days=np.abs(sketches.days[first] - sketches.days[later]),
    )


def sketch_selected(batches: Iterable[pa.RecordBatch], selected: np.ndarray, settings: Settings) -> Sketches:
    """Return the sketches of the chosen articles, in the order of the corpus."""
    parts = [part for _, part in iter_sketched_batches(filter_selected(batches, selected), settings)]
    return concat_sketches(parts or [make_empty_sketches(settings)])


def filter_selected(batches: Iterable[pa.RecordBatch], selected: np.ndarray) -> Iterator[pa.RecordBatch]:
    """Yield the chosen articles of each batch, where it has any."""
    start = 0
    for batch in batches:
        mask = selected[start : start + batch.num_rows]
        start += batch.num_rows
        if mask.any():
            yield batch.filter(pa.array(mask))
