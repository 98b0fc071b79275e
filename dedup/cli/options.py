"""The options that commands share, each said once; those of the settings are in `dedup.cli.settings_options`.

Out: decorators for commands, which hand over ready values: `settings`, a `Settings`; `fields`, a mapping of field names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from dedup.cli.settings_options import FILE_OPTION_TYPES, settings_options

__all__ = [
    "CONTEXT",
    "FILE_OPTION_TYPES",
    "Command",
    "corpus_argument",
    "corpus_options",
    "dry_run_option",
    "field_option",
    "json_option",
    "labels_options",
    "output_option",
    "quiet_option",
    "rejects_option",
    "settings_options",
]

corpus_argument = click.argument("paths", metavar="CORPUS...", nargs=-1, required=True)
"""Where the articles are."""
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Say nothing on stderr but errors.")
"""Whether a command keeps to itself what is no error."""


def field_option(container: str, *, heading: str = GENERAL) -> Decorator[Any]:
    """Return the option that says what the fields are called in some place: `fields`, a mapping."""
    return click.option(
        "--field",
        "fields",
        multiple=True,
        metavar="OURS=THEIRS",
        envvar="DEDUP_FIELD",
        callback=parse_field_names,
        help=f"What a field is called in {container}, as text=body; repeat it for more fields.",
        cls=HeadedOption,
        heading=heading,
    )


def corpus_options(command: CommandFunction) -> CommandFunction:
    """Give a command the options on how a corpus is read: `fields`, `strict`, `quiet`."""
    return add_options(
        command,
        [
            field_option("the corpus", heading=READING),
            click.option(
                "--strict",
                is_flag=True,
                help="Stop at the first line that cannot be read.",
                cls=HeadedOption,
                heading=READING,
            ),
            quiet_option,
        ],
    )


def rejects_option(command: CommandFunction) -> CommandFunction:
    """Give a command the option that says where that goes which cannot be read."""
    return add_options(
        command,
        [
            click.option(
                "--rejects",
                type=click.Path(dir_okay=False, allow_dash=False),
                help="Write what could not be read here.  [default: the output's name and then .rejects.jsonl]",
                cls=HeadedOption,
                heading=READING,
            )
        ],
    )


def labels_options(command: CommandFunction) -> CommandFunction:
    """Give a command the options that say what is known of a corpus: `gold`, `open_`, `pairs`."""
    return add_options(
        command,
        [
            click.option(
                "--gold",
                metavar="FIELD",
                help="The field that says which story an article tells.",
            ),
            click.option(
                "--open",
                "open_",
                metavar="FIELD",
                envvar="DEDUP_OPEN",
                help="Articles that share this field, but not their story, are neither right nor wrong together.",
            ),
            click.option(
                "--pairs",
                metavar="FILE",
                type=click.Path(exists=True, dir_okay=False),
                help="Labelled pairs in place of a field: CSV or JSON Lines with two ids, a and b, and a label: "
                "same, followup, different or open (or, in older files, same: true, false or open).",
            ),
        ],
    )


def output_option(help_: str, *, required: bool = False) -> Decorator[Any]:
    """Return the option that says where the data go."""
    place = click.Path(dir_okay=False, allow_dash=True)
    return click.option("-o", "--output", type=place, required=required, help=help_)


def dry_run_option(command: CommandFunction) -> CommandFunction:
    """Give a command the switch that only asks what it would take."""
    help_ = "Only say, by a sample, how long it would take, and how much memory and disk."
    return add_options(command, [click.option("--dry-run", is_flag=True, help=help_)])


def json_option(command: CommandFunction) -> CommandFunction:
    """Give a command the switch that asks for JSON, on a terminal too."""
    return add_options(
        command,
        [
            click.option(
                "--json", "as_json", is_flag=True, envvar="DEDUP_JSON", help="Write JSON, on a terminal too."
            )
        ],
    )


def parse_field_names(
    _context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]
) -> Mapping[str, str]:
    """Return the pairs OURS=THEIRS as a mapping, or fail with the one that is none."""
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise click.BadParameter(f"{pair!r} is not of the form OURS=THEIRS, as text=body.")
    return dict(pair.split("=", 1) for pair in pairs)
