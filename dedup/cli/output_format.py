"""Print results in the format of `--format`: a table on a terminal, JSON in a pipe, unless it says otherwise.

A result is a document (settings, scores, an explanation) or a sequence of records (clusters, articles). JSON Lines, CSV and
Parquet have a row for each record; a document is one row, unless its command gives others.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Mapping
from functools import wraps
from typing import IO, TYPE_CHECKING, Any, cast

import click

from dedup.cli.command import CommandFunction, Decorator, add_options
from dedup.cli.messages import escape_json_bytes, iter_lines_for_output, print_json, to_rounded_json
from dedup.formatting import escape_controls

if TYPE_CHECKING:
    from dedup.io.table_writer import WritableRecord

__all__ = [
    "FORMATS",
    "JSON",
    "RECORD_FORMAT_HELP",
    "TABLE",
    "add_document_format_option",
    "add_record_format_option",
    "check_record_format",
    "is_table_requested",
    "print_document",
    "write_formatted_records",
]

TABLE, JSON, JSONL, CSV, PARQUET = "table", "json", "jsonl", "csv", "parquet"
FORMATS = (TABLE, JSON, JSONL, CSV, PARQUET)
RECORD_FORMAT_HELP = "Print or write the records in this format.  [default: table on a terminal, else jsonl]"
FILE_EXTENSIONS = {
    JSON: (".json",),
    JSONL: (".jsonl", ".ndjson"),
    CSV: (".csv",),
    PARQUET: (".parquet",),
    "graphml": (".graphml",),
}
"""The extensions of a file that has a format; no extension is right for each."""


def add_document_format_option(pipe: str = JSON) -> Decorator[Any]:
    """Return the options --format and --json, which call the command with `format_`, one of `FORMATS`.

    Without them it is a table on a terminal, and `pipe` elsewhere.
    """

    def decorate(command: CommandFunction) -> CommandFunction:
        @wraps(command)
        def with_format(**values: Any) -> Any:
            chosen, as_json = values.pop("format_"), values.pop("as_json")
            if as_json and chosen not in {None, JSON}:
                raise click.UsageError(
                    f"--json is --format json; it cannot be combined with --format {chosen}."
                )
            default = TABLE if sys.stdout.isatty() else pipe
            return command(format_=JSON if as_json else chosen or default, **values)

        elsewhere = f"{TABLE} on a terminal, else {pipe}" if pipe != TABLE else TABLE
        return add_options(
            cast("CommandFunction", with_format),
            [
                click.option(
                    "--format",
                    "format_",
                    type=click.Choice(FORMATS),
                    allow_from_autoenv=False,
                    help=f"Print the result in this format.  [default: {elsewhere}]",
                ),
                click.option(
                    "--json", "as_json", is_flag=True, envvar="DEDUP_JSON", help="The same as --format json."
                ),
            ],
        )

    return decorate


def add_record_format_option(more: tuple[str, ...] = (), *, help_: str, **options: Any) -> Decorator[Any]:
    """Return the option --format of a command that writes records; it takes `more` values."""
    choices = click.Choice([*more, *FORMATS])
    return click.option("--format", "format_", type=choices, help=help_, **options)


def is_table_requested(format_: str | None, output: str | None) -> bool:
    """Return whether records are printed as a table: if --format says so, or by default on a terminal."""
    return format_ == TABLE or (format_ is None and output is None and sys.stdout.isatty())


def check_record_format(format_: str | None, output: str | None) -> None:
    """Raise `UsageError` if --format and the output do not go together."""
    from dedup.io.discovery import split_extensions

    if output not in {None, "-"}:
        if format_ == TABLE:
            raise click.UsageError("--format table is for the terminal; it cannot be combined with -o.")
        extension, _ = split_extensions(str(output))
        if extension and extension not in FILE_EXTENSIONS.get(str(format_), (extension,)):
            raise click.UsageError(f"--format {format_} does not fit {output}; leave out --format.")
    elif format_ == PARQUET and sys.stdout.isatty():
        raise click.UsageError("Parquet cannot be shown on a terminal; name a file with -o.")


def write_formatted_records(
    output: str | None, records: Iterable[WritableRecord], format_: str | None
) -> int:
    """Write records to the output in a format; without one, in that of its extension. Return how many."""
    from dedup.io.atomic_write import open_atomic, write_records

    if format_ not in {JSON, CSV, PARQUET}:
        return write_records(output, iter_lines_for_output(output, records))
    with open_atomic(output) as file:
        if output in {None, "-"} and sys.stdout.isatty():
            return write_for_terminal(file, records, str(format_))
        return write_rows(file, records, str(format_))


def write_for_terminal(file: IO[bytes], records: Iterable[WritableRecord], format_: str) -> int:
    """Write records so that their characters cannot control the terminal."""
    buffer = io.BytesIO()
    count = write_rows(buffer, records, format_)
    content = buffer.getvalue()
    if format_ == JSON:
        file.write(escape_json_bytes(content))
    else:
        file.write(
            escape_controls(content.decode(errors="replace").replace("\r\n", "\n")).encode(errors="replace")
        )
    return count


def write_rows(file: IO[bytes], records: Iterable[WritableRecord], format_: str) -> int:
    """Write records to an open file as a JSON array, CSV or Parquet; return how many."""
    from dedup.io.table_writer import encode_record_line, write_delimited, write_parquet

    if format_ == CSV:
        return write_delimited(file, records, ",")
    if format_ == PARQUET:
        return write_parquet(file, records)
    count = 0
    for count, record in enumerate(records, 1):
        file.write((b",\n" if count > 1 else b"[\n") + encode_record_line(record))
    file.write(b"\n]\n" if count else b"[]\n")
    return count


def print_document(
    document: Mapping[str, Any], format_: str, rows: Iterable[Mapping[str, Any]] | None = None
) -> None:
    """Print a document in a format that is not a table; `rows` are its rows in JSON Lines, CSV and Parquet."""
    if format_ == JSON:
        print_json(document)
        return
    check_record_format(format_, None)
    records = [to_rounded_json(row) for row in ([document] if rows is None else rows)]
    write_formatted_records(None, records, format_)
