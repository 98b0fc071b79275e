"""The command line: the group of all commands, and the entry point of the process.

Data goes to stdout, messages go to stderr. Each command is a module of `dedup.cli.commands`; `dedup.cli.exit_status`
handles errors and signals.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import click

from dedup.cli.commands.boilerplate import boilerplate_command
from dedup.cli.commands.calibrate import calibrate_command
from dedup.cli.commands.cluster import cluster_command
from dedup.cli.commands.completion import completion_command
from dedup.cli.commands.diff import diff_command
from dedup.cli.commands.evaluate import evaluate_command
from dedup.cli.commands.explain import explain_command
from dedup.cli.commands.filter import filter_command
from dedup.cli.commands.index import index_command
from dedup.cli.commands.match import match_command
from dedup.cli.commands.mcp import mcp_command
from dedup.cli.commands.origins import origins_command
from dedup.cli.commands.plan import plan_command
from dedup.cli.commands.report import report_command
from dedup.cli.commands.review import review_command
from dedup.cli.commands.serve import serve_command
from dedup.cli.commands.settings import settings_command
from dedup.cli.exit_status import (
    CommandGroup,
    check_standard_streams,
    configure_process,
    exit_process,
    set_signal_handlers,
)
from dedup.cli.options import CONTEXT
from dedup.cli.unknown_variables import reject_unknown_variables
from dedup.settings.config_file import find_configuration, read_configuration

COMMANDS = (
    *(cluster_command, filter_command, explain_command, report_command, origins_command, diff_command),
    *(match_command, plan_command),
    *(evaluate_command, review_command, calibrate_command, boilerplate_command),
    *(index_command, serve_command, mcp_command, settings_command, completion_command),
)
"""All commands, in the order of --help."""


def print_version(ctx: click.Context, _parameter: click.Parameter, requested: bool) -> None:
    """Print the version and exit, if requested."""
    if requested:
        import dedup

        click.echo(f"dedup {dedup.__version__}")
        ctx.exit()


@click.group(cls=CommandGroup, context_settings=CONTEXT)
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
    help="Read the settings from this file only.  [default: the nearest dedup.toml, or pyproject.toml with "
    "[tool.dedup], in the current folder or above it]",
)
@click.pass_context
def cli(ctx: click.Context, config: str | None) -> None:
    """Find duplicate and near-duplicate news articles, including rewrites.

    CORPUS is a file or folder of JSON Lines, JSON, CSV, Parquet, text, HTML, WARC, feeds or Excel, optionally
    compressed (.gz, .zst, .bz2). Use - for JSON Lines on standard input. You can set each setting with an option
    (--window-days 7), an environment variable (DEDUP_WINDOW_DAYS=7) or a line in dedup.toml (window_days = 7), in
    this order of precedence.
    """
    reject_unknown_variables(cli)
    configuration = read_configuration(Path(config)) if config else find_configuration(Path.cwd())
    ctx.obj = configuration
    ctx.default_map = {str(command.name): dict(configuration.values) for command in COMMANDS}


for command in COMMANDS:
    cli.add_command(command)


def main() -> NoReturn:
    """Run the command line as a process."""
    configure_process()
    check_standard_streams()
    set_signal_handlers()
    try:
        cli(prog_name="dedup")
    except SystemExit as done:
        exit_process(done.code)
    exit_process(0)
