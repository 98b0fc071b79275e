"""Repair the last line of a file of JSON Lines that a crash cut off, so that lines can be appended to it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from dedup.errors import OutputError

__all__ = ["truncate_partial_line"]

TAIL_BYTES = 1 << 16
BLANK_BYTES = b" \t\r\0"
"""Bytes that may stand before a partial line; a file system that lost power may leave zeros."""


def truncate_partial_line(path: Path) -> None:
    """Remove a partial last line, or end a whole one that lacks its newline.

    Raise `OutputError` if the last line is not JSON. The file is read from its end, since it may be large.
    """
    with path.open("rb+") as file:
        start = end = file.seek(0, os.SEEK_END)
        line, size = b"", TAIL_BYTES
        while start > 0 and b"\n" not in line:
            start, size = max(0, end - size), 2 * size
            file.seek(start)
            line = file.read(end - start)
        line = line[line.rfind(b"\n") + 1 :]
        if not line:
            return
        if is_json_object(line):
            file.write(b"\n")
        elif line.strip(BLANK_BYTES)[:1] in (b"{", b""):
            file.truncate(end - len(line))
        else:
            raise OutputError(f"cannot add to {path}: it does not hold lines of JSON")


def is_json_object(line: bytes) -> bool:
    """Return whether a line is a complete JSON object; a partial one never is."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
