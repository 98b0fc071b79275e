"""Answers of a person ↔ a file of labelled pairs, which is safe after each of them.

In: a place, and answers one by one. Out: lines at the end of the file, each on the disk before the next question is
asked. A file whose last line was cut short, as by a power cut, is mended: that line is taken off.
"""

from __future__ import annotations

import os
from pathlib import Path

from dedup.errors import OutputError
from dedup.evaluation.pair_labels import PairLabel, format_pair_label, read_pair_labels

__all__ = ["append_label", "load_saved_labels"]


def load_saved_labels(path: str | Path) -> list[PairLabel]:
    """Return the answers that a file holds already; none where there is no file."""
    place = Path(path)
    if not place.exists():
        return []
    truncate_partial_label(place)
    return read_pair_labels(place)


def truncate_partial_label(path: Path) -> None:
    """Take a last line without its end off a file."""
    try:
        with path.open("r+b") as file:
            content = file.read()
            if content and not content.endswith(b"\n"):
                file.truncate(content.rfind(b"\n") + 1)
                os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


def append_label(path: str | Path, label: PairLabel, **more: object) -> None:
    """Put an answer at the end of a file, and see to it that it is on the disk."""
    try:
        with Path(path).open("ab") as file:
            file.write(format_pair_label(label, **more))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
