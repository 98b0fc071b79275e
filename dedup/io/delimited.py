"""CSV and TSV → numbered dicts.

The csv module does the reading, since it alone gives ragged rows and broken quotes back to us. What it is fed
is remembered line by line, so that a row that is refused can be shown as it stood in the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from dedup.errors import InputError
from dedup.io.file_reader import Reading, Rows
from dedup.io.line_blocks import TooLong, blocks, numbered

__all__ = ["csv_rows"]


def csv_rows(reading: Reading) -> Rows:
    """Yield the rows of a CSV or TSV file as dicts; the header is required, and a row must have its length.

    InputError where the header cannot be read, or has no column for the text.
    """
    # The limit is the module's, not the reader's; it must let through what an article may be.
    csv.field_size_limit(max(csv.field_size_limit(), reading.longest))
    lines = _CsvLines(reading)
    reader = csv.reader(lines, delimiter="\t" if reading.source.format == "tsv" else ",")
    header = lines.next_row(reader) or []
    if lines.broken:
        raise InputError(f"the header of {reading.source.path} cannot be read: {lines.broken}")
    if header:
        reading.check_columns(header)
    while (row := lines.next_row(reader)) is not None:
        reason = lines.broken or _ragged(row, header)
        if row and reason:
            lines.refuse(reason)
        elif row:
            yield lines.taken[0][0], dict(zip(header, row, strict=True))


class _CsvLines:
    """The lines of a CSV file, one by one; those of the row at hand are remembered."""

    def __init__(self, reading: Reading) -> None:
        self.taken: list[tuple[int, bytes]] = []
        self.broken = ""
        self._reading = reading
        self._lines = _short_lines(reading)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        number, line = next(self._lines)
        self.taken.append((number, line))
        try:
            return line.decode() + "\n"
        except UnicodeDecodeError:
            self.broken = "not valid UTF-8"
            return line.decode(errors="replace") + "\n"

    def next_row(self, reader: Iterator[list[str]]) -> list[str] | None:
        """Return the next row, empty for a blank line, or None at the end."""
        self.taken.clear()
        self.broken = ""
        try:
            return next(reader, None)
        except csv.Error as error:
            self.broken = f"broken CSV: {error}"
            return [""]

    def refuse(self, reason: str) -> None:
        """Refuse the row at hand."""
        self._reading.refuse(self.taken[0][0], reason, b"\n".join(line for _, line in self.taken))


def _short_lines(reading: Reading) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines of a file; refuse those longer than an article may be."""
    for block in blocks(reading.pieces(), reading.size, reading.longest):
        if isinstance(block, TooLong):
            reading.refuse(block.line, reading.too_long, block.head)
        else:
            yield from numbered(block)


def _ragged(row: Sequence[str], header: Sequence[str]) -> str:
    """Return the reason for refusing a row that has not the header's length; else an empty string."""
    return "" if len(row) == len(header) else f"{len(row)} fields where the header has {len(header)}"
