"""JSON documents and plain text → numbered dicts: files that are read as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pyarrow as pa

from dedup.io.decompress import Damaged
from dedup.io.file_reader import Reading, Rows
from dedup.io.records import RECORD_SHOWN, kind_of
from dedup.io.schema import FIELDS, SCHEMA

__all__ = ["document_rows", "is_document", "text_articles", "text_rows"]

OPENING = re.compile(r"\s*\[?\s*")
GAP = re.compile(r"[\s,]*")

DOCUMENT_BYTES = 512 << 20
"""A JSON document is parsed as a whole; beyond this it should be JSON Lines."""


def is_document(head: bytes) -> bool:
    """Return whether a `.json` file is one JSON document and not JSON Lines, by its first bytes."""
    first = head.lstrip()
    return first.startswith(b"[") or bool(re.match(rb"\{\s*\n", first))


def document_rows(reading: Reading) -> Rows:
    """Yield the objects of a JSON document: of its one array, or one after the other; numbered from 1.

    What follows broken JSON in a document cannot be told apart from it, and is refused with it.
    """
    text, damage = _document(reading)
    decoder = json.JSONDecoder(strict=False)
    number, position = 0, _end_of(OPENING, text, 0)
    closing = "]" if "[" in text[:position] else ""
    while position < len(text) and text[position] != "]":
        number += 1
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            reason = str(damage or f"broken JSON, and so is what follows: {error}")
            raise Damaged(reason, number, _shown(text, position)) from damage
        if isinstance(value, dict):
            yield number, value
        else:
            reading.refuse(number, f"{kind_of(value)}, not an object", text[position:end])
        position = _end_of(GAP, text, end)
    if damage:
        raise damage
    if text[position:].strip() != closing:
        reason = (
            "broken JSON: the array has no end" if closing else "broken JSON: there is text after the end"
        )
        raise Damaged(reason, None, _shown(text, position))


def text_rows(reading: Reading) -> Rows:
    """Yield a plain text file as one dict, numbered 1; half a text, or one that is not UTF-8, is refused."""
    data, damage = _joined(reading, reading.longest)
    if damage:
        raise Damaged(str(damage), None, data)
    try:
        yield 1, {"id": reading.source.label, "text": data.decode()}
    except UnicodeDecodeError as error:
        raise Damaged("not valid UTF-8", None, data) from error


def text_articles(reading: Reading) -> Iterator[pa.RecordBatch]:
    """Yield a plain text file as a batch of one article, without the detour over a dict."""
    for _, row in text_rows(reading):
        known = {"id": row["id"], "text": row["text"].replace("\0", " ")}
        columns = [pa.array([known.get(name)], SCHEMA.field(name).type) for name in FIELDS]
        yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _joined(reading: Reading, limit: int) -> tuple[bytes, Damaged | None]:
    """Return a file's bytes in UTF-8 up to a damage, and the damage; a file over the limit is one."""
    held = bytearray()
    try:
        for piece in reading.pieces():
            held += piece
            if len(held) > limit:
                return bytes(held), Damaged(f"longer than {limit:,} bytes")
    except Damaged as damage:
        return bytes(held), damage
    return bytes(held), None


def _document(reading: Reading) -> tuple[str, Damaged | None]:
    """Return a file's text up to a damage, and the damage."""
    data, damage = _joined(reading, DOCUMENT_BYTES)
    try:
        return data.decode(errors="replace" if damage else "strict"), damage
    except UnicodeDecodeError as error:
        raise Damaged("not valid UTF-8", None, data) from error


def _shown(text: str, position: int) -> bytes:
    """Return what stands at a position, as much of it as a reject shows."""
    return text[position : position + RECORD_SHOWN].encode(errors="replace")


def _end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Return where a pattern that also matches nothing ends."""
    found = pattern.match(text, position)
    return found.end() if found else position
