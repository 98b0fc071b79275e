"""Check the DEDUP_ variables of the environment for typing errors.

click ignores a variable that no option reads, so a mistyped setting would have no effect.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

import click

__all__ = ["reject_unknown_variables"]

PREFIX = "DEDUP_"
OTHER_VARIABLES = {"DEDUP_DEBUG", "DEDUP_NOW", "DEDUP_TOKEN", "DEDUP_WEBHOOK_SECRET"}
"""Variables that do not set an option."""
MIN_SIMILARITY = 0.65
"""A variable less similar than this to all of ours belongs to another program, such as DEDUP_SERVICE_HOST of Kubernetes."""


def reject_unknown_variables(group: click.Group) -> None:
    """Raise `UsageError` if a DEDUP_ variable looks like a mistyped option."""
    variables = {*iter_variables([group]), *OTHER_VARIABLES}
    names = sorted(name.removeprefix(PREFIX) for name in variables)
    for variable in sorted(os.environ):
        if variable.startswith(PREFIX) and variable not in variables:
            nearest = get_close_matches(variable.removeprefix(PREFIX), names, 1, MIN_SIMILARITY)
            if nearest:
                raise click.UsageError(f"There is no variable {variable}; did you mean {PREFIX}{nearest[0]}?")


def iter_variables(commands: Iterable[click.Command]) -> Iterator[str]:
    """Yield the variables that set the options of commands and their subcommands."""
    for command in commands:
        for option in command.params:
            if isinstance(option, click.Option) and option.name:
                names = option.envvar or f"{PREFIX}{option.name.upper()}"
                yield from [names] if isinstance(names, str) else names
        if isinstance(command, click.Group):
            yield from iter_variables(command.commands.values())
