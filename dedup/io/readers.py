"""A file of any format → articles, for the first pass; and → records, for the second.

Every format but JSON Lines is read as numbered dicts for the second pass. For the first, CSV and JSON
documents are as well; the others have faster ways to articles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from dedup.io.batching import grouped
from dedup.io.decompress import utf8
from dedup.io.delimited import csv_rows
from dedup.io.documents import document_rows, is_document, text_articles, text_rows
from dedup.io.file_reader import Reading, Rows
from dedup.io.jsonl import line_articles, line_records
from dedup.io.normalize import sift_records, why_refused
from dedup.io.parquet import parquet_articles, parquet_rows
from dedup.io.records import RECORD_SHOWN, Record, json_line

__all__ = ["articles_of", "records_of"]

ARTICLES = {"lines": line_articles, "parquet": parquet_articles, "text": text_articles}
ROWS = {
    "csv": csv_rows,
    "tsv": csv_rows,
    "parquet": parquet_rows,
    "document": document_rows,
    "text": text_rows,
}


def articles_of(reading: Reading) -> Iterator[pa.RecordBatch]:
    """Return the articles of a file."""
    kind = _format(reading)
    if kind in ARTICLES:
        return ARTICLES[kind](reading)
    return _row_articles(reading, ROWS[kind](reading))


def records_of(reading: Reading) -> Iterator[tuple[int, Record]]:
    """Return the records of a file with their numbers, those that are no articles among them."""
    kind = _format(reading)
    if kind == "lines":
        return line_records(reading)
    return ((number, Record(row)) for number, row in ROWS[kind](reading))


def _format(reading: Reading) -> str:
    """Return the format of a file; a `.json` file is a document or JSON Lines, as its first bytes tell."""
    if reading.source.format != "json":
        return reading.source.format
    _, decoded = utf8(reading.unpacked())
    return "document" if is_document(next(decoded, b"")) else "lines"


def _row_articles(reading: Reading, rows: Rows) -> Iterator[pa.RecordBatch]:
    """Yield the articles of numbered dicts; those that are none are refused."""
    for group in grouped(_short(reading, rows), lambda row: _size(row[1]), reading.size):
        numbers = [number for number, _ in group]
        records = [record for _, record in group]
        sifted = sift_records(records, reading.names, reading.made_ids(numbers))
        for row in sifted.refused:
            reading.refuse(numbers[row], why_refused(records[row], reading.names), json_line(records[row]))
        reading.warnings.update(sifted.warnings)
        yield sifted.batch


def _short(reading: Reading, rows: Rows) -> Rows:
    """Yield the rows that are no longer than an article may be; refuse the others."""
    for number, record in rows:
        if _size(record) <= reading.longest:
            yield number, record
        else:
            shown = {name: str(value)[:RECORD_SHOWN] for name, value in record.items()}
            reading.refuse(number, reading.too_long, json_line(shown))


def _size(record: Mapping[str, Any]) -> int:
    """Return how many characters a record's own strings have."""
    return sum(len(value) for value in record.values() if isinstance(value, str | bytes))
