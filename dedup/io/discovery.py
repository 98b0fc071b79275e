"""Paths as a user gives them → the files to read, in their order, each with its format and its compression.

A folder stands for every file in it, at any depth, that has a known extension; hidden ones are skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from dedup.errors import InputError

__all__ = [
    "COMPRESSIONS",
    "EXTENSIONS",
    "STDIN",
    "InputFile",
    "find_input_files",
    "make_unreadable_error",
    "split_extensions",
]

EXTENSIONS = {
    ".txt": "text",
    ".jsonl": "lines",
    ".ndjson": "lines",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
COMPRESSIONS = (".gz", ".zst", ".bz2")
STDIN = "-"

_KNOWN_EXTENSIONS = f"{', '.join(EXTENSIONS)}, each also with {', '.join(COMPRESSIONS)}"


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file of a corpus; ids are made from its `label`: its path as given, or within a folder given."""

    path: str
    label: str
    format: str
    compression: str


def find_input_files(paths: Sequence[str | Path]) -> list[InputFile]:
    """Return the files that the paths stand for.

    InputError where one is missing or cannot be read, or where a file or folder holds no known kind.
    """
    if not paths:
        raise InputError("no corpus was given; name a file, a folder, or - for standard input")
    return [source for path in paths for source in _resolve_path(str(path))]


def split_extensions(path: str) -> tuple[str, str]:
    """Return the extension that says the format, and the one after it that says the compression, or "".

    >>> split_extensions("news/2024.JSONL.gz"), split_extensions("README")
    (('.jsonl', '.gz'), ('', ''))
    """
    name = Path(path.lower())
    if name.suffix in COMPRESSIONS:
        return Path(name.stem).suffix, name.suffix
    return name.suffix, ""


def make_unreadable_error(path: str, error: OSError) -> InputError:
    """Return the error that says why a file cannot be read."""
    return InputError(f"cannot read {path}: {error.strerror or error}")


def _resolve_path(path: str) -> list[InputFile]:
    if path == STDIN:
        return [InputFile(STDIN, STDIN, "lines", "")]
    if not Path(path).exists():
        raise InputError(f"there is no file or folder {path}")
    if Path(path).is_dir():
        return _list_folder(path)
    source = _make_input_file(path, path)
    if source is None:
        raise InputError(f"{path} has no known extension; known are {_KNOWN_EXTENSIONS}")
    if not os.access(path, os.R_OK):
        raise InputError(f"cannot read {path}: permission denied")
    return [source]


def _list_folder(folder: str) -> list[InputFile]:
    inside = sorted(_walk_files(folder), key=lambda path: Path(path).parts)
    labels = [(path, Path(path).relative_to(folder).as_posix()) for path in inside]
    sources = [source for path, label in labels if (source := _make_input_file(path, label))]
    if not sources:
        raise InputError(
            f"the folder {folder} holds no file to read; known extensions are {_KNOWN_EXTENSIONS}"
        )
    return sources


def _walk_files(folder: str) -> Iterator[str]:
    """Yield the files below a folder, hidden ones and hidden folders left out."""

    def raise_unreadable(error: OSError) -> NoReturn:
        raise make_unreadable_error(str(error.filename), error) from error

    for place, folders, files in os.walk(folder, onerror=raise_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (str(Path(place) / name) for name in files if not name.startswith("."))


def _make_input_file(path: str, label: str) -> InputFile | None:
    """Return the source that a file name's extensions describe, or None where they are unknown."""
    extension, packing = split_extensions(path)
    if extension not in EXTENSIONS:
        return None
    # A file name may be bytes that are no UTF-8; ids are.
    return InputFile(path, os.fsencode(label).decode(errors="replace"), EXTENSIONS[extension], packing)
