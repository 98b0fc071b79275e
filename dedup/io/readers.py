"""A file of any format → articles, for the first pass; and → records, for the second.

Every format but JSON Lines is read as numbered dicts for the second pass. For the first, CSV and JSON
documents are as well; the others have faster ways to articles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

import pyarrow as pa

from dedup.io.batching import group_items
from dedup.io.decompress import CorruptFileError, decode_to_utf8
from dedup.io.delimited import read_csv_rows
from dedup.io.documents import LIST_KEY, is_document, read_document_rows, read_text_articles, read_text_rows
from dedup.io.file_reader import FileReader, NumberedRows
from dedup.io.jsonl import read_jsonl_articles, read_jsonl_records
from dedup.io.normalize import explain_rejection, normalize_records
from dedup.io.parquet import read_parquet_articles, read_parquet_rows
from dedup.io.records import MAX_REJECT_CHARACTERS, Record, estimate_record_size, to_json_line

__all__ = ["read_file_articles", "read_file_records"]

HEAD_BYTES = 1 << 13

OBJECT_LINE = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{[ \t]*"')
"""An object with its first key beside its brace is a line of JSON Lines, or holds a list of articles."""

ARTICLE_READERS = {"lines": read_jsonl_articles, "parquet": read_parquet_articles, "text": read_text_articles}
ROW_READERS = {
    "csv": read_csv_rows,
    "tsv": read_csv_rows,
    "parquet": read_parquet_rows,
    "document": read_document_rows,
    "text": read_text_rows,
}


def read_file_articles(file_reader: FileReader) -> Iterator[pa.RecordBatch]:
    """Return the articles of a file."""
    kind = _detect_format(file_reader)
    if kind in ARTICLE_READERS:
        return ARTICLE_READERS[kind](file_reader)
    return _normalize_rows(file_reader, ROW_READERS[kind](file_reader))


def read_file_records(file_reader: FileReader) -> Iterator[tuple[int, Record]]:
    """Return the records of a file with their numbers, those that are no articles among them."""
    kind = _detect_format(file_reader)
    if kind == "lines":
        return read_jsonl_records(file_reader)
    return ((number, Record(row)) for number, row in ROW_READERS[kind](file_reader))


def _detect_format(file_reader: FileReader) -> str:
    """Return the format of a file; whether JSON is a document or JSON Lines, its first bytes tell."""
    file_format = file_reader.source.format
    if file_format not in {"json", "lines"}:
        return file_format
    head = _read_head(file_reader)
    if OBJECT_LINE.match(head) and LIST_KEY not in head:
        return "lines"  # nearly every file: its encoding need not be told for this
    _, decoded = decode_to_utf8(file_reader.read_decompressed())
    return "document" if is_document(next(decoded, b""), file_format, file_reader.names) else "lines"


def _read_head(file_reader: FileReader) -> bytes:
    """Return the first few thousand bytes of a file, or more, before they are decoded; a damage is reported later."""
    head = b""
    with suppress(CorruptFileError):
        for chunk in file_reader.read_decompressed():
            head += chunk
            if len(head) >= HEAD_BYTES:
                break
    return head


def _normalize_rows(file_reader: FileReader, rows: NumberedRows) -> Iterator[pa.RecordBatch]:
    """Yield the articles of numbered dicts; those that are none are refused."""
    for group in group_items(
        _reject_long_rows(file_reader, rows),
        lambda row: estimate_record_size(row[1]),
        file_reader.batch_bytes,
    ):
        numbers = [number for number, _ in group]
        records = [record for _, record in group]
        sifted = normalize_records(records, file_reader.names, file_reader.build_id_function(numbers))
        for row in sifted.rejected:
            file_reader.reject(
                numbers[row], explain_rejection(records[row], file_reader.names), to_json_line(records[row])
            )
        file_reader.add_warnings(sifted)
        file_reader.field_use.note_records(records)
        yield sifted.batch


def _reject_long_rows(file_reader: FileReader, rows: NumberedRows) -> NumberedRows:
    """Yield the rows that are no longer than an article may be; refuse the others."""
    for number, record in rows:
        if estimate_record_size(record) <= file_reader.max_article_bytes:
            yield number, record
        else:
            shown = {name: str(value)[:MAX_REJECT_CHARACTERS] for name, value in record.items()}
            file_reader.reject(number, file_reader.too_long_reason, to_json_line(shown))
