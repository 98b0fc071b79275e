"""A file → its bytes, decompressed and in UTF-8, in pieces; pieces → blocks of whole lines.

Pieces are what keeps memory bounded: no stage holds more of a file than a block and a piece. A file that breaks off
gives all that could be read and then raises Damaged, so that the loss is reported and never silent.

Standard library streams unpack gzip and bzip2 because they give each byte before the damage (Arrow's lose up to a
megabyte); Arrow unpacks Zstandard, in small steps for the same reason.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

import pyarrow as pa

from dedup.sources import Source, unreadable

__all__ = ["Block", "Damaged", "Spool", "TooLong", "blocks", "pieces", "utf8"]

Pieces = Iterator[bytes]

PIECE = 1 << 20
UNPACKED_PIECE = 1 << 14
ZSTD_PIECE = 1 << 10
"""Arrow gives nothing of a step that meets the damage, so the steps are smaller than an article."""

SAMPLE = 1 << 20
"""The encoding is told from this many bytes: enough to hold a few hundred articles' accented letters."""

HEAD_SHOWN = 8000
"""Of a line that is too long this many bytes are kept for its reject."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Damaged(Exception):
    """The rest of a file cannot be read; `tail` is the line that was cut off, `line` its number."""

    def __init__(self, reason: str, line: int | None = None, tail: bytes = b"") -> None:
        super().__init__(reason)
        self.line = line
        self.tail = tail


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines; `line` is the number of the first, counted from 1."""

    line: int
    data: bytes


@dataclass(frozen=True, slots=True)
class TooLong:
    """A line that was skipped because it is longer than allowed, by its beginning."""

    line: int
    head: bytes


class Spool:
    """Standard input, kept in an unnamed temporary file as it is read, so that it can be read again."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()
        self._ended = False

    def pieces(source: Source, advance: Callable[[int], None]) -> Pieces:
    """Yield the unpacked bytes of a file; `advance` is told how many bytes of the file have been read.

    InputError where it cannot be opened, Damaged where it breaks off.
    """
    try:
        raw = Path(source.path).open("rb", buffering=0)
    except OSError as error:
        raise unreadable(source.path, error) from error
    with raw:
        try:
            for piece in _unpacked(raw, source.packing):
                advance(raw.tell())
                yield piece
        except (OSError, EOFError, zlib.error, pa.ArrowInvalid) as error:
            raise Damaged(f"the file breaks off or is damaged: {error}") from error


def utf8(given: Pieces) -> tuple[str, Pieces]:
    """Return the name of the encoding, and the pieces in UTF-8 without a byte order mark.

    UTF-8 is checked here in the sample only; a line further on may still not be.
    """
    sample, rest = _sample(given)
    encoding = _encoding(sample)
    again = chain([sample], rest)
    if encoding == "utf-8":
        return encoding, again
    decoded = codecs.iterdecode(again, encoding, errors="replace")
    return encoding, (text.encode() for text in decoded)


def blocks(given: Pieces, size: int, longest: int) -> Iterator[Block | TooLong]:
    """Yield the lines in blocks of about `size` bytes; a line longer than `longest` may come by its head alone.

    At a damage the whole lines before it come first, then Damaged is raised with the line that was cut off.
    """
    line, whole, tail = 1, bytearray(), bytearray()
    skipping: bytes | None = None
    damage: Damaged | None = None
    for piece in chain(_until_damage(given), [None]):
        ...


def numbered(block: Block) -> Iterator[tuple[int, bytes]]:
    """Yield each line of a block with its number, without its newline."""
    lines = block.data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return enumerate(lines, block.line)


