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

__all__ = ["EXTENSIONS", "PACKINGS", "STDIN", "Source", "extensions", "find_sources", "unreadable"]

EXTENSIONS = {
    ".txt": "text",
    ".jsonl": "lines",
    ".ndjson": "lines",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
}
PACKINGS = (".gz", ".zst", ".bz2")
STDIN = "-"

_KNOWN = f"{', '.join(EXTENSIONS)}, each also with {', '.join(PACKINGS)}"


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a corpus; ids are made from its `label`: its path as given, or within a folder given."""

    path: str
    label: str
    format: str
    packing: str


def find_sources(paths: Sequence[str | Path]) -> list[Source]:
    """Return the files that the paths stand for.

    InputError where one is missing or cannot be read, or where a file or folder holds no known kind.
    """
    if not paths:
        raise InputError("no corpus was given; name a file, a folder, or - for standard input")
    return [source for path in paths for source in _sources(str(path))]


def extensions(path: str) -> tuple[str, str]:
    """Return the extension that says the format, and the one after it that says the compression, or "".

    >>> extensions("news/2024.JSONL.gz"), extensions("README")
    (('.jsonl', '.gz'), ('', ''))
    """
    name = Path(path.lower())
    if name.suffix in PACKINGS:
        return Path(name.stem).suffix, name.suffix
    return name.suffix, ""


def unreadable(path: str, error: OSError) -> InputError:
    """Return the error that says why a file cannot be read."""
    return InputError(f"cannot read {path}: {error.strerror or error}")


def _sources(path: str) -> list[Source]:
    if path == STDIN:
        return [Source(STDIN, STDIN, "lines", "")]
    if not Path(path).exists():
        raise InputError(f"there is no file or folder {path}")
    if Path(path).is_dir():
        return _in_folder(path)
    source = _source(path, path)
    if source is None:
        raise InputError(f"{path} has no known extension; known are {_KNOWN}")
    if not os.access(path, os.R_OK):
        raise InputError(f"cannot read {path}: permission denied")
    return [source]


def _in_folder(folder: str) -> list[Source]:
    inside = sorted(_files(folder), key=lambda path: Path(path).parts)
    labels = [(path, Path(path).relative_to(folder).as_posix()) for path in inside]
    sources = [source for path, label in labels if (source := _source(path, label))]
    if not sources:
        raise InputError(f"the folder {folder} holds no file to read; known extensions are {_KNOWN}")
    return sources


def _files(folder: str) -> Iterator[str]:
    """Yield the files below a folder, hidden ones and hidden folders left out."""

    def refuse(error: OSError) -> NoReturn:
        raise unreadable(str(error.filename), error) from error

    for place, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (str(Path(place) / name) for name in files if not name.startswith("."))


def _source(path: str, label: str) -> Source | None:
    """Return the source that a file name's extensions describe, or None where they are unknown."""
    extension, packing = extensions(path)
    if extension not in EXTENSIONS:
        return None
    # A file name may be bytes that are no UTF-8; ids are.
    return Source(path, os.fsencode(label).decode(errors="replace"), EXTENSIONS[extension], packing)
