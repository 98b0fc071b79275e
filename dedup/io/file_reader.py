"""One file being read: what the readers of all formats need to know of it, and where they report.

The same readers make both passes over a corpus. In the first, what they refuse is kept and shown to the user;
in the second it is known already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from dedup.errors import InputError
from dedup.io.decompress import Pieces, utf8
from dedup.io.discovery import Source
from dedup.io.schema import Names

__all__ = ["Reading", "Rows"]

Rows = Iterator[tuple[int, dict[str, Any]]]
"""Records as dicts, with their numbers in the file."""

ANOTHER_ENCODING = "files read as {}, not UTF-8"


@dataclass(frozen=True, slots=True)
class Reading:
    """A file, opened as often as asked; `refuse` takes a line number, the reason, and what stood there.

    `size` is how many bytes a batch may have, `longest` how many an article may have.
    """

    source: Source
    names: Names
    size: int
    longest: int
    unpacked: Callable[[], Pieces]
    advance: Callable[[int], None]
    refuse: Callable[[int | None, str, bytes | str], None]
    warnings: Counter[str] = field(default_factory=Counter)
    made_id: Callable[[int], str] | None = None
    """Makes the id of an article that has none, given its line; else it is its place: file and line."""

    def pieces(self) -> Pieces:
        """Return the file in UTF-8; another encoding than that is counted among the warnings."""
        encoding, decoded = utf8(self.unpacked())
        if encoding != "utf-8":
            self.warnings[ANOTHER_ENCODING.format(encoding)] += 1
        return decoded

    def check_columns(self, columns: Sequence[str]) -> None:
        """Raise InputError where none of a table's columns can be the text."""
        wanted = self.names["text"]
        if not set(wanted) & set(columns):
            named, there = " or ".join(wanted), ", ".join(columns)
            raise InputError(f"{self.source.path} has no column {named} for the text; it has {there}")

    def made_ids(self, numbers: Sequence[int]) -> Callable[[int], str]:
        """Return a function that makes the id of the article in a row, given the rows' line numbers."""
        made = self.made_id or (lambda number: f"{self.source.label}:{number}")
        return lambda row: made(numbers[row])

    @property
    def too_long(self) -> str:
        """The reason for refusing what is longer than an article may be."""
        return f"longer than {self.longest:,} bytes"
