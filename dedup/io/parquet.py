"""Read the articles of Parquet files, a few columns at a time, and their rows as numbered dicts, with all columns."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.io.file_bytes import CorruptFileError
from dedup.io.line_blocks import Int64Array
from dedup.io.records import MAX_REJECT_CHARACTERS, to_json_line
from dedup.io.remote import has_random_access, is_url, open_remote_file
from dedup.io.schema import BATCH_ARTICLES, list_column_names
from dedup.io.schema_mapping import explain_rejection
from dedup.io.source_file import NumberedRows, SourceFile
from dedup.io.values import to_python_rows

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

__all__ = [
    "extract_batch_articles",
    "iter_batch_rows",
    "read_parquet_articles",
    "read_parquet_rows",
    "select_columns",
]

BUFFER_BYTES = 1 << 20
"""Columns are read in parts: without a buffer, Arrow reads those of a whole row group at once."""


def read_parquet_articles(source_file: SourceFile) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a Parquet file; only the columns that they need are read."""
    for first, batch in _read_parquet_batches(source_file, list_column_names(source_file.names)):
        yield extract_batch_articles(first, batch, source_file)


def extract_batch_articles(first: int, batch: pa.RecordBatch, source_file: SourceFile) -> pa.RecordBatch:
    """Return the articles of a batch, whose first row has the number `first`; reject the other rows."""
    mapped = source_file.map_batch(batch, range(first, first + len(batch)))
    source_file.add_warnings(mapped)
    source_file.field_use.note_columns(batch)
    for row in mapped.rejected:
        (record,) = to_python_rows(batch.slice(row, 1))
        source_file.reject(first + row, explain_rejection(record, source_file.names), to_json_line(record))
    numbers = np.delete(np.arange(first, first + len(batch)), mapped.rejected)
    return _reject_long_articles(source_file, mapped.batch, numbers)


def read_parquet_rows(source_file: SourceFile) -> NumberedRows:
    """Yield the rows of a Parquet file as dicts, with all their columns, numbered from 1."""
    for first, batch in _read_parquet_batches(source_file, None):
        yield from iter_batch_rows(first, batch)


def iter_batch_rows(first: int, batch: pa.RecordBatch) -> NumberedRows:
    """Yield the rows of a batch as dicts, numbered from `first`."""
    yield from enumerate(to_python_rows(batch), first)


def _read_parquet_batches(
    source_file: SourceFile, columns: Sequence[str] | None
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the number of the first row and the columns named, or all, of each part of a Parquet file."""
    first = 1
    try:
        size = source_file.source.read_stamp()[0]
        with _open_parquet(source_file) as file:
            source_file.check_columns(file.schema_arrow.names)
            known = None if columns is None else select_columns(columns, file.schema_arrow.names)
            for batch in file.iter_batches(
                _estimate_batch_rows(file.metadata, source_file.batch_bytes), columns=known
            ):
                yield first, batch
                first += batch.num_rows
                if not source_file.source.compression:
                    source_file.report_progress(size * (first - 1) // file.metadata.num_rows)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # a column's name is read by Python
        raise CorruptFileError(f"not a Parquet file, or a damaged one: {error}") from error


def select_columns(wanted: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Return the wanted columns that a file has; a dotted name is a column, or a path into one."""
    return [name for name in wanted if name in columns or name.partition(".")[0] in columns]


@contextmanager
def _open_parquet(source_file: SourceFile) -> Iterator[ParquetFile]:
    """Open a Parquet file; copy one that is compressed or a stream first, since its directory is at its end."""
    from pyarrow.parquet import ParquetFile

    source = source_file.source
    if not (source.compression or source.is_stream or is_url(source.path)):
        with ParquetFile(source.path, buffer_size=BUFFER_BYTES) as file:
            yield file
        return
    if not (source.compression or source.is_stream) and has_random_access(source.path):
        with open_remote_file(source.path) as opened, ParquetFile(opened, buffer_size=BUFFER_BYTES) as file:
            yield file
        return
    with tempfile.TemporaryFile() as unpacked:
        unpacked.writelines(source_file.read_decompressed())
        unpacked.seek(0)
        yield ParquetFile(unpacked, buffer_size=BUFFER_BYTES)


def _reject_long_articles(
    source_file: SourceFile, articles: pa.RecordBatch, numbers: Int64Array
) -> pa.RecordBatch:
    """Return the articles that are not too long; reject the others by the numbers of their rows."""
    fits = pc.less_equal(pc.binary_length(articles["text"]), source_file.max_article_bytes)
    for row in pc.indices_nonzero(pc.invert(fits)).to_pylist():
        source_file.reject(
            int(numbers[row]),
            source_file.too_long_reason,
            articles["text"][row].as_py()[:MAX_REJECT_CHARACTERS],
        )
    return articles.filter(fits)


def _estimate_batch_rows(metadata: Any, size: int) -> int:
    """Return the number of rows that have about `size` bytes, at most the rows of a batch."""
    total: int = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    average = max(1, total // max(1, metadata.num_rows))
    return max(1, min(BATCH_ARTICLES, int(size // average)))
