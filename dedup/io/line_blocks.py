"""Pieces of a file → blocks of whole lines, numbered, with lines beyond all measure left out.

A block is what is parsed at once. It ends at a newline, so nothing in it depends on where the pieces were
cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dedup.io.decompress import Damaged, Pieces

__all__ = ["Block", "Cutter", "Positions", "TooLong", "block_of", "blocks", "numbered"]

HEAD_SHOWN = 8000
"""Of a line that is too long this many bytes are kept for its reject: 2,000 characters of any script."""

NEWLINE = ord("\n")

STRETCH = 1 << 17
"""Newlines are looked for in so many bytes at a time, which fit the cache of the processor."""

Positions = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines: the number of the first, counted from 1, and the positions at which each of them ends."""

    line: int
    data: bytes
    ends: Positions


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line that was skipped because it is longer than allowed, by its beginning."""

    line: int
    head: bytes


def blocks(given: Pieces, size: int, longest: int) -> Iterator[Block | TooLong]:
    """Yield the lines in blocks of about `size` bytes; a line longer than `longest` may come as a TooLong.

    Where the pieces break off, the whole lines come first and then Damaged is raised with the line cut off.
    """
    cutter = Cutter(size, longest)
    try:
        for piece in given:
            yield from cutter.take(piece)
    except Damaged as raised:
        damage = raised
    else:
        yield from cutter.rest()
        return
    yield from cutter.whole()
    raise Damaged(str(damage), cutter.line, cutter.tail()) from damage


def block_of(line: int, data: bytes) -> Block:
    """Return a block of some bytes; where the last line lacks its newline, it ends with them."""
    ends = newlines(data)
    return Block(line, data, ends if data.endswith(b"\n") else np.append(ends, len(data)))


def newlines(data: bytes) -> Positions:
    """Return the positions of the newlines."""
    view = np.frombuffer(data, np.uint8)
    found = [
        np.flatnonzero(view[start : start + STRETCH] == NEWLINE) + start
        for start in range(0, len(view), STRETCH)
    ]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def numbered(block: Block) -> Iterator[tuple[int, bytes]]:
    """Yield each line of a block with its number, without its newline."""
    lines = block.data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return enumerate(lines, block.line)


class Cutter:
    """The lines read so far that have not left in a block; the last, the tail, still lacks its end."""

    def __init__(self, size: int, longest: int) -> None:
        self.line = 1
        self._size = size
        self._longest = longest
        self._whole: list[bytes] = []
        self._tail: list[bytes] = []
        self._whole_bytes = self._tail_bytes = 0
        self._skipped = b""  # the beginning of the line that is being skipped

    def take(self, piece: bytes) -> Iterator[Block | TooLong]:
        """Yield what a further piece completes."""
        if self._skipped:
            end = piece.find(b"\n") + 1
            if not end:
                return
            yield self._too_long()
            piece = piece[end:]
        cut = piece.rfind(b"\n") + 1
        if cut:
            if self._whole_bytes + self._tail_bytes + cut > self._size:
                yield from self.whole()
            self._end_tail(piece[:cut])
        self._tail.append(piece[cut:])
        self._tail_bytes += len(piece) - cut
        if self._tail_bytes > self._longest:
            yield from self.whole()
            self._skipped = self.tail()[:HEAD_SHOWN]
            self._tail, self._tail_bytes = [], 0

    def whole(self) -> Iterator[Block]:
        """Yield the whole lines held as a block."""
        data = b"".join(self._whole)
        self._whole, self._whole_bytes = [], 0
        if data:
            block = block_of(self.line, data)
            yield block
            self.line += len(block.ends)

    def rest(self) -> Iterator[Block | TooLong]:
        """Yield what is left at the end, where the last line needs no newline."""
        if self._skipped:
            yield self._too_long()
        self._end_tail(b"")
        yield from self.whole()

    def tail(self) -> bytes:
        """Return the line that still lacks its end."""
        return self._skipped or b"".join(self._tail)

    def _end_tail(self, end: bytes) -> None:
        self._whole += [*self._tail, end]
        self._whole_bytes += self._tail_bytes + len(end)
        self._tail, self._tail_bytes = [], 0

    def _too_long(self) -> TooLong:
        skipped = TooLong(self.line, self._skipped)
        self.line += 1
        self._skipped = b""
        return skipped
