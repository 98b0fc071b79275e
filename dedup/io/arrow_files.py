"""Read the files of Arrow (IPC, also known as Feather, and its streams) and of ORC, a few columns at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from dedup.io.batching import split_batch
from dedup.io.file_bytes import CorruptFileError
from dedup.io.parquet import extract_batch_articles, iter_batch_rows, select_columns
from dedup.io.remote import is_url
from dedup.io.schema import BATCH_ARTICLES, list_column_names
from dedup.io.source_file import NumberedRows, SourceFile

__all__ = ["read_arrow_articles", "read_arrow_rows"]

FILE_MAGIC = b"ARROW1"
ORC_MAGIC = b"ORC"
BINARY_TYPES = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
KINDS = {"arrow": "an Arrow", "orc": "an ORC"}


def read_arrow_articles(source_file: SourceFile) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a file; only the columns that they need are read."""
    for first, batch in _iter_batches(source_file, list_column_names(source_file.names)):
        yield extract_batch_articles(first, batch, source_file)


def read_arrow_rows(source_file: SourceFile) -> NumberedRows:
    """Yield the rows of a file as dicts, with all their columns, numbered from 1."""
    for first, batch in _iter_batches(source_file, None):
        yield from iter_batch_rows(first, batch)


def _iter_batches(
    source_file: SourceFile, columns: Sequence[str] | None
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the number of the first row and the columns named, or all, of each part of a file."""
    first = 1
    kind = source_file.source.format
    try:
        with _open_file(source_file) as file:
            parts = (
                _iter_orc(file, source_file, columns)
                if kind == "orc"
                else _iter_ipc(file, source_file, columns)
            )
            for part in parts:
                _check_arrays(part)
                for batch in split_batch(part, BATCH_ARTICLES, source_file.batch_bytes):
                    yield first, batch
                    first += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise CorruptFileError(f"not {KINDS[kind]} file, or a damaged one: {error}", first) from error


def _check_arrays(batch: pa.RecordBatch) -> None:
    """Raise pa.ArrowInvalid where an array of a damaged file points outside of its data: Arrow does not check that.

    Strings that are not UTF-8 pass: only their rows are rejected.
    """
    for column in batch.columns:
        kind = BINARY_TYPES.get(column.type)
        (column.view(kind) if kind else column).validate(full=True)


def _iter_ipc(file: Any, source_file: SourceFile, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    """Yield the batches of an Arrow file, or of a stream, which has no index at its end."""
    is_file = file.read(len(FILE_MAGIC)) == FILE_MAGIC
    file.seek(0)
    open_ipc = pa.ipc.open_file if is_file else pa.ipc.open_stream
    with open_ipc(file) as reader:
        names = reader.schema.names
    source_file.check_columns(names)
    wanted = names if columns is None else select_columns(columns, names)
    options = pa.ipc.IpcReadOptions(included_fields=[n for n, name in enumerate(names) if name in wanted])
    file.seek(0)
    with open_ipc(file, options=options) as reader:
        if not is_file:
            yield from reader
            return
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def _iter_orc(file: Any, source_file: SourceFile, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    """Yield the stripes of an ORC file."""
    from pyarrow.orc import ORCFile

    reader = ORCFile(file)
    names = reader.schema.names
    source_file.check_columns(names)
    wanted = None if columns is None else select_columns(columns, names)
    for number in range(reader.nstripes):
        yield reader.read_stripe(number, columns=wanted)


@contextmanager
def _open_file(source_file: SourceFile) -> Iterator[Any]:
    """Open a file; one that is compressed, remote or a stream is copied first, since it must be read at any offset."""
    source = source_file.source
    if not (source.compression or source.is_stream or is_url(source.path)):
        with (
            pa.memory_map(source.path) if Path(source.path).stat().st_size else (pa.BufferReader(b"")) as file
        ):
            yield file
        return
    with tempfile.TemporaryFile() as unpacked:
        unpacked.writelines(source_file.read_decompressed())
        unpacked.seek(0)
        yield pa.PythonFile(unpacked, mode="r")
