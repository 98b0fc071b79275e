"""Rows as Spark reads them → the pieces of files that they come from, each with what the readers of a local run take.

Spark divides a large file of JSON Lines, or of Parquet, and hands each piece to a task as a run of rows; any other file
is one piece, read where it lies or from its bytes. In: Arrow batches, in which the rows of a piece follow one another. Out: for
each piece its file and where in it the piece begins, with blocks of lines, batches of rows, or an opened file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import numpy as np
import pyarrow as pa

from dedup.io.discovery import Source
from dedup.io.file_reader import Reading
from dedup.io.jsonl import block_articles, block_records
from dedup.io.line_blocks import Block, block_of
from dedup.io.parquet import batch_articles, batch_rows
from dedup.io.readers import articles_of, records_of
from dedup.io.records import Record
from dedup.spark.files.discovery import place_of

__all__ = ["LINES", "ROWS", "WHOLE", "Batches", "Key", "Kind", "Numbered", "kind_of"]

Batches = Iterator[pa.RecordBatch]
Key = tuple[int, int]
"""A piece: the number of its file, and the byte at which it begins."""
HIDDEN = ("_", ".")
"""Spark's readers pass over files with such names."""
OURS = 3
"""The first columns of a batch of Parquet are the path, the beginning of the piece, and the number of the row."""


class Numbered(NamedTuple):
    """A batch of Parquet, and the number of its first row in the file, from 1."""

    first: int
    batch: pa.RecordBatch


class Kind(NamedTuple):
    """A way in which Spark reads files: how the pieces are found in its rows, and what stands in a part of one."""

    parts: Callable[[Batches, Mapping[str, int], Mapping[Key, int]], Iterator[tuple[Key, Any]]]
    """Takes batches, the number of each file by its place, and the number of each piece's first line, where that is known."""
    articles: Callable[[Any, Reading], Iterator[pa.RecordBatch]]
    records: Callable[[Any, Reading], Iterator[tuple[int, Record]]]


def kind_of(source: Source) -> Kind:
    """Return the way in which Spark reads a file."""
    if source.packing or Path(source.path).name.startswith(HIDDEN):
        return WHOLE
    return {"lines": LINES, "parquet": ROWS}.get(source.format, WHOLE)


def runs(paths: pa.Array, starts: pa.Array, numbers: Mapping[str, int]) -> Iterator[tuple[Key, slice]]:
    """Yield each run of rows that come from one piece."""
    coded = paths.dictionary_encode()
    codes, begins = coded.indices.to_numpy(zero_copy_only=False), starts.to_numpy()
    changes = np.flatnonzero((codes[1:] != codes[:-1]) | (begins[1:] != begins[:-1])) + 1
    for first, end in zip([0, *changes], [*changes, len(codes)], strict=True):
        if end > first:
            place = place_of(unquote(coded.dictionary[codes[first]].as_py()))
            yield (numbers[place], int(begins[first])), slice(int(first), int(end))


def lines_in(
    batches: Batches, numbers: Mapping[str, int], lines: Mapping[Key, int]
) -> Iterator[tuple[Key, Block]]:
    """Yield the lines that Spark read of plain files, in blocks."""
    known, line = None, 1
    for batch in batches:
        values, paths, starts = batch.columns
        for key, rows in runs(paths, starts, numbers):
            if key != known:
                known, line = key, lines.get(key, 1)
            found = values[rows].to_pylist()
            yield key, block_of(line, b"\n".join(found) + b"\n")
            line += len(found)


def rows_in(
    batches: Batches, numbers: Mapping[str, int], _lines: Mapping[Key, int]
) -> Iterator[tuple[Key, Numbered]]:
    """Yield the rows that Spark read of Parquet files, in batches."""
    for batch in batches:
        inside = batch.select(range(OURS, batch.num_columns))
        for key, rows in runs(batch.column(0), batch.column(1), numbers):
            first = batch.column(2)[rows.start].as_py() + 1
            yield key, Numbered(first, inside.slice(rows.start, rows.stop - rows.start))


def files_in(
    batches: Batches, numbers: Mapping[str, int], _lines: Mapping[Key, int]
) -> Iterator[tuple[Key, Path]]:
    """Yield where files lie that are read as a whole; those of which Spark gives the bytes are put into a file."""
    for batch in batches:
        for path, content in zip(batch.column(0), batch.column(1), strict=True):
            place = place_of(path.as_py())
            if not content.is_valid:
                yield (numbers[place], 0), Path(place)
                continue
            with tempfile.NamedTemporaryFile() as copy:
                copy.write(content.as_buffer())
                copy.flush()
                yield (numbers[place], 0), Path(copy.name)


def rows_articles(rows: Numbered, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the articles among the rows of a Parquet file."""
    yield batch_articles(rows.first, rows.batch, reading)


def rows_records(rows: Numbered, _reading: Reading) -> Iterator[tuple[int, Record]]:
    """Yield the rows of a Parquet file as records."""
    return ((number, Record(row)) for number, row in batch_rows(rows.first, rows.batch))


def block_record_lines(block: Block, _reading: Reading) -> Iterator[tuple[int, Record]]:
    """Yield the lines of a block as records."""
    return block_records(block)


def file_articles(_path: Path, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a file."""
    return articles_of(reading)


def file_records(_path: Path, reading: Reading) -> Iterator[tuple[int, Record]]:
    """Yield the records of a file."""
    return records_of(reading)


LINES = Kind(lines_in, block_articles, block_record_lines)
ROWS = Kind(rows_in, rows_articles, rows_records)
WHOLE = Kind(files_in, file_articles, file_records)
