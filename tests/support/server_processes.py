"""`dedup serve` as a process, for its tests."""

import http.client
import re
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from commands import environment, interruptible, started


@contextmanager
def serving(
    folder: Path,
    *options: str | Path,
    end: signal.Signals = signal.SIGTERM,
    files: int | None = None,
    **more: str,
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Give a service over an index in a folder, as a process, and its port; it is sent a signal where it still runs.

    What it says is in the file `said` of the folder. It may open so many `files`.
    """

    def prepare() -> None:
        interruptible()
        if files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    given = ("serve", "--index", folder / "seen.db", "--port", "0", *options)
    with (
        (folder / "said").open("wb") as said,
        started(*given, env=environment(**more), stderr=said, preexec_fn=prepare) as running,
    ):
        try:
            yield running, port_in(folder / "said", running)
        finally:
            if running.poll() is None:
                running.send_signal(end)
            running.wait(60)


def port_in(said: Path, running: "subprocess.Popen[bytes]") -> int:
    """Return the port that a service says it listens on, once it does; 0 where it is none."""
    while not (found := re.search(r"^serving .* at .*?(?::(\d+))?\n", said.read_text(), re.MULTILINE)):
        assert running.poll() is None, said.read_text()
        time.sleep(0.02)
    return int(found[1] or 0)


def asked(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
    """Return the status and the body of a reply."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return reply.status, reply.read()
