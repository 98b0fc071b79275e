"""Decode XML safely: no entity of a document is expanded, and nothing outside of it is read."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import chain

from dedup.io.file_bytes import BOMS, ByteChunks

__all__ = ["ENTITY_REASON", "EntityError", "decode_xml", "find_root_name"]

DECLARED_ENCODING = re.compile(rb"""\A\s*<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([\w.-]{1,40})["']""")
XML_DECLARATION = re.compile(rb"\A\s*<\?xml[^>]{0,300}?\?>")
DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
ROOT = re.compile(rb"<(?:[\w.-]{1,80}:)?([a-zA-Z][\w.-]{0,80})[\s>/]")
PROLOG_BYTES = 1 << 16
"""A document whose first element does not begin within these bytes is refused."""
ENTITY_REASON = "the document declares entities, which are never expanded"


class EntityError(Exception):
    """A document declares entities."""


def decode_xml(chunks: ByteChunks) -> tuple[bytes, ByteChunks]:
    """Return (the beginning of a document, the whole of it), both in UTF-8 and without the declaration of an encoding.

    The beginning includes at least the first element. Raise `EntityError` if it declares entities: a few lines of them
    can expand to gigabytes.
    """
    sample = bytearray()
    for chunk in chunks:
        sample += chunk
        if len(sample) >= PROLOG_BYTES:
            break
    encoding = _find_encoding(bytes(sample))
    raw: Iterator[bytes] = chain([bytes(sample)], chunks)
    if encoding not in {"utf-8", "utf-8-sig"}:
        raw = (text.encode() for text in codecs.iterdecode(raw, encoding, errors="replace"))
    head = XML_DECLARATION.sub(b"", next(raw, b"").removeprefix(codecs.BOM_UTF8))
    prolog = head[: _find_root_offset(head)]
    if b"<!ENTITY" in prolog or (DOCTYPE.search(prolog) and b"[" in prolog):
        raise EntityError(ENTITY_REASON)
    return head, chain([head], raw)


def find_root_name(head: bytes) -> str:
    """Return the name of the first element of a document without its prefix; an empty string if there is none.

    >>> find_root_name(b"<!-- <a> --><rdf:RDF xmlns='x'>")
    'RDF'
    """
    match = ROOT.match(head, _find_root_offset(head))
    return match[1].decode() if match else ""


def _find_root_offset(head: bytes) -> int:
    """Return the offset of the first element, after comments, instructions and the document type."""
    offset = 0
    while (offset := head.find(b"<", offset)) >= 0:
        if head.startswith(b"<!--", offset):
            end = head.find(b"-->", offset)
        elif head.startswith(b"<?", offset):
            end = head.find(b"?>", offset)
        elif head.startswith(b"<!", offset):
            bracket, end = head.find(b"[", offset), head.find(b">", offset)
            if 0 <= bracket < end:
                end = head.find(b"]>", offset)
        else:
            return offset
        if end < 0:
            break
        offset = end + 1
    return len(head)


def _find_encoding(sample: bytes) -> str:
    """Return the encoding of a document: by its byte order mark, as it declares, or UTF-8."""
    for mark, encoding in BOMS:
        if sample.startswith(mark):
            return encoding
    declared = DECLARED_ENCODING.match(sample)
    try:
        return codecs.lookup(declared[1].decode()).name if declared else "utf-8"
    except LookupError:
        return "utf-8"
