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
from dedup.io.decompress import ByteChunks, decode_to_utf8
from dedup.io.discovery import InputFile
from dedup.io.field_use import FieldUse, suggest_names
from dedup.io.schema import FieldNames
from dedup.io.schema_mapping import MappedBatch

__all__ = ["NumberedRows", "SourceFile"]

NumberedRows = Iterator[tuple[int, dict[str, Any]]]
"""Records as dicts, with their numbers in the file."""

OTHER_ENCODING_WARNING = "files read as {}, not UTF-8"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file, opened as often as asked; `refuse` takes a line number, the reason, and what stood there.

    `size` is how many bytes a batch may have, `longest` how many an article may have.
    """

    source: InputFile
    names: FieldNames
    batch_bytes: int
    max_article_bytes: int
    read_decompressed: Callable[[], ByteChunks]
    report_progress: Callable[[int], None]
    reject: Callable[[int | None, str, bytes | str], None]
    warnings: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """For a warning the first thing that it was given for."""
    field_use: FieldUse = field(default_factory=FieldUse)
    make_id: Callable[[int], str] | None = None
    """Makes the id of an article that has none, given its line; else it is its place: file and line."""

    def read_chunks(self) -> ByteChunks:
        """Return the file in UTF-8; another encoding than that is counted among the warnings."""
        encoding, decoded = decode_to_utf8(self.read_decompressed())
        if encoding != "utf-8":
            self.warnings[OTHER_ENCODING_WARNING.format(encoding)] += 1
        return decoded

    def add_warnings(self, normalized: MappedBatch) -> None:
        """Count the warnings of a batch."""
        self.warnings.update(normalized.warnings)
        self.examples.update(
            {words: example for words, example in normalized.examples.items() if words not in self.examples}
        )

    def check_columns(self, columns: Sequence[str]) -> None:
        """Raise InputError where none of a table's columns can be the text."""
        self.field_use.note_names(columns)
        wanted = self.names["text"]
        roots = {name.partition(".")[0] for name in wanted}
        if not {*wanted, *roots} & set(columns):
            named, there = " or ".join(wanted), ", ".join(columns)
            nearest = suggest_names(wanted[0], columns)
            raise InputError(
                f"{self.source.path} has no column {named} for the text;{f' did you mean {nearest}?' if nearest else ''} "
                f"it has {there}"
            )

    def build_id_function(self, numbers: Sequence[int]) -> Callable[[int], str]:
        """Return a function that makes the id of the article in a row, given the rows' line numbers."""
        made = self.make_id or (lambda number: f"{self.source.label}:{number}")
        return lambda row: made(numbers[row])

    @property
    def too_long_reason(self) -> str:
        """The reason for refusing what is longer than an article may be."""
        return f"longer than {self.max_article_bytes:,} bytes"
