"""A corpus, sketched once → its results under one or many settings.

In: articles, and settings. Out: `Prepared`, all that a run knows before it decides, and a `Result` for each
settings that decide otherwise. Settings that change the sketches themselves (`salient_terms`, `bands`, `rows`,
`seed`, `furniture`) need a preparation of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.articles import Progress
from dedup.clusters import assign
from dedup.matches import rules_of
from dedup.pipeline import identified, load_kernels, ranked, repeated, sketched, threads_of
from dedup.results import Result
from dedup.settings import Settings
from dedup.sketches import Sketches

__all__ = ["Prepared", "decided", "prepared"]


class Prepared(NamedTuple):
    """The articles of a corpus and their sketches, by position in the order of input."""

    articles: pa.Table
    """n rows: id, title, source, published."""
    sketches: Sketches
    repeats: np.ndarray
    """n, int64: the position of the first giving of the same article; -1 for that first itself."""
    warnings: dict[str, int]


def prepared(
    batches: Iterable[pa.RecordBatch], settings: Settings, progress: Progress | None = None
) -> Prepared:
    """Return the articles of a corpus, sketched under the settings."""
    load_kernels()
    remembered, sketches = sketched(batches, settings, progress)
    articles, repeats, warnings = identified(remembered, sketches.tellings)
    return Prepared(articles, sketches, repeats, dict(warnings))


def decided(given: Prepared, settings: Settings) -> Result:
    """Return what becomes of prepared articles under settings that leave the sketches as they are."""
    order = ranked(given.articles, given.sketches.lengths, given.repeats, settings)
    made = assign(given.sketches, order, rules_of(settings), threads_of(settings))
    return Result(
        given.articles, repeated(made, given.repeats), order, given.repeats, settings, given.warnings
    )
