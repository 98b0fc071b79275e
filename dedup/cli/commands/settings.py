"""`dedup settings`: show the current settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dedup.cli.options import Command, add_settings_options
from dedup.cli.output_format import TABLE, add_document_format_option, print_document

if TYPE_CHECKING:
    from dedup.settings.settings import Settings

__all__ = ["settings_command"]

ORIGINS = {
    click.core.ParameterSource.COMMANDLINE: "option",
    click.core.ParameterSource.ENVIRONMENT: "environment",
}


@click.command(
    cls=Command,
    name="settings",
    section="Set up",
    examples=(
        "dedup settings",
        "dedup settings --rows 3",
        "DEDUP_WINDOW_DAYS=7 dedup settings --json",
    ),
)
@add_document_format_option()
@add_settings_options
@click.pass_context
def settings_command(ctx: click.Context, format_: str, settings: Settings) -> None:
    """Show the current settings and where each comes from.

    Also show how likely two copies are to be compared, for a range of Jaccard similarities.
    """
    from dedup.matching.lsh_probability import compute_candidate_probabilities
    from dedup.settings.settings import dump_settings

    odds = compute_candidate_probabilities(settings)
    origins = {name: get_setting_origin(ctx, name) for name in dump_settings(settings)}
    if format_ == TABLE:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.settings import render_settings

        print_renderables(render_settings(settings, odds, origins))
    else:
        values = dump_settings(settings)
        print_document(
            {"settings": values, "origins": origins, "candidate_odds": odds},
            format_,
            [{"setting": name, "value": value, "from": origins[name]} for name, value in values.items()],
        )


def get_setting_origin(ctx: click.Context, name: str) -> str:
    """Return where a setting comes from: an option, the environment, a file or the default."""
    source = ctx.get_parameter_source(name)
    if source is click.core.ParameterSource.DEFAULT_MAP:
        return str(ctx.obj.path)
    return ORIGINS.get(source, "default") if source else "default"
