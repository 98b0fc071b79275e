"""Write records as a CSV, TSV or Parquet file.

The columns of a table are known only after the last record, and records come in a stream. So they are kept in a temporary
file, and the table is written from it.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

import pyarrow as pa

from dedup.io.batching import group_items
from dedup.io.records import Record, estimate_record_size, to_json_line
from dedup.io.schema import BATCH_BYTES
from dedup.io.values import as_text

__all__ = ["WritableRecord", "encode_record_line", "write_delimited", "write_parquet"]

WritableRecord = Record | Mapping[str, Any] | bytes
"""A record to be written: as it was read, as a dict, or as a line of JSON."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

TYPE_ERRORS = (
    pa.ArrowInvalid,
    pa.ArrowTypeError,
    pa.ArrowNotImplementedError,
    UnicodeEncodeError,
    OverflowError,
)
"""The errors of Arrow for values or types that do not fit into one column."""


def encode_record_line(row: WritableRecord) -> bytes:
    """Return a record as a line of JSON, without its newline."""
    if isinstance(row, Record):
        return row.to_line()
    return row if isinstance(row, bytes) else to_json_line(row)


def write_delimited(file: IO[bytes], rows: Iterable[WritableRecord], delimiter: str) -> int:
    """Write records as CSV with a header, in UTF-8; return their number."""
    names: dict[str, None] = {}
    with tempfile.TemporaryFile() as kept:
        for row in rows:
            fields = _to_dict(row)
            names.update(dict.fromkeys(fields))
            kept.write(to_json_line(fields) + b"\n")
        kept.seek(0)
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        try:
            writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
            writer.writerow(map(_escape_formula, names))
            count = 0
            for line in kept:
                fields = json.loads(line)
                writer.writerow([_to_delimited_cell(fields.get(name)) for name in names])
                count += 1
        finally:
            text.detach()  # or it would close the file, which is not ours
    return count


def write_parquet(file: IO[bytes], rows: Iterable[WritableRecord]) -> int:
    """Write records as Parquet; return their number.

    A column holds JSON where its values have no type in common, or one that Parquet does not know.
    """
    from pyarrow.parquet import ParquetWriter

    types: dict[str, pa.DataType] = {}
    count = 0
    with tempfile.TemporaryFile() as kept:
        for group in group_items(map(_to_dict, rows), estimate_record_size, BATCH_BYTES):
            batch = _build_batch(group)
            types = _merge_types(types, batch.schema)
            with pa.ipc.new_stream(kept, batch.schema) as stream:
                stream.write_batch(batch)
            count += len(group)
        schema = pa.schema({name: _to_parquet_type(kind) for name, kind in types.items()})
        with ParquetWriter(file, schema) as writer:
            for batch in _read_spooled_batches(kept):
                writer.write_batch(_convert_batch(batch, schema))
    return count


def _to_dict(row: WritableRecord) -> Mapping[str, Any]:
    """Return a record as a dict."""
    if isinstance(row, Record):
        return row.to_dict()
    return Record(row).to_dict() if isinstance(row, bytes) else row


def _build_batch(group: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """Return some records as columns, each of the type that its values have."""
    names = dict.fromkeys(name for fields in group for name in fields)
    return pa.RecordBatch.from_pydict(
        {name: _build_column([fields.get(name) for fields in group]) for name in names}
    )


def _build_column(values: list[Any]) -> pa.Array:
    """Return values as an array; as an array of JSON where they have no type in common."""
    try:
        return pa.array(values)
    except TYPE_ERRORS:
        return pa.array(map(_to_cell_text, values), pa.string())


def _to_delimited_cell(value: object) -> str | None:
    """Return the cell of a value in CSV; a spreadsheet never runs a string as a formula."""
    text = _to_cell_text(value)
    return _escape_formula(text) if text and isinstance(value, str) else text


def _escape_formula(text: str) -> str:
    """Return a text with an apostrophe before it where a spreadsheet would take it for a formula.

    >>> _escape_formula("=1+1"), _escape_formula("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _to_cell_text(value: object) -> str | None:
    """Return a value as a string that UTF-8 can hold: itself, or its JSON."""
    return as_text(value) if value is None or isinstance(value, str) else to_json_line(value).decode()


def _merge_types(types: Mapping[str, pa.DataType], schema: pa.Schema) -> dict[str, pa.DataType]:
    """Return for each column the type that holds both what it had before and what it has in this schema."""
    return {**types, **{field.name: _merge_type(types.get(field.name), field.type) for field in schema}}


def _merge_type(one: pa.DataType | None, other: pa.DataType) -> pa.DataType:
    if one is None:
        return other
    try:
        both = [pa.schema({"": one}), pa.schema({"": other})]
        return pa.unify_schemas(both, promote_options="permissive").field(0).type
    except TYPE_ERRORS:
        return pa.string()


def _to_parquet_type(kind: pa.DataType) -> pa.DataType:
    """Return a type that Parquet can hold: the one given, or a string."""
    from pyarrow.parquet import write_table

    if pa.types.is_null(kind):
        return pa.string()
    try:
        write_table(pa.schema({"": kind}).empty_table(), io.BytesIO())
    except TYPE_ERRORS:
        return pa.string()
    return kind


def _read_spooled_batches(spool: IO[bytes]) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a file that holds one Arrow stream after the other."""
    end = spool.seek(0, io.SEEK_END)
    spool.seek(0)
    while spool.tell() < end:
        with pa.ipc.open_stream(spool) as stream:
            yield from stream


def _convert_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Return a batch with the columns and types of the whole table."""
    columns = [
        _convert_column(batch.column(field.name), field.type)
        if field.name in batch.schema.names
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _convert_column(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    values = column.to_pylist()
    return pa.array(map(_to_cell_text, values) if pa.types.is_string(kind) else values, kind)
