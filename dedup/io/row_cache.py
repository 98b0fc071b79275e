"""Keep the rows of formats that are slow to parse, such as HTML, for the second pass over a corpus.

The rows lie in an unnamed temporary file. They hold the text of the articles only, so it is much smaller than the input.
"""

from __future__ import annotations

import json
import tempfile
import weakref
from dataclasses import dataclass
from typing import IO

from dedup.errors import InputError
from dedup.io.file_bytes import CorruptFileError
from dedup.io.records import NumberedRows, to_json_line

__all__ = ["CachedRows", "RowCache"]


class RowCache:
    """Keep the rows of the files of a corpus."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._spans: dict[int, tuple[int, int]] = {}

    def keep(self, file_number: int, rows: NumberedRows) -> NumberedRows:
        """Yield the rows of a file, and keep them; `InputError` where the disk is full."""
        start = self._open().seek(0, 2)
        damage: CorruptFileError | None = None
        try:
            for number, row in rows:
                self._write(to_json_line([number, row]) + b"\n")
                yield number, row
        except CorruptFileError as error:
            damage = error
        self._spans[file_number] = start, self._open().seek(0, 2)
        if damage:
            raise damage

    def read(self, file_number: int) -> NumberedRows | None:
        """Return the rows of a file; None where it was not read to its end."""
        span = self._spans.get(file_number)
        return self._read_span(*span) if span else None

    def _read_span(self, position: int, end: int) -> NumberedRows:
        file = self._open()
        while position < end:
            file.seek(position)
            line = file.readline()
            position += len(line)
            number, row = json.loads(line)
            yield number, row

    def _write(self, line: bytes) -> None:
        try:
            self._open().write(line)
        except OSError as error:
            raise InputError(f"cannot keep articles in a temporary file: {error.strerror}") from error

    def _open(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the cache
            weakref.finalize(self, self._file.close)
        return self._file


@dataclass(frozen=True, slots=True)
class CachedRows:
    """Give access to the rows of one file in a cache."""

    cache: RowCache
    file_number: int

    def keep(self, rows: NumberedRows) -> NumberedRows:
        """Yield rows, and keep them."""
        return self.cache.keep(self.file_number, rows)

    def read(self) -> NumberedRows | None:
        """Return the rows; None if they were not kept."""
        return self.cache.read(self.file_number)
