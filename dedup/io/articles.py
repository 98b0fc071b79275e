"""What callers of the Python API have → batches of articles.

Articles travel as Arrow record batches with the columns of SCHEMA; here they come from, whatever they were:
tables, data frames, lists of dicts, lists of strings. Files are read by `dedup.io.corpus`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import pyarrow as pa

from dedup.errors import InputError
from dedup.io.batching import grouped, sliced
from dedup.io.dates import parse_published
from dedup.io.normalize import Sifted, sift, sift_records, why_refused
from dedup.io.schema import ALIASES, BATCH_ARTICLES, BATCH_BYTES, FIELDS, SCHEMA, Names, names_of
from dedup.io.values import rows_of

__all__ = ["ALIASES", "FIELDS", "SCHEMA", "Progress", "parse_published", "to_batches"]

ACCEPTED = "a table, a data frame, record batches, dicts, or strings"
Progress = Callable[[int], None]
"""Is told how many more articles have been worked through."""


def to_batches(articles: object, *, fields: Mapping[str, str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield articles as batches of SCHEMA, in their order, whatever they came as.

    `articles` is a pyarrow Table or RecordBatch, an iterable of record batches, anything with
    `__arrow_c_stream__` (polars, pandas 2.2, datasets), an iterable of dicts, or an iterable of strings,
    which are the texts. `fields` maps our names to theirs. An article without an id gets its position: "0",
    "1", … InputError names the first article without a usable text.

    >>> [batch["id"].to_pylist() for batch in to_batches(["one text", "another"])]
    [['0', '1']]
    """
    names = names_of(fields or {})
    first = 0
    for group in _groups(articles, names["text"][0]):
        yield _sifted(group, names, first).batch
        first += len(group)


def _sifted(group: pa.RecordBatch | list[Mapping[str, Any]], names: Names, first: int) -> Sifted:
    """Return a group's articles, of which `first` is the position of the first; InputError if one is none."""

    def made(position: int) -> str:
        return str(first + position)

    sifted = sift_records(group, names, made) if isinstance(group, list) else sift(group, names, made)
    for position in sifted.refused:
        record = group[position] if isinstance(group, list) else rows_of(group.slice(position, 1))[0]
        raise InputError(
            f"article {first + position}, counted from 0, cannot be used: {why_refused(record, names)}"
        )
    return sifted


def _groups(articles: object, text: str) -> Iterator[pa.RecordBatch | list[Mapping[str, Any]]]:
    """Yield the articles in groups that fit a batch; a bare string becomes the field `text`."""
    batches = _arrow(articles)
    if batches is not None:
        for batch in batches:
            yield from sliced(batch, BATCH_ARTICLES, BATCH_BYTES)
        return
    if not isinstance(articles, Iterable) or isinstance(articles, str | bytes | Mapping):
        raise InputError(f"articles are {ACCEPTED}, not one {type(articles).__name__}")
    items = iter(articles)
    first = next(items, None)
    if isinstance(first, pa.RecordBatch | pa.Table):
        for batches in chain([first], items):
            yield from _groups(batches, text)
    elif first is not None:
        yield from grouped((_record(item, text) for item in chain([first], items)), _size, BATCH_BYTES)


def _record(item: object, text: str) -> Mapping[str, Any]:
    """Return one article of an iterable as a mapping."""
    if isinstance(item, pa.Scalar):
        item = item.as_py()
    if isinstance(item, str):
        return {text: item}
    if isinstance(item, Mapping):
        return item
    raise InputError(f"articles are {ACCEPTED}, and one of these is {item!r:.80} ({type(item).__name__})")


def _size(record: Mapping[str, Any]) -> int:
    """Return about how many bytes a record's own strings take."""
    return sum(len(value) for value in record.values() if isinstance(value, str | bytes))


def _arrow(articles: object) -> Iterable[pa.RecordBatch] | None:
    """Return the record batches of what speaks Arrow, or None."""
    if isinstance(articles, pa.RecordBatch):
        return [articles]
    if not hasattr(articles, "__arrow_c_stream__"):
        return None
    try:
        reader: Iterable[pa.RecordBatch] = pa.RecordBatchReader.from_stream(articles)
    except (TypeError, pa.ArrowInvalid):  # a column of strings, say, is a stream without columns
        return None
    return reader
