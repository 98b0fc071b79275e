"""Split batches of any size for the transactions of an index, and sketch them in parallel."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from dedup.pipeline.deduplicate import resolve_thread_count, sketch_batches, sketch_with_settings
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches

TRANSACTION_ARTICLES = 1000
"""The number of articles in a transaction: other writers wait meanwhile, and all possible matches are fetched."""
MIN_PARALLEL_ARTICLES = 64
"""The size from which a batch is worth several threads."""


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
