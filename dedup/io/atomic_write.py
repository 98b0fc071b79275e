"""Write files that are either complete or absent.

A file is written next to its target under a temporary name, flushed to the disk, and renamed. An interrupted run leaves
the earlier file as it was. The extension determines the compression and, for records, the format.
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
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from dedup.errors import OutputError
from dedup.io.discovery import STDIN, split_extensions
from dedup.io.records import Reject, to_json_line
from dedup.io.remote import check_upload, is_url, upload_file
from dedup.io.table_writer import WritableRecord, encode_record_line, write_delimited, write_parquet

__all__ = ["format_reject_line", "open_atomic", "write_records", "write_rejects"]

STDOUT = STDIN
"""The same dash."""

GZIP_LEVEL = 6
"""As the gzip command; Python's 9 takes twice as long for a hundredth of the size."""

BUFFER_BYTES = 1 << 16

DISK_FULL_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
"""The errors with which a disk refuses to store more."""

TABLE_DELIMITERS = {".csv": ",", ".tsv": "\t"}


@contextmanager
def open_atomic(path: str | Path | None) -> Iterator[IO[bytes]]:
    """Open a binary file that replaces its target when the block ends, and disappears if the block fails.

    "-" or None is standard output. The extensions `.gz`, `.zst` and `.bz2` compress. A new file gets
    the permissions of the one it replaces. A link still points to the same file. Anything that is not a regular file,
    such as /dev/null, is written to directly. Raise OutputError if the target cannot be written to or the disk is full.
    If the reader of a pipe has closed it, BrokenPipeError is raised: the caller should end.
    """
    shown = "standard output" if path is None or str(path) == STDOUT else str(path)
    try:
        with _open_output(path) as file:
            yield file
    except OSError as error:
        if error.errno not in DISK_FULL_ERRORS:
            raise
        raise OutputError(f"cannot write {shown}: {error.strerror}") from error


def write_records(path: str | Path | None, records: Iterable[WritableRecord]) -> int:
    """Write records as JSON Lines, or as the table that the extension names; return their number.

    A record is a Record, a dict, or a line of JSON. A table, which is `.csv`, `.tsv` or `.parquet`, has every
    field that any record has, in the order of their first occurrence; nested values are JSON in CSV.
    """
    kind, _ = split_extensions(str(path or STDOUT))
    with open_atomic(path) as file:
        if kind in TABLE_DELIMITERS:
            return write_delimited(file, records, TABLE_DELIMITERS[kind])
        if kind == ".parquet":
            return write_parquet(file, records)
        count = 0
        for record in records:
            file.write(encode_record_line(record) + b"\n")
            count += 1
        return count


def write_rejects(path: str | Path | None, rejects: Iterable[Reject]) -> int:
    """Write rejects as JSON Lines (`file`, `line`, `reason`, `record`); return their number."""
    return write_records(path, map(format_reject_line, rejects))


def format_reject_line(reject: Reject) -> bytes:
    """Return a reject as a line of JSON, without its newline."""
    return to_json_line(
        {"file": reject.path, "line": reject.line, "reason": reject.reason, "record": reject.record}
    )


@contextmanager
def _open_output(path: str | Path | None) -> Iterator[IO[bytes]]:
    """Open standard output, a device, a pipe, or a temporary file next to the target."""
    if path is None or str(path) == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if is_url(path):
        with (
            _open_upload(str(path)) as file,
            _open_compressed(file, split_extensions(str(path))[1]) as packed,
        ):
            yield packed
        return
    # A link is followed, so that the file it points to is replaced and not the link.
    place = Path(os.path.realpath(path))
    _, packing = split_extensions(str(path))
    opened = _open_device if _is_device(place) else _open_temporary
    with opened(place, str(path)) as file, _open_compressed(file, packing) as packed:
        yield packed


@contextmanager
def _open_upload(url: str) -> Iterator[IO[bytes]]:
    """Open a local file that is uploaded at the end; where the block fails, nothing is."""
    check_upload(url)
    with tempfile.TemporaryDirectory(prefix="dedup-") as folder:
        local = Path(folder, "output")
        with local.open("wb") as file:
            yield file
        upload_file(local, url)


def _is_device(target: Path) -> bool:
    """Return whether a path is a device or a named pipe."""
    try:
        mode = target.stat().st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def _open_device(target: Path, display_name: str) -> Iterator[IO[bytes]]:
    """Open a device or a named pipe."""
    try:
        file = target.open("wb")
    except OSError as error:
        raise OutputError(f"cannot write {display_name}: {error.strerror}") from error
    with file:
        yield file


@contextmanager
def _open_temporary(target: Path, display_name: str) -> Iterator[IO[bytes]]:
    """Open a new file in the folder of the target; at the end it replaces the target, or is removed."""
    temporary = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        _check_writable(target)
        file = temporary.open("xb")
    except OSError as error:
        raise OutputError(f"cannot write {display_name}: {error.strerror}") from error
    try:
        with file:
            if target.exists():
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _check_writable(target: Path) -> None:
    """Raise OSError where the target is a folder, or a file without permission to write."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def _open_compressed(file: IO[bytes], compression: str) -> Iterator[IO[bytes]]:
    """Open a file that compresses into another."""
    if not compression:
        yield file
        return
    if compression == ".gz":
        # Neither name nor time go in, so the same records give the same bytes.
        raw: object = gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0)
    elif compression == ".bz2":
        raw = bz2.BZ2File(file, "wb")
    else:
        # Arrow closes the file with its stream, and ours must still be flushed to the disk.
        own = os.fdopen(os.dup(file.fileno()), "wb")
        raw = pa.CompressedOutputStream(pa.PythonFile(own, mode="w"), "zstd")
    with io.BufferedWriter(cast("io.RawIOBase", raw), BUFFER_BYTES) as buffered:
        yield buffered
