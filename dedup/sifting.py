"""Batches with whatever columns their makers chose, or dicts → batches of SCHEMA, and what is no article.

Every reader and the Python API end here, so one set of rules holds for all of them:

- An article needs a text, which may be empty. Everything else may be missing; a missing id is made.
- Of the names a field may have, the first that holds something counts. A blank string holds nothing, except as a
  text.
- Numbers become their decimal strings, and so do dates. Lists, objects and truth values are no field of an article.
- NUL characters become spaces (PostgreSQL cannot store them), lone surrogates U+FFFD (UTF-8 has none).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from numbers import Number
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.dates import TIMESTAMP, parse_published
from dedup.fields import BATCH_ARTICLES, FIELDS, SCHEMA, Names

__all__ = ["Sifted", "grouped", "sift", "sift_records", "sliced", "why_refused"]

UNREADABLE_DATE = "articles whose date cannot be read, taken as undated"
LEFT_OUT = "articles whose {} is neither text nor a number, left out"

T = TypeVar("T")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS = {int: "a number", float: "a number", bool: "a truth value", list: "a list", dict: "an object"}


@dataclass(frozen=True, slots=True)
class Sifted:
    """The usable articles of a batch, the positions of the others in it, and what was odd but harmless."""

    batch: pa.RecordBatch
    refused: list[int]
    warnings: Counter[str]


def sift(batch: pa.RecordBatch, names: Names, made: Callable[[int], str]) -> Sifted:
    """Return the usable articles of a batch; `made` gives the id for a position where the batch has none."""
    warnings: Counter[str] = Counter()
    columns = {ours: _field(batch, ours, names[ours], warnings) for ours in FIELDS if ours != "published"}
    columns["published"] = _published(batch, names["published"], warnings)
    columns["id"] = _with_ids(columns["id"], made)
    articles = pa.RecordBatch.from_arrays([columns[ours] for ours in FIELDS], schema=SCHEMA)
    if columns["text"].null_count == 0:
        return Sifted(articles, [], +warnings)
    usable = columns["text"].is_valid()
    refused: list[int] = np.flatnonzero(~usable.to_numpy(zero_copy_only=False)).tolist()
    return Sifted(articles.filter(usable), refused, +warnings)


def sift_records(records: Sequence[Mapping[str, Any]], names: Names, made: Callable[[int], str]) -> Sifted:
    """Return the usable articles of some dicts; as `sift`, a name at a time."""
    columns = {}
    warnings: Counter[str] = Counter()
    for ours, theirs in names.items():
        for name in theirs:
            values = [record.get(name) for record in records]
            if all(value is None for value in values):
                continue
            texts = [as_text(value, numbers=ours != "text") for value in values]
            columns[name] = pa.array(texts, pa.string())
            if ours != "text" and name == theirs[0]:
                odd = sum(text is None and _is_odd(value) for value, text in zip(values, texts, strict=True))
                warnings[LEFT_OUT.format(name)] += odd
    columns = columns or {"text": pa.nulls(len(records), pa.string())}
    sifted = sift(pa.RecordBatch.from_pydict(columns), names, made)
    return Sifted(sifted.batch, sifted.refused, +(sifted.warnings + warnings))


def why_refused(record: Mapping[str, Any], names: Names) -> str:
    """Return the reason why a record without a usable text is none: "no text", "body is a list, not text"."""
    for name in names["text"]:
        value = record.get(name)
        if isinstance(value, bytes | str):
            return f"{name} is not valid UTF-8"
        if value is not None:
            return f"{name} is {_KINDS.get(type(value), 'something else')}, not text"
    others = f" (nor {', '.join(names['text'][1:])})" if names["text"][1:] else ""
    return f"no {names['text'][0]}{others}"


def as_text(value: object, *, numbers: bool = True) -> str | None:
    """Return a value as a string that UTF-8 can hold; None where it is missing or no field of an article.

    >>> as_text(12), as_text(12.0), as_text(float("nan")), as_text([12])
    ('12', '12', None, None)
    """
    if isinstance(value, str):
        return value if value.isascii() else _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, bytes):
        return _decoded(value)
    if not numbers or isinstance(value, bool | complex):
        return None
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124 - NaN, by which pandas says that nothing is there
            return None
        return str(int(value)) if value.is_integer() else repr(float(value))
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Number) else None


def sliced(batch: pa.RecordBatch, articles: int, size: int) -> Iterator[pa.RecordBatch]:
    """Yield a batch in parts of at most so many articles, and of about so many bytes at most."""
    average = max(1, batch.nbytes // max(1, batch.num_rows))
    step = max(1, min(articles, size // average))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


def grouped(
    items: Iterable[T], size_of: Callable[[T], int], size: int, count: int = BATCH_ARTICLES
) -> Iterator[list[T]]:
    """Yield the items in lists of at most `count`, ended as soon as their sizes reach `size`."""
    group: list[T] = []
    held = 0
    for item in items:
        group.append(item)
        held += size_of(item)
        if held >= size or len(group) >= count:
            yield group
            group, held = [], 0
    if group:
        yield group


def _is_odd(value: object) -> bool:
    return value is not None and not (isinstance(value, float) and value != value)  # noqa: PLR0124 - NaN


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _columns(batch: pa.RecordBatch, theirs: Sequence[str]) -> Iterator[tuple[str, pa.Array]]:
    """Yield the columns that have one of the names, in the order of the names."""
    for name in theirs:
        for index in batch.schema.get_all_field_indices(name)[:1]:
            yield name, batch.column(index)


def _field(batch: pa.RecordBatch, ours: str, theirs: Sequence[str], warnings: Counter[str]) -> pa.Array:
    """Return a field as strings: in each row the first of the columns that holds something."""
    found = pa.nulls(batch.num_rows, pa.string())
    for name, column in _columns(batch, theirs):
        texts = _strings(column, numbers=ours != "text")
        if texts is None:
            if name == theirs[0] and ours != "text":
                warnings[LEFT_OUT.format(name)] += len(column) - column.null_count
            continue
        texts = texts if ours == "text" else _without_blanks(texts)
        found = texts if found.null_count == len(found) else pc.coalesce(found, texts)
        if found.null_count == 0:
            break
    return _without_nul(found)


def _published(batch: pa.RecordBatch, theirs: Sequence[str], warnings: Counter[str]) -> pa.Array:
    """Return the dates: in each row the first of the columns that holds one that can be read."""
    times = pa.nulls(batch.num_rows, TIMESTAMP)
    given = np.zeros(batch.num_rows, bool)
    for _, column in _columns(batch, theirs):
        dates: pa.Array | None = column
        if not pa.types.is_temporal(column.type):
            dates = _strings(column)
        if dates is None:
            continue
        if pa.types.is_string(dates.type):
            dates = _without_blanks(pc.utf8_trim_whitespace(dates))
        given |= dates.is_valid().to_numpy(zero_copy_only=False)
        times = pc.coalesce(times, parse_published(dates)[0])
        if times.null_count == 0:
            break
    warnings[UNREADABLE_DATE] += int(given.sum()) - (len(times) - times.null_count)
    return times


def _strings(column: pa.Array, *, numbers: bool = True) -> pa.Array | None:
    """Return a column as valid UTF-8 strings, null where a value is none; None where its type is no field's."""
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_string(kind) and _is_valid(column):
        return column
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_string(kind):
        column = column.cast(pa.large_binary())
    elif numbers and pa.types.is_integer(kind):
        return column.cast(pa.string())
    elif pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    elif not _is_binary(kind) and not (numbers and (pa.types.is_floating(kind) or pa.types.is_decimal(kind))):
        return None
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([as_text(value) for value in column.to_pylist()], pa.string())


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _is_valid(column: pa.Array) -> bool:
    """Return whether strings are UTF-8: neither Arrow's JSON reader nor its Parquet reader looks."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _without_blanks(texts: pa.Array) -> pa.Array:
    """Return strings with the empty ones made null."""
    lengths = pc.binary_length(texts)
    if pc.min(lengths).as_py() != 0:
        return texts
    return pc.if_else(pc.equal(lengths, 0), pa.scalar(None, pa.string()), texts)


def _without_nul(texts: pa.Array) -> pa.Array:
    """Return strings with each NUL made a space."""
    data = texts.buffers()[2]
    # Looking at the buffer as a whole is a hundred times faster than looking into each string.
    if data is None or data.size == 0 or np.frombuffer(data, np.uint8).min() > 0:
        return texts
    return pc.replace_substring(texts, "\0", " ")


def _with_ids(ids: pa.Array, made: Callable[[int], str]) -> pa.Array:
    """Return the ids with the missing ones made."""
    if ids.null_count == 0:
        return ids
    return pa.array([made(n) if given is None else given for n, given in enumerate(ids.to_pylist())], pa.string())
