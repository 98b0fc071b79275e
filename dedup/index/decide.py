"""Decide on the new articles of a batch: the stages of a run, for a stream.

The sketches of earlier articles that the new ones may match are fetched, and `clustering.assign_leaders` continues from there.
The result is a row for each new article, and the packed sketches of those that are looked up later. An index that is fed in rank
order gives the clusters of `deduplicate`, in batches of any size (law 6).
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.index.cache import IndexCache
from dedup.index.key_run import LEVEL_ALL, LEVEL_BANDS, LEVEL_NONE
from dedup.index.storage.backend import IndexRow
from dedup.matching.assignments import Assignments
from dedup.matching.classifier import NO_RELATION, REWRITE
from dedup.matching.clustering import MAX_WITNESSES, assign_leaders
from dedup.matching.match_params import MatchParams
from dedup.pipeline.deduplicate import resolve_thread_count, sketch_batches, sketch_with_settings
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches, concat_sketches

TRANSACTION_ARTICLES = 1000
"""The number of articles in a transaction, during which other writers wait and all possible matches are fetched."""
MIN_PARALLEL_ARTICLES = 64
"""The size from which a batch is worth several threads."""


class NewArticles(NamedTuple):
    """The articles of a batch that did not come before."""

    sketches: Sketches
    """Those of the whole batch."""
    packed_sketches: Sequence[bytes]
    """The same, as an index stores them."""
    members: np.ndarray
    """int64: the slots of the new articles in the batch."""
    ids: Sequence[str]
    """Those of the whole batch, as given."""
    versions: Sequence[int]
    """Those of the members."""


class IndexDecisions(NamedTuple):
    """The rows and sketches of a batch to record."""

    rows: list[IndexRow]
    sketches: dict[int, bytes]
    """Packed sketches by position, of the rows that have a mark."""
    limited_lookups: int
    """The number of lookups that reached a bound on the work."""


EMPTY_RESULT = IndexDecisions([], {}, 0)


def decide_new_articles(
    new: NewArticles, cache: IndexCache, rules: MatchParams, threads: int
) -> IndexDecisions:
    """Return the decisions on the new articles, in their order, given all earlier articles."""
    if not len(new.members):
        return EMPTY_RESULT
    s, known = new.sketches, cache.articles
    near, bounded = known.find_near(s, new.members, rules, threads)
    here, settled = len(near) + new.members, known.get_prior_assignments(near)
    before = cache.get_sketches(known.positions[near], known.days[near], threads)
    made = assign_leaders(concat_sketches([before, s]), here, rules, threads, settled)
    positions = np.zeros(len(near) + len(s.text_hashes), np.int64)
    positions[: len(near)], positions[here] = (
        known.positions[near],
        known.next_position + np.arange(len(here)),
    )
    leaders = made.leaders[here]
    marks = compute_index_levels(leaders, made.relations[here], settled.witnesses, rules)
    marks[s.lengths[new.members] < rules.min_words] = LEVEL_NONE
    rows = build_index_rows(new, made, here, positions, marks)
    packed = zip(new.members.tolist(), rows, strict=True)
    sketches = {row.position: new.packed_sketches[a] for a, row in packed if row.mark}
    return IndexDecisions(rows, sketches, int(np.count_nonzero(bounded | (made.limit_reached[here] != 0))))


def build_index_rows(
    new: NewArticles, made: Assignments, slots: np.ndarray, positions: np.ndarray, marks: np.ndarray
) -> list[IndexRow]:
    """Return the rows of the new articles, at these `slots` of the assignments; `positions` maps slots to the index."""
    s, members, now = new.sketches, new.members, time.time()
    keys = np.concatenate([s.salient, s.bands], axis=1)[members].astype("<u4")
    has_evidence = made.evidence_rows[slots] >= 0
    evidence = iter(made.get_evidence_rows(slots[has_evidence]).astype("<f4"))
    follows = np.where(made.is_follower(), made.storylines, np.arange(len(made.leaders)))
    columns = zip(
        positions[slots].tolist(),
        [new.ids[a] for a in members.tolist()],
        new.versions,
        s.content_hashes[members].view(np.int64).tolist(),
        [None if day != day else day for day in s.days[members].tolist()],  # noqa: PLR0124 - NaN
        positions[made.leaders[slots]].tolist(),
        made.relations[slots].tolist(),
        made.scores[slots].tolist(),
        [next(evidence).tobytes() if has else b"" for has in has_evidence],
        [now] * len(slots),
        marks.tolist(),
        [row.tobytes() if mark else b"" for row, mark in zip(keys, marks, strict=True)],
        positions[follows[slots]].tolist(),
        strict=True,
    )
    return [IndexRow(*row) for row in columns]


def compute_index_levels(
    leaders: np.ndarray, relations: np.ndarray, witnesses: np.ndarray, rules: MatchParams
) -> np.ndarray:
    """Return how each new article is looked up later, as `clustering.resolve_chunk` indexes those of its chunk.

    `witnesses` counts the witnesses of each earlier article.
    """
    marks = np.where(relations == NO_RELATION, LEVEL_ALL, LEVEL_NONE)
    counts: dict[int, int] = {}
    for a in np.flatnonzero(relations >= REWRITE).tolist():
        leader = int(leaders[a])
        count = counts.get(leader, int(witnesses[leader]) if leader < len(witnesses) else 0)
        counts[leader] = count + 1
        marks[a] = LEVEL_ALL if rules.by_storyline and count < MAX_WITNESSES else LEVEL_BANDS
    return marks


def split_for_transactions(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the articles in batches for one transaction each."""
    for batch in batches:
        for first in range(0, batch.num_rows, TRANSACTION_ARTICLES):
            yield batch.slice(first, TRANSACTION_ARTICLES)


def sketch_in_parallel(batch: pa.RecordBatch, settings: Settings) -> Sketches:
    """Return the sketches of a batch; several threads share a large one."""
    threads = resolve_thread_count(settings)
    if threads == 1 or batch.num_rows < MIN_PARALLEL_ARTICLES:
        return sketch_with_settings(batch, settings)
    size = -(-batch.num_rows // threads)
    parts = [batch.slice(first, size) for first in range(0, batch.num_rows, size)]
    return sketch_batches(parts, settings, None)[1]
