"""Keep standard input or a named pipe, which can be read only once, so that it can be read again."""

from __future__ import annotations

import io
import sys
import tempfile
import weakref
from pathlib import Path
from typing import BinaryIO, cast

from dedup.errors import InputError
from dedup.io.discovery import STDIN, make_unreadable_error

__all__ = ["StreamSpool"]


class StreamSpool:
    """Keep a stream in an unnamed temporary file as it is read."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the corpus
        weakref.finalize(self, self._file.close)
        self._stream: BinaryIO | None = None
        self._ended = False

    def open(self) -> BinaryIO:
        """Return the stream from its beginning, as a file."""
        return cast("BinaryIO", _SpoolReader(self))

    def read_at(self, position: int, size: int) -> bytes:
        """Return `size` bytes from a position, or fewer at the end of the stream."""
        self._file.seek(position)
        chunk = self._file.read(size)
        while len(chunk) < size and not self._ended:
            more = self._read_stream(size - len(chunk))
            self._ended = not more
            chunk += more
        return chunk

    def _read_stream(self, size: int) -> bytes:
        """Return the next bytes of the stream, and keep them in the file."""
        chunk = self._open_stream().read(size)
        try:
            self._file.write(chunk)
            self._file.flush()
        except OSError as error:
            name = "standard input" if self._path == STDIN else self._path
            raise InputError(f"cannot keep {name} in a temporary file: {error.strerror}") from error
        return chunk

    def _open_stream(self) -> BinaryIO:
        if self._path == STDIN:
            if sys.stdin is None:
                raise InputError("standard input is closed")
            return cast("BinaryIO", sys.stdin.buffer)
        if self._stream is None:
            try:
                self._stream = Path(self._path).open("rb")  # noqa: SIM115 - it is closed with the spool
            except OSError as error:
                raise make_unreadable_error(self._path, error) from error
            weakref.finalize(self, self._stream.close)
        return self._stream


class _SpoolReader(io.RawIOBase):
    """Read a spool as a file from its beginning."""

    def __init__(self, spool: StreamSpool) -> None:
        super().__init__()
        self._spool = spool
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:
            raise io.UnsupportedOperation("a stream has no known end")
        self._position = offset
        return offset

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        chunk = self._spool.read_at(self._position, len(buffer))
        buffer[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)
