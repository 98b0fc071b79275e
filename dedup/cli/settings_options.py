"""Build an option for each setting from the metadata of `Settings`.

`add_settings_options` adds them to a command, which is called with `settings`, a `Settings`. Each option can also be set by an
environment variable: DEDUP_WINDOW_DAYS=7.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import Field, fields
from functools import wraps
from typing import Any, cast

import click

from dedup.cli.command import ADVANCED, MATCHING, CommandFunction, Decorator, HeadedOption, add_options
from dedup.settings.model_file import Model, read_model
from dedup.settings.settings import CHOICES, RELATIONS, Settings
from dedup.text.boilerplate.profile import BoilerplateProfile, read_boilerplate

__all__ = ["COMMON_SETTINGS", "FILE_OPTION_TYPES", "add_settings_options"]

COMMON_SETTINGS = (
    "level",
    "relations",
    "keep",
    "sources",
    "window_days",
    "undated",
    "rewrite_probability",
    "copy_jaccard",
    "boilerplate",
    "model",
    "threads",
)
"""The settings listed under "Matching" in --help; the others are under "Advanced"."""

METAVARS_BY_TYPE = {int: "N", float: "NUMBER", tuple: "A,B,...", type(None): "FILE"}
METAVARS_BY_NAME = {**dict.fromkeys(CHOICES), "memory": "SIZE", "work_dir": "FOLDER"}
"""Placeholders for values in --help: by the type of the setting, and for some settings by name."""

SIZE_SUFFIXES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
BYTE_SIZE_PATTERN = re.compile(r"(\d+(?:\.\d+)?) ?([KMG]?)(?:I?B)?")


class CommaList(click.ParamType):  # type: ignore[type-arg] # it takes one from click 8.4 on
    """A list of words separated by commas; each one of `allowed`, unless that is empty."""

    name = "list"

    def __init__(self, allowed: tuple[str, ...] = ()) -> None:
        self.allowed = allowed

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the words, or fail on the first that is not allowed."""
        if not isinstance(value, str):
            return tuple(value)
        words = tuple(word.strip() for word in value.split(",") if word.strip())
        unknown = [word for word in words if self.allowed and word not in self.allowed]
        if unknown:
            self.fail(f"{unknown[0]!r} is not one of {', '.join(self.allowed)}.", param, ctx)
        return words


class ParsedFile(click.ParamType):  # type: ignore[type-arg] # as above
    """The content of a file that another command wrote."""

    name = "file"

    def __init__(
        self, kind: type[BoilerplateProfile | Model], read: Callable[[str], BoilerplateProfile | Model]
    ) -> None:
        self.content_type = kind
        self.read = read

    def convert(
        self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None
    ) -> BoilerplateProfile | Model:
        """Return the parsed content of the file."""
        return value if isinstance(value, self.content_type) else self.read(value)


FILE_OPTION_TYPES = {
    "boilerplate": ParsedFile(BoilerplateProfile, read_boilerplate),
    "model": ParsedFile(Model, read_model),
}
"""The settings that are read from files."""


class ByteSize(click.ParamType):  # type: ignore[type-arg] # as above
    """A number of bytes, optionally followed by K, M or G (powers of 1024)."""

    name = "bytes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number of bytes."""
        if isinstance(value, int):
            return value
        match = BYTE_SIZE_PATTERN.fullmatch(value.strip().upper())
        if not match:
            self.fail(f"{value!r} is not a size, such as 512M or 2G.", param, ctx)
        return int(float(match[1]) * SIZE_SUFFIXES[match[2]])


def format_byte_size(number: int) -> str:
    """Return a number of bytes as `ByteSize` reads it, in the largest unit that leaves it whole.

    >>> format_byte_size(512 << 20), format_byte_size(1000)
    ('512M', '1000')
    """
    unit = next(unit for unit in reversed(SIZE_SUFFIXES) if number % SIZE_SUFFIXES[unit] == 0)
    return f"{number // SIZE_SUFFIXES[unit]}{unit}"


def choose_option_type(field: Field[Any]) -> click.ParamType[Any]:
    """Return the type of the option for a setting, with its range."""
    if field.name in FILE_OPTION_TYPES:
        return FILE_OPTION_TYPES[field.name]
    if field.name == "memory":
        return ByteSize()
    if field.name == "work_dir":
        return click.Path(exists=True, file_okay=False, writable=True)
    if field.name in CHOICES:
        return click.Choice(CHOICES[field.name])
    if isinstance(field.default, tuple):
        return CommaList(RELATIONS if field.name == "relations" else ())
    number = click.IntRange if isinstance(field.default, int) else click.FloatRange
    return number(field.metadata["low"], field.metadata["high"])


def build_setting_option(field: Field[Any]) -> Decorator[Any]:
    """Return the option for a setting."""
    default = ",".join(field.default) if isinstance(field.default, tuple) else field.default
    if field.name == "memory":
        default = format_byte_size(int(cast("int", field.default)))
    return click.option(
        "--" + field.name.replace("_", "-"),
        field.name,
        type=choose_option_type(field),
        default=default,
        show_default=bool(default != ""),
        metavar=METAVARS_BY_NAME.get(field.name, METAVARS_BY_TYPE.get(type(field.default))),
        help=field.metadata["help"].replace("`", ""),
        cls=HeadedOption,
        heading=MATCHING if field.name in COMMON_SETTINGS else ADVANCED,
    )


def add_settings_options(command: CommandFunction) -> CommandFunction:
    """Add an option for each setting to a command, which is called with `settings`, a `Settings`."""
    by_name = {setting.name: setting for setting in fields(Settings)}

    @wraps(command)
    def with_settings(**values: Any) -> Any:
        settings = Settings(**{name: values.pop(name) for name in by_name})
        return command(settings=settings, **values)

    ordered = sorted(
        by_name,
        key=lambda name: COMMON_SETTINGS.index(name) if name in COMMON_SETTINGS else len(COMMON_SETTINGS),
    )
    return add_options(
        cast("CommandFunction", with_settings), [build_setting_option(by_name[name]) for name in ordered]
    )
