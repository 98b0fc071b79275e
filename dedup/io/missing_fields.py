"""Check which of the fields that the user named occur in the records, to report misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from dedup.errors import InputError
from dedup.io.nested import get_field, iter_field_columns

__all__ = ["FieldUse", "suggest_names"]

MAX_NAMES = 500
"""At most this many names of fields are kept for suggestions."""
SAMPLED_RECORDS = 20
MAX_SUGGESTIONS = 3
MAX_LISTED_NAMES = 10
MAX_DEPTH = 2
"""The names of fields of nested objects are noted down to this depth."""
MAX_NAME_CHARACTERS = 80


class FieldUse:
    """Track the mapped fields that have not occurred yet, and the names of the fields of the records.

    Once all mapped fields have occurred, or if none is mapped, records are not looked at.
    """

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self.missing: dict[str, str] = dict(fields or {})
        self._names: dict[str, None] = {}

    def note_records(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Note the fields of records."""
        for ours, theirs in list(self.missing.items()):
            if any(get_field(record, theirs) is not None for record in records):
                del self.missing[ours]
        if self.missing:
            for record in records[:SAMPLED_RECORDS]:
                self._note_names(record, "")

    def note_columns(self, batch: pa.RecordBatch) -> None:
        """Note the fields of a batch."""
        for ours, theirs in list(self.missing.items()):
            if any(column.null_count < len(column) for column in iter_field_columns(batch, theirs)):
                del self.missing[ours]

    def note_names(self, names: Iterable[str]) -> None:
        """Note the names of the columns of a table."""
        if self.missing:
            self._note_names(dict.fromkeys(names), "")

    def check_text(self) -> None:
        """Raise InputError where the field mapped to the text is in no record."""
        if "text" in self.missing and self._names:
            raise InputError(f"no article has the field {self.describe_missing('text')}")

    def describe_missing(self, ours: str) -> str:
        """Return the name of a mapped field that no record has, with the nearest names that they have."""
        name = self.missing[ours]
        nearest = suggest_names(name, self._names)
        return f"{name!r} for the {ours}; {f'did you mean {nearest}?' if nearest else f'their fields are {self._list_names()}'}"

    def _list_names(self) -> str:
        shown = ", ".join([*self._names][:MAX_LISTED_NAMES])
        return f"{shown} …" if len(self._names) > MAX_LISTED_NAMES else shown or "not known"

    def _note_names(self, record: Mapping[str, Any], prefix: str) -> None:
        for name, value in record.items():
            if len(self._names) >= MAX_NAMES:
                return
            full_name = f"{prefix}{name}"[:MAX_NAME_CHARACTERS]
            self._names[full_name] = None
            if isinstance(value, dict) and prefix.count(".") < MAX_DEPTH:
                self._note_names(value, f"{full_name}.")


def suggest_names(name: str, names: Collection[str]) -> str:
    """Return the names nearest to one, or an empty string.

    >>> suggest_names("boddy", ["body", "title"]), suggest_names("x", ["body"])
    ("'body'", '')
    """
    by_lower = {known.lower(): known for known in names}
    found = [by_lower[near] for near in difflib.get_close_matches(name.lower(), by_lower, MAX_SUGGESTIONS)]
    # A nested field is often named without its parents.
    found += [known for known in names if known.rpartition(".")[2] == name and known not in found][:1]
    return " or ".join(repr(known) for known in found)
