"""Results → files that are whole or not there.

A file is written beside its place under a name of its own, flushed to the disk, and renamed; a run that is
interrupted leaves what was there before. The extension says the compression, and for records the format.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import os
import secrets
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from dedup.errors import OutputError
from dedup.io.discovery import STDIN, extensions
from dedup.io.records import Reject, json_line
from dedup.io.tables import Row, line_of, write_delimited, write_parquet

__all__ = ["atomic_output", "reject_line", "write_records", "write_rejects"]

STDOUT = STDIN
"""The same dash."""

GZIP_LEVEL = 6
"""As the gzip command; Python's 9 takes twice as long for a hundredth of the size."""

BUFFER = 1 << 16

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
"""The errors by which a disk says that it takes no more, whoever meets them."""

TABLES = {".csv": ",", ".tsv": "\t"}


@contextmanager
def atomic_output(path: str | Path | None) -> Iterator[IO[bytes]]:
    """Give a binary file that takes its place when the block ends, and leaves no trace where the block fails.

    "-" or None is standard output. `.gz`, `.zst` and `.bz2` compress. A file that is replaced hands its
    permissions on, a link goes on pointing where it did, and what is no regular file, as /dev/null, is
    written to directly. OutputError where the place cannot be written to, or the disk is full. A reader that
    closes the pipe raises BrokenPipeError, for the caller to take as an end.
    """
    shown = "standard output" if path is None or str(path) == STDOUT else str(path)
    try:
        with _opened(path) as file:
            yield file
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise OutputError(f"cannot write {shown}: {error.strerror}") from error


def write_records(path: str | Path | None, records: Iterable[Row]) -> int:
    """Write records as JSON Lines, or as the table that the extension asks for; return how many.

    A record is a Record, a dict, or a line of JSON. A table, which is `.csv`, `.tsv` or `.parquet`, has every
    field that any record has, in the order in which they were first seen; what is nested is JSON in CSV.
    """
    kind, _ = extensions(str(path or STDOUT))
    with atomic_output(path) as file:
        if kind in TABLES:
            return write_delimited(file, records, TABLES[kind])
        if kind == ".parquet":
            return write_parquet(file, records)
        count = 0
        for record in records:
            file.write(line_of(record) + b"\n")
            count += 1
        return count


def write_rejects(path: str | Path | None, rejects: Iterable[Reject]) -> int:
    """Write what could not be read as JSON Lines (`file`, `line`, `reason`, `record`); return how many."""
    return write_records(path, map(reject_line, rejects))


def reject_line(reject: Reject) -> bytes:
    """Return a reject as a line of JSON, without its newline."""
    return json_line(
        {"file": reject.path, "line": reject.line, "reason": reject.reason, "record": reject.record}
    )


@contextmanager
def _opened(path: str | Path | None) -> Iterator[IO[bytes]]:
    """Open standard output, a device or pipe, or a file beside its place."""
    if path is None or str(path) == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    # A link is followed, so that the file it points to is replaced and not the link.
    place = Path(os.path.realpath(path))
    _, packing = extensions(str(path))
    opened = _direct if _is_device(place) else _beside
    with opened(place, str(path)) as file, _packed(file, packing) as packed:
        yield packed


def _is_device(place: Path) -> bool:
    """Return whether there is something that can be written to and is no file: a device, or a named pipe."""
    try:
        mode = place.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def _direct(place: Path, shown: str) -> Iterator[IO[bytes]]:
    """Open a device or a named pipe."""
    try:
        file = place.open("wb")
    except OSError as error:
        raise OutputError(f"cannot write {shown}: {error.strerror}") from error
    with file:
        yield file


@contextmanager
def _beside(place: Path, shown: str) -> Iterator[IO[bytes]]:
    """Open a new file in the folder of another; it takes the other's place at the end, or is removed."""
    temporary = place.with_name(f".{secrets.token_hex(8)}.part")
    try:
        _check_writable(place)
        file = temporary.open("xb")
    except OSError as error:
        raise OutputError(f"cannot write {shown}: {error.strerror}") from error
    try:
        with file:
            if place.exists():
                temporary.chmod(stat.S_IMODE(place.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _check_writable(place: Path) -> None:
    """Raise OSError where a folder or a file that must not be written to would be replaced."""
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if place.exists() and not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def _packed(file: IO[bytes], packing: str) -> Iterator[IO[bytes]]:
    """Give a file that compresses into another."""
    if not packing:
        yield file
        return
    if packing == ".gz":
        # Neither name nor time go in, so the same records give the same bytes.
        raw: object = gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0)
    elif packing == ".bz2":
        raw = bz2.BZ2File(file, "wb")
    else:
        # Arrow closes the file with its stream, and ours must still be flushed to the disk.
        own = os.fdopen(os.dup(file.fileno()), "wb")
        raw = pa.CompressedOutputStream(pa.PythonFile(own, mode="w"), "zstd")
    with io.BufferedWriter(cast("io.RawIOBase", raw), BUFFER) as buffered:
        yield buffered
