"""Write the reference of commands and of settings from the code.

`python -m tools.reference` reads `dedup.cli.main` and `Settings`, and writes Markdown into docs/reference. A test fails where a
page differs from the code.
"""

from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import click

from dedup.cli.main import cli
from dedup.cli.settings_options import COMMON_SETTINGS, FILE_OPTION_TYPES
from dedup.settings.settings import Settings

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
WIDTH = 88
"""Characters of a line of --help: a page shows as many without scrolling."""

COMMANDS_OPENING = """\
# Commands

The output of `dedup COMMAND --help` for every command. You can also set a setting in the environment
(`DEDUP_WINDOW_DAYS=7`) or in `dedup.toml` (`window_days = 7`): see [settings](settings.md).

Data goes to stdout, messages go to stderr. Exit status: 0 success; 1 an error, in one sentence; 2 wrong usage; 130 and 143
interrupted; 141 the reader of the output closed it.
"""

SETTINGS_OPENING = """\
# Settings

You can set a setting in four places. The first place that has it wins.

1. an option of the command: `--window-days 7`
2. an environment variable: `DEDUP_WINDOW_DAYS=7`
3. a line of `dedup.toml` (`window_days = 7`), or of `[tool.dedup]` in `pyproject.toml`. `dedup` takes the nearest such file
   from the current folder upward, or the file that `dedup --config FILE` names.
4. its default

`dedup settings` shows the value of each setting and its origin. In Python, the settings are the arguments of
[`Settings`](python.md#dedup.Settings), all optional.
"""


def format_commands_page() -> str:
    """Return the page of all commands."""
    return "\n".join([COMMANDS_OPENING, *(format_command(context) for context in iter_contexts())])


def iter_contexts() -> Iterator[click.Context]:
    """Yield a context for the program and for each of its commands, those of a group after the group."""
    queue: list[tuple[click.Command, str, click.Context | None]] = [(cli, "dedup", None)]
    while queue:
        command, name, parent = queue.pop(0)
        extra: dict[str, Any] = {**command.context_settings, "terminal_width": WIDTH}
        context = command.context_class(command, parent=parent, info_name=name, **extra)
        yield context
        if isinstance(command, click.Group):
            names = command.list_commands(context)
            queue[:0] = [(command.commands[each], each, context) for each in names]


def format_command(context: click.Context) -> str:
    """Return the section of a command: its --help, under its name."""
    return f"## {context.command_path}\n\n```text\n{context.get_help()}\n```\n"


def format_settings_page() -> str:
    """Return the page of all settings, the common ones first."""
    options = {option.name: option for option in fields(Settings)}
    common = [options[name] for name in COMMON_SETTINGS]
    advanced = [option for name, option in options.items() if name not in COMMON_SETTINGS]
    parts = [SETTINGS_OPENING]
    for heading, group in (("Matching", common), ("Advanced", advanced)):
        parts += [f"## {heading}\n", *(format_setting(option) for option in group)]
    return "\n".join(parts)


def format_setting(option: Field[Any]) -> str:
    """Return the section of a setting."""
    facts = [
        f"Default: {format_default(option)}",
        *format_range(option),
        f"`--{option.name.replace('_', '-')}`",
        f"`DEDUP_{option.name.upper()}`",
    ]
    return f"### {option.name}\n\n{option.metadata['help']}\n\n{' · '.join(facts)}\n"


def format_default(option: Field[Any]) -> str:
    """Return the default of a setting in words."""
    if option.name in FILE_OPTION_TYPES or option.default == ():
        return "none"
    return f"`{','.join(option.default)}`" if isinstance(option.default, tuple) else f"`{option.default}`"


def format_range(option: Field[Any]) -> list[str]:
    """Return the range of a setting in a list; an empty list where it has no range."""
    low, high = option.metadata["low"], option.metadata["high"]
    if low is None:
        return []
    return [f"at least {low}" if high is None else f"{low} to {high}"]


PAGES = {"commands.md": format_commands_page, "settings.md": format_settings_page}
"""The functions that write the pages."""


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
