"""Describe a file that is being read: how the readers of all formats read it, and where they report.

The same readers make both passes over a corpus. The first pass keeps the rejects and shows them to the user; the
second skips them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dedup.errors import InputError
from dedup.io.discovery import InputFile
from dedup.io.file_bytes import ByteChunks, decode_to_utf8
from dedup.io.missing_fields import FieldUse, suggest_names
from dedup.io.presets import PRESET_BYTES, find_json_keys, recognize_preset
from dedup.io.read_options import ReadRules
from dedup.io.records import NumberedRows
from dedup.io.row_cache import CachedRows
from dedup.io.schema import FieldNames
from dedup.io.schema_mapping import MappedBatch, map_records_to_schema, map_to_schema

__all__ = ["TEXT_TABLES", "NumberedRows", "SourceFile", "add_examples"]

OTHER_ENCODING_WARNING = "files read as {}, not UTF-8"
PRESET_WARNING = "files in the format {0}, recognised by field names (--preset none turns this off)"
TEXT_TABLES = frozenset({"csv", "tsv"})
UNREAD_COLUMN_WARNING = "files whose column {} is not read as {} (--field '{}' reads it)"
HTML_WARNING = "articles with HTML tags in their texts, which are compared as words; remove the tags first"
HTML_TAGS = "</p>|<br ?/?>|</div>"
SAMPLED_TEXTS = 20
"""If none of the first texts of a batch has tags, the others are not searched: it would take 2 % of the time of a run."""
FIELD_HINT = "; name the column of the text: --field text=NAME"
UNSPLIT_HINT = "; name the character between the columns: --delimiter CHARACTER"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file, which can be opened again and again; `reject` takes a line number, the reason, and the record.

    A batch has at most `batch_bytes`, an article at most `max_article_bytes`.
    """

    source: InputFile
    rules: ReadRules
    batch_bytes: int
    max_article_bytes: int
    read_decompressed: Callable[[], ByteChunks]
    report_progress: Callable[[int], None]
    reject: Callable[[int | None, str, bytes | str], None]
    warnings: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """The first example of each warning."""
    field_use: FieldUse = field(default_factory=FieldUse)
    cached_rows: CachedRows | None = None
    """Keeps the rows of a format that is slow to parse for the second pass."""
    make_id: Callable[[int], str] | None = None
    """Makes the id of an article that has none, given its line; by default the id is the file and the line."""

    @property
    def names(self) -> FieldNames:
        """The names that each of our fields may have in the file."""
        return self.rules.names

    def recognize_preset(self, head: bytes) -> SourceFile:
        """Return the file, read as the export that the keys of its first JSON belong to, if the user asked for none."""
        return self.recognize_field_names(find_json_keys(head[:PRESET_BYTES]))

    def recognize_field_names(self, names: Collection[str]) -> SourceFile:
        """Return the file, read as the export that the names of its fields belong to; the user is told so."""
        name = recognize_preset(names) if self.rules.recognizes else None
        if name is None:
            return self
        self.warnings[PRESET_WARNING.format(name)] += 1
        return replace(self, rules=self.rules.with_preset(name))

    def map_batch(self, batch: pa.RecordBatch, numbers: Sequence[int]) -> MappedBatch:
        """Return the usable articles of a batch, given the numbers of its rows."""
        return map_to_schema(batch, self.names, self.build_id_function(numbers), self.rules.dates)

    def map_records(self, records: Sequence[Mapping[str, Any]], numbers: Sequence[int]) -> MappedBatch:
        """Return the usable articles of some records, given their numbers."""
        convert = self.rules.convert
        rows = [convert(record) for record in records] if convert else records
        return map_records_to_schema(rows, self.names, self.build_id_function(numbers), self.rules.dates)

    def read_chunks(self) -> ByteChunks:
        """Return the chunks of the file in UTF-8; another encoding is counted among the warnings."""
        encoding, decoded = decode_to_utf8(self.read_decompressed())
        if encoding != "utf-8":
            self.warnings[OTHER_ENCODING_WARNING.format(encoding)] += 1
        return decoded

    def add_warnings(self, normalized: MappedBatch) -> None:
        """Count the warnings of a batch."""
        if tagged := _count_tagged_texts(normalized.batch["text"]):
            self.warnings[HTML_WARNING] += tagged
        self.warnings.update(normalized.warnings)
        self.examples.update(
            {words: example for words, example in normalized.examples.items() if words not in self.examples}
        )

    def check_columns(self, columns: Sequence[str]) -> None:
        """Raise InputError where none of a table's columns can be the text."""
        self.field_use.note_names(columns)
        self._warn_of_unread_columns(columns)
        wanted = self.names["text"]
        roots = {name.partition(".")[0] for name in wanted}
        if not {*wanted, *roots} & set(columns):
            named, there = " or ".join(wanted), ", ".join(columns)
            nearest = suggest_names(wanted[0], columns)
            is_unsplit = len(columns) == 1 and self.source.format in TEXT_TABLES
            hint = UNSPLIT_HINT if is_unsplit else "" if "text" in self.rules.fields else FIELD_HINT
            raise InputError(
                f"{self.source.path} has no column {named} for the text;{f' did you mean {nearest}?' if nearest else ''} "
                f"it has {there}{hint}"
            )

    def _warn_of_unread_columns(self, columns: Sequence[str]) -> None:
        """Warn of each column whose name is that of a field in another case, such as Date."""
        by_lower = {name.lower(): name for name in columns}
        for ours, theirs in self.names.items():
            if ours in self.rules.fields or {name.partition(".")[0] for name in theirs} & set(columns):
                continue
            unread = next((by_lower[name.lower()] for name in theirs if name.lower() in by_lower), None)
            if unread and unread not in self.rules.fields.values():
                self.warnings[UNREAD_COLUMN_WARNING.format(repr(unread), ours, f"{ours}={unread}")] += 1

    def build_id_function(self, numbers: Sequence[int]) -> Callable[[int], str]:
        """Return a function that makes the id of the article in a row, given the rows' line numbers."""
        make_id = self.make_id or (lambda number: f"{self.source.label}:{number}")
        return lambda row: make_id(numbers[row])

    @property
    def too_long_reason(self) -> str:
        """The reason for rejecting a record that is longer than an article may be."""
        return f"longer than {self.max_article_bytes:,} bytes"


def _count_tagged_texts(texts: pa.Array) -> int:
    """Return the number of texts with HTML tags; 0 if none of the first has any."""
    if not pc.any(pc.match_substring_regex(texts[:SAMPLED_TEXTS], HTML_TAGS)).as_py():
        return 0
    return int(pc.sum(pc.match_substring_regex(texts, HTML_TAGS)).as_py())


def add_examples(warnings: Counter[str], examples: Mapping[str, str]) -> Counter[str]:
    """Return warnings with their examples: "articles whose date cannot be read, such as 'soon'"."""
    return Counter(
        {
            f"{words}, such as {examples[words]}" if words in examples else words: count
            for words, count in warnings.items()
        }
    )
