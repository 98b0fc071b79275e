"""New articles and what is recalled of those before them → rows to record: the stages of a run, for a stream.

In: the sketches of a batch. Out: a row for each new article, and the packed sketches of those that are to be looked up. What the
new ones may match is fetched, and `clusters.assign` goes on from there: an index that is fed in rank order gives the clusters of
`deduplicate`, whatever the batches (law 6).
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dedup.index.cache import Recalled
from dedup.index.lookup import BANDS, FULL, UNSEEN
from dedup.index.storage.backend import Row
from dedup.matching.classifier import NONE, REWRITE, Rules
from dedup.matching.clustering import WITNESSES, Assignments, assign
from dedup.sketches.codec import packed
from dedup.sketches.sketch import Sketches, joined


class Newcomers(NamedTuple):
    """The articles of a batch that did not come before."""

    sketches: Sketches
    """Of the whole batch."""
    members: np.ndarray
    """int64: which of it they are."""
    ids: Sequence[str]
    """Of the whole batch, as given."""
    versions: Sequence[int]
    """Of the members."""


class Decided(NamedTuple):
    """What is to be recorded of a batch."""

    rows: list[Row]
    sketches: dict[int, bytes]
    """Packed, by position, of the rows that have a mark."""
    bounded: int
    """In how many lookups a bound on the work was reached."""


NOTHING = Decided([], {}, 0)


def decided(new: Newcomers, recalled: Recalled, rules: Rules, threads: int) -> Decided:
    """Return what becomes of the new articles, in their order, after all that is recalled."""
    if not len(new.members):
        return NOTHING
    s, known = new.sketches, recalled.known
    near, bounded = known.near(s, new.members, rules, threads)
    here, settled = len(near) + new.members, known.settled(near)
    before = recalled.sketches(known.positions[near], known.days[near], threads)
    made = assign(joined([before, s]), here, rules, threads, settled)
    positions = np.zeros(len(near) + len(s.texts), np.int64)
    positions[: len(near)], positions[here] = known.positions[near], known.count + np.arange(len(here))
    leaders = made.leaders[here]
    marks = marks_of(leaders, made.relations[here], settled.witnesses, rules)
    marks[s.lengths[new.members] < rules.min_words] = UNSEEN
    rows = rows_of(new, made, here, positions, marks)
    blobs = packed(s).each()
    sketches = {row.position: blobs[a] for a, row in zip(new.members.tolist(), rows, strict=True) if row.mark}
    return Decided(rows, sketches, int(np.count_nonzero(bounded | (made.bounded[here] != 0))))


def rows_of(
    new: Newcomers, made: Assignments, here: np.ndarray, positions: np.ndarray, marks: np.ndarray
) -> list[Row]:
    """Return the rows of the new articles, which stand `here` among the assignments; `positions` are those in the index."""
    s, members, now = new.sketches, new.members, time.time()
    keys = np.concatenate([s.salient, s.bands], axis=1)[members].astype("<u4")
    has_evidence = made.places[here] >= 0
    evidence = iter(made.against(here[has_evidence]).astype("<f4"))
    follows = np.where(made.follows(), made.storylines, np.arange(len(made.leaders)))
    columns = zip(
        positions[here].tolist(),
        [new.ids[a] for a in members.tolist()],
        new.versions,
        s.tellings[members].view(np.int64).tolist(),
        [None if day != day else day for day in s.days[members].tolist()],  # noqa: PLR0124 - NaN
        positions[made.leaders[here]].tolist(),
        made.relations[here].tolist(),
        made.scores[here].tolist(),
        [next(evidence).tobytes() if has else b"" for has in has_evidence],
        [now] * len(here),
        marks.tolist(),
        [row.tobytes() if mark else b"" for row, mark in zip(keys, marks, strict=True)],
        positions[follows[here]].tolist(),
        strict=True,
    )
    return [Row(*row) for row in columns]


def marks_of(leaders: np.ndarray, relations: np.ndarray, witnesses: np.ndarray, rules: Rules) -> np.ndarray:
    """Return how each new article is to be looked up later, as `clusters.resolve_chunk` indexes those of its chunk.

    `witnesses` says how many witnesses each of the first articles, those that are settled, has already.
    """
    marks = np.where(relations == NONE, FULL, UNSEEN)
    counts: dict[int, int] = {}
    for a in np.flatnonzero(relations >= REWRITE).tolist():
        leader = int(leaders[a])
        count = counts.get(leader, int(witnesses[leader]) if leader < len(witnesses) else 0)
        counts[leader] = count + 1
        marks[a] = FULL if rules.by_storyline and count < WITNESSES else BANDS
    return marks
