"""Map batches with any columns, or dicts, to batches of SCHEMA, and find the rows that are not articles.

All readers and the Python API use this module, so the same rules hold for all of them:

- An article needs a text, which may be empty. Everything else may be missing; a missing id is made, and a missing
  source is the registered domain of the URL.
- Of the names that a field may have, the first with a value counts. A blank string is a value only for a text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dedup.io.dates import TIMESTAMP, DateRules, is_implausible_date, parse_published
from dedup.io.nested import get_field, iter_field_columns
from dedup.io.schema import FIELDS, SCHEMA, FieldNames
from dedup.io.source_domain import fill_missing_sources
from dedup.io.values import as_text, is_missing, replace_blanks, replace_nul, to_string_column
from dedup.io.written_dates import is_ambiguous_date

__all__ = ["MappedBatch", "explain_rejection", "map_records_to_schema", "map_to_schema"]

UNREADABLE_DATE_WARNING = "articles whose date cannot be read, taken as undated"
AMBIGUOUS_DATE_WARNING = "articles whose date could be two days (see --day-first), taken as undated"
IMPLAUSIBLE_DATE_WARNING = "articles dated before 1700 or more than a week from now, taken as undated"
MAX_EXAMPLE_CHARACTERS = 40
IGNORED_FIELD_WARNING = "articles whose {} is neither text nor a number, left out"

_TYPE_NAMES = {int: "a number", float: "a number", bool: "a truth value", list: "a list", dict: "an object"}


@dataclass(frozen=True, slots=True)
class MappedBatch:
    """The usable articles of a batch, the positions of the rejected rows, and warnings."""

    batch: pa.RecordBatch
    rejected: list[int]
    warnings: Counter[str]
    examples: Mapping[str, str] = field(default_factory=dict)
    """The first example of each warning."""


def map_to_schema(
    batch: pa.RecordBatch, names: FieldNames, make_id: Callable[[int], str], rules: DateRules | None = None
) -> MappedBatch:
    """Return the usable articles of a batch; `make_id` returns the id for a position where the batch has none.

    `rules` say how to read a date that could be two days.
    """
    warnings: Counter[str] = Counter()
    examples: dict[str, str] = {}
    columns = {
        ours: _build_text_column(batch, ours, names[ours], warnings) for ours in FIELDS if ours != "published"
    }
    columns["published"] = _build_date_column(
        batch, names["published"], rules or DateRules(), warnings, examples
    )
    columns["source"] = fill_missing_sources(columns["source"], columns["url"])
    columns["id"] = _fill_missing_ids(columns["id"], make_id)
    articles = pa.RecordBatch.from_arrays([columns[ours] for ours in FIELDS], schema=SCHEMA)
    if columns["text"].null_count == 0:
        return MappedBatch(articles, [], +warnings, examples)
    usable = columns["text"].is_valid()
    rejected: list[int] = pc.indices_nonzero(pc.invert(usable)).to_pylist()
    return MappedBatch(articles.filter(usable), rejected, +warnings, examples)


def map_records_to_schema(
    records: Sequence[Mapping[str, Any]],
    names: FieldNames,
    make_id: Callable[[int], str],
    rules: DateRules | None = None,
) -> MappedBatch:
    """Return the usable articles of some dicts, by the same rules as `map_to_schema`."""
    columns = {}
    warnings: Counter[str] = Counter()
    for ours, theirs in names.items():
        for name in theirs:
            values = [get_field(record, name) for record in records]
            if all(value is None for value in values):
                continue
            texts = [as_text(value, numbers=ours != "text") for value in values]
            columns[name] = pa.array(texts, pa.string())
            if ours != "text" and name == theirs[0]:
                odd = sum(
                    text is None and not is_missing(value) for value, text in zip(values, texts, strict=True)
                )
                warnings[IGNORED_FIELD_WARNING.format(name)] += odd
    columns = columns or {"text": pa.nulls(len(records), pa.string())}
    mapped = map_to_schema(pa.RecordBatch.from_pydict(columns), names, make_id, rules)
    return MappedBatch(mapped.batch, mapped.rejected, +(mapped.warnings + warnings), mapped.examples)


def explain_rejection(record: Mapping[str, Any], names: FieldNames) -> str:
    """Return why a record is not an article, which needs a text: "no text", "body is a list, not text"."""
    for name in names["text"]:
        value = get_field(record, name)
        if isinstance(value, bytes | str):
            return f"{name} is not valid UTF-8"
        if value is not None:
            return f"{name} is {_TYPE_NAMES.get(type(value), 'something else')}, not text"
    others = f" (nor {', '.join(names['text'][1:])})" if names["text"][1:] else ""
    return f"no {names['text'][0]}{others}"


def _iter_columns(batch: pa.RecordBatch, theirs: Sequence[str]) -> Iterator[tuple[str, pa.Array]]:
    """Yield the columns that have one of the names, in the order of the names, where they hold anything."""
    for name in theirs:
        for column in iter_field_columns(batch, name):
            if column.null_count < len(column):
                yield name, column


def _build_text_column(
    batch: pa.RecordBatch, ours: str, theirs: Sequence[str], warnings: Counter[str]
) -> pa.Array:
    """Return a field as strings: in each row the first of the columns that holds something."""
    found = pa.nulls(batch.num_rows, pa.string())
    for name, column in _iter_columns(batch, theirs):
        texts = to_string_column(column, numbers=ours != "text")
        if texts is None:
            if name == theirs[0] and ours != "text":
                warnings[IGNORED_FIELD_WARNING.format(name)] += len(column) - column.null_count
            continue
        texts = texts if ours == "text" else replace_blanks(texts)
        found = texts if found.null_count == len(found) else pc.coalesce(found, texts)
        if found.null_count == 0:
            break
    return replace_nul(found)


def _build_date_column(
    batch: pa.RecordBatch,
    theirs: Sequence[str],
    rules: DateRules,
    warnings: Counter[str],
    examples: dict[str, str],
) -> pa.Array:
    """Return the dates: in each row the first that can be read."""
    times = pa.nulls(batch.num_rows, TIMESTAMP)
    written: list[pa.Array] = []
    for _, column in _iter_columns(batch, theirs):
        dates: pa.Array | None = column
        if not pa.types.is_temporal(column.type):
            dates = to_string_column(column)
        if dates is None:
            continue
        if pa.types.is_string(dates.type):
            dates = replace_blanks(pc.utf8_trim_whitespace(dates))
        written.append(dates)
        times = pc.coalesce(times, parse_published(dates, rules)[0])
        if times.null_count == 0:
            break
    if times.null_count:
        _warn_of_dates([dates.filter(times.is_null()) for dates in written], warnings, examples)
    return times


def _warn_of_dates(written: Sequence[pa.Array], warnings: Counter[str], examples: dict[str, str]) -> None:
    """Count the articles that have a date but none that can be read, given all dates that they have."""
    for dates in zip(*(column.to_pylist() for column in written), strict=True):
        date = next((str(date) for date in dates if date is not None), None)
        if date is not None:
            words = _choose_date_warning(date)
            warnings[words] += 1
            examples.setdefault(words, f"{date[:MAX_EXAMPLE_CHARACTERS]!r}")


def _choose_date_warning(date: str) -> str:
    """Return the warning for a date that was not taken."""
    if is_ambiguous_date(date):
        return AMBIGUOUS_DATE_WARNING
    return IMPLAUSIBLE_DATE_WARNING if is_implausible_date(date) else UNREADABLE_DATE_WARNING


def _fill_missing_ids(ids: pa.Array, make_id: Callable[[int], str]) -> pa.Array:
    """Return the ids with the missing ones made."""
    if ids.null_count == 0:
        return ids
    return pa.array(
        [make_id(n) if given is None else given for n, given in enumerate(ids.to_pylist())], pa.string()
    )
