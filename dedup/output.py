"""Results → files that are whole or not there.

A file is written beside its place under a name of its own, flushed to the disk, and renamed; a run that is
interrupted leaves what was there before. The extension says the compression, and for records the format.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from dedup.errors import OutputError
from dedup.records import Record, Reject, json_line
from dedup.sources import STDIN
from dedup.tables import write_table

__all__ = ["atomic_output", "write_records", "write_rejects"]

STDOUT = "-"

GZIP_LEVEL = 6
"""Python's default of 9 takes three times as long for a few hundredths of the size."""

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
"""The errors by which a disk says that it takes no more; any other error in writing is not about the place."""

@contextmanager
def atomic_output(path: str | Path | None) -> Iterator[BinaryIO]:
    """Give a binary file that takes its place at `path` when the block ends, and leaves no trace where it fails.

    "-" or None is standard output. `.gz`, `.zst` and `.bz2` compress. A file that is replaced passes its
    permissions on; a link goes on pointing where it did; what is no regular file, as /dev/null, is written to
    directly. OutputError where the place cannot be written or the disk is full. A reader that closes the pipe is
    a BrokenPipeError, which is the caller's to take as an end.
    """
