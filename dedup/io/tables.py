"""Records → a CSV, TSV or Parquet file.

A table's columns are known only when the last record has been seen, and records come in a stream: so they are
kept in a temporary file, from which the table is written.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

import pyarrow as pa

from dedup.io.batching import grouped
from dedup.io.records import Record, json_line
from dedup.io.schema import BATCH_BYTES
from dedup.io.values import as_text

__all__ = ["Row", "line_of", "write_delimited", "write_parquet"]

Row = Record | Mapping[str, Any] | bytes
"""A record to be written: as it was read, as a dict, or as a line of JSON."""

TYPE_ERRORS = (
    pa.ArrowInvalid,
    pa.ArrowTypeError,
    pa.ArrowNotImplementedError,
    UnicodeEncodeError,
    OverflowError,
)
"""By these Arrow says that values or types do not go together in one column."""


def line_of(row: Row) -> bytes:
    """Return a record as a line of JSON, without its newline."""
    if isinstance(row, Record):
        return row.line()
    return row if isinstance(row, bytes) else json_line(row)


def write_delimited(file: IO[bytes], rows: Iterable[Row], delimiter: str) -> int:
    """Write records as CSV with a header, in UTF-8; return how many."""
    names: dict[str, None] = {}
    with tempfile.TemporaryFile() as kept:
        for row in rows:
            fields = _fields(row)
            names.update(dict.fromkeys(fields))
            kept.write(json_line(fields) + b"\n")
        kept.seek(0)
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        try:
            writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
            writer.writerow(names)
            count = 0
            for line in kept:
                fields = json.loads(line)
                writer.writerow([_text(fields.get(name)) for name in names])
                count += 1
        finally:
            text.detach()  # or it would close the file, which is not ours
    return count


def write_parquet(file: IO[bytes], rows: Iterable[Row]) -> int:
    """Write records as Parquet; return how many.

    A column holds JSON where its values have no type in common, or one that Parquet does not know.
    """
    from pyarrow.parquet import ParquetWriter

    types: dict[str, pa.DataType] = {}
    count = 0
    with tempfile.TemporaryFile() as kept:
        for group in grouped(map(_fields, rows), _size, BATCH_BYTES):
            batch = _batch(group)
            types = _common_types(types, batch.schema)
            with pa.ipc.new_stream(kept, batch.schema) as stream:
                stream.write_batch(batch)
            count += len(group)
        schema = pa.schema({name: _storable(kind) for name, kind in types.items()})
        with ParquetWriter(file, schema) as writer:
            for batch in _batches(kept):
                writer.write_batch(_conformed(batch, schema))
    return count


def _fields(row: Row) -> Mapping[str, Any]:
    """Return a record as a dict."""
    if isinstance(row, Record):
        return row.fields()
    return Record(row).fields() if isinstance(row, bytes) else row


def _size(fields: Mapping[str, Any]) -> int:
    """Return how many characters a record's own strings have."""
    return sum(len(value) for value in fields.values() if isinstance(value, str | bytes))


def _batch(group: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """Return some records as columns, each of the type that its values have."""
    names = dict.fromkeys(name for fields in group for name in fields)
    return pa.RecordBatch.from_pydict(
        {name: _column([fields.get(name) for fields in group]) for name in names}
    )


def _column(values: list[Any]) -> pa.Array:
    """Return values as an array; as an array of JSON where they have no type in common."""
    try:
        return pa.array(values)
    except TYPE_ERRORS:
        return pa.array(map(_text, values), pa.string())


def _text(value: object) -> str | None:
    """Return a value as a string that UTF-8 can hold: itself, or its JSON."""
    return as_text(value) if value is None or isinstance(value, str) else json_line(value).decode()


def _common_types(types: Mapping[str, pa.DataType], schema: pa.Schema) -> dict[str, pa.DataType]:
    """Return for each column the type that holds both what it had before and what it has in this schema."""
    return {**types, **{field.name: _common_type(types.get(field.name), field.type) for field in schema}}


def _common_type(one: pa.DataType | None, other: pa.DataType) -> pa.DataType:
    if one is None:
        return other
    try:
        both = [pa.schema({"": one}), pa.schema({"": other})]
        return pa.unify_schemas(both, promote_options="permissive").field(0).type
    except TYPE_ERRORS:
        return pa.string()


def _storable(kind: pa.DataType) -> pa.DataType:
    """Return a type that Parquet can hold: the one given, or a string."""
    from pyarrow.parquet import write_table

    if pa.types.is_null(kind):
        return pa.string()
    try:
        write_table(pa.schema({"": kind}).empty_table(), io.BytesIO())
    except TYPE_ERRORS:
        return pa.string()
    return kind


def _batches(kept: IO[bytes]) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a file that holds one Arrow stream after the other."""
    end = kept.seek(0, io.SEEK_END)
    kept.seek(0)
    while kept.tell() < end:
        with pa.ipc.open_stream(kept) as stream:
            yield from stream


def _conformed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with the columns and types of the whole table."""
    columns = [
        _as_type(batch.column(field.name), field.type)
        if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _as_type(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    values = column.to_pylist()
    return pa.array(map(_text, values) if pa.types.is_string(kind) else values, kind)
