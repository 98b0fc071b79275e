"""Parquet → articles, a few columns at a time; and → numbered dicts, with all columns."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.io.decompress import Damaged
from dedup.io.file_reader import Reading, Rows
from dedup.io.line_blocks import Positions
from dedup.io.normalize import sift, why_refused
from dedup.io.records import RECORD_SHOWN, json_line
from dedup.io.schema import BATCH_ARTICLES, column_names
from dedup.io.values import rows_of

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

__all__ = ["batch_articles", "batch_rows", "parquet_articles", "parquet_rows"]


def parquet_articles(reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a Parquet file; only the columns that they need are read."""
    for first, batch in _parquet_batches(reading, column_names(reading.names)):
        yield batch_articles(first, batch, reading)


def batch_articles(first: int, batch: pa.RecordBatch, reading: Reading) -> pa.RecordBatch:
    """Return the articles of a batch, whose first row has the number `first`; rows that are none are refused."""
    sifted = sift(batch, reading.names, reading.made_ids(range(first, first + len(batch))))
    reading.warnings.update(sifted.warnings)
    for row in sifted.refused:
        (record,) = rows_of(batch.slice(row, 1))
        reading.refuse(first + row, why_refused(record, reading.names), json_line(record))
    numbers = np.delete(np.arange(first, first + len(batch)), sifted.refused)
    return _not_too_long(reading, sifted.batch, numbers)


def parquet_rows(reading: Reading) -> Rows:
    """Yield the rows of a Parquet file as dicts, with all their columns, numbered from 1."""
    for first, batch in _parquet_batches(reading, None):
        yield from batch_rows(first, batch)


def batch_rows(first: int, batch: pa.RecordBatch) -> Rows:
    """Yield the rows of a batch as dicts, numbered from `first`."""
    yield from enumerate(rows_of(batch), first)


def _parquet_batches(reading: Reading, columns: Sequence[str] | None) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the number of the first row and the columns named, or all, of each part of a Parquet file."""
    first = 1
    try:
        size = Path(reading.source.path).stat().st_size
        with _opened_parquet(reading) as file:
            reading.check_columns(file.schema_arrow.names)
            known = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
            for batch in file.iter_batches(_rows_that_fit(file.metadata, reading.size), columns=known):
                yield first, batch
                first += batch.num_rows
                if not reading.source.packing:
                    reading.advance(size * (first - 1) // file.metadata.num_rows)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # a column's name is read by Python
        raise Damaged(f"not a Parquet file, or a damaged one: {error}") from error


@contextmanager
def _opened_parquet(reading: Reading) -> Iterator[ParquetFile]:
    """Open a Parquet file; one that is compressed is unpacked first, since its directory is at its end."""
    from pyarrow.parquet import ParquetFile

    if not reading.source.packing:
        with ParquetFile(reading.source.path) as file:
            yield file
        return
    with tempfile.TemporaryFile() as unpacked:
        unpacked.writelines(reading.unpacked())
        unpacked.seek(0)
        yield ParquetFile(unpacked)


def _not_too_long(reading: Reading, articles: pa.RecordBatch, numbers: Positions) -> pa.RecordBatch:
    """Return the articles that are not too long; refuse the others by the numbers of their rows."""
    fits = pc.less_equal(pc.binary_length(articles["text"]), reading.longest)
    for row in pc.indices_nonzero(pc.invert(fits)).to_pylist():
        reading.refuse(int(numbers[row]), reading.too_long, articles["text"][row].as_py()[:RECORD_SHOWN])
    return articles.filter(fits)


def _rows_that_fit(metadata: Any, size: int) -> int:
    """Return how many rows make about `size` bytes, but no more than a batch may have."""
    total: int = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    average = max(1, total // max(1, metadata.num_rows))
    return max(1, min(BATCH_ARTICLES, int(size // average)))
