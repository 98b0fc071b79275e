"""Define the options for reading articles, and turn them into the rules that readers follow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypedDict

from dedup.errors import SettingsError
from dedup.io.dates import DateRules
from dedup.io.presets import RecordConverter, get_preset
from dedup.io.schema import FieldNames, map_accepted_names

__all__ = ["NO_PRESET", "ReadOptions", "ReadRules", "build_read_rules"]

NO_PRESET = "none"
"""The preset that says that an export is not to be recognised by its fields."""

YEAR_DIRECTIVE = re.compile(r"%[YyGcDx+s]")
"""What reads a year in a pattern of `strptime`."""


class ReadOptions(TypedDict, total=False):
    """Hold the options of `read_articles`, `Corpus` and the commands, all optional."""

    fields: Mapping[str, str] | None
    """Our names of fields, and theirs: `{"text": "body"}`."""
    preset: str | None
    """The export that the fields are named after, or "none"; by default an export is recognised by its fields."""
    delimiter: str | None
    """The character between the columns of CSV; by default it is found in the header."""
    day_first: bool | None
    """Whether 03/04/2026 is the third of April; by default it is not read as a date."""
    date_format: str | None
    """A pattern of `strptime` for dates; a date that does not fit it is read as usual."""


@dataclass(frozen=True, slots=True)
class ReadRules:
    """Say how the records of a file become articles."""

    names: FieldNames
    convert: RecordConverter | None = None
    """Adds fields to a record that cannot be named."""
    dates: DateRules = field(default_factory=DateRules)
    delimiter: str | None = None
    recognizes: bool = True
    """Whether an export is recognised by its fields."""
    fields: Mapping[str, str] = field(default_factory=dict)

    def with_preset(self, name: str) -> ReadRules:
        """Return these rules with the names of a preset, except those that the user named."""
        preset = get_preset(name)
        names = map_accepted_names(self.fields, preset.names)
        return replace(self, names=names, convert=preset.convert, recognizes=False)


def check_date_format(pattern: str | None) -> None:
    """Raise `SettingsError` if `strptime` does not accept a date pattern, or if it has no year."""
    if pattern is None:
        return
    try:
        datetime.strptime("", pattern)  # noqa: DTZ007 - nothing is read
    except ValueError as error:
        if "does not match" not in str(error):
            raise SettingsError(f"{pattern!r} is not a date pattern: {error}") from None
    if not YEAR_DIRECTIVE.search(pattern):
        raise SettingsError(f"the date pattern {pattern!r} has no year, such as %Y")


def build_read_rules(options: ReadOptions) -> ReadRules:
    """Return the rules of options; `SettingsError` if an option is invalid."""
    fields = dict(options.get("fields") or {})
    delimiter = options.get("delimiter")
    if delimiter == "\\t":
        delimiter = "\t"
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise SettingsError(f"a delimiter is one character, such as ; or \\t, not {delimiter!r}")
    check_date_format(options.get("date_format"))
    rules = ReadRules(
        map_accepted_names(fields),
        dates=DateRules(options.get("day_first"), options.get("date_format")),
        delimiter=delimiter,
        recognizes=options.get("preset") is None,
        fields=fields,
    )
    preset = options.get("preset")
    return rules if preset in {None, NO_PRESET} else rules.with_preset(str(preset))
