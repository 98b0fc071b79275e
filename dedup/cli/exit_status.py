"""Start and end the process: every error is one sentence on stderr and an exit status, never a traceback.

Exit statuses: 0 success, 1 error, 2 wrong usage, 130 interrupted (Ctrl-C), 143 terminated, 141 the reader of the output
closed the pipe. DEDUP_DEBUG=1 shows the traceback of an unexpected error.
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
from dedup.formatting import escape_controls

__all__ = [
    "CommandGroup",
    "check_standard_streams",
    "configure_process",
    "exit_process",
    "format_error_message",
    "set_signal_handlers",
]

INTERRUPTED, PIPE_CLOSED, TERMINATED = 130, 141, 143
"""128 plus the number of the signal."""
RECEIVED_SIGNALS: list[int] = []
"""The signals received so far. CPython can lose the exception that a handler raises: a BufferedWriter that
checks whether its raw file is closed, if that file is written in Python, interprets the exception as yes."""


class CommandGroup(click.Group):
    """The group of all commands; it turns every error into a sentence and an exit status."""

    command_class = Command

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order they were added."""
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

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the arguments; an error message never controls the terminal."""
        try:
            return super().make_context(*args, **kwargs)
        except click.ClickException as error:
            escape_message(error)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and turn its errors into messages."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            escape_message(error)
            raise
        except (click.exceptions.Exit, click.Abort):
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
            raise click.ClickException(escape_controls(format_error_message(error))) from error


def escape_message(error: click.ClickException) -> None:
    """Replace the message of an error by one that cannot control the terminal."""
    error.message = escape_controls(error.message)  # type: ignore[misc] # click prints this attribute


def format_error_message(error: BaseException) -> str:
    """Return the message for an error."""
    if isinstance(error, DedupError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for this corpus; split it, or set --memory to a lower value"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename or 'standard output'}"
    kind = f"{type(error).__name__}: {error}".strip().rstrip(".:")
    return f"unexpected error ({kind}); please report it with the output of DEDUP_DEBUG=1"


def configure_process() -> None:
    """Tune the process for one long run; variables that are already set stay as they are.

    Reference counting frees nearly all garbage, so the collector runs rarely. No matrices are multiplied, so numpy needs
    no threads for that. Most arrays are read once, so huge pages would cost more time to clear than they save.
    """
    gc.set_threshold(100_000)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")


def set_signal_handlers() -> None:
    """Handle SIGTERM like Ctrl-C, so that half-written files are removed; ignored signals stay ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handle_signal)


def handle_signal(number: int, _frame: object) -> NoReturn:
    """Record the signal and stop the work."""
    RECEIVED_SIGNALS.append(number)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(TERMINATED)


def check_standard_streams() -> None:
    """Exit if stdout is closed, and discard messages if stderr is."""
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open until the process ends
    if sys.stdout is None:
        sys.stderr.write("Error: standard output is closed\n")
        sys.exit(1)


def exit_process(status: int | str | None) -> NoReturn:
    """Exit without waiting for other threads or freeing memory.

    After an interruption, compiled code would otherwise run to its end. After a normal run, the interpreter would take
    a quarter of a second to free memory that the system reclaims anyway.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # the process is ending already
        signal.signal(number, signal.SIG_IGN)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = PIPE_CLOSED
    except OSError as error:
        click.echo(f"Error: {escape_controls(format_error_message(error))}", err=True)
        os._exit(1)
    if isinstance(status, str):
        click.echo(status, err=True)
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))
