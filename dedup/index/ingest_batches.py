"""Articles in batches of any size → batches for one turn of an index each, and their sketches."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from dedup.pipeline.deduplicate import sketch_with, sketched, threads_of
from dedup.settings.settings import Settings
from dedup.sketches.sketch import Sketches

FOR_ONE_TURN = 1000
"""Articles of a corpus that are decided on at once: others wait meanwhile, and all that they may match is fetched."""
WORTH_PARTING = 64
"""Articles from which on a batch is worth several threads."""


def parted(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the articles of some batches in batches for one turn each."""
    for batch in batches:
        for first in range(0, batch.num_rows, FOR_ONE_TURN):
            yield batch.slice(first, FOR_ONE_TURN)


def sketched_at_once(batch: pa.RecordBatch, settings: Settings) -> Sketches:
    """Return the sketches of a batch; every thread takes a part of one that is worth it."""
    threads = threads_of(settings)
    if threads == 1 or batch.num_rows < WORTH_PARTING:
        return sketch_with(batch, settings)
    size = -(-batch.num_rows // threads)
    parts = [batch.slice(first, size) for first in range(0, batch.num_rows, size)]
    return sketched(parts, settings, None)[1]
