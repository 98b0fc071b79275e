"""Workers as a newsroom has them: processes that each feed a file of articles to one index, and may be killed at any moment.

A worker writes an answer a line, in the order of its articles, once it has it. One that starts again goes on after the last whole
line: what it had sent and not written down is sent again.
"""

import json
import multiprocessing
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import Any

from newsmaker import batch

from dedup.index.answers import Answer
from dedup.index.index import Index
from dedup.settings.settings import Settings

SERVER = multiprocessing.get_context("forkserver")
"""Makes processes that have imported all they need, and share nothing with the tests'."""
SERVER.set_forkserver_preload(["dedup.index.index", "dedup.index.storage.postgres", "newsmaker"])
PATIENCE = 90.0
"""Seconds after which a worker that has said nothing hangs."""
ALONE = Settings(threads=1)


def work(place: str, given: Path, answers: Path, size: int) -> None:
    """Feed the articles of a file to an index, so many at once, and write the answers down."""
    articles = [json.loads(line) for line in given.read_text("utf-8").splitlines()]
    done = whole_lines(answers)
    with answers.open("r+b") as out, Index.open(place, ALONE) as index:
        out.seek(sum(map(len, done)))
        out.truncate()
        for start in range(len(done), len(articles), size):
            for answer in index.decide(batch(articles[start : start + size])):
                out.write(json.dumps(told(answer)).encode() + b"\n")
            out.flush()


def told(answer: Answer) -> dict[str, Any]:
    """Return an answer as a worker writes it down."""
    return {key: value for key, value in asdict(answer).items() if key != "again"} | {"name": answer.name}


def whole_lines(path: Path) -> list[bytes]:
    """Return the lines of a file that were written to their end."""
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


class Worker:
    """A process that works."""

    def __init__(self, place: str, folder: Path, articles: list[str], size: int) -> None:
        self.given, self.answers = folder / "given.jsonl", folder / "answers.jsonl"
        folder.mkdir(parents=True)
        self.given.write_text("".join(line + "\n" for line in articles), "utf-8")
        self.answers.touch()
        self._work = (place, self.given, self.answers, size)
        self._process: ForkServerProcess | None = None

    def start(self) -> None:
        """Start the process, after the last one's end."""
        self._process = SERVER.Process(target=work, args=self._work)
        self._process.start()

    def answered(self) -> int:
        """Return how many articles have an answer."""
        return len(whole_lines(self.answers))

    def is_over(self) -> bool:
        """Return whether the process has ended by itself."""
        return self._running().exitcode is not None

    def kill_after(self, more: int, random: Random) -> bool:
        """Kill the process a moment after so many more answers, with SIGKILL; return whether it was still at work."""
        goal = self.answered() + more
        wait_until(lambda: self.is_over() or self.answered() >= goal)
        sleep(random.random() * 0.02)
        self._running().kill()
        self._running().join()
        return self._running().exitcode == -9

    def wait(self) -> None:
        """Wait for the end, which must be a good one."""
        self._running().join(PATIENCE)
        assert self._running().exitcode == 0

    def _running(self) -> ForkServerProcess:
        """Return the process."""
        assert self._process
        return self._process


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as a condition holds, which must be soon."""
    end = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < end
        sleep(0.002)
