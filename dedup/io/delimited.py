"""CSV and TSV → numbered dicts.

The csv module does the reading, since it alone gives ragged rows and broken quotes back to us. What it is fed
is remembered line by line, so that a row that is refused can be shown as it stood in the file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from dedup.errors import InputError
from dedup.io.line_blocks import OversizedLine, iter_line_blocks, iter_numbered_lines
from dedup.io.source_file import NumberedRows, SourceFile

__all__ = ["read_csv_rows"]


def read_csv_rows(source_file: SourceFile) -> NumberedRows:
    """Yield the rows of a CSV or TSV file as dicts; the header is required, and a row must have its length.

    InputError where the header cannot be read, or has no column for the text.
    """
    # The limit is the module's, not the reader's; it must let through what an article may be.
    csv.field_size_limit(max(csv.field_size_limit(), source_file.max_article_bytes))
    lines = _CsvLineRecorder(source_file)
    reader = csv.reader(lines, delimiter="\t" if source_file.source.format == "tsv" else ",")
    header = lines.read_row(reader) or []
    if lines.row_error:
        raise InputError(f"the header of {source_file.source.path} cannot be read: {lines.row_error}")
    if header:
        source_file.check_columns(header)
    while (row := lines.read_row(reader)) is not None:
        reason = lines.row_error or _describe_ragged_row(row, header)
        if row and reason:
            lines.reject_row(reason)
        elif row:
            yield lines.row_lines[0][0], dict(zip(header, row, strict=True))


class _CsvLineRecorder:
    """The lines of a CSV file, one by one; those of the row at hand are remembered."""

    def __init__(self, source_file: SourceFile) -> None:
        self.row_lines: list[tuple[int, bytes]] = []
        self.row_error = ""
        self._file_reader = source_file
        self._lines = _iter_short_lines(source_file)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        number, line = next(self._lines)
        self.row_lines.append((number, line))
        try:
            return line.decode() + "\n"
        except UnicodeDecodeError:
            self.row_error = "not valid UTF-8"
            return line.decode(errors="replace") + "\n"

    def read_row(self, reader: Iterator[list[str]]) -> list[str] | None:
        """Return the next row, empty for a blank line, or None at the end."""
        self.row_lines.clear()
        self.row_error = ""
        try:
            return next(reader, None)
        except csv.Error as error:
            self.row_error = f"broken CSV: {error}"
            return [""]

    def reject_row(self, reason: str) -> None:
        """Refuse the row at hand."""
        self._file_reader.reject(self.row_lines[0][0], reason, b"\n".join(line for _, line in self.row_lines))


def _iter_short_lines(source_file: SourceFile) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines of a file; refuse those longer than an article may be."""
    for block in iter_line_blocks(
        source_file.read_chunks(), source_file.batch_bytes, source_file.max_article_bytes
    ):
        if isinstance(block, OversizedLine):
            source_file.reject(block.line, source_file.too_long_reason, block.head)
        else:
            yield from iter_numbered_lines(block)


def _describe_ragged_row(row: Sequence[str], header: Sequence[str]) -> str:
    """Return the reason for refusing a row that has not the header's length; else an empty string."""
    return "" if len(row) == len(header) else f"{len(row)} fields where the header has {len(header)}"
