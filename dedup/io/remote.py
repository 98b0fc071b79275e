"""Read and write files in object stores and on web servers, named by a URL, through fsspec.

S3, Google Cloud Storage, Azure, the Hugging Face Hub and HTTP need the extra `cloud`. Credentials come from the environment, as
the library of each store reads them; a URL must not have any. A file is read as a stream. It is written whole: a run
writes a local file, and uploads it at the end.
"""

from __future__ import annotations

import io
import posixpath
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dedup.errors import InputError, OutputError

__all__ = [
    "RemoteFile",
    "check_upload",
    "has_random_access",
    "is_url",
    "list_remote_files",
    "open_remote_file",
    "read_remote_stamp",
    "strip_query",
    "upload_file",
]

SCHEMES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hf", "https", "http")
WEB_SCHEMES = ("https", "http")
"""Web servers list no folders, and not all of them read from the middle of a file."""
PACKAGES = {
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "hf": "huggingface_hub",
}
"""The package that reads the files of a scheme; s3fs and aiohttp for the others."""
VERSION_KEYS = ("ETag", "etag", "LastModified", "last_modified", "mtime", "updated", "content_settings")
"""The keys of a file's description by which stores say that it has changed."""


def is_url(path: object) -> bool:
    """Return whether a path is the URL of a store or a web server.

    >>> is_url("s3://news/2026/"), is_url("news/2026"), is_url("postgresql://db")
    (True, False, False)
    """
    scheme, separator, _ = str(path).partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


def is_web(path: str) -> bool:
    """Return whether a path is the URL of a web server."""
    return path.partition("://")[0].lower() in WEB_SCHEMES


def has_random_access(path: str) -> bool:
    """Return whether a file can be read from its middle at little cost: all but those of web servers."""
    return not is_web(path)


def strip_query(path: str) -> str:
    """Return the URL of a web server without query and fragment; another path as it is.

    >>> strip_query("https://example.org/news.jsonl.gz?signature=1"), strip_query("s3://news/a?b.jsonl")
    ('https://example.org/news.jsonl.gz', 's3://news/a?b.jsonl')
    """
    return urlsplit(path)._replace(query="", fragment="").geturl() if is_web(path) else path


class RemoteFile(io.RawIOBase):
    """A remote file that is open for reading; each failure of its library is an OSError."""

    def __init__(self, open_file: Callable[[], Any]) -> None:
        self._open_file = open_file
        self._file = open_file()
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True: a file that can only be read from its beginning is opened again."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read bytes into a buffer; return how many, 0 at the end."""
        try:
            content = self._file.read(len(buffer))
        except Exception as error:
            raise OSError(describe_error(error)) from error
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, and return it; in a stream only to the beginning."""
        if offset == 0 and whence == io.SEEK_SET:
            if self._position:
                self._file.close()
                self._file = self._open_file()
            self._position = 0
        else:
            self._position = self._file.seek(offset, whence)
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()


def open_remote_file(path: str) -> RemoteFile:
    """Open a remote file to be read as a stream; OSError if it cannot be opened."""
    system, inner = find_file_system(path, InputError)
    options = {"block_size": 0} if is_web(path) else {}  # a stream, which every web server can give
    try:
        return RemoteFile(lambda: system.open(inner, "rb", **options))
    except Exception as error:
        raise OSError(describe_error(error)) from error


def read_remote_stamp(path: str) -> tuple[int, int]:
    """Return the size of a remote file, 0 if it is unknown, and a number that changes with its version."""
    system, inner = find_file_system(path, InputError)
    try:
        system.invalidate_cache()
        description = system.info(inner)
    except Exception as error:
        raise OSError(describe_error(error)) from error
    version = [str(description[key]) for key in VERSION_KEYS if description.get(key)]
    return int(description.get("size") or 0), zlib.crc32("\n".join(version).encode())


def list_remote_files(path: str) -> list[tuple[str, str]] | None:
    """Return the files below a remote folder, as URLs and as names within it, sorted; None if the path is a file.

    Hidden files and folders are left out. `InputError` if there is no such file or folder, or it cannot be read.
    """
    system, inner = find_file_system(path, InputError)
    try:
        if is_web(path) or (not path.endswith("/") and system.isfile(inner)):
            system.info(inner)
            return None
        folder = inner.rstrip("/")
        found = sorted(system.find(folder), key=lambda name: name.split("/"))
    except FileNotFoundError:
        found = []
    except Exception as error:
        raise InputError(f"cannot read {path}: {describe_error(error)}") from error
    if not found:
        raise InputError(f"there is no file or folder {path}")
    names = [(name, posixpath.relpath(name, folder)) for name in found]
    shown = [
        (name, inside)
        for name, inside in names
        if not any(part.startswith(".") for part in inside.split("/"))
    ]
    return [(str(system.unstrip_protocol(name)), inside) for name, inside in shown]


def check_upload(path: str) -> None:
    """Raise `OutputError` if the bucket or container of a file cannot be reached."""
    system, inner = find_file_system(path, OutputError)
    if path.startswith("hf://"):  # its first part is no bucket
        return
    bucket = inner.partition("/")[0]
    try:
        is_there = system.exists(bucket)
    except Exception as error:
        raise OutputError(f"cannot write {path}: {describe_error(error)}") from error
    if not is_there:
        raise OutputError(
            f"cannot write {path}: there is no {bucket}, or it cannot be read with these credentials"
        )


def upload_file(local: Path, path: str) -> None:
    """Copy a local file to a remote one; `OutputError` if that fails, and then the remote one is as it was."""
    system, inner = find_file_system(path, OutputError)
    try:
        system.put_file(str(local), inner)
    except Exception as error:
        raise OutputError(f"cannot write {path}: {describe_error(error)}") from error


def find_file_system(path: str, error_class: type[Exception]) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it; raise `error_class` without the extra, or with credentials."""
    scheme = path.partition("://")[0].lower()
    address = urlsplit(path)
    if error_class is OutputError and is_web(path):
        raise OutputError(f"cannot write {path}: a web server takes no files; write to a store such as s3://")
    if address.password or (is_web(path) and address.username):
        raise error_class(
            f"{scheme}://{address.hostname} has credentials in its URL; set them in the environment"
        )
    try:
        from fsspec.core import url_to_fs

        system, inner = url_to_fs(path)
    except ImportError:
        package = PACKAGES.get(scheme, "aiohttp" if is_web(path) else "s3fs")
        raise error_class(
            f"{scheme}:// needs the package {package}: pip install 'news-dedup[cloud]'"
        ) from None
    except Exception as error:
        raise error_class(f"cannot open {path}: {describe_error(error)}") from error
    return system, inner


def describe_error(error: BaseException) -> str:
    """Return an error of a library on one line; its name, if it says nothing."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return " ".join(str(error).split()) or type(error).__name__
