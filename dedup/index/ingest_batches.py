"""Articles in batches of any size → batches for one turn of an index each, and their sketches."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from dedup.pipeline.deduplicate import resolve_thread_count, sketch_batches, sketch_with_settings
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches

TRANSACTION_ARTICLES = 1000
"""Articles of a corpus that are decided on at once: others wait meanwhile, and all that they may match is fetched."""
MIN_PARALLEL_ARTICLES = 64
"""Articles from which on a batch is worth several threads."""


def split_for_transactions(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the articles of some batches in batches for one turn each."""
    for batch in batches:
        for first in range(0, batch.num_rows, TRANSACTION_ARTICLES):
            yield batch.slice(first, TRANSACTION_ARTICLES)


def sketch_in_parallel(batch: pa.RecordBatch, settings: Settings) -> Sketches:
    """Return the sketches of a batch; every thread takes a part of one that is worth it."""
    threads = resolve_thread_count(settings)
    if threads == 1 or batch.num_rows < MIN_PARALLEL_ARTICLES:
        return sketch_with_settings(batch, settings)
    size = -(-batch.num_rows // threads)
    parts = [batch.slice(first, size) for first in range(0, batch.num_rows, size)]
    return sketch_batches(parts, settings, None)[1]
