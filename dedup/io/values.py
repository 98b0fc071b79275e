"""Convert values and columns of any type to text, as the fields of an article hold it.

Text is UTF-8 without NUL: lone surrogates, which JSON can write and UTF-8 cannot, become U+FFFD; NUL, which
PostgreSQL cannot store, becomes a space. Numbers become their decimal strings, and dates ISO 8601. Lists,
objects and truth values have no text.
"""

from __future__ import annotations

import math
import re
from datetime import date
from numbers import Number
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["as_text", "is_missing", "replace_blanks", "replace_nul", "to_python_rows", "to_string_column"]

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_NULL_STRING = pa.scalar(None, pa.string())


def as_text(value: object, *, numbers: bool = True) -> str | None:
    """Return a value as a string that UTF-8 can hold; None where it is missing or no field of an article.

    >>> as_text(12), as_text(12.0), as_text(float("nan")), as_text([12])
    ('12', '12', None, None)
    """
    if isinstance(value, str):
        return value if value.isascii() else _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, bytes):
        return _decode_or_none(value)
    return _format_number_or_date(value) if numbers else None


def is_missing(value: object) -> bool:
    """Return whether there is no value; NaN is how pandas says so."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def to_string_column(column: pa.Array, *, numbers: bool = True) -> pa.Array | None:
    """Return a column as valid UTF-8, with null for a value that is not text; None if no field can have its type."""
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_string(kind) and _is_valid_utf8(column):
        return column
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return to_string_column(column.cast(pa.string()))
    if pa.types.is_string(kind):
        column = column.cast(pa.binary())
    elif numbers and pa.types.is_integer(kind):
        return column.cast(pa.string())
    elif pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    elif not _is_binary(kind) and not (numbers and (pa.types.is_floating(kind) or pa.types.is_decimal(kind))):
        return None
    return pa.array([as_text(value) for value in column.to_pylist()], pa.string())


def to_python_rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return the rows of a batch as dicts that Python can hold: bytes where strings are not UTF-8.

    Python has no nanoseconds; no news has them either.
    """
    columns = {name: _to_python_types(batch.column(index)) for index, name in enumerate(batch.schema.names)}
    rows: list[dict[str, Any]] = pa.RecordBatch.from_pydict(columns).to_pylist()
    return rows


def _to_python_types(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_string(kind) and not _is_valid_utf8(column):
        return column.cast(pa.binary())
    if pa.types.is_dictionary(kind):
        return _to_python_types(column.dictionary_decode())
    held = _drop_nanoseconds(kind)
    return column if held == kind else column.cast(held, safe=False)


def _drop_nanoseconds(kind: pa.DataType) -> pa.DataType:
    """Return a type with microseconds instead of nanoseconds, also inside lists and structs."""
    fields = [field.with_type(_drop_nanoseconds(field.type)) for field in _get_child_fields(kind)]
    if pa.types.is_struct(kind):
        kind = pa.struct(fields)
    elif pa.types.is_map(kind):
        kind = pa.map_(*fields)
    elif pa.types.is_fixed_size_list(kind):
        kind = pa.list_(*fields, kind.list_size)
    elif pa.types.is_large_list(kind):
        kind = pa.large_list(*fields)
    elif pa.types.is_list(kind):
        kind = pa.list_(*fields)
    elif pa.types.is_time64(kind):
        kind = pa.time64("us")
    elif pa.types.is_duration(kind) and kind.unit == "ns":
        kind = pa.duration("us")
    elif pa.types.is_timestamp(kind) and kind.unit == "ns":
        kind = pa.timestamp("us", tz=kind.tz)
    return kind


def _get_child_fields(kind: pa.DataType) -> list[pa.Field]:
    """Return the fields of a nested type, for a map its key and its item."""
    if pa.types.is_map(kind):
        return [kind.key_field, kind.item_field]
    return [kind.field(number) for number in range(kind.num_fields)]


def replace_blanks(texts: pa.Array) -> pa.Array:
    """Return strings with the empty ones made null."""
    lengths = pc.binary_length(texts)
    if pc.min(lengths).as_py() != 0:
        return texts
    return pc.if_else(pc.equal(lengths, 0), _NULL_STRING, texts)


def replace_nul(texts: pa.Array) -> pa.Array:
    """Return strings with each NUL made a space."""
    _, offsets, data = texts.buffers()
    if offsets is None or data is None:
        return texts
    ends = np.frombuffer(offsets, np.int32, texts.offset + len(texts) + 1)[texts.offset :]
    # Looking at all bytes at once is a hundred times faster than looking into each string.
    if np.frombuffer(data, np.uint8)[ends[0] : ends[-1]].all():
        return texts
    return pc.replace_substring(texts, "\0", " ")


def _format_number_or_date(value: object) -> str | None:
    """Return a number in decimals, whole ones without a point, a date in ISO 8601; else None."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        whole = str(int(value)) if value.is_integer() else repr(float(value))
        return None if math.isnan(value) else whole
    return str(value) if isinstance(value, Number) and not isinstance(value, bool | complex) else None


def _decode_or_none(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _is_valid_utf8(column: pa.Array) -> bool:
    """Return whether strings are UTF-8: neither Arrow's JSON reader nor its Parquet reader looks."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
