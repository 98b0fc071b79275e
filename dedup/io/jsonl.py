"""Read the articles of JSON Lines, at the speed of Arrow where a block is tidy, line by line where it is not.

Arrow's parser is ten times as fast as Python's, but it does not report which line is broken or has no text, and it
accepts invalid UTF-8. So Arrow parses a block only where every line begins an object, and its result counts only where
each line became an article. Any other block is read line by line, which finds the exact line. The tests check that both
ways give the same articles.
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
from dedup.io.file_bytes import CorruptFileError
from dedup.io.line_blocks import (
    LineBlock,
    OversizedLine,
    iter_line_blocks,
    iter_numbered_lines,
    make_line_block,
)
from dedup.io.nested import build_nested_schema, get_field
from dedup.io.records import Record, describe_json_type
from dedup.io.schema import list_column_names
from dedup.io.schema_mapping import explain_rejection
from dedup.io.source_file import SourceFile

__all__ = [
    "NOT_UTF8",
    "iter_block_records",
    "parse_block_articles",
    "read_jsonl_articles",
    "read_jsonl_records",
]

PARSE_PARTS = 4
"""A block is parsed in this many parts, on all cores."""

SAMPLED_LINES = 4
"""The types of the fields are taken from these lines; a block where others follow is read line by line."""

NOT_UTF8 = "not valid UTF-8"
OPEN_BRACE = ord("{")


def read_jsonl_articles(source_file: SourceFile) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a file of JSON Lines; reject the other lines."""
    for block in _iter_file_blocks(source_file):
        yield from parse_block_articles(block, source_file)


def parse_block_articles(
    block: LineBlock | OversizedLine, source_file: SourceFile
) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a block; reject the other lines."""
    if isinstance(block, OversizedLine):
        source_file.reject(block.line, source_file.too_long_reason, block.head)
        return
    tidy = None if source_file.rules.convert else _parse_with_arrow(block, source_file)
    yield from _parse_by_line(block, source_file) if tidy is None else tidy


def read_jsonl_records(source_file: SourceFile) -> Iterator[tuple[int, Record]]:
    """Yield every line that is not blank, with its number, as it stands in the file."""
    for block in _iter_file_blocks(source_file):
        yield from iter_block_records(block)


def iter_block_records(block: LineBlock | OversizedLine) -> Iterator[tuple[int, Record]]:
    """Yield every line of a block that is not blank, with its number."""
    if isinstance(block, LineBlock):
        yield from (
            (number, Record(line)) for number, line in iter_numbered_lines(block) if not _is_blank(line)
        )


def _iter_file_blocks(source_file: SourceFile) -> Iterator[LineBlock | OversizedLine]:
    """Yield the blocks of a file; where it breaks off, a last line that lacks only its newline is whole."""
    try:
        yield from iter_line_blocks(
            source_file.read_chunks(), source_file.batch_bytes, source_file.max_article_bytes
        )
    except CorruptFileError as damage:
        if damage.line is None or isinstance(_parse_line(damage.partial_line), str):
            raise
        yield make_line_block(damage.line, damage.partial_line)
        raise CorruptFileError(str(damage)) from damage


def _is_blank(line: bytes) -> bool:
    return not line or line.isspace()


def _parse_with_arrow(block: LineBlock, source_file: SourceFile) -> list[pa.RecordBatch] | None:
    """Return the articles of a block, parsed by Arrow; None if it must be read line by line."""
    widest = int(np.diff(block.ends, prepend=-1).max())
    if widest - 1 > source_file.max_article_bytes or not _is_one_object_per_line(block):
        return None
    schema = _infer_schema(_sample_lines(block), source_file)
    if schema is None:
        return None
    try:
        table = _read_json(block.data, schema, widest)
    except pa.ArrowInvalid:
        return None
    return _normalize_table(table, block.line, source_file) if table.num_rows == len(block.ends) else None


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


def _infer_schema(lines: Sequence[bytes], source_file: SourceFile) -> pa.Schema | None:
    """Return the columns to read, with the types they have in a few lines; None where one of those is broken.

    Every name that a field may have is asked for, since the fields of an article must not depend on its neighbours. A
    field counts as a string unless it is seen to be a number; where it turns out to be neither, Arrow refuses the block.
    """
    types = dict.fromkeys(list_column_names(source_file.names), pa.string())
    records = [_parse_line(line) for line in lines]
    for record in records:
        if isinstance(record, str):
            return None
        for name in types:
            value = get_field(record, name)
            if type(value) is int:
                types[name] = pa.int64()
            elif type(value) is float and name in source_file.names["published"]:
                types[name] = pa.float64()
    source_file.field_use.note_records([record for record in records if isinstance(record, dict)])
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


def _normalize_table(table: pa.Table, first: int, source_file: SourceFile) -> list[pa.RecordBatch] | None:
    """Return the articles of a table, whose first row is line `first`; None if a row is not an article."""
    found = []
    for batch in table.combine_chunks().to_batches():
        mapped = source_file.map_batch(batch, range(first, first + batch.num_rows))
        if mapped.rejected:
            return None
        source_file.field_use.note_columns(batch)
        found.append(mapped)
        first += batch.num_rows
    for mapped in found:
        source_file.add_warnings(mapped)
    return [mapped.batch for mapped in found]


def _parse_by_line(block: LineBlock, source_file: SourceFile) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a block, read line by line; reject the other lines."""
    lines = ((number, line) for number, line in iter_numbered_lines(block) if not _is_blank(line))
    for group in group_items(lines, lambda numbered_line: len(numbered_line[1]), source_file.batch_bytes):
        numbers, records, rejected = [], [], []
        for number, line in group:
            record = (
                source_file.too_long_reason
                if len(line) > source_file.max_article_bytes
                else _parse_line(line)
            )
            if isinstance(record, str):
                rejected.append((number, record))
            else:
                numbers.append(number)
                records.append(record)
        mapped = source_file.map_records(records, numbers)
        rejected += [
            (numbers[row], explain_rejection(records[row], source_file.names)) for row in mapped.rejected
        ]
        found = dict(group)
        for number, reason in sorted(rejected):
            source_file.reject(number, reason, found[number])
        source_file.add_warnings(mapped)
        source_file.field_use.note_records(records)
        yield mapped.batch


def _parse_line(line: bytes) -> dict[str, Any] | str:
    """Return the object on a line, or the reason why the line cannot be read as one."""
    try:
        # Not strict: a raw tab inside a string is no reason to lose an article.
        record = json.loads(line.decode(), strict=False)
    except UnicodeDecodeError:
        return NOT_UTF8
    except json.JSONDecodeError as error:
        return f"broken JSON: {error.msg} (column {error.colno})"
    except (ValueError, RecursionError) as error:
        return f"broken JSON: {error}"
    return record if isinstance(record, dict) else f"{describe_json_type(record)}, not an object"
