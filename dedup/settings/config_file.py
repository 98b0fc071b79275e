"""A folder → the settings that a file in it, or in one above it, puts in force for the command line.

In: where to start. Out: the nearest `dedup.toml`, or `[tool.dedup]` of the nearest `pyproject.toml`, as names and values
that `Settings` takes; boilerplate and models as paths, seen from the file's folder. Python programs give their settings
themselves: no file is read for them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dedup.errors import SettingsError
from dedup.settings.settings import Settings

__all__ = ["Configuration", "find_configuration", "read_configuration"]

CONFIG_FILE_NAMES = ("dedup.toml", "pyproject.toml")
"""In one folder the first of them wins."""
PATH_SETTINGS = ("boilerplate", "model")
"""Settings that are files."""
LIST_SETTINGS = ("relations", "sources")
"""Settings that are lists of words."""
MAX_CONFIG_BYTES = 1 << 20
"""No configuration is larger."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings that a file puts in force."""

    path: Path | None = None
    """None: there is no such file."""
    values: Mapping[str, Any] = field(default_factory=dict)


def find_configuration(folder: Path) -> Configuration:
    """Return the configuration of a folder: that of its own file, or of the nearest folder above that has one.

    A `pyproject.toml` without `[tool.dedup]` is passed over.
    """
    for place in (folder, *folder.parents):
        for name in CONFIG_FILE_NAMES:
            path = place / name
            table = read_dedup_table(path) if path.is_file() else None
            if table is not None:
                return Configuration(path, check_table(path, table))
    return Configuration()


def read_configuration(path: Path) -> Configuration:
    """Return the configuration that one file holds; `SettingsError` where it holds none."""
    table = read_dedup_table(path)
    if table is None:
        raise SettingsError(f"{path} has no [tool.dedup]")
    return Configuration(path, check_table(path, table))


def read_dedup_table(path: Path) -> dict[str, Any] | None:
    """Return what a file says of dedup; None where a `pyproject.toml` says nothing."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
        if len(content) > MAX_CONFIG_BYTES:
            raise SettingsError(f"{path} is no configuration: it is larger than {MAX_CONFIG_BYTES >> 20} MB")
        found = tomllib.loads(content.decode())
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from None
    if path.name != "pyproject.toml":
        return found
    tool = found.get("tool", {})
    table = tool.get("dedup") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise SettingsError(f"{path}: [tool.dedup] is no table")
    return table


def check_table(path: Path, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a file; `SettingsError` names the file and the key that is wrong."""
    known = [knob.name for knob in fields(Settings)]
    for key in table:
        name = key.replace("-", "_")
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; settings are {', '.join(known)}"
            raise SettingsError(f"{path}: there is no setting {key!r}{hint}")
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
    """Return a value of TOML as `Settings` takes it."""
    return tuple(value) if isinstance(value, list) else value
