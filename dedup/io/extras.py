"""Import the optional packages that read other formats."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from dedup.errors import InputError

__all__ = ["import_reader"]


def import_reader(module: str, kind: str, extra: str, path: str) -> Any:
    """Return a module of an optional package.

    Raise `InputError` with the command that installs it. `kind` is the format, such as "HTML", and `path` is the file.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        raise InputError(
            f"{path}: reading {kind} needs {error.name or package}: pip install 'news-dedup[{extra}]'"
        ) from error
