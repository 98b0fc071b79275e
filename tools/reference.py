"""The command line and the settings → the pages of the reference that are read off them.

In: `dedup.cli.main` and `Settings`. Out: Markdown, written by `python -m tools.reference` into docs/reference. A test fails where
a page is not what the code says.
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
"""Characters of a line of --help: as many as a page shows without scrolling."""

COMMANDS_OPENING = """\
# Commands

What `dedup COMMAND --help` prints, for every command. An option that sets a setting can also stand in the environment
(`DEDUP_WINDOW_DAYS=7`) or in `dedup.toml` (`window_days = 7`): [settings](settings.md).

Data go to stdout, talk goes to stderr. Exit status: 0 fine; 1 an error, in one sentence; 2 wrong usage; 130 and 143
interrupted; 141 the reader of the output went away.
"""

SETTINGS_OPENING = """\
# Settings

A setting is looked for in four places; the first that has it wins:

1. an option of the command, `--window-days 7`,
2. a variable of the environment, `DEDUP_WINDOW_DAYS=7`,
3. a line of `dedup.toml`, `window_days = 7`, or of `[tool.dedup]` in `pyproject.toml`: the nearest such file from the present
   folder upward, or the one that `dedup --config FILE` names,
4. its default.

`dedup settings` shows what is in force, and where each value comes from. In Python they are the arguments of
[`Settings`](python.md#dedup.Settings), all of them optional.
"""


def commands_page() -> str:
    """Return the page of all commands."""
    return "\n".join([COMMANDS_OPENING, *(section_of(context) for context in contexts())])


def contexts() -> Iterator[click.Context]:
    """Yield a context for the program and for each of its commands, those of a group after the group."""
    waiting: list[tuple[click.Command, str, click.Context | None]] = [(cli, "dedup", None)]
    while waiting:
        command, name, parent = waiting.pop(0)
        given: dict[str, Any] = {**command.context_settings, "terminal_width": WIDTH}
        context = command.context_class(command, parent=parent, info_name=name, **given)
        yield context
        if isinstance(command, click.Group):
            names = command.list_commands(context)
            waiting[:0] = [(command.commands[each], each, context) for each in names]


def section_of(context: click.Context) -> str:
    """Return what the page says of a command: its --help, under its name."""
    return f"## {context.command_path}\n\n```text\n{context.get_help()}\n```\n"


def settings_page() -> str:
    """Return the page of all settings, the common ones first."""
    knobs = {knob.name: knob for knob in fields(Settings)}
    common = [knobs[name] for name in COMMON_SETTINGS]
    advanced = [knob for name, knob in knobs.items() if name not in COMMON_SETTINGS]
    parts = [SETTINGS_OPENING]
    for heading, some in (("Matching", common), ("Advanced", advanced)):
        parts += [f"## {heading}\n", *(setting(knob) for knob in some)]
    return "\n".join(parts)


def setting(knob: Field[Any]) -> str:
    """Return what the page says of a setting."""
    option = "--" + knob.name.replace("_", "-")
    facts = [f"Default: {default_of(knob)}", *range_of(knob), f"`{option}`", f"`DEDUP_{knob.name.upper()}`"]
    return f"### {knob.name}\n\n{knob.metadata['help']}\n\n{' · '.join(facts)}\n"


def default_of(knob: Field[Any]) -> str:
    """Return the default of a setting in words."""
    if knob.name in FILE_OPTION_TYPES or knob.default == ():
        return "none"
    return f"`{','.join(knob.default)}`" if isinstance(knob.default, tuple) else f"`{knob.default}`"


def range_of(knob: Field[Any]) -> list[str]:
    """Return in which range a setting lies, as one fact; none where it has no range."""
    low, high = knob.metadata["low"], knob.metadata["high"]
    if low is None:
        return []
    return [f"at least {low}" if high is None else f"{low} to {high}"]


PAGES = {"commands.md": commands_page, "settings.md": settings_page}
"""The pages that are written from the code."""


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
