"""Hold records, which are articles as they stood in their files, and rejects, which could not be read.

A record of JSON Lines keeps its bytes, and is written byte for byte as it was read. A record of any other format is a
dict, and becomes one compact line of JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any

__all__ = ["NumberedRows", "Record", "Reject", "describe_json_type", "estimate_record_size", "to_json_line"]

NumberedRows = Iterator[tuple[int, dict[str, Any]]]
"""Records as dicts, with their numbers in the file."""

MAX_REJECT_CHARACTERS = 2000
"""A reject shows this many characters of what was rejected: enough to recognise it, and few enough to
keep."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that could not be read: where, why, and how it begins; `line` counts from 1."""

    path: str
    line: int | None
    reason: str
    record: str


@dataclass(frozen=True, slots=True)
class Record:
    """An article as it stood in its file: a line of JSON as bytes, or a dict."""

    content: bytes | Mapping[str, Any]

    def to_line(self) -> bytes:
        """Return the record as a line of JSON without its newline; a line of JSON stays as it was."""
        return self.content if isinstance(self.content, bytes) else to_json_line(self.content)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as a dict."""
        if isinstance(self.content, bytes):
            return dict(json.loads(self.content.decode(), strict=False))
        return dict(self.content)

    def with_dedup(self, dedup: Mapping[str, Any]) -> bytes:
        """Return the line with the object `dedup` as its last key, in place of one that it may have already.

        >>> Record(b'{"id":  "a"}').with_dedup({"canonical": True})
        b'{"id":  "a","dedup":{"canonical":true}}'
        """
        # The word may also stand deeper, or in the text: only a look at the parsed record tells.
        if isinstance(self.content, bytes) and (
            b'"dedup"' not in self.content or "dedup" not in self.to_dict()
        ):
            end = self.content.rindex(b"}")
            return b'%b,"dedup":%b%b' % (self.content[:end], to_json_line(dedup), self.content[end:])
        others = {name: value for name, value in self.to_dict().items() if name != "dedup"}
        return to_json_line({**others, "dedup": dedup})


def to_json_line(value: object) -> bytes:
    """Return a value as compact JSON in UTF-8: dates in ISO 8601, NaN as null, other types as text."""
    try:
        text = _encode_compact(value)
    except ValueError:  # NaN
        text = _encode_compact(_replace_nonfinite(value))
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which only an escape can write
        return json.dumps(json.loads(text), separators=(",", ":")).encode()


def describe_json_type(value: object) -> str:
    """Return the type of a JSON value in words, such as "a list" or "an object"."""
    if value is None:
        return "null"
    kinds = {bool: "a truth value", str: "a string", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a number")


def _encode_fallback(value: object) -> str:
    """Return a value that JSON has no type for as text."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.isoformat() if isinstance(value, date | time) else str(value)


_encode_compact = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_encode_fallback
).encode
"""Encode a value as compact JSON; raise ValueError where it holds NaN."""


def _replace_nonfinite(value: Any) -> Any:
    """Return a value with each NaN and infinity in it made null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _replace_nonfinite(inner) for name, inner in value.items()}
    return [_replace_nonfinite(inner) for inner in value] if isinstance(value, list | tuple) else value


def estimate_record_size(record: Mapping[str, Any]) -> int:
    """Return the number of characters, or bytes, in the strings of a record itself."""
    return sum(len(value) for value in record.values() if isinstance(value, str | bytes))
