"""The command line: the group of all commands, and how it runs as a process.

Data go to stdout, talk goes to stderr. Each command is a module of `dedup.cli.commands`; how a run ends is in
`dedup.cli.exit_status`.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import click

from dedup.cli.commands.calibrate import calibrate
from dedup.cli.commands.cluster import cluster
from dedup.cli.commands.completion import completion
from dedup.cli.commands.evaluate import evaluate
from dedup.cli.commands.explain import explain
from dedup.cli.commands.filter import filter_
from dedup.cli.commands.furniture import furniture
from dedup.cli.commands.index import index
from dedup.cli.commands.plan import plan
from dedup.cli.commands.report import report
from dedup.cli.commands.review import review
from dedup.cli.commands.serve import serve
from dedup.cli.commands.settings import settings_
from dedup.cli.exit_status import Commands, check_streams, leave, listen, set_up
from dedup.cli.options import CONTEXT
from dedup.settings.config_file import configuration_in, find_configuration

COMMANDS = (
    *(cluster, filter_, explain, report, plan),
    *(evaluate, review, calibrate, furniture),
    *(index, serve, settings_, completion),
)
"""In the order in which --help names them."""


def print_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    """Print the version and stop, where it was asked for."""
    if asked:
        import dedup

        click.echo(f"dedup {dedup.__version__}")
        ctx.exit()


@click.group(cls=Commands, context_settings=CONTEXT)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=print_version,
    help="Show the version and exit.",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Read settings from this file, and from no other.  [default: the nearest dedup.toml, or pyproject.toml "
    "with [tool.dedup], from the present folder upward]",
)
@click.pass_context
def cli(ctx: click.Context, config: str | None) -> None:
    """Find the news stories that were told more than once, keep one telling of each, and say why.

    A CORPUS is a file or a folder of JSON Lines, JSON, CSV, TSV, Parquet or text, plain or packed (.gz,
    .zst, .bz2); - is JSON Lines from standard input. A setting is an option (--window-days 7), a variable of the
    environment (DEDUP_WINDOW_DAYS=7) or a line of dedup.toml (window_days = 7); the first of these wins.
    """
    found = configuration_in(Path(config)) if config else find_configuration(Path.cwd())
    ctx.obj = found
    ctx.default_map = {str(command.name): dict(found.values) for command in COMMANDS}


for command in COMMANDS:
    cli.add_command(command)


def main() -> NoReturn:
    """Run the command line as a process of its own."""
    set_up()
    check_streams()
    listen()
    try:
        cli(prog_name="dedup")
    except SystemExit as done:
        leave(done.code)
    leave(0)
