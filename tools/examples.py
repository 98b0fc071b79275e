"""A page of the documentation → its examples, run: what they print today beside what the page says.

In: Markdown. A `console` block holds commands (`$ dedup …`, further lines `> …`) with what they print beneath; a `python` block
is followed by a `text` block of what it prints, if it prints anything. Out: `Example`s. Blocks of other kinds are not run. A line
`…` stands for any lines; times and speeds may differ. `python -m tools.examples PAGE…` puts what is printed today into pages.
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
    r"^```console\n(?P<session>.*?)^```$|^```python\n(?P<code>.*?)^```\n(?:\n*```text\n(?P<printed>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)
COMMAND = re.compile(r"^\$ (?P<command>.*\n(?:> .*\n)*)(?P<printed>(?:(?!\$ ).*\n)*)", re.MULTILINE)
SPEED = re.compile(r"[\d.,]+ s, [\d,]+ articles/s")
FOR_A_SHELL = re.compile(r"[|<>&;$*\n]")
ANYTHING = "…"
SHIM = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m dedup "$@"\n'
PLAIN = {"TERM": "dumb", "COLUMNS": "80", "DEDUP_DEBUG": ""}
"""A terminal 80 characters wide that knows no colours."""


@dataclass(frozen=True, slots=True)
class Example:
    """What a page says is printed, and what is printed."""

    source: str
    said: str
    start: int
    """Where in the page `said` begins."""
    printed: str
    framed: bool = True
    """Whether the page has a block for what is printed."""

    @property
    def is_true(self) -> bool:
        """Return whether the page is right."""
        lines = [settled(line) for line in self.said.splitlines()]
        pattern = "".join(r"(?:.*\n)*?" if line == ANYTHING else re.escape(line) + r"\n" for line in lines)
        return (
            re.fullmatch(pattern, "".join(f"{settled(line)}\n" for line in self.printed.splitlines()))
            is not None
        )


class Screen(io.StringIO):
    """Where a command writes; stdout is a terminal and stderr is none, so that no bars are drawn."""

    def __init__(self, shown: list[str], *, terminal: bool) -> None:
        super().__init__()
        self.shown = shown
        self.terminal = terminal

    def isatty(self) -> bool:
        """Return whether this is a terminal."""
        return self.terminal

    def write(self, text: str) -> int:
        """Show a text; TypeError for bytes, by which others learn that it takes none."""
        count = super().write(text)
        self.shown.append(text)
        return count


def settled(line: str) -> str:
    """Return a line without what differs from run to run.

    >>> settled("6 articles, 0 clusters; 0.5 s, 1,211 articles/s  ")
    '6 articles, 0 clusters; - s, - articles/s'
    """
    return SPEED.sub("- s, - articles/s", line).rstrip()


def examples_of(page: str, folder: Path) -> Iterator[Example]:
    """Yield the examples of a page, run in order in a prepared folder; Python blocks share their names."""
    names: dict[str, Any] = {}
    with contextlib.chdir(folder), patch.dict(os.environ, environment(folder)):
        for block in BLOCK.finditer(page):
            if block["code"] is not None:
                framed = block["printed"] is not None
                start = block.start("printed") if framed else block.end()
                yield Example(
                    block["code"], block["printed"] or "", start, evaluated(block["code"], names), framed
                )
                continue
            for line in COMMAND.finditer(block["session"]):
                command = line["command"].replace("\n> ", "\n").rstrip("\n")
                yield Example(
                    command,
                    line["printed"],
                    block.start("session") + line.start("printed"),
                    shown_by(command),
                )


def environment(folder: Path) -> Mapping[str, str]:
    """Return the variables under which examples are run."""
    return {**PLAIN, "PATH": f"{folder / '.bin'}{os.pathsep}{os.environ['PATH']}"}


def set_up(folder: Path) -> Path:
    """Return the folder, with the examples of the project and the command `dedup` in it."""
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / ".bin").mkdir()
    (folder / ".bin" / "dedup").write_text(SHIM, encoding="utf-8")
    (folder / ".bin" / "dedup").chmod(0o755)
    return folder


def evaluated(code: str, names: dict[str, Any]) -> str:
    """Return what some Python code prints; the names that it makes are put into `names`."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "a page", "exec"), names)  # noqa: S102 - the page is ours
    return out.getvalue()


def shown_by(command: str) -> str:
    """Return what a command shows on a terminal; `dedup` alone runs in this process, which is faster."""
    words = [] if FOR_A_SHELL.search(command) else shlex.split(command)
    if words[:1] != ["dedup"]:
        run = ["bash", "-c", command]
        done = subprocess.run(run, capture_output=True, text=True, check=False)  # noqa: S603 - the page is ours
        return done.stderr + done.stdout
    shown: list[str] = []
    stdout, stderr = Screen(shown, terminal=True), Screen(shown, terminal=False)
    with (
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
        contextlib.suppress(SystemExit),
    ):
        cli(words[1:], prog_name="dedup")
    return "".join(shown)


def renewed(page: str) -> str:
    """Return a page that says what its examples print today; what is true stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        examples = list(examples_of(page, set_up(Path(folder))))
    for example in reversed(examples):
        if not example.is_true:
            page = page[: example.start] + tidy(example) + page[example.start + len(example.said) :]
    return page


def tidy(example: Example) -> str:
    """Return what an example prints, as it stands in a page."""
    lines = "".join(f"{line.rstrip()}\n" for line in example.printed.splitlines())
    return lines if example.framed else f"\n```text\n{lines}```\n"


def main(pages: list[str]) -> None:
    """Renew some pages."""
    for page in map(Path, pages):
        page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
