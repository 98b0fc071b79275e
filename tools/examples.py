"""Run the examples of a documentation page, and compare their output with what the page shows.

A `console` block holds commands (`$ dedup …`, continued by `> …`), each with its output beneath. A `text` block with its output
may follow a `python` block. Blocks of other kinds are not run. A line `…` stands for any lines; times and speeds may differ.
`python -m tools.examples PAGE…` writes the current output into pages.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dedup.cli.main import cli

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(
    r"^```console\n(?P<session>.*?)^```$|^```python\n(?P<code>.*?)^```\n(?:\n*```text\n(?P<output>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)
COMMAND = re.compile(r"^\$ (?P<command>.*\n(?:> .*\n)*)(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)
SPEED = re.compile(r"; [\d.,]+ s(?:, [\d,]+ articles/s|, mostly compiling)?$")
SHELL_SYNTAX = re.compile(r"[|<>&;$*\n]")
ANY_LINES = "…"
SHIM = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m dedup "$@"\n'
TERMINAL = {"TERM": "dumb", "COLUMNS": "80", "DEDUP_DEBUG": ""}
"""A terminal 80 characters wide, without colours."""


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a page: the output that the page shows, and the output of today."""

    source: str
    expected: str
    start: int
    """The offset of `expected` in the page."""
    actual: str
    has_output_block: bool = True

    @property
    def is_current(self) -> bool:
        """Return whether the page shows the output of today."""
        lines = [mask_speed(line) for line in self.expected.splitlines()]
        pattern = "".join(r"(?:.*\n)*?" if line == ANY_LINES else re.escape(line) + r"\n" for line in lines)
        actual = "".join(f"{mask_speed(line)}\n" for line in self.actual.splitlines())
        return re.fullmatch(pattern, actual) is not None


class Screen(io.StringIO):
    """A stream that a command writes to; several may share one list of texts, in the order of writing."""

    def __init__(self, texts: list[str], *, terminal: bool) -> None:
        super().__init__()
        self.texts = texts
        self.terminal = terminal

    def isatty(self) -> bool:
        """Return whether this is a terminal."""
        return self.terminal

    def write(self, text: str) -> int:
        """Record a text; raise TypeError for bytes, so that a caller falls back to text."""
        count = super().write(text)
        self.texts.append(text)
        return count


def mask_speed(line: str) -> str:
    """Return a line without the times and speeds that differ from run to run.

    >>> mask_speed("6 articles, 0 clusters; 0.5 s, 1,211 articles/s  ")
    '6 articles, 0 clusters; - s'
    """
    return SPEED.sub("; - s", line.rstrip())


def run_examples(page: str, folder: Path) -> Iterator[Example]:
    """Run the examples of a page in order, in a prepared folder, and yield them; Python blocks share their names."""
    names: dict[str, Any] = {}
    with contextlib.chdir(folder), patch.dict(os.environ, build_environment(folder)):
        for block in BLOCK.finditer(page):
            if block["code"] is not None:
                has_output = block["output"] is not None
                start = block.start("output") if has_output else block.end()
                actual = run_code(block["code"], names)
                yield Example(block["code"], block["output"] or "", start, actual, has_output)
                continue
            for line in COMMAND.finditer(block["session"]):
                command = line["command"].replace("\n> ", "\n").rstrip("\n")
                start = block.start("session") + line.start("output")
                yield Example(command, line["output"], start, run_command(command))


def build_environment(folder: Path) -> Mapping[str, str]:
    """Return the environment variables for examples."""
    return {**TERMINAL, "PATH": f"{folder / '.bin'}{os.pathsep}{os.environ['PATH']}"}


def prepare_folder(folder: Path) -> Path:
    """Put the examples of the project and the command `dedup` into a folder, and return it."""
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / ".bin").mkdir()
    (folder / ".bin" / "dedup").write_text(SHIM, encoding="utf-8")
    (folder / ".bin" / "dedup").chmod(0o755)
    return folder


def run_code(code: str, names: dict[str, Any]) -> str:
    """Run Python code, and return its output; it reads and writes the variables in `names`."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "a page", "exec"), names)  # noqa: S102 - the page is ours
    return out.getvalue()


def run_command(command: str) -> str:
    """Run a command, and return its output on a terminal; `dedup` alone runs in this process, which is faster."""
    words = [] if SHELL_SYNTAX.search(command) else shlex.split(command)
    if words[:1] != ["dedup"]:
        run = ["bash", "-c", command]
        done = subprocess.run(run, capture_output=True, text=True, check=False)  # noqa: S603 - the page is ours
        return done.stderr + done.stdout
    texts: list[str] = []
    stdout, stderr = Screen(texts, terminal=True), Screen(texts, terminal=False)
    with (
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        contextlib.suppress(SystemExit),
    ):
        cli(words[1:], prog_name="dedup")
    return "".join(texts)


def update_page(page: str) -> str:
    """Return a page with the output of today; output that is current stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        examples = list(run_examples(page, prepare_folder(Path(folder))))
    for example in reversed(examples):
        if not example.is_current:
            page = (
                page[: example.start] + format_output(example) + page[example.start + len(example.expected) :]
            )
    return page


def format_output(example: Example) -> str:
    """Return the output of an example for the page, in a block of its own where the page has none."""
    lines = "".join(f"{line.rstrip()}\n" for line in example.actual.splitlines())
    return lines if example.has_output_block else f"\n```text\n{lines}```\n"


def main(pages: list[str]) -> None:
    """Update the pages with the given paths."""
    for page in map(Path, pages):
        page.write_text(update_page(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
