"""How the command line ends (and begins): every error is a sentence on stderr and an exit status, never a traceback.

0 fine; 1 an error; 2 usage; 130 interrupted (Ctrl-C), 143 terminated, 141 the reader of our output went
away, as for any program that a signal ends. DEDUP_DEBUG=1 shows where an unexpected error came from.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from dedup.cli.options import Command
from dedup.errors import DedupError

__all__ = [
    "CommandGroup",
    "check_standard_streams",
    "configure_process",
    "exit_process",
    "format_error_message",
    "set_signal_handlers",
]

INTERRUPTED, PIPE_CLOSED, TERMINATED = 130, 141, 143
"""128 + the number of the signal."""
RECEIVED_SIGNALS: list[int] = []
"""The signals that told this process to end. CPython may lose the exception that a handler raises: a BufferedWriter
that is just asking its raw file, written in Python, whether it is closed, takes it for a yes."""


class CommandGroup(click.Group):
    """The commands, with every error turned into a sentence and an exit status."""

    command_class = Command

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order in which they were added."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in their sections."""
        width = formatter.width - 6 - max(map(len, self.commands))
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.commands[name]
            row = (name, command.get_short_help_str(width))
            sections.setdefault(getattr(command, "section", "") or "Commands", []).append(row)
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            ctx.exit(PIPE_CLOSED)
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, KeyboardInterrupt) or signal.SIGINT in RECEIVED_SIGNALS:
                click.echo("Interrupted.", err=True)
                ctx.exit(INTERRUPTED)
            if signal.SIGTERM in RECEIVED_SIGNALS:
                ctx.exit(TERMINATED)
            if os.environ.get("DEDUP_DEBUG"):
                raise
            raise click.ClickException(format_error_message(error)) from error


def format_error_message(error: BaseException) -> str:
    """Return what a user is told of an error."""
    if isinstance(error, DedupError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for this corpus; give it in parts"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename or 'standard output'}"
    kind = f"{type(error).__name__}: {error}".strip().rstrip(".:")
    return f"this should not have happened ({kind}); please report it, with what DEDUP_DEBUG=1 adds"


def configure_process() -> None:
    """Set the process up for one long run.

    It makes hardly any garbage that reference counts leave behind, so that looking for it often is time lost. It multiplies
    no matrices, so that numpy's workers for that would spin for nothing. It reads most of its arrays once, so that
    the system would clear huge pages for them in vain. What the environment says already stays.
    """
    gc.set_threshold(100_000)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")


def set_signal_handlers() -> None:
    """Let a request to end go the way of Ctrl-C, so that half-written files are removed; what is ignored stays so."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handle_signal)


def handle_signal(number: int, _frame: object) -> NoReturn:
    """Cut the work short."""
    RECEIVED_SIGNALS.append(number)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(TERMINATED)


def check_standard_streams() -> None:
    """See to it that there is a stdout and a stderr; a caller may have closed them."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as there is talk
    if sys.stdout is None:
        sys.stderr.write("Error: standard output is closed\n")
        sys.exit(1)


def exit_process(status: int | str | None) -> NoReturn:
    """End the process at once.

    Where work was cut short compiled code would go on to its end, and where it was done the interpreter would take
    a quarter of a second to give back, piece by piece, what the system takes as a whole.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # it ends already
        signal.signal(number, signal.SIG_IGN)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = PIPE_CLOSED
    except OSError as error:
        click.echo(f"Error: {format_error_message(error)}", err=True)
        os._exit(1)
    if isinstance(status, str):
        click.echo(status, err=True)
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))
