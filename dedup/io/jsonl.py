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

from dedup.io.batching import grouped
from dedup.io.decompress import Damaged
from dedup.io.file_reader import Reading
from dedup.io.line_blocks import Block, TooLong, block_of, blocks, numbered
from dedup.io.normalize import sift, sift_records, why_refused
from dedup.io.records import Record, kind_of
from dedup.io.schema import Names, column_names

__all__ = ["block_articles", "block_records", "line_articles", "line_records"]

PARTS = 4
"""A block is parsed in so many parts, on as many cores as there are."""

SAMPLED_LINES = 4
"""The types of the fields are taken from these lines; a block where others follow is read line by line."""

OBJECT = ord("{")


def line_articles(reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a file of JSON Lines; lines that are none are refused."""
    for block in _blocks(reading):
        yield from block_articles(block, reading)


def block_articles(block: Block | TooLong, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a block; lines that are none are refused."""
    if isinstance(block, TooLong):
        reading.refuse(block.line, reading.too_long, block.head)
        return
    tidy = _by_arrow(block, reading)
    yield from _by_line(block, reading) if tidy is None else tidy


def line_records(reading: Reading) -> Iterator[tuple[int, Record]]:
    """Yield every line that is not blank, with its number, as it stands in the file."""
    for block in _blocks(reading):
        yield from block_records(block)


def block_records(block: Block | TooLong) -> Iterator[tuple[int, Record]]:
    """Yield every line of a block that is not blank, with its number."""
    if isinstance(block, Block):
        yield from ((number, Record(line)) for number, line in numbered(block) if not _is_blank(line))


def _blocks(reading: Reading) -> Iterator[Block | TooLong]:
    """Yield the blocks of a file; where it breaks off, a last line that lacks only its newline is whole."""
    try:
        yield from blocks(reading.pieces(), reading.size, reading.longest)
    except Damaged as damage:
        if damage.line is None or isinstance(_parsed(damage.tail), str):
            raise
        yield block_of(damage.line, damage.tail)
        raise Damaged(str(damage)) from damage


def _is_blank(line: bytes) -> bool:
    return not line or line.isspace()


def _by_arrow(block: Block, reading: Reading) -> list[pa.RecordBatch] | None:
    """Return the articles of a block as Arrow reads it, or None where it must be read line by line."""
    widest = int(np.diff(block.ends, prepend=-1).max())
    if widest - 1 > reading.longest or not _is_tidy(block):
        return None
    schema = _schema(_first_lines(block), reading.names)
    if schema is None:
        return None
    try:
        table = _read_json(block.data, schema, widest)
    except pa.ArrowInvalid:
        return None
    return _articles(table, block.line, reading) if table.num_rows == len(block.ends) else None


def _first_lines(block: Block) -> list[bytes]:
    return [block.data[start:end] for start, end in pairwise([0, *block.ends[:SAMPLED_LINES]])]


def _is_tidy(block: Block) -> bool:
    """Return whether every line begins with a brace, and all of it is UTF-8.

    Arrow checks neither, and a `null` where the first object should begin crashes the process (pyarrow 26).
    """
    data = block.data
    begins = np.append(0, block.ends[:-1] + 1)
    if (np.frombuffer(data, np.uint8)[begins] != OBJECT).any():
        return False
    offsets = pa.py_buffer(np.array([0, len(data)], np.int64))
    try:
        pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _schema(lines: Sequence[bytes], names: Names) -> pa.Schema | None:
    """Return the columns to read, with the types they have in some lines; None where one of those is broken.

    Every name that a field may have is asked for: what an article is must not depend on its neighbours. What
    is not seen to be a number counts as a string, and where it turns out to be none Arrow refuses the block.
    """
    types = dict.fromkeys(column_names(names), pa.string())
    for record in map(_parsed, lines):
        if isinstance(record, str):
            return None
        for name in types.keys() & record.keys():
            if type(record[name]) is int:
                types[name] = pa.int64()
            elif type(record[name]) is float and name in names["published"]:
                types[name] = pa.float64()
    return pa.schema(types)


def _read_json(data: bytes, schema: pa.Schema, widest: int) -> pa.Table:
    """Return the columns of a block of objects; pa.ArrowInvalid where one is broken or of another type."""
    # Arrow copes with lines on the border of two parts, but not with a line longer than a part.
    size = max(len(data) // PARTS, widest) + 1
    return pyarrow.json.read_json(
        pa.BufferReader(data),
        read_options=pyarrow.json.ReadOptions(block_size=size),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _articles(table: pa.Table, first: int, reading: Reading) -> list[pa.RecordBatch] | None:
    """Return the articles of a table, whose first row is line `first`; None where a row is none."""
    found = []
    for batch in table.combine_chunks().to_batches():
        sifted = sift(batch, reading.names, reading.made_ids(range(first, first + batch.num_rows)))
        if sifted.refused:
            return None
        found.append(sifted)
        first += batch.num_rows
    for sifted in found:
        reading.warnings.update(sifted.warnings)
    return [sifted.batch for sifted in found]


def _by_line(block: Block, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield the articles of a block read line by line, and refuse the lines that are none."""
    lines = ((number, line) for number, line in numbered(block) if not _is_blank(line))
    for group in grouped(lines, lambda numbered_line: len(numbered_line[1]), reading.size):
        numbers, records, refused = [], [], []
        for number, line in group:
            record = reading.too_long if len(line) > reading.longest else _parsed(line)
            if isinstance(record, str):
                refused.append((number, record))
            else:
                numbers.append(number)
                records.append(record)
        sifted = sift_records(records, reading.names, reading.made_ids(numbers))
        refused += [(numbers[row], why_refused(records[row], reading.names)) for row in sifted.refused]
        found = dict(group)
        for number, reason in sorted(refused):
            reading.refuse(number, reason, found[number])
        reading.warnings.update(sifted.warnings)
        yield sifted.batch


def _parsed(line: bytes) -> dict[str, Any] | str:
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
    return record if isinstance(record, dict) else f"{kind_of(record)}, not an object"
