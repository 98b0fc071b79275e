"""JSON Lines → articles, at the speed of Arrow where a block is tidy, line by line where it is not.

Arrow's parser is ten times as fast as Python's and says less: it does not tell which line is broken, which
have no text, and it lets bytes pass that are no UTF-8. So a block goes to Arrow only where every line begins
an object, and its answer counts only where each line became an article. Any other block is read line by line,
which finds the exact offender; both ways must give the same articles, which the tests check.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json

from dedup.io.batching import group_items
from dedup.io.decompress import CorruptFileError
from dedup.io.file_reader import FileReader
from dedup.io.line_blocks import (
    LineBlock,
    OversizedLine,
    iter_line_blocks,
    iter_numbered_lines,
    make_line_block,
)
from dedup.io.nested import build_nested_schema, get_field
from dedup.io.normalize import explain_rejection, normalize_batch, normalize_records
from dedup.io.records import Record, describe_json_type
from dedup.io.schema import list_column_names

__all__ = ["iter_block_records", "parse_block_articles", "read_jsonl_articles", "read_jsonl_records"]

PARSE_PARTS = 4
"""A block is parsed in so many parts, on as many cores as there are."""

SAMPLED_LINES = 4
"""The types of the fields are taken from these lines; a block where others follow is read line by line."""

OPEN_BRACE = ord("{")


def read_jsonl_articles(file_reader: FileReader) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a file of JSON Lines; lines that are none are refused."""
    for block in _iter_file_blocks(file_reader):
        yield from parse_block_articles(block, file_reader)


def parse_block_articles(
    block: LineBlock | OversizedLine, file_reader: FileReader
) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a block; lines that are none are refused."""
    if isinstance(block, OversizedLine):
        file_reader.reject(block.line, file_reader.too_long_reason, block.head)
        return
    tidy = _parse_with_arrow(block, file_reader)
    yield from _parse_by_line(block, file_reader) if tidy is None else tidy


def read_jsonl_records(file_reader: FileReader) -> Iterator[tuple[int, Record]]:
    """Yield every line that is not blank, with its number, as it stands in the file."""
    for block in _iter_file_blocks(file_reader):
        yield from iter_block_records(block)


def iter_block_records(block: LineBlock | OversizedLine) -> Iterator[tuple[int, Record]]:
    """Yield every line of a block that is not blank, with its number."""
    if isinstance(block, LineBlock):
        yield from (
            (number, Record(line)) for number, line in iter_numbered_lines(block) if not _is_blank(line)
        )


def _iter_file_blocks(file_reader: FileReader) -> Iterator[LineBlock | OversizedLine]:
    """Yield the blocks of a file; where it breaks off, a last line that lacks only its newline is whole."""
    try:
        yield from iter_line_blocks(
            file_reader.read_chunks(), file_reader.batch_bytes, file_reader.max_article_bytes
        )
    except CorruptFileError as damage:
        if damage.line is None or isinstance(_parse_line(damage.partial_line), str):
            raise
        yield make_line_block(damage.line, damage.partial_line)
        raise CorruptFileError(str(damage)) from damage


def _is_blank(line: bytes) -> bool:
    return not line or line.isspace()


def _parse_with_arrow(block: LineBlock, file_reader: FileReader) -> list[pa.RecordBatch] | None:
    """Return the articles of a block as Arrow reads it, or None where it must be read line by line."""
    widest = int(np.diff(block.ends, prepend=-1).max())
    if widest - 1 > file_reader.max_article_bytes or not _is_one_object_per_line(block):
        return None
    schema = _infer_schema(_sample_lines(block), file_reader)
    if schema is None:
        return None
    try:
        table = _read_json(block.data, schema, widest)
    except pa.ArrowInvalid:
        return None
    return _normalize_table(table, block.line, file_reader) if table.num_rows == len(block.ends) else None


def _sample_lines(block: LineBlock) -> list[bytes]:
    return [block.data[start:end] for start, end in pairwise([0, *block.ends[:SAMPLED_LINES]])]


def _is_one_object_per_line(block: LineBlock) -> bool:
    """Return whether every line begins with a brace, and all of it is UTF-8.

    Arrow checks neither, and a `null` where the first object should begin crashes the process (pyarrow 26).
    """
    data = block.data
    begins = np.append(0, block.ends[:-1] + 1)
    if (np.frombuffer(data, np.uint8)[begins] != OPEN_BRACE).any():
        return False
    offsets = pa.py_buffer(np.array([0, len(data)], np.int64))
    try:
        pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _infer_schema(lines: Sequence[bytes], file_reader: FileReader) -> pa.Schema | None:
    """Return the columns to read, with the types they have in a few lines; None where one of those is broken.

    Every name that a field may have is asked for, since the fields of an article must not depend on its neighbours. A
    field counts as a string unless it is seen to be a number; where it turns out to be neither, Arrow refuses the block.
    """
    types = dict.fromkeys(list_column_names(file_reader.names), pa.string())
    records = [_parse_line(line) for line in lines]
    for record in records:
        if isinstance(record, str):
            return None
        for name in types:
            value = get_field(record, name)
            if type(value) is int:
                types[name] = pa.int64()
            elif type(value) is float and name in file_reader.names["published"]:
                types[name] = pa.float64()
    file_reader.field_use.note_records([record for record in records if isinstance(record, dict)])
    return build_nested_schema(types)


def _read_json(data: bytes, schema: pa.Schema, widest: int) -> pa.Table:
    """Return the columns of a block of objects; pa.ArrowInvalid where one is broken or of another type."""
    # Arrow copes with lines on the border of two parts, but not with a line longer than a part.
    size = max(len(data) // PARSE_PARTS, widest) + 1
    return pyarrow.json.read_json(
        pa.BufferReader(data),
        read_options=pyarrow.json.ReadOptions(block_size=size),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _normalize_table(table: pa.Table, first: int, file_reader: FileReader) -> list[pa.RecordBatch] | None:
    """Return the articles of a table, whose first row is line `first`; None where a row is none."""
    found = []
    for batch in table.combine_chunks().to_batches():
        sifted = normalize_batch(
            batch, file_reader.names, file_reader.build_id_function(range(first, first + batch.num_rows))
        )
        if sifted.rejected:
            return None
        file_reader.field_use.note_columns(batch)
        found.append(sifted)
        first += batch.num_rows
    for sifted in found:
        file_reader.add_warnings(sifted)
    return [sifted.batch for sifted in found]


def _parse_by_line(block: LineBlock, file_reader: FileReader) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a block read line by line, and refuse the lines that are none."""
    lines = ((number, line) for number, line in iter_numbered_lines(block) if not _is_blank(line))
    for group in group_items(lines, lambda numbered_line: len(numbered_line[1]), file_reader.batch_bytes):
        numbers, records, refused = [], [], []
        for number, line in group:
            record = (
                file_reader.too_long_reason
                if len(line) > file_reader.max_article_bytes
                else _parse_line(line)
            )
            if isinstance(record, str):
                refused.append((number, record))
            else:
                numbers.append(number)
                records.append(record)
        sifted = normalize_records(records, file_reader.names, file_reader.build_id_function(numbers))
        refused += [
            (numbers[row], explain_rejection(records[row], file_reader.names)) for row in sifted.rejected
        ]
        found = dict(group)
        for number, reason in sorted(refused):
            file_reader.reject(number, reason, found[number])
        file_reader.add_warnings(sifted)
        file_reader.field_use.note_records(records)
        yield sifted.batch


def _parse_line(line: bytes) -> dict[str, Any] | str:
    """Return the object on a line, or the reason why there is none."""
    try:
        # Not strict: a raw tab inside a string is no reason to lose an article.
        record = json.loads(line.decode(), strict=False)
    except UnicodeDecodeError:
        return "not valid UTF-8"
    except json.JSONDecodeError as error:
        return f"broken JSON: {error.msg} (column {error.colno})"
    except (ValueError, RecursionError) as error:
        return f"broken JSON: {error}"
    return record if isinstance(record, dict) else f"{describe_json_type(record)}, not an object"
