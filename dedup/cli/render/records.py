"""Render records as a table: the first of them, with the columns that are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dedup.cli.render import format_cropped_line
from dedup.formatting import format_date

if TYPE_CHECKING:
    from dedup.io.table_writer import WritableRecord

__all__ = ["render_records"]

MAX_SHOWN_RECORDS = 40
"""The number of records in a table."""
LAST_COLUMN = "title"
"""The column that takes the room that the others leave."""


def render_records(records: Iterable[WritableRecord], columns: Sequence[str]) -> Iterator[RenderableType]:
    """Yield a table of the first records, and the number of the others; columns without values are left out."""
    iterator = iter(records)
    rows = [read_row(record) for record in islice(iterator, MAX_SHOWN_RECORDS)]
    shown = [name for name in columns if any(row.get(name) not in {None, ""} for row in rows)]
    if shown:
        table = Table(*shown, box=None, header_style="dim", padding=(0, 2, 0, 0), expand=LAST_COLUMN in shown)
        for column, name in zip(table.columns, shown, strict=True):
            column.ratio = 1 if name == LAST_COLUMN else None
            column.no_wrap = True
        for row in rows:
            table.add_row(*(format_cell(row.get(name)) for name in shown))
        yield table
    more = sum(1 for _ in iterator)
    if more:
        yield Text(f"… and {more:,} more (use -o to get all)", "dim")


def read_row(record: WritableRecord) -> Mapping[str, Any]:
    """Return the fields of a record."""
    from dedup.io.table_writer import encode_record_line

    return record if isinstance(record, Mapping) else json.loads(encode_record_line(record))


def format_cell(value: Any) -> Text:
    """Return a value on one line."""
    if isinstance(value, float):
        return Text(f"{value:.2f}", justify="right")
    if isinstance(value, datetime):
        return Text(format_date(value))
    return format_cropped_line(None if value is None else str(value))
