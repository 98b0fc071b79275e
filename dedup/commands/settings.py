"""`dedup settings`: options → the settings in force."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from dedup.terminal.options import Command, json_option, settings_options
from dedup.terminal.talk import print_json

if TYPE_CHECKING:
    from dedup.settings import Settings

__all__ = ["settings_"]


@click.command(cls=Command, name="settings")
@json_option
@settings_options
def settings_(as_json: bool, settings: Settings) -> None:
    """Show the settings in force, and the odds that copies are compared."""
    from dedup.odds import candidate_odds
    from dedup.settings import as_written

    odds = candidate_odds(settings)
    if as_json or not sys.stdout.isatty():
        print_json({"settings": as_written(settings), "candidate_odds": odds})
    else:
        from dedup.terminal.render import show
        from dedup.terminal.render.settings import settings_shown

        show(settings_shown(settings, odds))
