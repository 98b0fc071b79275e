"""Convert the input of the Python API (tables, data frames, lists of dicts or strings) to batches of articles.

Articles travel as Arrow record batches with the columns of SCHEMA. `dedup.io.corpus` reads files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import pyarrow as pa

from dedup.errors import InputError
from dedup.io.batching import group_items, split_batch
from dedup.io.dates import parse_published
from dedup.io.records import estimate_record_size
from dedup.io.schema import (
    ALIASES,
    BATCH_ARTICLES,
    BATCH_BYTES,
    FIELDS,
    SCHEMA,
    FieldNames,
    map_accepted_names,
)
from dedup.io.schema_mapping import MappedBatch, explain_rejection, map_records_to_schema, map_to_schema
from dedup.io.values import to_python_rows

__all__ = ["ALIASES", "FIELDS", "SCHEMA", "ProgressCallback", "parse_published", "to_batches"]

ACCEPTED_INPUTS = "a table, a data frame, record batches, dicts, or strings"
ProgressCallback = Callable[[int], None]
"""Takes the number of articles that have been processed since its last call."""


def to_batches(articles: object, *, fields: Mapping[str, str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield articles of any kind as batches of SCHEMA, in their order.

    `articles` is a pyarrow Table or RecordBatch, an iterable of record batches, anything with
    `__arrow_c_stream__` (polars, pandas 2.2, datasets), an iterable of dicts, or an iterable of strings,
    which are the texts. `fields` maps our names to theirs. An article without an id gets its position: "0",
    "1", … InputError names the first article without a usable text.

    >>> [batch["id"].to_pylist() for batch in to_batches(["one text", "another"])]
    [['0', '1']]
    """
    names = map_accepted_names(fields or {})
    first = 0
    for group in _iter_groups(articles, names["text"][0]):
        yield _map_group_to_schema(group, names, first).batch
        first += len(group)


def _map_group_to_schema(
    group: pa.RecordBatch | list[Mapping[str, Any]], names: FieldNames, first: int
) -> MappedBatch:
    """Return the articles of a group, whose first has the position `first`; raise InputError if one is not an article."""

    def make_id(position: int) -> str:
        return str(first + position)

    sifted = (
        map_records_to_schema(group, names, make_id)
        if isinstance(group, list)
        else map_to_schema(group, names, make_id)
    )
    for position in sifted.rejected:
        record = group[position] if isinstance(group, list) else to_python_rows(group.slice(position, 1))[0]
        raise InputError(
            f"article {first + position}, counted from 0, cannot be used: {explain_rejection(record, names)}"
        )
    return sifted


def _iter_groups(articles: object, text: str) -> Iterator[pa.RecordBatch | list[Mapping[str, Any]]]:
    """Yield the articles in groups that fit a batch; a bare string becomes the field `text`."""
    batches = _open_arrow_stream(articles)
    if batches is not None:
        for batch in batches:
            yield from split_batch(batch, BATCH_ARTICLES, BATCH_BYTES)
        return
    if not isinstance(articles, Iterable) or isinstance(articles, str | bytes | Mapping):
        raise InputError(f"articles are {ACCEPTED_INPUTS}, not one {type(articles).__name__}")
    items = iter(articles)
    first = next(items, None)
    if isinstance(first, pa.RecordBatch | pa.Table):
        for batches in chain([first], items):
            yield from _iter_groups(batches, text)
    elif first is not None:
        yield from group_items(
            (_to_record(item, text) for item in chain([first], items)), estimate_record_size, BATCH_BYTES
        )


def _to_record(item: object, text: str) -> Mapping[str, Any]:
    """Return one article of an iterable as a mapping."""
    if isinstance(item, pa.Scalar):
        item = item.as_py()
    if isinstance(item, str):
        return {text: item}
    if isinstance(item, Mapping):
        return item
    raise InputError(
        f"articles are {ACCEPTED_INPUTS}, and one of these is {item!r:.80} ({type(item).__name__})"
    )


def _open_arrow_stream(articles: object) -> Iterable[pa.RecordBatch] | None:
    """Return the record batches of an object that speaks Arrow; None for any other object."""
    if isinstance(articles, pa.RecordBatch):
        return [articles]
    if not hasattr(articles, "__arrow_c_stream__"):
        return None
    try:
        reader: Iterable[pa.RecordBatch] = pa.RecordBatchReader.from_stream(articles)
    except (TypeError, pa.ArrowInvalid):  # a column of strings, say, is a stream without columns
        return None
    return reader
