"""Define the options that several commands share; `dedup.cli.settings_options` has those of the settings.

Each decorator adds options to a command and passes it parsed values, such as `fields`, a mapping of field names.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import click

from dedup.cli.command import (
    CONTEXT,
    GENERAL,
    READING,
    Command,
    CommandFunction,
    Decorator,
    HeadedOption,
    add_options,
)
from dedup.cli.output_paths import RecordsPath, find_enclosing_folder
from dedup.cli.rejects import RejectOptions, add_rejects_options
from dedup.cli.settings_options import FILE_OPTION_TYPES, add_settings_options
from dedup.io.discovery import STDIN

__all__ = [
    "CONTEXT",
    "FILE_OPTION_TYPES",
    "Command",
    "RecordsPath",
    "RejectOptions",
    "add_corpus_argument",
    "add_corpus_options",
    "add_dry_run_option",
    "add_field_option",
    "add_labels_options",
    "add_output_option",
    "add_quiet_option",
    "add_records_option",
    "add_rejects_options",
    "add_settings_options",
    "add_sql_option",
    "parse_field_names",
]


def check_corpus_paths(
    _context: click.Context, _parameter: click.Parameter, paths: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the paths, or fail if a file would be read twice."""
    for number, path in enumerate(paths):
        for earlier in paths[:number]:
            if path == earlier or Path(path).resolve() == Path(earlier).resolve():
                raise click.UsageError(f"{path} is given twice; name each file or folder once.")
            for inner, outer in ((path, earlier), (earlier, path)):
                if is_read_from_folder(inner, outer):
                    raise click.UsageError(
                        f"{inner} is in the folder {outer}, which is read too; leave out one of them."
                    )
    return paths


def is_read_from_folder(path: str, folder: str) -> bool:
    """Return whether reading a folder also reads another file or folder that is given."""
    if path == STDIN or not Path(folder).is_dir():
        return False
    if not Path(path).is_dir():
        return find_enclosing_folder(path, [folder]) is not None
    inner, outer = Path(path).resolve(), Path(folder).resolve()
    return inner.is_relative_to(outer) and not any(
        part.startswith(".") for part in inner.relative_to(outer).parts
    )


add_corpus_argument = click.argument(
    "paths", metavar="CORPUS...", nargs=-1, required=True, callback=check_corpus_paths
)
"""The files and folders to read."""
PRESETS = (
    *("newsapi", "news-please", "trafilatura", "fundus", "elasticsearch", "mediacloud", "gdelt", "ninjs"),
    *("jsonfeed", "none"),
)
"""The exports whose fields are known, as in `dedup.io.presets`, which --help does not import; "none" recognises no export."""
add_quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print only errors on stderr.")
"""Whether a command prints only errors on stderr."""


def add_field_option(container: str, *, heading: str = GENERAL) -> Decorator[Any]:
    """Return the option that maps our field names to those of the container: `fields`, a mapping."""
    return click.option(
        "--field",
        "fields",
        multiple=True,
        metavar="OURS=THEIRS",
        envvar="DEDUP_FIELD",
        callback=parse_field_names,
        help=f"The name of a field in {container}, such as text=body. Can be repeated.",
        cls=HeadedOption,
        heading=heading,
    )


def add_corpus_options(command: CommandFunction) -> CommandFunction:
    """Add the options for reading a corpus: those of `dedup.io.read_options`, `strict`, and `quiet`."""
    return add_options(
        command,
        [
            add_field_option("the corpus", heading=READING),
            click.option(
                "--preset",
                type=click.Choice(PRESETS),
                metavar="NAME",
                help=f"The export that the fields are named after: {', '.join(PRESETS[:-1])}. "
                "By default it is recognised by its fields; none turns that off.",
                cls=HeadedOption,
                heading=READING,
            ),
            click.option(
                "--delimiter",
                metavar="CHARACTER",
                help="The character between the columns of CSV, such as ';' or '\\t'. By default it is found in the header.",
                cls=HeadedOption,
                heading=READING,
            ),
            click.option(
                "--day-first/--month-first",
                "day_first",
                default=None,
                help="Read 03/04/2026 as 3 April, or as 4 March. By default such a date is not read.",
                cls=HeadedOption,
                heading=READING,
            ),
            click.option(
                "--date-format",
                metavar="PATTERN",
                help="The form of the dates, such as '%d/%m/%Y %H:%M'. Other dates are read as usual.",
                cls=HeadedOption,
                heading=READING,
            ),
            click.option(
                "--strict",
                is_flag=True,
                help="Stop at the first article that cannot be read.",
                cls=HeadedOption,
                heading=READING,
            ),
            add_quiet_option,
        ],
    )


def add_sql_option(command: CommandFunction) -> CommandFunction:
    """Add `--sql`: the command is called with the path of a file of the rows of the query, and not with the database."""

    @wraps(command)
    def with_query(**values: Any) -> Any:
        query = values.pop("sql")
        if query is None:
            return command(**values)
        from dedup.io.sql import export_query

        if len(values["paths"]) != 1:
            raise click.UsageError(
                "--sql needs one database: a file of DuckDB, or a URL such as postgresql://db/news."
            )
        with TemporaryDirectory(prefix="dedup-") as folder:
            path = export_query(values.pop("paths")[0], query, Path(folder))
            return command(paths=(str(path.parent),), **values)

    return add_options(
        cast("CommandFunction", with_query),
        [
            click.option(
                "--sql",
                metavar="QUERY",
                allow_from_autoenv=False,
                help="Read the rows of this query as articles; CORPUS is then a file of DuckDB, or postgresql://user@host/database.",
                cls=HeadedOption,
                heading=READING,
            )
        ],
    )


def add_labels_options(command: CommandFunction) -> CommandFunction:
    """Add the options for labels: --gold, --open and --pairs."""
    return add_options(
        command,
        [
            click.option(
                "--gold",
                metavar="FIELD",
                help="The field with the story that an article belongs to.",
            ),
            click.option(
                "--open",
                "open_",
                metavar="FIELD",
                envvar="DEDUP_OPEN",
                help="Do not score pairs that have the same value in this field but belong to different stories.",
            ),
            click.option(
                "--pairs",
                metavar="FILE",
                type=click.Path(exists=True, dir_okay=False),
                help="A file of labelled pairs, instead of a field: CSV or JSON Lines with two ids, a and b, and a label: "
                "same, followup, different or open (in older files, same: true, false or open).",
            ),
        ],
    )


def add_output_option(help_: str, *, required: bool = False) -> Decorator[Any]:
    """Return the option `output`, a file of any kind."""
    path = click.Path(dir_okay=False, allow_dash=True)
    return click.option("-o", "--output", type=path, required=required, metavar="FILE", help=help_)


def add_records_option(help_: str) -> Decorator[Any]:
    """Return the option `output`, a file of records in the format of its extension."""
    return click.option("-o", "--output", type=RecordsPath(), metavar="FILE", help=help_)


def add_dry_run_option(command: CommandFunction) -> CommandFunction:
    """Add the flag `dry_run`, which estimates the cost of a run instead of running."""
    help_ = "Only estimate time, memory and disk from a sample."
    return add_options(command, [click.option("--dry-run", is_flag=True, help=help_)])


def parse_field_names(
    _context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]
) -> Mapping[str, str]:
    """Return the pairs OURS=THEIRS as a mapping, or fail on the first that is invalid."""
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise click.BadParameter(f"{pair!r} does not have the form OURS=THEIRS, such as text=body.")
    return dict(pair.split("=", 1) for pair in pairs)
