"""JSON documents and plain text → numbered dicts: files that are read as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pyarrow as pa

from dedup.io.decompress import CorruptFileError
from dedup.io.file_reader import FileReader, NumberedRows
from dedup.io.records import MAX_REJECT_CHARACTERS, describe_json_type
from dedup.io.schema import FIELDS, SCHEMA

__all__ = ["is_document", "read_document_rows", "read_text_articles", "read_text_rows"]

ARRAY_START = re.compile(r"\s*\[?\s*")
SEPARATORS = re.compile(r"[\s,]*")

MAX_DOCUMENT_BYTES = 512 << 20
"""A JSON document is parsed as a whole; beyond this it should be JSON Lines."""


def is_document(head: bytes) -> bool:
    """Return whether a `.json` file is one JSON document and not JSON Lines, by its first bytes."""
    first = head.lstrip()
    return first.startswith(b"[") or bool(re.match(rb"\{\s*\n", first))


def read_document_rows(file_reader: FileReader) -> NumberedRows:
    """Yield the objects of a JSON document: of its one array, or one after the other; numbered from 1.

    What follows broken JSON in a document cannot be told apart from it, and is refused with it.
    """
    text, damage = _read_document(file_reader)
    decoder = json.JSONDecoder(strict=False)
    number, position = 0, _skip_pattern(ARRAY_START, text, 0)
    closing = "]" if "[" in text[:position] else ""
    while position < len(text) and text[position] != "]":
        number += 1
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            reason = str(damage or f"broken JSON, and so is what follows: {error}")
            raise CorruptFileError(reason, number, _encode_excerpt(text, position)) from damage
        if isinstance(value, dict):
            yield number, value
        else:
            file_reader.reject(number, f"{describe_json_type(value)}, not an object", text[position:end])
        position = _skip_pattern(SEPARATORS, text, end)
    if damage:
        raise damage
    if text[position:].strip() != closing:
        reason = (
            "broken JSON: the array has no end" if closing else "broken JSON: there is text after the end"
        )
        raise CorruptFileError(reason, None, _encode_excerpt(text, position))


def read_text_rows(file_reader: FileReader) -> NumberedRows:
    """Yield a plain text file as one dict, numbered 1; half a text, or one that is not UTF-8, is refused."""
    data, damage = _read_bytes(file_reader, file_reader.max_article_bytes)
    if damage:
        raise CorruptFileError(str(damage), None, data)
    try:
        yield 1, {"id": file_reader.source.label, "text": data.decode()}
    except UnicodeDecodeError as error:
        raise CorruptFileError("not valid UTF-8", None, data) from error


def read_text_articles(file_reader: FileReader) -> Iterator[pa.RecordBatch]:
    """Yield a plain text file as a batch of one article, without the detour over a dict."""
    for _, row in read_text_rows(file_reader):
        known = {"id": row["id"], "text": row["text"].replace("\0", " ")}
        columns = [pa.array([known.get(name)], SCHEMA.field(name).type) for name in FIELDS]
        yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _read_bytes(file_reader: FileReader, limit: int) -> tuple[bytes, CorruptFileError | None]:
    """Return a file's bytes in UTF-8 up to a damage, and the damage; a file over the limit is one."""
    held = bytearray()
    try:
        for piece in file_reader.read_chunks():
            held += piece
            if len(held) > limit:
                return bytes(held), CorruptFileError(f"longer than {limit:,} bytes")
    except CorruptFileError as damage:
        return bytes(held), damage
    return bytes(held), None


def _read_document(file_reader: FileReader) -> tuple[str, CorruptFileError | None]:
    """Return a file's text up to a damage, and the damage."""
    data, damage = _read_bytes(file_reader, MAX_DOCUMENT_BYTES)
    try:
        return data.decode(errors="replace" if damage else "strict"), damage
    except UnicodeDecodeError as error:
        raise CorruptFileError("not valid UTF-8", None, data) from error


def _encode_excerpt(text: str, position: int) -> bytes:
    """Return what stands at a position, as much of it as a reject shows."""
    return text[position : position + MAX_REJECT_CHARACTERS].encode(errors="replace")


def _skip_pattern(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Return where a pattern that also matches nothing ends."""
    found = pattern.match(text, position)
    return found.end() if found else position
