"""The command line as tests use it: called in this process, run as one of its own, or on a terminal."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from dedup.cli.main import cli

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "dedup"]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def called(*arguments: str | Path, stdin: bytes | None = None, **environment: str) -> Result:
    """Return what a command answers, called in this process; its folder for rejects is the present one."""
    return CliRunner(env=environment).invoke(cli, [str(a) for a in arguments], input=stdin)


def process(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Return what a command answers as a process of its own, in the checkout unless told otherwise."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        check=False,
        text=True,
        **{"env": environment(), "stderr": subprocess.PIPE, "stdout": subprocess.PIPE, **options},
    )


def started(*arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    """Return a command that has been started as a process of its own, which Ctrl-C interrupts even if not the tests."""
    defaults = {
        "env": environment(),
        "stderr": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "preexec_fn": interruptible,
    }
    return subprocess.Popen([*COMMAND, *map(str, arguments)], **{**defaults, **options})


def interruptible() -> None:
    """Heed SIGINT again: a shell's background jobs are started with it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def environment(**more: str) -> dict[str, str]:
    """Return the environment in which this checkout is found from any folder."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def on_terminal(*arguments: str | Path, columns: int = 100, **more: str) -> str:
    """Return what a person sees on a terminal so many columns wide, its escape codes taken out."""
    return ESCAPES.sub("", raw_on_terminal(*arguments, columns=columns, **more))


def raw_on_terminal(*arguments: str | Path, columns: int = 100, **more: str) -> str:
    """Return what a command writes to a terminal, with its escape codes; stderr is not on it."""
    ours, theirs = pty.openpty()
    shown = environment(COLUMNS=str(columns), TERM="xterm-256color", **more)
    with started(*arguments, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=shown):
        os.close(theirs)
        return everything_on(ours)


def everything_on(terminal: int) -> str:
    """Return all that is written to a terminal until nobody has it open any more; then close it."""
    written = bytearray()
    with suppress(OSError):  # Linux's way of telling the end
        while piece := os.read(terminal, 1 << 16):
            written += piece
    os.close(terminal)
    return written.decode().replace("\r\n", "\n")


def written(path: Path, articles: Iterable[dict[str, Any] | bytes | str]) -> Path:
    """Return a file of JSON Lines that holds some articles, or lines as they are."""
    lines = (
        a if isinstance(a, bytes) else (a if isinstance(a, str) else json.dumps(a, default=str)).encode()
        for a in articles
    )
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def lines_of(text: str | bytes) -> list[dict[str, Any]]:
    """Return lines of JSON as dicts."""
    return [json.loads(line) for line in text.splitlines()]
