"""Read files of any format: their articles, for the first pass over a corpus, and their records, for the second.

The second pass reads every format but JSON Lines as numbered dicts. So does the first, except for the formats that have
a faster way to articles. Optional packages are imported when a file needs them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pyarrow as pa

from dedup.errors import InputError
from dedup.io.batching import group_items
from dedup.io.delimited import COLUMN_SEPARATORS, has_text_column, read_csv_rows
from dedup.io.discovery import STDIN
from dedup.io.file_bytes import CorruptFileError, decode_to_utf8, find_foreign_format
from dedup.io.json_documents import LIST_KEYS, is_document, is_json, read_document_rows
from dedup.io.jsonl import read_jsonl_articles, read_jsonl_records
from dedup.io.parquet import read_parquet_articles, read_parquet_rows
from dedup.io.plain_text import read_text_articles, read_text_rows
from dedup.io.presets import PRESET_BYTES
from dedup.io.records import MAX_REJECT_CHARACTERS, Record, estimate_record_size, to_json_line
from dedup.io.schema_mapping import explain_rejection
from dedup.io.source_file import TEXT_TABLES, NumberedRows, SourceFile

__all__ = ["read_file_articles", "read_file_records"]

HEAD_BYTES = 1 << 13

OBJECT_LINE = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{[ \t]*"')
"""An object with its first key beside its brace is a line of JSON Lines, or holds a list of articles."""

FOREIGN_STDIN_ERROR = (
    "standard input is {}, and only JSON Lines, JSON and CSV are read from it; name a file instead"
)

ArticleReader = Callable[[SourceFile], Iterator[pa.RecordBatch]]
RowReader = Callable[[SourceFile], NumberedRows]

ARTICLE_READERS: dict[str, ArticleReader] = {
    "lines": read_jsonl_articles,
    "parquet": read_parquet_articles,
    "text": read_text_articles,
}
ROW_READERS: dict[str, RowReader] = {
    "csv": read_csv_rows,
    "tsv": read_csv_rows,
    "parquet": read_parquet_rows,
    "document": read_document_rows,
    "text": read_text_rows,
}
SLOW_FORMATS = {"html", "warc"}
"""Formats whose rows are kept for the second pass, since they take longer to parse than all other work on them."""


def read_file_articles(source_file: SourceFile) -> Iterator[pa.RecordBatch]:
    """Return the articles of a file."""
    kind, source_file = _detect_format(source_file)
    if reader := _get_article_reader(kind):
        return reader(source_file)
    rows = _get_row_reader(kind)(source_file)
    if kind in SLOW_FORMATS and source_file.cached_rows:
        rows = source_file.cached_rows.keep(rows)
    return _map_rows_to_schema(source_file, rows)


def read_file_records(source_file: SourceFile) -> Iterator[tuple[int, Record]]:
    """Return the records of a file with their numbers, including those that are not articles."""
    kind, source_file = _detect_format(source_file)
    if kind == "lines":
        return read_jsonl_records(source_file)
    rows = source_file.cached_rows.read() if source_file.cached_rows else None
    return ((number, Record(row)) for number, row in rows or _get_row_reader(kind)(source_file))


def _get_article_reader(kind: str) -> ArticleReader | None:
    """Return the fast way from a format to articles; None if it has none."""
    if kind in {"arrow", "orc"}:
        from dedup.io.arrow_files import read_arrow_articles

        return read_arrow_articles
    return ARTICLE_READERS.get(kind)


def _get_row_reader(kind: str) -> RowReader:
    """Return the reader of the rows of a format; modules of rare formats are imported only now."""
    if kind in {"arrow", "orc"}:
        from dedup.io.arrow_files import read_arrow_rows as reader
    elif kind == "html":
        from dedup.io.html_pages import read_html_rows as reader
    elif kind == "warc":
        from dedup.io.web_archives import read_warc_rows as reader
    elif kind == "xml":
        from dedup.io.xml_documents import read_xml_rows as reader
    elif kind == "excel":
        from dedup.io.excel import read_excel_rows as reader
    else:
        return ROW_READERS[kind]
    return reader


def _detect_format(source_file: SourceFile) -> tuple[str, SourceFile]:
    """Return the format of a file, and the file with the preset that its field names belong to.

    Its first bytes say whether JSON is a document or JSON Lines, and whether standard input is CSV.
    """
    file_format = source_file.source.format
    if file_format in TEXT_TABLES:
        return file_format, _recognize_table(source_file)
    if file_format not in {"json", "lines"}:
        return file_format, source_file
    head = _read_head(source_file)
    if source_file.source.path == STDIN and (foreign := find_foreign_format(head)):
        raise InputError(FOREIGN_STDIN_ERROR.format(foreign))
    if OBJECT_LINE.match(head) and not any(key in head[:HEAD_BYTES] for key in LIST_KEYS):
        return "lines", source_file.recognize_preset(head)  # nearly every file: no need to decode it
    _, decoded = decode_to_utf8(source_file.read_decompressed())
    start = next(decoded, b"")
    if source_file.source.path == STDIN and not is_json(start):
        table = _recognize_table(source_file)
        if has_text_column(start, table.rules):
            return "csv", table
    source_file = source_file.recognize_preset(start)
    return "document" if is_document(start, file_format, source_file.names) else "lines", source_file


def _recognize_table(source_file: SourceFile) -> SourceFile:
    """Return a file of CSV with the preset that its header belongs to."""
    if not source_file.rules.recognizes:
        return source_file
    header = _read_head(source_file).lstrip().partition(b"\n")[0]
    names = {name.strip(b' \r"').decode(errors="replace") for name in COLUMN_SEPARATORS.split(header)}
    return source_file.recognize_field_names(names)


def _read_head(source_file: SourceFile) -> bytes:
    """Return the first bytes of a file before they are decoded, at least `PRESET_BYTES`; a damage is reported later."""
    head = b""
    with suppress(CorruptFileError):
        for chunk in source_file.read_decompressed():
            head += chunk
            if len(head) >= PRESET_BYTES:
                break
    return head[:PRESET_BYTES]


def _map_rows_to_schema(source_file: SourceFile, rows: NumberedRows) -> Iterator[pa.RecordBatch]:
    """Yield the articles of numbered dicts; reject the other rows."""
    for group in group_items(
        _reject_long_rows(source_file, rows),
        lambda row: estimate_record_size(row[1]),
        source_file.batch_bytes,
    ):
        numbers = [number for number, _ in group]
        records = [record for _, record in group]
        mapped = source_file.map_records(records, numbers)
        for row in mapped.rejected:
            source_file.reject(
                numbers[row], explain_rejection(records[row], source_file.names), to_json_line(records[row])
            )
        source_file.add_warnings(mapped)
        source_file.field_use.note_records(records)
        yield mapped.batch


def _reject_long_rows(source_file: SourceFile, rows: NumberedRows) -> NumberedRows:
    """Yield the rows that are no longer than an article may be; reject the others."""
    for number, record in rows:
        if estimate_record_size(record) <= source_file.max_article_bytes:
            yield number, record
        else:
            shown = {name: str(value)[:MAX_REJECT_CHARACTERS] for name, value in record.items()}
            source_file.reject(number, source_file.too_long_reason, to_json_line(shown))
