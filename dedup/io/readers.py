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
from dedup.io.json_documents import LIST_KEY, is_document, read_document_rows
from dedup.io.jsonl import read_jsonl_articles, read_jsonl_records
from dedup.io.parquet import read_parquet_articles, read_parquet_rows
from dedup.io.plain_text import read_text_articles, read_text_rows
from dedup.io.records import MAX_REJECT_CHARACTERS, Record, estimate_record_size, to_json_line
from dedup.io.schema_mapping import explain_rejection, map_records_to_schema
from dedup.io.source_file import NumberedRows, SourceFile

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


def read_file_articles(source_file: SourceFile) -> Iterator[pa.RecordBatch]:
    """Return the articles of a file."""
    kind = _detect_format(source_file)
    if kind in ARTICLE_READERS:
        return ARTICLE_READERS[kind](source_file)
    return _map_rows_to_schema(source_file, ROW_READERS[kind](source_file))


def read_file_records(source_file: SourceFile) -> Iterator[tuple[int, Record]]:
    """Return the records of a file with their numbers, those that are no articles among them."""
    kind = _detect_format(source_file)
    if kind == "lines":
        return read_jsonl_records(source_file)
    return ((number, Record(row)) for number, row in ROW_READERS[kind](source_file))


def _detect_format(source_file: SourceFile) -> str:
    """Return the format of a file; whether JSON is a document or JSON Lines, its first bytes tell."""
    file_format = source_file.source.format
    if file_format not in {"json", "lines"}:
        return file_format
    head = _read_head(source_file)
    if OBJECT_LINE.match(head) and LIST_KEY not in head:
        return "lines"  # nearly every file: its encoding need not be told for this
    _, decoded = decode_to_utf8(source_file.read_decompressed())
    return "document" if is_document(next(decoded, b""), file_format, source_file.names) else "lines"


def _read_head(source_file: SourceFile) -> bytes:
    """Return the first few thousand bytes of a file, or more, before they are decoded; a damage is reported later."""
    head = b""
    with suppress(CorruptFileError):
        for chunk in source_file.read_decompressed():
            head += chunk
            if len(head) >= HEAD_BYTES:
                break
    return head


def _map_rows_to_schema(source_file: SourceFile, rows: NumberedRows) -> Iterator[pa.RecordBatch]:
    """Yield the articles of numbered dicts; those that are none are refused."""
    for group in group_items(
        _reject_long_rows(source_file, rows),
        lambda row: estimate_record_size(row[1]),
        source_file.batch_bytes,
    ):
        numbers = [number for number, _ in group]
        records = [record for _, record in group]
        sifted = map_records_to_schema(records, source_file.names, source_file.build_id_function(numbers))
        for row in sifted.rejected:
            source_file.reject(
                numbers[row], explain_rejection(records[row], source_file.names), to_json_line(records[row])
            )
        source_file.add_warnings(sifted)
        source_file.field_use.note_records(records)
        yield sifted.batch


def _reject_long_rows(source_file: SourceFile, rows: NumberedRows) -> NumberedRows:
    """Yield the rows that are no longer than an article may be; refuse the others."""
    for number, record in rows:
        if estimate_record_size(record) <= source_file.max_article_bytes:
            yield number, record
        else:
            shown = {name: str(value)[:MAX_REJECT_CHARACTERS] for name, value in record.items()}
            source_file.reject(number, source_file.too_long_reason, to_json_line(shown))
