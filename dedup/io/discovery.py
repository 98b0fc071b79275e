"""Find the files that paths stand for, in their order, each with its format and its compression.

A folder stands for every file in it, at any depth, that has a known extension; hidden ones are skipped.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from dedup.errors import InputError
from dedup.io.remote import is_url, list_remote_files, read_remote_stamp, strip_query

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
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".orc": "orc",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".warc": "warc",
    ".wet": "warc",
    ".rss": "xml",
    ".atom": "xml",
    ".rdf": "xml",
    ".xml": "xml",
    ".nitf": "xml",
    ".newsml": "xml",
}
COMPRESSIONS = (".gz", ".zst", ".bz2")
STDIN = "-"

NAMED_PIPE = "named pipe"

_KNOWN_EXTENSIONS = f"{', '.join(EXTENSIONS)}, each also with {', '.join(COMPRESSIONS)}"


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of a corpus; ids are made from its `label`, the path as given, or the path within the folder given."""

    path: str
    label: str
    format: str
    compression: str
    is_stream: bool = False
    """Whether it can be read only once: standard input, or a named pipe."""

    def read_stamp(self) -> tuple[int, int]:
        """Return the size of the file, and a number that changes with its content; zeros for a stream, which is kept."""
        if self.is_stream:
            return 0, 0
        if is_url(self.path):
            return read_remote_stamp(self.path)
        state = Path(self.path).stat()
        return state.st_size, state.st_mtime_ns


def find_input_files(
    paths: Sequence[str | Path], *, accept_pipes: bool = False, skipped: list[str] | None = None
) -> list[InputFile]:
    """Return the files that the paths stand for.

    Named pipes, sockets and devices in a folder are skipped, and added to `skipped`. A named pipe that is itself a
    path is a file where the caller can `accept_pipes`. Raise InputError where a path is missing or cannot be
    read, is a socket or a device, or where a file or folder holds no known format.
    """
    if not paths:
        raise InputError("no corpus was given; name a file, a folder, or - for standard input")
    skipped = [] if skipped is None else skipped
    return [file for path in paths for file in _resolve_path(str(path), skipped, accept_pipes=accept_pipes)]


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


def _resolve_path(path: str, skipped: list[str], *, accept_pipes: bool) -> list[InputFile]:
    if path == STDIN:
        return [InputFile(STDIN, STDIN, "lines", "", is_stream=True)]
    if is_url(path):
        return _resolve_url(path)
    if not Path(path).exists():
        raise InputError(f"there is no file or folder {path}")
    if Path(path).is_dir():
        return _list_folder(path, skipped)
    kind = _describe_special_file(path)
    if kind and not (kind == NAMED_PIPE and accept_pipes):
        advice = "write it to a file first" if kind == NAMED_PIPE else "name a file or a folder"
        raise InputError(f"{path} is a {kind}, which cannot be read here; {advice}")
    source = _make_input_file(path, path, is_stream=bool(kind))
    if source is None:
        raise InputError(f"{path} has no known extension; known are {_KNOWN_EXTENSIONS}")
    if not os.access(path, os.R_OK):
        raise InputError(f"cannot read {path}: permission denied")
    return [source]


def _resolve_url(url: str) -> list[InputFile]:
    """Return the file of a URL, or the files below it."""
    listed = list_remote_files(url)
    pairs = [(url, strip_query(url))] if listed is None else listed
    sources = [source for path, label in pairs if (source := _make_input_file(path, label))]
    if not sources:
        has = "has no known extension" if listed is None else "holds no file to read"
        raise InputError(f"{strip_query(url)} {has}; known extensions are {_KNOWN_EXTENSIONS}")
    return sources


def _list_folder(folder: str, skipped: list[str]) -> list[InputFile]:
    sources = []
    for path in sorted(_walk_files(folder), key=lambda path: Path(path).parts):
        source = _make_input_file(path, Path(path).relative_to(folder).as_posix())
        if source and (kind := _describe_special_file(path)):
            skipped.append(f"the {kind} {path}")
        elif source:
            sources.append(source)
    if not sources:
        raise InputError(
            f"the folder {folder} holds no file to read; known extensions are {_KNOWN_EXTENSIONS}"
        )
    return sources


def _describe_special_file(path: str) -> str:
    """Return the kind of a special file, which could block for ever when opened; an empty string for a regular file."""
    try:
        mode = Path(path).stat().st_mode
    except OSError:  # whoever opens it says why it cannot be read
        return ""
    if stat.S_ISFIFO(mode):
        return NAMED_PIPE
    if stat.S_ISSOCK(mode):
        return "socket"
    return "" if stat.S_ISREG(mode) else "device"


def _walk_files(folder: str) -> Iterator[str]:
    """Yield the files below a folder, hidden ones and hidden folders left out."""

    def raise_unreadable(error: OSError) -> NoReturn:
        raise make_unreadable_error(str(error.filename), error) from error

    for place, folders, files in os.walk(folder, onerror=raise_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (str(Path(place) / name) for name in files if not name.startswith("."))


def _make_input_file(path: str, label: str, *, is_stream: bool = False) -> InputFile | None:
    """Return the file that a name's extensions describe; None where they are unknown, unless it is a stream."""
    extension, compression = split_extensions(strip_query(path))
    if extension not in EXTENSIONS and not is_stream:
        return None
    # A file name may be bytes that are no UTF-8; ids are.
    shown = os.fsencode(label).decode(errors="replace")
    return InputFile(path, shown, EXTENSIONS.get(extension, "lines"), compression, is_stream)
