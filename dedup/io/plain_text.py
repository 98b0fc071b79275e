"""Read a file of plain text as one article, whose id is the name of the file."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from dedup.io.decompress import CorruptFileError
from dedup.io.schema import FIELDS, SCHEMA
from dedup.io.source_file import NumberedRows, SourceFile

__all__ = ["read_text_articles", "read_text_rows"]


def read_text_rows(source_file: SourceFile) -> NumberedRows:
    """Yield a plain text file as one dict, numbered 1; half a text, or one that is not UTF-8, is refused."""
    data, damage = _read_bytes(source_file, source_file.max_article_bytes)
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


def _read_bytes(source_file: SourceFile, limit: int) -> tuple[bytes, CorruptFileError | None]:
    """Return a file's bytes in UTF-8 up to a damage, and the damage; a file over the limit is one."""
    held = bytearray()
    try:
        for piece in source_file.read_chunks():
            held += piece
            if len(held) > limit:
                return bytes(held), CorruptFileError(f"longer than {limit:,} bytes")
    except CorruptFileError as damage:
        return bytes(held), damage
    return bytes(held), None
