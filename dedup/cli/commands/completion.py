"""`dedup completion`: print the script that completes commands, options and files in a shell."""

from __future__ import annotations

import click

from dedup.cli.options import Command

__all__ = ["completion_command"]

SHELLS = ("bash", "zsh", "fish")
COMPLETION_VARIABLE = "_DEDUP_COMPLETE"
"""The variable by which the script asks for completions."""


@click.command(
    name="completion",
    cls=Command,
    section="Set up",
    examples=(
        'eval "$(dedup completion bash)"    # in ~/.bashrc',
        'eval "$(dedup completion zsh)"     # in ~/.zshrc',
        "dedup completion fish > ~/.config/fish/completions/dedup.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"there is no completion for {shell}")
    click.echo(kind(ctx.find_root().command, {}, "dedup", COMPLETION_VARIABLE).source())
