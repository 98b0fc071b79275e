"""Errors that a user can cause and can mend, each with a message of one plain sentence.

    DedupError
    ├── EngineError     Spark that cannot be started, or gives up: no Java, no extra, no such master
    ├── IndexingError   an index that cannot be used: foreign, damaged, of other settings, out of reach
    ├── InputError      a corpus, file, line, or article that cannot be read
    ├── OutputError     a place that cannot be written
    ├── ServingError    a service that cannot be started: no address, no token, no extra
    └── SettingsError   a setting outside its range, or settings that contradict each other

The command line shows the message and exits with 1; anything else that is raised is a defect of ours.
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
    """Something the user can mend: the message names the thing, its value and what is allowed."""


class EngineError(DedupError):
    """The engine cannot do the work."""


class IndexingError(DedupError):
    """The index cannot be used."""


class InputError(DedupError):
    """The input cannot be read."""


class OutputError(DedupError):
    """The output cannot be written."""


class ServingError(DedupError):
    """The service cannot be started."""


class SettingsError(DedupError):
    """A setting is not allowed."""
