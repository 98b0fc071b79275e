"""Errors that a user can cause and fix. Each message is one sentence.

    DedupError
    ├── EngineError     Spark cannot start or fails: no Java, missing extra, unknown master
    ├── IndexingError   an index cannot be used: not an index, damaged, other settings, unreachable
    ├── InputError      a corpus, file, line or article cannot be read
    ├── OutputError     a file cannot be written
    ├── ServingError    the service cannot start: no address, no token, missing extra
    └── SettingsError   a setting is unknown, out of range, or contradicts another one

The command line prints the message and exits with 1. Any other exception is a bug.
"""

from __future__ import annotations

__all__ = [
    "DedupError",
    "EngineError",
    "IndexingError",
    "InputError",
    "OutputError",
    "ServingError",
    "SettingsError",
]


class DedupError(Exception):
    """An error that the user can fix: the message names the thing, its value and the allowed range."""


class EngineError(DedupError):
    """The engine cannot run."""


class IndexingError(DedupError):
    """The index cannot be used."""


class InputError(DedupError):
    """The input cannot be read."""


class OutputError(DedupError):
    """The output cannot be written."""


class ServingError(DedupError):
    """The service cannot be started."""


class SettingsError(DedupError, ValueError):
    """A setting has an unknown name or a value that is not allowed."""
