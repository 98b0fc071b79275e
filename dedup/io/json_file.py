"""Read and write the JSON files of our commands, such as models and boilerplate profiles.

A file may come from anywhere: its size is bounded, and nothing in it is run. An error says in one sentence why a file is
not of the expected kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from dedup.errors import InputError

__all__ = ["encode_json_file", "read_json_object"]

FILE_FORMAT = 1
"""Of boilerplate and of models."""
MAX_DIGITS = 18

T = TypeVar("T")


def read_json_object(
    path: str | Path, kind: str, max_bytes: int, parse_content: Callable[[Mapping[str, Any]], T]
) -> T:
    """Return the result of `parse_content` for the object in a file.

    `parse_content` raises `ValueError` with the reason if the object is invalid. Raise `InputError` with the reason why
    the file is not of its `kind`, such as "model", or is larger than `max_bytes`.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if len(content) > max_bytes:
        raise InputError(f"{path} is no {kind}: it is larger than {max_bytes >> 20} MB")
    try:
        return parse_content(
            check_file_format(
                json.loads(content, object_pairs_hook=reject_duplicate_keys, parse_int=parse_bounded_int)
            )
        )
    except RecursionError:
        raise InputError(f"{path} is no {kind}: it is nested too deeply") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is no {kind}: it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is no {kind}: it is not JSON (line {error.lineno}: {error.msg})") from None
    except ValueError as error:
        raise InputError(f"{path} is no {kind}: {error}") from None


def reject_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; raise `ValueError` if a name occurs twice, since JSON would keep only the last."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"it has {name!r:.60} twice in one object")
        found[name] = value
    return found


def parse_bounded_int(digits: str) -> int:
    """Return a whole number; raise `ValueError` if it has more digits than any count."""
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"it has a number of {len(digits):,} digits")
    return int(digits)


def check_file_format(value: Any) -> Mapping[str, Any]:
    """Return the object of a file; raise `ValueError` if the value is not an object, or has another format."""
    if not isinstance(value, dict) or "format" not in value:
        raise ValueError("it is not an object with a 'format'")
    if value["format"] != FILE_FORMAT or not isinstance(value["format"], int) or value["format"] is True:
        raise ValueError(f"its format is {value['format']!r:.20}, and this version reads {FILE_FORMAT}")
    return value


def encode_json_file(version: str, content: Mapping[str, Any]) -> bytes:
    """Return the bytes of a file with some content, written by this version of dedup."""
    named = {"format": FILE_FORMAT, "dedup": version, **content}
    return json.dumps(named, indent=2, ensure_ascii=False).encode() + b"\n"
