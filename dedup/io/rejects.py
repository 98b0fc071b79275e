"""Keep rejects, and the numbers of rejected lines, in bounded memory.

A broken corpus can have as many rejects as lines. A `RejectList` keeps a few of them in memory and the others in an
unnamed temporary file; a `LineSet` takes a bit for each line.
"""

from __future__ import annotations

import json
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import IO, Any

from dedup.errors import InputError
from dedup.io.records import Reject, to_json_line

__all__ = ["LineSet", "RejectList"]

MAX_REJECTS_IN_MEMORY = 1000
"""A reject takes up to 2,000 characters, so these take a few megabytes at the most."""

READ_BYTES = 1 << 20


class RejectList(Sequence[Reject]):
    """Hold the rejects of a corpus in their order; beyond a thousand they are on the disk."""

    def __init__(self) -> None:
        self._recent: list[Reject] = []
        self._spilled = 0
        self._file: IO[bytes] | None = None

    def __len__(self) -> int:
        return self._spilled + len(self._recent)

    def __iter__(self) -> Iterator[Reject]:
        position, recent = 0, list(self._recent)
        while lines := self._read_lines(position):
            position += sum(map(len, lines))
            yield from (Reject(*json.loads(line)) for line in lines)
        yield from recent

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return [*islice(self, start, stop, step)] if step > 0 else [*self][index]
        position = index + len(self) if index < 0 else index
        if position >= 0:
            for reject in islice(self, position, None):
                return reject
        raise IndexError(f"there is no reject {index}; there are {len(self):,}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # it changes, as a list does

    def __repr__(self) -> str:
        return f"RejectList({self[:3]!r}, of {len(self):,})"

    def append(self, reject: Reject) -> None:
        """Add a reject; InputError where the disk is full."""
        self._recent.append(reject)
        if len(self._recent) > MAX_REJECTS_IN_MEMORY:
            self._spill()

    def _spill(self) -> None:
        """Move the rejects from memory to the temporary file."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the list
                weakref.finalize(self, self._file.close)
            self._file.seek(0, 2)
            for reject in self._recent:
                row = [reject.path, reject.line, reject.reason, reject.record]
                self._file.write(to_json_line(row) + b"\n")
            self._file.flush()
        except OSError as error:
            raise InputError(f"cannot keep rejects in a temporary file: {error.strerror}") from error
        self._spilled += len(self._recent)
        self._recent = []

    def _read_lines(self, position: int) -> list[bytes]:
        if self._file is None:
            return []
        self._file.seek(position)
        return self._file.readlines(READ_BYTES)


class LineSet:
    """Hold a set of line numbers, in a bit for each line up to the last."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, line: int) -> None:
        """Add a line."""
        byte = line >> 3
        if byte >= len(self._bits):
            self._bits.extend(bytes(byte + 1 - len(self._bits)))
        self._bits[byte] |= 1 << (line & 7)

    def __contains__(self, line: int) -> bool:
        byte = line >> 3
        return byte < len(self._bits) and bool(self._bits[byte] >> (line & 7) & 1)
