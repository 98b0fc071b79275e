"""Read the bytes of a file in chunks, decompressed and in UTF-8.

Chunks keep memory bounded: no reader needs to hold more of a file than an article. A file that breaks off gives all
bytes that can be read and then raises CorruptFileError, so that a loss is always reported.

Standard library streams unpack gzip and bzip2 because they give each byte before the damage, where Arrow's
lose up to a megabyte; Arrow unpacks Zstandard, in small steps for the same reason.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from io import RawIOBase
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from dedup.io.discovery import InputFile, make_unreadable_error
from dedup.io.remote import is_url, open_remote_file

__all__ = [
    "ByteChunks",
    "CorruptFileError",
    "decode_to_utf8",
    "decompress_file",
    "decompress_stream",
    "find_compression",
    "find_foreign_format",
    "find_marked_encoding",
    "open_file",
]

ByteChunks = Iterator[bytes]

CHUNK_BYTES = 1 << 20
DECOMPRESSED_CHUNK_BYTES = 1 << 14
ZSTD_CHUNK_BYTES = 1 << 10
"""Arrow returns no byte of a step with damage, so a step is smaller than most articles."""

ENCODING_SAMPLE_BYTES = 1 << 20
"""The encoding is detected in these bytes, which have the accented letters of a few hundred articles."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

BROKEN_OFF = "the file breaks off or is damaged"

MAGIC_BYTES = 10
MAGIC_PATTERNS = {
    ".gz": re.compile(rb"\x1f\x8b\x08"),
    ".zst": re.compile(rb"\x28\xb5\x2f\xfd"),
    ".bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)"),
}
"""The first bytes of compressed data: no text in any encoding begins with them."""

FOREIGN_PATTERNS = {
    "Parquet": re.compile(rb"PAR1"),
    "Arrow": re.compile(rb"ARROW1"),
    "ORC": re.compile(rb"ORC"),
    "a web archive": re.compile(rb"WARC/\d"),
    "a zip file or an Excel workbook": re.compile(rb"PK\x03\x04"),
    "PDF": re.compile(rb"%PDF-"),
    "HTML or XML": re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<[!?a-zA-Z]"),
}
"""The first bytes of formats that can be read from a file, if at all, but not from standard input."""

NOT_ASCII = re.compile(r"[^\x00-\x7f\ufffd]")

ENCODINGS = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *("koi8_r", "koi8_u", "cp874", "gb18030", "big5", "shift_jis", "euc_jp", "cp949"),
)
"""The encodings of news besides UTF-8; of two that fit equally well, the first is used."""


class CorruptFileError(Exception):
    """The rest of a file cannot be read; `partial_line` is the line that was cut off, and `line` its number."""

    def __init__(self, reason: str, line: int | None = None, partial_line: bytes = b"") -> None:
        super().__init__(reason)
        self.line = line
        self.partial_line = partial_line


def decompress_file(source: InputFile, advance: Callable[[int], None]) -> ByteChunks:
    """Yield the decompressed bytes of a file; `advance` is called with the number of bytes of the file read so far.

    Raise InputError where it cannot be opened, and CorruptFileError where it breaks off.
    """
    try:
        raw = open_file(source.path)
    except OSError as error:
        raise make_unreadable_error(source.path, error) from error
    with raw:
        yield from decompress_stream(raw, source.compression, advance)


def open_file(path: str) -> RawIOBase:
    """Open a local or remote file without a buffer; OSError if it cannot be opened."""
    return open_remote_file(path) if is_url(path) else Path(path).open("rb", buffering=0)


def decompress_stream(
    raw: RawIOBase | BinaryIO, compression: str, advance: Callable[[int], None]
) -> ByteChunks:
    """Yield the decompressed bytes of an open file; without a `compression`, its first bytes tell whether it has one."""
    try:
        for chunk in _decompress(raw, compression or _detect_compression(raw)):
            advance(raw.tell())
            yield chunk
    except (OSError, EOFError, zlib.error, pa.ArrowInvalid) as error:
        raise CorruptFileError(f"{BROKEN_OFF}: {error}") from error


def decode_to_utf8(chunks: ByteChunks) -> tuple[str, ByteChunks]:
    """Return the name of the encoding, and the chunks in UTF-8 without a byte order mark.

    Raise CorruptFileError where no encoding fits. UTF-8 is checked in the sample only: a later line may still be invalid.
    """
    sample, rest = _read_sample(chunks)
    encoding = _detect_encoding(sample)
    if encoding == "utf-8":
        return encoding, chain([sample.removeprefix(codecs.BOM_UTF8)], rest)
    decoded = codecs.iterdecode(chain([sample], rest), encoding, errors="replace")
    return encoding, (text.encode() for text in decoded)


def find_compression(head: bytes) -> str:
    """Return the compression that a file begins with, such as ".gz", or an empty string."""
    return next((name for name, magic in MAGIC_PATTERNS.items() if magic.match(head)), "")


def find_foreign_format(head: bytes) -> str:
    """Return the name of the format that bytes begin with if it is neither JSON nor CSV, or an empty string.

    >>> find_foreign_format(b"PAR1..."), find_foreign_format(b'{"text": "PAR1"}')
    ('Parquet', '')
    """
    return next((name for name, magic in FOREIGN_PATTERNS.items() if magic.match(head)), "")


def find_marked_encoding(head: bytes) -> str:
    """Return the encoding whose byte order mark a text begins with, or an empty string."""
    return next((encoding for mark, encoding in BOMS if head.startswith(mark)), "")


def _detect_compression(raw: RawIOBase | BinaryIO) -> str:
    """Return the compression that an open file begins with, or an empty string; the file stays at its beginning."""
    head = raw.read(MAGIC_BYTES)
    raw.seek(0)
    return find_compression(head)


def _decompress(raw: Any, compression: str) -> ByteChunks:
    """Return the decompressed chunks of an open file."""
    if compression == ".gz":
        unpacked = gzip.GzipFile(fileobj=raw)
        return iter(lambda: unpacked.read1(DECOMPRESSED_CHUNK_BYTES), b"")
    if compression == ".bz2":
        plain = bz2.BZ2File(raw)
        return iter(lambda: plain.read1(DECOMPRESSED_CHUNK_BYTES), b"")
    if compression == ".zst":
        stream = pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
        return iter(lambda: stream.read(ZSTD_CHUNK_BYTES), b"")
    return iter(lambda: raw.read(CHUNK_BYTES), b"")


def _read_sample(chunks: ByteChunks) -> tuple[bytes, ByteChunks]:
    """Return the first bytes, and the chunks after them, which raise an error that occurs in the sample."""
    held = bytearray()
    try:
        while len(held) < ENCODING_SAMPLE_BYTES and (piece := next(chunks, None)) is not None:
            held += piece
    except CorruptFileError as damage:
        return bytes(held), _raise_on_next(damage)
    return bytes(held), chunks


def _raise_on_next(damage: CorruptFileError) -> ByteChunks:
    """Raise an error when the next chunk is requested."""
    yield from ()
    raise damage


def _detect_encoding(sample: bytes) -> str:
    """Return the name of the encoding of a sample."""
    if encoding := find_marked_encoding(sample):
        return encoding
    return "utf-8" if _is_mostly_utf8(sample) else _guess_encoding(sample)


def _is_mostly_utf8(sample: bytes) -> bool:
    """Return whether a sample is UTF-8, apart from a few damaged bytes."""
    decoder = codecs.getincrementaldecoder("utf-8")
    whole = (
        len(sample) < ENCODING_SAMPLE_BYTES
    )  # a sample that is not the whole file may end within a character
    try:
        decoder("strict").decode(sample, whole)
    except UnicodeDecodeError:
        text = decoder("replace").decode(sample, whole)
        # Other encodings form valid UTF-8 by chance only rarely, and never more often than not.
        return len(NOT_ASCII.findall(text)) > text.count("\ufffd")
    return True


def _guess_encoding(sample: bytes) -> str:
    """Return the encoding that charset-normalizer finds most probable."""
    from charset_normalizer import from_bytes

    # It looks at parts only, and where accents are rare it would see none and take the file for ASCII.
    telling = b"\n".join(line for line in sample.split(b"\n") if not line.isascii())
    matches = from_bytes(telling, cp_isolation=[*ENCODINGS])
    if not matches:
        raise CorruptFileError("its encoding cannot be told; convert it to UTF-8")
    # Its own order puts cp1250 before cp1252 where both make words, as in Spanish.
    fits = ((m.chaos - m.coherence, name) for m in matches for name in m.could_be_from_charset)
    return min(fits, key=lambda fit: (fit[0], ENCODINGS.index(fit[1])))[1]
