"""The options that commands share, each said once; those of the settings are built from their dataclass.

In: the metadata of `Settings`. Out: decorators for commands, which hand over ready values: `settings`, a `Settings`;
`fields`, a mapping of field names. An option is also read from the environment: DEDUP_WINDOW_DAYS=7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from functools import wraps
from typing import Any, TypeVar

import click

from dedup.settings import RANKS, RELATIONS, Settings

__all__ = ["AdvancedOption", "Command", "CommaList", "corpus_options", "json_option", "output_option", "settings_options"]

COMMON = ("relations", "keep", "sources", "window_days", "rewrite_probability", "copy_jaccard", "threads")
"""The settings that come first in --help; the others stand under "Advanced"."""

F = TypeVar("F", bound=Callable[..., Any])
Decorator = Callable[[F], F]


class AdvancedOption(click.Option):
    """An option that few need: it stands under a heading of its own in --help."""


class Command(click.Command):
    """A command whose --help names the advanced options after all others."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in two sections."""
        for title, advanced in (("Options", False), ("Advanced", True)):
            chosen = (p for p in self.get_params(ctx) if isinstance(p, AdvancedOption) == advanced)
            records = [record for record in (p.get_help_record(ctx) for p in chosen) if record]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class CommaList(click.ParamType):
    """Words with commas between them; only some words, where `allowed` says which."""

    name = "list"

    def __init__(self, allowed: tuple[str, ...] = ()) -> None:
        self.allowed = allowed

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the words, or fail with the one that is not allowed."""
        if not isinstance(value, str):
            return tuple(value)
        words = tuple(word.strip() for word in value.split(",") if word.strip())
        unknown = [word for word in words if self.allowed and word not in self.allowed]
        if unknown:
            self.fail(f"{unknown[0]!r} is none of {', '.join(self.allowed)}.", param, ctx)
        return words


def knob_type(knob: Field[Any]) -> click.ParamType:
    """Return what kind of value a setting takes, with its range."""
    if knob.name == "keep":
        return click.Choice(RANKS)
    if isinstance(knob.default, tuple):
        return CommaList(RELATIONS if knob.name == "relations" else ())
    number = click.IntRange if isinstance(knob.default, int) else click.FloatRange
    return number(knob.metadata["low"], knob.metadata["high"])


def shown_default(value: Any) -> str | bool:
    """Return a default as --help shows it: a list with commas, an empty one not at all."""
    return ",".join(value) if isinstance(value, tuple) and value else not isinstance(value, tuple)


def knob_option(knob: Field[Any]) -> Decorator[Any]:
    """Return the option of a setting."""
    flag = "--" + knob.name.replace("_", "-")
    return click.option(
        flag,
        knob.name,
        type=knob_type(knob),
        default=knob.default,
        show_default=shown_default(knob.default),
        help=knob.metadata["help"].replace("`", ""),
        cls=click.Option if knob.name in COMMON else AdvancedOption,
    )


def settings_options(command: F) -> F:
    """Give a command an option for each setting; it is called with `settings`, made of them."""
    knobs = {knob.name: knob for knob in fields(Settings)}

    @wraps(command)
    def with_settings(**values: Any) -> Any:
        settings = Settings(**{name: values.pop(name) for name in knobs})
        return command(settings=settings, **values)

    ordered = sorted(knobs, key=lambda name: COMMON.index(name) if name in COMMON else len(COMMON))
    return decorated(with_settings, [knob_option(knobs[name]) for name in ordered])


def corpus_options(command: F) -> F:
    """Give a command the options on how a corpus is read: `fields`, `strict`, `rejects`, `quiet`."""
    return decorated(
        command,
        [
            click.option(
                "--field",
                "fields",
                multiple=True,
                metavar="OURS=THEIRS",
                callback=field_names,
                help="The name of a field in the corpus, as text=body; repeat it for more fields.",
            ),
            click.option("--strict", is_flag=True, help="Stop at the first line that cannot be read."),
            click.option(
                "--rejects",
                type=click.Path(dir_okay=False, allow_dash=False),
                help="Write what could not be read here.  [default: the output's name + .rejects.jsonl]",
            ),
            click.option("-q", "--quiet", is_flag=True, help="Say nothing on stderr but errors."),
        ],
    )


def output_option(help_: str) -> Decorator[Any]:
    """Return the option that says where the data go."""
    return click.option("-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), help=help_)


def json_option(command: F) -> F:
    """Give a command the switch that asks for JSON on a terminal too."""
    return decorated(command, [click.option("--json", "as_json", is_flag=True, help="Write JSON, as a pipe gets it.")])


def field_names(_context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]) -> Mapping[str, str]:
    """Return the pairs OURS=THEIRS as a mapping, or fail with the one that is none."""
    for pair in pairs:
        ours, equals, theirs = pair.partition("=")
        if not (ours and equals and theirs):
            raise click.BadParameter(f"{pair!r} is not of the form OURS=THEIRS, as text=body.")
    return dict(pair.split("=", 1) for pair in pairs)


def decorated(command: Any, options: list[Decorator[Any]]) -> Any:
    """Return a command with some options, in the order in which --help is to show them."""
    for option in reversed(options):
        command = option(command)
    return command
