"""The settings → an option for each, built from their dataclass.

In: the metadata of `Settings`. Out: `settings_options`, a decorator for commands, which are handed a ready value:
`settings`. An option is also read from the environment: DEDUP_WINDOW_DAYS=7.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import Field, fields
from functools import wraps
from typing import Any, cast

import click

from dedup.cli.command import ADVANCED, MATCHING, Decorator, F, HeadedOption, decorated
from dedup.settings.model_file import Model, read_model
from dedup.settings.settings import LEVELS, RANKS, RELATIONS, UNDATED, Settings
from dedup.text.boilerplate.profile import Learned, read_furniture

__all__ = ["COMMON", "FILES", "settings_options"]

COMMON = (
    "level",
    "relations",
    "keep",
    "sources",
    "window_days",
    "undated",
    "rewrite_probability",
    "copy_jaccard",
    "furniture",
    "model",
    "threads",
)
"""The settings that come first in --help; the others stand under "Advanced"."""

METAVARS = {int: "N", float: "NUMBER", tuple: "A,B,...", type(None): "FILE"}
CHOICES = {"keep": RANKS, "level": LEVELS, "undated": UNDATED}
"""The settings that take one of a few words."""
OWN_METAVARS = {**dict.fromkeys(CHOICES), "memory": "BYTES", "work_dir": "FOLDER"}
"""What stands for the value of an option in --help, by its type, and for some by its name."""

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
BYTES = re.compile(r"(\d+(?:\.\d+)?)([KMG]?)(?:I?B)?")


class CommaList(click.ParamType):  # type: ignore[type-arg] # it takes one from click 8.4 on
    """Words with commas between them; only some words, where `allowed` says which."""

    name = "list"

    def __init__(self, allowed: tuple[str, ...] = ()) -> None:
        self.allowed = allowed

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the words, or fail with the one that is not allowed."""
        if not isinstance(value, str):
            return tuple(value)
        words = tuple(word.strip() for word in value.split(",") if word.strip())
        unknown = [word for word in words if self.allowed and word not in self.allowed]
        if unknown:
            self.fail(f"{unknown[0]!r} is none of {', '.join(self.allowed)}.", param, ctx)
        return words


class LearnedFile(click.ParamType):  # type: ignore[type-arg] # as above
    """A file that another command wrote, given as its content."""

    name = "file"

    def __init__(self, kind: type[Learned | Model], read: Callable[[str], Learned | Model]) -> None:
        self.kind = kind
        self.read = read

    def convert(
        self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None
    ) -> Learned | Model:
        """Return what the file holds."""
        return value if isinstance(value, self.kind) else self.read(value)


FILES = {"furniture": LearnedFile(Learned, read_furniture), "model": LearnedFile(Model, read_model)}
"""The settings that are read from files."""


class Bytes(click.ParamType):  # type: ignore[type-arg] # as above
    """A number of bytes, with or without a K, M or G for the powers of 1024."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of bytes."""
        if isinstance(value, int):
            return value
        found = BYTES.fullmatch(value.strip().upper())
        if not found:
            self.fail(f"{value!r} is no number of bytes, as 512M or 2G.", param, ctx)
        return int(float(found[1]) * UNITS[found[2]])


def shown_bytes(number: int) -> str:
    """Return a number of bytes as `Bytes` takes it, with the largest unit that leaves it whole.

    >>> shown_bytes(512 << 20), shown_bytes(1000)
    ('512M', '1000')
    """
    unit = next(unit for unit in reversed(UNITS) if number % UNITS[unit] == 0)
    return f"{number // UNITS[unit]}{unit}"


def knob_type(knob: Field[Any]) -> click.ParamType[Any]:
    """Return what kind of value a setting takes, with its range."""
    if knob.name in FILES:
        return FILES[knob.name]
    if knob.name == "memory":
        return Bytes()
    if knob.name == "work_dir":
        return click.Path(exists=True, file_okay=False, writable=True)
    if knob.name in CHOICES:
        return click.Choice(CHOICES[knob.name])
    if isinstance(knob.default, tuple):
        return CommaList(RELATIONS if knob.name == "relations" else ())
    number = click.IntRange if isinstance(knob.default, int) else click.FloatRange
    return number(knob.metadata["low"], knob.metadata["high"])


def knob_option(knob: Field[Any]) -> Decorator[Any]:
    """Return the option of a setting."""
    default = ",".join(knob.default) if isinstance(knob.default, tuple) else knob.default
    if knob.name == "memory":
        default = shown_bytes(int(cast("int", knob.default)))
    return click.option(
        "--" + knob.name.replace("_", "-"),
        knob.name,
        type=knob_type(knob),
        default=default,
        show_default=bool(default != ""),
        metavar=OWN_METAVARS.get(knob.name, METAVARS.get(type(knob.default))),
        help=knob.metadata["help"].replace("`", ""),
        cls=HeadedOption,
        heading=MATCHING if knob.name in COMMON else ADVANCED,
    )


def settings_options(command: F) -> F:
    """Give a command an option for each setting; it is called with `settings`, made of them."""
    knobs = {knob.name: knob for knob in fields(Settings)}

    @wraps(command)
    def with_settings(**values: Any) -> Any:
        settings = Settings(**{name: values.pop(name) for name in knobs})
        return command(settings=settings, **values)

    ordered = sorted(knobs, key=lambda name: COMMON.index(name) if name in COMMON else len(COMMON))
    return decorated(cast("F", with_settings), [knob_option(knobs[name]) for name in ordered])
