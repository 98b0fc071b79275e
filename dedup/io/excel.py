"""Read the sheets of Excel and OpenDocument workbooks.

The first row of a sheet that is not empty names its columns. A sheet is held in memory as a whole, so the size of a
workbook is bounded.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from dedup.io.extras import import_reader
from dedup.io.file_bytes import CorruptFileError
from dedup.io.plain_text import read_bounded_bytes
from dedup.io.source_file import NumberedRows, SourceFile

__all__ = ["read_excel_rows"]

MAX_UNPACKED_BYTES = 1 << 30
"""No workbook unpacks to more: a few kilobytes of a malicious one could unpack to anything."""
MAX_WORKBOOK_BYTES = 256 << 20
OTHER_SHEETS_WARNING = "sheets without a column for the text, which were skipped"
SHEET_ROWS = 1 << 20
"""A sheet has no more rows, so the number of a row is unique in its workbook."""


def read_excel_rows(source_file: SourceFile) -> NumberedRows:
    """Yield the rows of the sheets that have a column for the text as dicts, numbered as in Excel.

    The rows of the second sheet are numbered from 1,048,577 on, and so forth. `InputError` where no sheet has a text.
    """
    calamine = import_reader("python_calamine", "Excel", "excel", source_file.source.path)
    data, damage = read_bounded_bytes(source_file.read_decompressed(), MAX_WORKBOOK_BYTES)
    if damage:
        raise damage
    _check_unpacked_size(data)
    try:
        workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [
            (name, *_find_header(iter(workbook.get_sheet_by_name(name).iter_rows())))
            for name in workbook.sheet_names
        ]
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise CorruptFileError(f"not an Excel workbook, or a damaged one: {error}") from error
    usable = [sheet for sheet in sheets if _has_text(sheet[1], source_file)]
    if not usable:
        source_file.check_columns(next((header for _, header, _, _ in sheets if header), []))
    for number, (_, header, first, rows) in enumerate(sheets):
        if not _has_text(header, source_file):
            source_file.warnings[OTHER_SHEETS_WARNING] += bool(header and usable)
            continue
        source_file.check_columns(header)
        for row_number, row in enumerate(rows, number * SHEET_ROWS + first + 1):
            cells = {name: value for name, value in zip(header, row, strict=False) if name and value != ""}
            if cells:
                yield row_number, cells


def _find_header(rows: Iterator[list[Any]]) -> tuple[list[str], int, Iterator[list[Any]]]:
    """Return the names of a sheet's columns, the number of the row that has them, and the rows after it."""
    for number, row in enumerate(rows, 1):
        if any(cell != "" for cell in row):
            return [str(cell).strip() for cell in row], number, rows
    return [], 0, rows


def _has_text(header: list[str], source_file: SourceFile) -> bool:
    """Return whether a sheet has a column for the text."""
    return not set(source_file.names["text"]).isdisjoint(header)


def _check_unpacked_size(data: bytes) -> None:
    """Raise `CorruptFileError` where a workbook unpacks to more than is ever held."""
    if not data.startswith(b"PK"):
        return  # the binary format of Excel 97 is not packed
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise CorruptFileError(f"not an Excel workbook, or a damaged one: {error}") from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise CorruptFileError(f"longer than {MAX_UNPACKED_BYTES:,} bytes when it is unpacked")
