"""Read the rows of CSV and TSV as numbered dicts.

The csv module does the reading, since it alone returns ragged rows and broken quotes. The lines of the current row are
kept, so that a rejected row can be shown as it stood in the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain

from dedup.errors import InputError
from dedup.io.line_blocks import OversizedLine, iter_line_blocks, iter_numbered_lines
from dedup.io.read_options import ReadRules
from dedup.io.source_file import NumberedRows, SourceFile

__all__ = ["COLUMN_SEPARATORS", "has_text_column", "read_csv_rows"]

DELIMITERS = (",", ";", "\t", "|")
COLUMN_SEPARATORS = re.compile(rb"[,;\t|]")
SEPARATOR_LINE = re.compile(r"sep=(.)\r?", re.IGNORECASE)
"""How Excel names the delimiter on a line before the header."""
DELIMITER_WARNING = "files of CSV with {!r} between their columns"


def read_csv_rows(source_file: SourceFile) -> NumberedRows:
    """Yield the rows of a CSV or TSV file as dicts; the header is required, and a row must have its length.

    Raise InputError where the header cannot be read, or has no column for the text.
    """
    # The limit is the module's, not the reader's; it must let through what an article may be.
    csv.field_size_limit(max(csv.field_size_limit(), source_file.max_article_bytes))
    lines = _CsvLineRecorder(source_file)
    named = SEPARATOR_LINE.fullmatch(lines.peek())
    if named:
        lines.skip()
    reader = csv.reader(lines, delimiter=named[1] if named else _choose_delimiter(source_file, lines.peek()))
    while (header := lines.read_row(reader)) == []:
        pass  # blank lines before the header
    header = header or []
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


def has_text_column(head: bytes, rules: ReadRules) -> bool:
    """Return whether the first line of a text is a header of CSV with a column for the text."""
    header = head.lstrip().partition(b"\n")[0].decode(errors="replace")
    if SEPARATOR_LINE.fullmatch(header):
        return True
    delimiters = (rules.delimiter,) if rules.delimiter else DELIMITERS
    return any(not _split_header(header, each).isdisjoint(rules.names["text"]) for each in delimiters)


def _choose_delimiter(source_file: SourceFile, header: str) -> str:
    """Return the character between columns: the one given, or the first with which the header has a column for the text.

    If none gives such a column, it is the one that gives the most, and the comma, or the tab of TSV, where that is none.
    """
    if source_file.rules.delimiter:
        return source_file.rules.delimiter
    usual = "\t" if source_file.source.format == "tsv" else ","
    columns = {
        delimiter: _split_header(header, delimiter) for delimiter in dict.fromkeys((usual, *DELIMITERS))
    }
    wanted = {*source_file.names["text"]}
    fitting = [delimiter for delimiter, names in columns.items() if names & wanted]
    chosen = fitting[0] if fitting else max(columns, key=lambda delimiter: len(columns[delimiter]))
    if fitting and chosen != usual:
        source_file.warnings[DELIMITER_WARNING.format(chosen)] += 1
    return chosen


def _split_header(header: str, delimiter: str) -> set[str]:
    """Return the names of the columns of a header; none where it is broken."""
    with suppress(csv.Error):
        return set(next(csv.reader([header], delimiter=delimiter), []))
    return set()


class _CsvLineRecorder:
    """Iterate over the lines of a CSV file, and keep those of the current row."""

    def __init__(self, source_file: SourceFile) -> None:
        self.row_lines: list[tuple[int, bytes]] = []
        self.row_error = ""
        self._file_reader = source_file
        self._lines: Iterator[tuple[int, bytes]] = _iter_short_lines(source_file)

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

    def peek(self) -> str:
        """Return the first line that is not blank, without taking it."""
        taken = []
        for number, line in self._lines:
            taken.append((number, line))
            if line.strip():
                break
        self._lines = chain(taken, self._lines)
        return taken[-1][1].decode(errors="replace") if taken else ""

    def skip(self) -> None:
        """Take the lines up to the first that is not blank."""
        for _, line in self._lines:
            if line.strip():
                return

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
        """Reject the current row."""
        self._file_reader.reject(self.row_lines[0][0], reason, b"\n".join(line for _, line in self.row_lines))


def _iter_short_lines(source_file: SourceFile) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines of a file; reject those longer than an article may be."""
    for block in iter_line_blocks(
        source_file.read_chunks(), source_file.batch_bytes, source_file.max_article_bytes
    ):
        if isinstance(block, OversizedLine):
            source_file.reject(block.line, source_file.too_long_reason, block.head)
        else:
            yield from iter_numbered_lines(block)


def _describe_ragged_row(row: Sequence[str], header: Sequence[str]) -> str:
    """Return the reason for rejecting a row that has not the length of the header; else an empty string."""
    return "" if len(row) == len(header) else f"{len(row)} fields where the header has {len(header)}"
