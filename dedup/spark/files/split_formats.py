"""Group the rows that Spark reads by split, in the form that the readers of a local run accept.

Spark splits a large file of JSON Lines or Parquet, and passes each split to a task as a run of rows. Any
other file is one split, read from its path or from its bytes. Each split has its file and its start, with
blocks of lines, batches of rows, or the path of a file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import numpy as np
import pyarrow as pa

from dedup.io.discovery import InputFile
from dedup.io.jsonl import iter_block_records, parse_block_articles
from dedup.io.line_blocks import LineBlock, make_line_block
from dedup.io.parquet import extract_batch_articles, iter_batch_rows
from dedup.io.readers import read_file_articles, read_file_records
from dedup.io.records import Record
from dedup.io.source_file import SourceFile
from dedup.spark.files.discovery import normalize_path

__all__ = [
    "LINES",
    "ROWS",
    "WHOLE",
    "Batches",
    "NumberedBatch",
    "SplitFormat",
    "SplitKey",
    "choose_split_format",
]

Batches = Iterator[pa.RecordBatch]
SplitKey = tuple[int, int]
"""A split: the number of its file, and the byte at which it starts."""
HIDDEN_PREFIXES = ("_", ".")
"""Prefixes of file names that Spark skips."""
METADATA_COLUMNS = 3
"""The first columns of a Parquet batch: path, start of the split, and row number."""


class NumberedBatch(NamedTuple):
    """A batch of Parquet rows, and the number of its first row in the file, from 1."""

    first: int
    batch: pa.RecordBatch


class SplitFormat(NamedTuple):
    """A way in which Spark reads files: how to find the splits in its rows, and how to read their parts."""

    parts: Callable[[Batches, Mapping[str, int], Mapping[SplitKey, int]], Iterator[tuple[SplitKey, Any]]]
    """Its arguments are batches, the number of each file by path, and the first line number of each split, if known."""
    articles: Callable[[Any, SourceFile], Iterator[pa.RecordBatch]]
    records: Callable[[Any, SourceFile], Iterator[tuple[int, Record]]]


def choose_split_format(source: InputFile) -> SplitFormat:
    """Return the way in which Spark reads a file."""
    if source.compression or Path(source.path).name.startswith(HIDDEN_PREFIXES):
        return WHOLE
    return {"lines": LINES, "parquet": ROWS}.get(source.format, WHOLE)


def iter_split_runs(
    paths: pa.Array, starts: pa.Array, numbers: Mapping[str, int]
) -> Iterator[tuple[SplitKey, slice]]:
    """Yield each run of rows of one split."""
    coded = paths.dictionary_encode()
    codes, begins = coded.indices.to_numpy(zero_copy_only=False), starts.to_numpy()
    changes = np.flatnonzero((codes[1:] != codes[:-1]) | (begins[1:] != begins[:-1])) + 1
    for first, end in zip([0, *changes], [*changes, len(codes)], strict=True):
        if end > first:
            place = normalize_path(unquote(coded.dictionary[codes[first]].as_py()))
            yield (numbers[place], int(begins[first])), slice(int(first), int(end))


def iter_line_splits(
    batches: Batches, numbers: Mapping[str, int], lines: Mapping[SplitKey, int]
) -> Iterator[tuple[SplitKey, LineBlock]]:
    """Yield the lines of plain files in blocks."""
    current, line = None, 1
    for batch in batches:
        values, paths, starts = batch.columns
        for key, rows in iter_split_runs(paths, starts, numbers):
            if key != current:
                current, line = key, lines.get(key, 1)
            texts = values[rows].to_pylist()
            yield key, make_line_block(line, b"\n".join(texts) + b"\n")
            line += len(texts)


def iter_row_splits(
    batches: Batches, numbers: Mapping[str, int], _lines: Mapping[SplitKey, int]
) -> Iterator[tuple[SplitKey, NumberedBatch]]:
    """Yield the rows of Parquet files in batches."""
    for batch in batches:
        inside = batch.select(range(METADATA_COLUMNS, batch.num_columns))
        for key, rows in iter_split_runs(batch.column(0), batch.column(1), numbers):
            first = batch.column(2)[rows.start].as_py() + 1
            yield key, NumberedBatch(first, inside.slice(rows.start, rows.stop - rows.start))


def iter_file_splits(
    batches: Batches, numbers: Mapping[str, int], _lines: Mapping[SplitKey, int]
) -> Iterator[tuple[SplitKey, Path]]:
    """Yield the paths of files that are read whole; files that Spark passes as bytes are written to a local file."""
    for batch in batches:
        for path, content in zip(batch.column(0), batch.column(1), strict=True):
            place = normalize_path(path.as_py())
            if not content.is_valid:
                yield (numbers[place], 0), Path(place)
                continue
            with tempfile.NamedTemporaryFile() as copy:
                copy.write(content.as_buffer())
                copy.flush()
                yield (numbers[place], 0), Path(copy.name)


def read_rows_as_articles(rows: NumberedBatch, reading: SourceFile) -> Iterator[pa.RecordBatch]:
    """Yield the articles among the rows of a Parquet file."""
    yield extract_batch_articles(rows.first, rows.batch, reading)


def read_split_rows(rows: NumberedBatch, _reading: SourceFile) -> Iterator[tuple[int, Record]]:
    """Yield the rows of a Parquet file as records."""
    return ((number, Record(row)) for number, row in iter_batch_rows(rows.first, rows.batch))


def read_split_lines(block: LineBlock, _reading: SourceFile) -> Iterator[tuple[int, Record]]:
    """Yield the lines of a block as records."""
    return iter_block_records(block)


def read_file_as_articles(_path: Path, reading: SourceFile) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a file."""
    return read_file_articles(reading)


def read_file_as_records(_path: Path, reading: SourceFile) -> Iterator[tuple[int, Record]]:
    """Yield the records of a file."""
    return read_file_records(reading)


LINES = SplitFormat(iter_line_splits, parse_block_articles, read_split_lines)
ROWS = SplitFormat(iter_row_splits, read_rows_as_articles, read_split_rows)
WHOLE = SplitFormat(iter_file_splits, read_file_as_articles, read_file_as_records)
