"""Find the files of a corpus on Spark, in order, with their format and compression.

A path without a scheme is a local file, folder or pattern, as in a local run. A path with a scheme (hdfs://,
s3a://, file://) is looked up through the file systems of Spark.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dedup.errors import InputError
from dedup.io.discovery import COMPRESSIONS, EXTENSIONS, STDIN, InputFile, find_input_files, split_extensions

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["add_scheme", "escape_path", "find_spark_files", "is_remote"]

URL_SCHEME = re.compile(r"[a-zA-Z][\w+.-]+:/")
"""The start of a path with a scheme; a drive letter is not a scheme."""
GLOB_PATTERN = re.compile(r"[*?\[{]")
GLOB_CHARACTERS = re.compile(r"([\[\]{}*?,\\])")
"""Characters that Hadoop interprets as a pattern in a path."""
FILE_SCHEME = re.compile(r"file:/*(?=/)")


def find_spark_files(session: SparkSession, paths: Sequence[str | Path]) -> list[InputFile]:
    """Return the files of the paths; raise `InputError` if one is missing or of an unknown kind."""
    if not paths:
        raise InputError("no corpus was given; name a file, a folder, or a pattern of them")
    return [source for path in paths for source in _expand_path(session, str(path))]


def is_remote(path: str | Path) -> bool:
    """Return whether a path has a scheme.

    >>> is_remote("s3a://bucket/news"), is_remote("news/2024.jsonl")
    (True, False)
    """
    return URL_SCHEME.match(str(path)) is not None


def escape_path(path: str) -> str:
    """Return a path for Spark to read: with its scheme, and with pattern characters escaped."""
    return GLOB_CHARACTERS.sub(r"\\\1", add_scheme(path))


def add_scheme(path: str) -> str:
    """Return a path for Spark to write to, with its scheme."""
    return path if is_remote(path) or path.startswith("file:") else f"file:{Path(path).absolute()}"


def normalize_path(path: str) -> str:
    """Return a path in one spelling: `file:///a` and `/a` are the same."""
    return (
        FILE_SCHEME.sub("", path)
        if is_remote(path) or path.startswith("file:")
        else str(Path(path).absolute())
    )


def _expand_path(session: SparkSession, path: str) -> list[InputFile]:
    if path == STDIN:
        raise InputError("Spark reads no standard input; name files, or leave --engine spark out")
    if is_remote(path):
        return _list_remote(session, path)
    if Path(path).exists() or not GLOB_PATTERN.search(path):
        return find_input_files([path])
    files = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - a Path takes no pattern that begins at the root
    if not files:
        raise InputError(f"there is no file or folder {path}")
    return find_input_files(files)


def _list_remote(session: SparkSession, path: str) -> list[InputFile]:
    """Return the files of a path with a scheme."""
    java: Any = session._jvm  # noqa: SLF001 - the only way there
    place = java.org.apache.hadoop.fs.Path(path)
    try:
        system = place.getFileSystem(session._jsc.hadoopConfiguration())  # noqa: SLF001
        statuses = [*(system.globStatus(place) or ())]
        listed = [item for status in statuses for item in _iter_remote_files(system, status, path)]
    except Exception as error:
        cause = getattr(error, "java_exception", error)
        message = str(cause.getMessage() if hasattr(cause, "getMessage") else cause)
        raise InputError(
            f"cannot read {path}: {message.splitlines()[0] if message else type(error).__name__}"
        ) from error
    sources = [_detect_source(name, label) for name, label in sorted(listed)]
    files = [source for source in sources if source]
    if not files:
        kinds = f"{', '.join(EXTENSIONS)}, each also with {', '.join(COMPRESSIONS)}"
        raise InputError(f"{path} holds no file to read; known extensions are {kinds}")
    return files


def _iter_remote_files(system: Any, status: Any, pattern: str) -> Iterator[tuple[str, str]]:
    """Yield (path, label) of the files below a path, without hidden ones; labels are as in a local run."""
    top = str(status.getPath())
    if not status.isDirectory():
        yield top, top if GLOB_PATTERN.search(pattern) else pattern
        return
    inside = system.listFiles(status.getPath(), True)  # noqa: FBT003 - Java names no arguments
    while inside.hasNext():
        path = str(inside.next().getPath())
        label = path[len(top) :].lstrip("/")
        if not any(part.startswith((".", "_")) for part in label.split("/")):
            yield path, label


def _detect_source(path: str, label: str) -> InputFile | None:
    """Return the input file that the extensions describe, or None if they are unknown."""
    extension, packing = split_extensions(path)
    return InputFile(path, label, EXTENSIONS[extension], packing) if extension in EXTENSIONS else None
