"""Read a file of plain text as one article, whose id is the name of the file."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from dedup.io.file_bytes import ByteChunks, CorruptFileError
from dedup.io.schema import FIELDS, SCHEMA
from dedup.io.source_file import NumberedRows, SourceFile

__all__ = ["read_bounded_bytes", "read_text_articles", "read_text_rows"]


def read_text_rows(source_file: SourceFile) -> NumberedRows:
    """Yield a plain text file as one dict, numbered 1; reject a partial text, and one that is not UTF-8."""
    data, damage = read_bounded_bytes(source_file.read_chunks(), source_file.max_article_bytes)
    if damage:
        raise CorruptFileError(str(damage), None, data)
    try:
        yield 1, {"id": source_file.source.label, "text": data.decode()}
    except UnicodeDecodeError as error:
        raise CorruptFileError("not valid UTF-8", None, data) from error


def read_text_articles(source_file: SourceFile) -> Iterator[pa.RecordBatch]:
    """Yield a plain text file as a batch of one article, without the detour over a dict."""
    for _, row in read_text_rows(source_file):
        known = {"id": row["id"], "text": row["text"].replace("\0", " ")}
        columns = [pa.array([known.get(name)], SCHEMA.field(name).type) for name in FIELDS]
        yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def read_bounded_bytes(chunks: ByteChunks, max_bytes: int) -> tuple[bytes, CorruptFileError | None]:
    """Return the bytes of a file up to a damaged part, and the damage; more than `max_bytes` count as damage."""
    held = bytearray()
    try:
        for piece in chunks:
            held += piece
            if len(held) > max_bytes:
                return bytes(held), CorruptFileError(f"longer than {max_bytes:,} bytes")
    except CorruptFileError as damage:
        return bytes(held), damage
    return bytes(held), None
