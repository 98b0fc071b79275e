"""Define the class of all commands: its --help groups the options under headings and ends with examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import click

__all__ = [
    "ADVANCED",
    "CONTEXT",
    "ENGINE",
    "GENERAL",
    "MATCHING",
    "READING",
    "Command",
    "CommandFunction",
    "Decorator",
    "HeadedOption",
    "add_options",
]

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "auto_envvar_prefix": "DEDUP"}
"""The context of every command: the width of --help, and the prefix of environment variables."""

GENERAL, MATCHING, READING, ENGINE, ADVANCED = "Options", "Matching", "Reading", "Engine", "Advanced"
HEADINGS = (GENERAL, MATCHING, READING, ENGINE, ADVANCED)
"""The headings in --help, in order."""

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])
Decorator = Callable[[CommandFunction], CommandFunction]


class HeadedOption(click.Option):
    """An option that is listed under a heading in --help."""

    def __init__(self, *args: Any, heading: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heading = heading


class Command(click.Command):
    """A command whose --help groups options under headings and ends with examples."""

    def __init__(self, *args: Any, section: str = "", examples: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **{"context_settings": CONTEXT, **kwargs})
        self.section = section
        self.examples = examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in sections, those of this command first."""
        sections: dict[str, list[tuple[str, str]]] = {heading: [] for heading in HEADINGS}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx) if isinstance(option, click.Option) else None
            if record:
                sections[getattr(option, "heading", GENERAL)].append(record)
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, one per line."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


def add_options(command: CommandFunction, options: list[Decorator[Any]]) -> CommandFunction:
    """Return the command with options added, in the order in which --help shows them."""
    for option in reversed(options):
        command = cast("CommandFunction", option(command))
    return command
