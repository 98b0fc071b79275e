"""Group articles into batches of a useful size: divide large batches, and join small ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import pyarrow as pa

from dedup.io.file_bytes import CorruptFileError
from dedup.io.schema import BATCH_ARTICLES

__all__ = ["group_items", "split_and_merge_batches", "split_batch"]

MIN_BATCH_DIVISOR = 8
"""A batch of an eighth of the size is not joined with the next: copying costs more than a call saves."""

T = TypeVar("T")


def split_batch(batch: pa.RecordBatch, max_articles: int, max_bytes: int) -> Iterator[pa.RecordBatch]:
    """Yield a batch in parts of at most `max_articles` and `max_bytes`, or of one article."""
    rows = batch.num_rows
    if rows > 1 and (rows > max_articles or batch.nbytes > max_bytes):
        yield from split_batch(batch.slice(0, rows // 2), max_articles, max_bytes)
        yield from split_batch(batch.slice(rows // 2), max_articles, max_bytes)
    elif rows:
        yield batch


def group_items(
    items: Iterable[T], measure_item: Callable[[T], int], max_size: int, max_count: int = BATCH_ARTICLES
) -> Iterator[list[T]]:
    """Yield the items in lists of at most `max_count`, each complete as soon as its sizes reach `max_size`.

    If the items end with a `CorruptFileError`, yield those before it first.
    """
    group: list[T] = []
    held = 0
    damage: CorruptFileError | None = None
    try:
        for item in items:
            group.append(item)
            held += measure_item(item)
            if held >= max_size or len(group) >= max_count:
                yield group
                group, held = [], 0
    except CorruptFileError as raised:
        damage = raised
    if group:
        yield group
    if damage:
        raise damage


def split_and_merge_batches(batches: Iterator[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """Yield the articles in batches of about `size` bytes: join small ones, and divide large ones."""
    held: list[pa.RecordBatch] = []
    rows = held_bytes = 0
    for batch in batches:
        for part in split_batch(batch, BATCH_ARTICLES, size):
            too_many = rows + part.num_rows > BATCH_ARTICLES or held_bytes + part.nbytes > size
            if held and (too_many or held_bytes >= size // MIN_BATCH_DIVISOR):
                yield _concat_batches(held)
                held, rows, held_bytes = [], 0, 0
            held.append(part)
            rows += part.num_rows
            held_bytes += part.nbytes
    if held:
        yield _concat_batches(held)


def _concat_batches(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Return some batches as one."""
    return (
        batches[0] if len(batches) == 1 else pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
    )
