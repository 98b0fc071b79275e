"""Articles in groups of a handy size: large batches divided, small ones joined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import pyarrow as pa

from dedup.io.decompress import Damaged
from dedup.io.schema import BATCH_ARTICLES

__all__ = ["grouped", "regrouped", "sliced"]

LARGE_ENOUGH = 8
"""A batch of an eighth of the size is not joined with the next: copying costs more than a call saves."""

T = TypeVar("T")


def sliced(batch: pa.RecordBatch, articles: int, size: int) -> Iterator[pa.RecordBatch]:
    """Yield a batch in parts of at most so many articles and bytes, or of one article."""
    rows = batch.num_rows
    if rows > 1 and (rows > articles or batch.nbytes > size):
        yield from sliced(batch.slice(0, rows // 2), articles, size)
        yield from sliced(batch.slice(rows // 2), articles, size)
    elif rows:
        yield batch


def grouped(
    items: Iterable[T], size_of: Callable[[T], int], size: int, count: int = BATCH_ARTICLES
) -> Iterator[list[T]]:
    """Yield the items in lists of at most `count`, ended as soon as their sizes reach `size`.

    Where the items end in a damage, those before it come first.
    """
    group: list[T] = []
    held = 0
    damage: Damaged | None = None
    try:
        for item in items:
            group.append(item)
            held += size_of(item)
            if held >= size or len(group) >= count:
                yield group
                group, held = [], 0
    except Damaged as raised:
        damage = raised
    if group:
        yield group
    if damage:
        raise damage


def regrouped(batches: Iterator[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """Yield the articles in batches of about `size` bytes: small ones joined, large ones divided."""
    held: list[pa.RecordBatch] = []
    rows = held_bytes = 0
    for batch in batches:
        for part in sliced(batch, BATCH_ARTICLES, size):
            too_many = rows + part.num_rows > BATCH_ARTICLES or held_bytes + part.nbytes > size
            if held and (too_many or held_bytes >= size // LARGE_ENOUGH):
                yield _joined(held)
                held, rows, held_bytes = [], 0, 0
            held.append(part)
            rows += part.num_rows
            held_bytes += part.nbytes
    if held:
        yield _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Return some batches as one."""
    return (
        batches[0] if len(batches) == 1 else pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
    )
