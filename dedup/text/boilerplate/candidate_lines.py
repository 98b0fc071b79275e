"""Find the lines of many texts that may hold boilerplate, so that only these go through the rules.

All rules run as one Hyperscan database over a whole batch, in one pass, which finds the lines where a rule may match. One
kernel copies these lines out, and another puts the cleaned lines back. No rule looks beyond its line, except for the list
that may follow a line; such lists are copied with it. So the result is the same as if the rules had seen whole texts.

Source: Wang et al., "Hyperscan: A Fast Multi-pattern Regex Matcher for Modern CPUs" (NSDI 2019).
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.errors import DedupError
from dedup.io.atomic_write import open_atomic
from dedup.jit import jit
from dedup.jit.cache_folder import find_cache_folder
from dedup.jit.kernel_library import find_library
from dedup.text.boilerplate.byte_ranges import copy_bytes

NEWLINE, SPACE, TAB = 10, 32, 9
BULLETS = (ord("-"), ord("*"), 0xC2, 0xE2)
"""The first bytes of - and *, of ·, and of –, • and ▪. Other characters share the last two: their lines are copied as well."""
SEPARATOR = b"\n\0"
"""A line that no rule matches and that is in no article: NUL becomes a space when articles are read."""
SCRATCH = threading.local()
"""The working memory of Hyperscan: each thread needs its own."""


class LineScanner:
    """Search texts for several patterns at once."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Prepare the patterns (PCRE, `^` at the start of a line), which must match within one line."""
        self.name, self.database = load_database(tuple(patterns))

    def find_match_ends(self, buffer: Any) -> np.ndarray:
        """Return the offsets (int64, in order) in bytes at which a match of a pattern ends; each may appear several times."""
        ends: list[int] = []

        def add_end(_pattern: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends.append(end)

        self.database.scan(buffer, match_event_handler=add_end, scratch=self._get_scratch())
        return np.array(ends, np.int64)

    def write_database(self, folder: Path) -> None:
        """Write the compiled patterns into a folder, where `load_database` finds them."""
        import hyperscan

        (folder / self.name).write_bytes(hyperscan.dumpb(self.database))

    def _get_scratch(self) -> Any:
        import hyperscan

        scratches = SCRATCH.__dict__
        if self.database not in scratches:
            scratches[self.database] = hyperscan.Scratch(self.database)
        return scratches[self.database]


@cache
def load_database(patterns: tuple[str, ...]) -> tuple[str, Any]:
    """Return the file name of the compiled patterns, and the patterns.

    They are in the library of kernels, or in the cache; otherwise they are compiled (.5 s), once.
    """
    import hyperscan

    expressions = [f"(?m){pattern}".encode() for pattern in patterns]
    versions = (version("hyperscan").encode(), *expressions)
    digest = blake2b(b"\0".join(versions), digest_size=8).hexdigest()
    name = f"boilerplate-{digest}.hyperscan"
    for find_folder in (find_library, find_cache_folder):
        with contextlib.suppress(OSError, hyperscan.error):  # missing, or compiled for another CPU
            if folder := find_folder():
                return name, hyperscan.loadb((folder / name).read_bytes(), hyperscan.HS_MODE_BLOCK)
    database = hyperscan.Database()
    flags = hyperscan.HS_FLAG_MULTILINE | hyperscan.HS_FLAG_UTF8
    database.compile(
        expressions=expressions, ids=list(range(len(expressions))), flags=[flags] * len(expressions)
    )
    with contextlib.suppress(OSError, DedupError), open_atomic(find_cache_folder() / name) as file:
        file.write(hyperscan.dumpb(database))
    return name, database


def clean_candidate_lines(
    texts: pa.StringArray, scanner: LineScanner, clean: Callable[[bytes], bytes]
) -> pa.StringArray | None:
    """Return the texts with their candidate lines cleaned; null stays null. Return None if a text contains `SEPARATOR`.

    Each text begins with a newline. `scanner` finds the lines. `clean` takes all of them at once, each with the newline
    before it and `SEPARATOR` after it, and must not change the separators.
    """
    validity, offset_buffer, data = texts.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if data is None or offsets[0] == offsets[-1]:
        return texts
    data = data.slice(0, int(offsets[-1]))
    buffer = np.frombuffer(data, np.uint8)
    starts, stops = find_line_ranges(buffer, offsets, scanner.find_match_ends(data))
    if not len(starts):
        return texts
    range_bytes = int((stops - starts).sum())
    copied = np.empty(range_bytes + len(SEPARATOR) * len(starts), np.uint8)
    copy_ranges(buffer, starts, stops, copied)
    lines = clean(copied.tobytes()).split(SEPARATOR)[:-1]
    if len(lines) != len(starts):
        return None
    line_offsets = np.cumsum([0, *map(len, lines)])
    line_bytes = np.frombuffer(b"".join(lines), np.uint8)
    new_buffer = np.empty(offsets[-1] - offsets[0] + line_offsets[-1] - range_bytes, np.uint8)
    new_offsets = np.zeros(len(offsets), np.int32)
    replace_ranges(buffer, offsets, starts, stops, line_bytes, line_offsets, new_buffer, new_offsets)
    arrays = (pa.py_buffer(new_offsets), pa.py_buffer(new_buffer))
    return pa.StringArray.from_buffers(len(texts), *arrays, validity, offset=0)


def find_line_ranges(
    buffer: np.ndarray, offsets: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return (starts, stops), int64: the ranges of the lines in which a match ends, in order, without overlaps.

    A range begins with the newline before its first line and stops before the newline after its last. Consecutive
    lines form one range, even with blank lines between them. The range includes the list items that follow. A range lies
    within one text; `offsets` are those of the texts, each of which begins with a newline.
    """
    starts, stops = np.empty(len(ends), np.int64), np.empty(len(ends), np.int64)
    count = fill_line_ranges(buffer, offsets, ends, starts, stops)
    return starts[:count], stops[:count]


@jit
def fill_line_ranges(buffer, offsets, ends, starts, stops):
    """Write the ranges of the lines in which a match ends; return their number."""
    count, text = 0, 0
    for end in ends:
        if count and end <= stops[count - 1]:
            continue
        start = end - 1
        while buffer[start] != NEWLINE:
            start -= 1
        while offsets[text + 1] <= start:
            text += 1
        stop = find_list_end(buffer, find_line_end(buffer, end, offsets[text + 1]), offsets[text + 1])
        # The line may follow the last range directly: its rule may be one that takes the lines below.
        if (
            count
            and starts[count - 1] >= offsets[text]
            and skip_newlines(buffer, stops[count - 1], start) == start
        ):
            stops[count - 1] = stop
        else:
            starts[count], stops[count] = start, stop
            count += 1
    return count


@jit
def find_line_end(buffer, position, limit):
    """Return the position of the next newline, or the limit."""
    while position < limit and buffer[position] != NEWLINE:
        position += 1
    return position


@jit
def skip_newlines(buffer, position, limit):
    """Return the position of the first byte that is not a newline, or the limit."""
    while position < limit and buffer[position] == NEWLINE:
        position += 1
    return position


@jit
def find_list_end(buffer, position, limit):
    """Return the end of the list after a line: all lines below it that begin with a bullet, with blank lines between."""
    while True:
        start = skip_newlines(buffer, position, limit)
        while start < limit and (buffer[start] == SPACE or buffer[start] == TAB):
            start += 1
        if start >= limit or buffer[start] not in BULLETS:
            return position
        position = find_line_end(buffer, start, limit)


@jit
def copy_ranges(buffer, starts, stops, out):
    """Copy the bytes of ranges, with `SEPARATOR` after each."""
    length = 0
    for i in range(len(starts)):
        length = copy_bytes(buffer, starts[i], stops[i], out, length)
        out[length], out[length + 1] = NEWLINE, 0
        length += 2


@jit
def replace_ranges(buffer, offsets, starts, stops, lines, line_offsets, out, new_offsets):
    """Write texts with line i (between `line_offsets`) in place of range i, as bytes and offsets."""
    line, length = 0, 0
    for text in range(len(offsets) - 1):
        position = np.int64(offsets[text])
        while line < len(starts) and starts[line] < offsets[text + 1]:
            length = copy_bytes(buffer, position, starts[line], out, length)
            length = copy_bytes(lines, line_offsets[line], line_offsets[line + 1], out, length)
            position = stops[line]
            line += 1
        length = copy_bytes(buffer, position, offsets[text + 1], out, length)
        new_offsets[text + 1] = length
