"""The command line: the group of all commands, and how it runs as a process.

Data go to stdout, talk goes to stderr. Each command is a module of `dedup.commands`; how a run ends is in
`dedup.terminal.exits`.
"""

from __future__ import annotations

from typing import NoReturn

import click

from dedup.commands.calibrate import calibrate
from dedup.commands.cluster import cluster
from dedup.commands.evaluate import evaluate
from dedup.commands.explain import explain
from dedup.commands.filter import filter_
from dedup.commands.furniture import furniture
from dedup.commands.plan import plan
from dedup.commands.review import review
from dedup.commands.settings import settings_
from dedup.terminal.exits import Commands, check_streams, leave, listen, set_up
from dedup.terminal.options import CONTEXT

COMMANDS = (cluster, filter_, explain, plan, evaluate, review, calibrate, furniture, settings_)
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
def cli() -> None:
    """Find the news stories that were told more than once, keep one telling of each, and say why.

    A CORPUS is a file or a folder of JSON Lines, JSON, CSV, TSV, Parquet or text, plain or packed (.gz,
    .zst, .bz2); - is JSON Lines from standard input. Every option can be set in the environment:
    DEDUP_WINDOW_DAYS=7.
    """


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
