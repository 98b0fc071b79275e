"""Split the chunks of a file into blocks of whole, numbered lines, without lines that are too long.

A block is parsed at once. It ends at a newline, so it does not depend on the borders of the chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dedup.io.file_bytes import ByteChunks, CorruptFileError

__all__ = [
    "Int64Array",
    "LineBlock",
    "LineSplitter",
    "OversizedLine",
    "iter_line_blocks",
    "iter_numbered_lines",
    "make_line_block",
]

MAX_HEAD_BYTES = 8000
"""Of a line that is too long this many bytes are kept for its reject: 2,000 characters of any script."""

NEWLINE = ord("\n")

SCAN_BYTES = 1 << 17
"""Newlines are searched in this many bytes at a time, which fit the cache of the processor."""

Int64Array = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Whole lines: the number of the first, counted from 1, and the positions at which each of them ends."""

    line: int
    data: bytes
    ends: Int64Array


@dataclass(frozen=True, slots=True)
class OversizedLine:
    """A line that was skipped because it is longer than allowed, by its beginning."""

    line: int
    head: bytes


def iter_line_blocks(
    chunks: ByteChunks, size: int, max_line_bytes: int
) -> Iterator[LineBlock | OversizedLine]:
    """Yield the lines in blocks of about `size` bytes; a line longer than `max_line_bytes` may be an OversizedLine.

    If the chunks break off, yield the whole lines, then raise CorruptFileError with the line that was cut off.
    """
    cutter = LineSplitter(size, max_line_bytes)
    try:
        for piece in chunks:
            yield from cutter.push(piece)
    except CorruptFileError as raised:
        damage = raised
    else:
        yield from cutter.flush_all()
        return
    yield from cutter.flush_lines()
    raise CorruptFileError(str(damage), cutter.line, cutter.get_partial_line()) from damage


def make_line_block(line: int, data: bytes) -> LineBlock:
    """Return a block of bytes; a last line without a newline ends with them."""
    ends = find_newlines(data)
    return LineBlock(line, data, ends if data.endswith(b"\n") else np.append(ends, len(data)))


def find_newlines(data: bytes) -> Int64Array:
    """Return the positions of the newlines."""
    view = np.frombuffer(data, np.uint8)
    found = [
        np.flatnonzero(view[start : start + SCAN_BYTES] == NEWLINE) + start
        for start in range(0, len(view), SCAN_BYTES)
    ]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def iter_numbered_lines(block: LineBlock) -> Iterator[tuple[int, bytes]]:
    """Yield each line of a block with its number, without its newline."""
    lines = block.data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return enumerate(lines, block.line)


class LineSplitter:
    """Hold the lines that are in no block yet; the last one is still partial."""

    def __init__(self, size: int, max_line_bytes: int) -> None:
        self.line = 1
        self._size = size
        self._max_line_bytes = max_line_bytes
        self._complete_lines: list[bytes] = []
        self._partial_line: list[bytes] = []
        self._complete_bytes = self._partial_bytes = 0
        self._oversized_head = b""  # the beginning of the line that is being skipped

    def push(self, chunk: bytes) -> Iterator[LineBlock | OversizedLine]:
        """Add a chunk, and yield the blocks that it completes."""
        if self._oversized_head:
            end = chunk.find(b"\n") + 1
            if not end:
                return
            yield self._emit_oversized()
            chunk = chunk[end:]
        cut = chunk.rfind(b"\n") + 1
        if cut:
            if self._complete_bytes + self._partial_bytes + cut > self._size:
                yield from self.flush_lines()
            self._complete_line(chunk[:cut])
        self._partial_line.append(chunk[cut:])
        self._partial_bytes += len(chunk) - cut
        if self._partial_bytes > self._max_line_bytes:
            yield from self.flush_lines()
            self._oversized_head = self.get_partial_line()[:MAX_HEAD_BYTES]
            self._partial_line, self._partial_bytes = [], 0

    def flush_lines(self) -> Iterator[LineBlock]:
        """Yield the whole lines held as a block."""
        data = b"".join(self._complete_lines)
        self._complete_lines, self._complete_bytes = [], 0
        if data:
            block = make_line_block(self.line, data)
            yield block
            self.line += len(block.ends)

    def flush_all(self) -> Iterator[LineBlock | OversizedLine]:
        """Yield the remaining lines; the last one needs no newline."""
        if self._oversized_head:
            yield self._emit_oversized()
        self._complete_line(b"")
        yield from self.flush_lines()

    def get_partial_line(self) -> bytes:
        """Return the line that still lacks its end."""
        return self._oversized_head or b"".join(self._partial_line)

    def _complete_line(self, end: bytes) -> None:
        self._complete_lines += [*self._partial_line, end]
        self._complete_bytes += self._partial_bytes + len(end)
        self._partial_line, self._partial_bytes = [], 0

    def _emit_oversized(self) -> OversizedLine:
        skipped = OversizedLine(self.line, self._oversized_head)
        self.line += 1
        self._oversized_head = b""
        return skipped
