"""Find and read the settings file of the command line.

It is the nearest `dedup.toml`, or the nearest `pyproject.toml` with `[tool.dedup]`, in a folder or above it. Its names and
values are those of `Settings`; the paths of boilerplate and models are relative to the file. The Python API reads no file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dedup.errors import SettingsError
from dedup.settings.settings import Settings, check_setting_name

__all__ = ["Configuration", "find_configuration", "read_configuration"]

CONFIG_FILE_NAMES = ("dedup.toml", "pyproject.toml")
"""In one folder the first of these wins."""
PATH_SETTINGS = ("boilerplate", "model")
"""Settings whose values are files."""
LIST_SETTINGS = ("relations", "sources")
"""Settings that are lists of words."""
MAX_CONFIG_BYTES = 1 << 20
"""The maximum size of a settings file."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings in a file."""

    path: Path | None = None
    """None if there is no file."""
    values: Mapping[str, Any] = field(default_factory=dict)


def find_configuration(folder: Path) -> Configuration:
    """Return the configuration of a folder, or of the nearest folder above that has one.

    A `pyproject.toml` without `[tool.dedup]` is skipped.
    """
    for candidate in (folder, *folder.parents):
        for name in CONFIG_FILE_NAMES:
            path = candidate / name
            table = read_dedup_table(path) if path.is_file() else None
            if table is not None:
                return Configuration(path, check_table(path, table))
    return Configuration()


def read_configuration(path: Path) -> Configuration:
    """Return the configuration in a file; `SettingsError` if it has none."""
    table = read_dedup_table(path)
    if table is None:
        raise SettingsError(f"{path} has no [tool.dedup]")
    return Configuration(path, check_table(path, table))


def read_dedup_table(path: Path) -> dict[str, Any] | None:
    """Return the table of settings in a file; None if a `pyproject.toml` has none."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
        if len(content) > MAX_CONFIG_BYTES:
            raise SettingsError(
                f"{path} is not a settings file: it is larger than {MAX_CONFIG_BYTES >> 20} MB"
            )
        document = tomllib.loads(content.decode())
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from None
    if path.name != "pyproject.toml":
        return document
    tool = document.get("tool", {})
    table = tool.get("dedup") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise SettingsError(f"{path}: [tool.dedup] is not a table")
    return table


def check_table(path: Path, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a file; `SettingsError` names the file and the wrong key."""
    for key in table:
        try:
            check_setting_name(key.replace("-", "_"), key)
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from None
    values = {key.replace("-", "_"): to_setting_value(value) for key, value in table.items()}
    for name in (name for name in LIST_SETTINGS if name in values):
        if not isinstance(values[name], tuple) or not all(isinstance(word, str) for word in values[name]):
            raise SettingsError(f"{path}: {name} must be a list of words, not {values[name]!r:.60}")
    for name in (name for name in PATH_SETTINGS if name in values):
        if not isinstance(values[name], str):
            raise SettingsError(f"{path}: {name} must be the path of a file, not {values[name]!r:.60}")
        values[name] = str(path.parent / values[name])
    try:
        Settings(**{name: value for name, value in values.items() if name not in PATH_SETTINGS})
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None
    return values


def to_setting_value(value: Any) -> Any:
    """Return a TOML value as `Settings` accepts it: lists as tuples."""
    return tuple(value) if isinstance(value, list) else value
