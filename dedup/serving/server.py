"""The application on a socket, until it is told to end: it then takes nothing new, answers what it has, and comes back.

In: an application, and where it is to be reached. Out: nothing; the socket is made first, so that a place that is taken, or open
to others without a token, is an error before the index is opened.
"""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from stat import S_ISSOCK

import uvicorn
from starlette.applications import Starlette

from dedup.errors import ServingError

SIGNALS = (signal.SIGINT, signal.SIGTERM)
BACKLOG = 128
"""Connections that wait to be taken."""
IDLE_SECONDS = 30
"""A connection on which nothing is asked for so long is closed."""
ONLY_OWNER = 0o177
"""Nobody else may connect to a socket in the file system."""


class Server(uvicorn.Server):
    """uvicorn, but for what it does at its end: raise the signal again, which would end the process as if cut short."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals for as long as the server runs; a second Ctrl-C does not wait for what is in hand."""
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run(app: Starlette, listening: socket.socket, *, seconds: float, access_log: bool) -> None:
    """Serve until a signal says to end; requests in hand then have so many seconds."""
    config = uvicorn.Config(
        app,
        access_log=access_log,
        backlog=BACKLOG,
        lifespan="on",
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=int(seconds) + 1,
        timeout_keep_alive=IDLE_SECONDS,
        ws="none",
    )
    Server(config).run([listening])


def bound(host: str, port: int, *, has_token: bool) -> socket.socket:
    """Return a socket at an address; ServingError where it is taken, unknown, or open to others without a token."""
    try:
        family, _, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise ServingError(f"there is no address {host}") from error
    if not has_token and not ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise ServingError(
            f"{host} can be reached from other machines: set DEDUP_TOKEN to a secret that they must bring"
        )
    # With its protocol: asyncio sends small replies at once only where it knows that it is TCP.
    listening = socket.socket(family, socket.SOCK_STREAM, protocol)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise ServingError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listening


def bound_in(path: Path) -> socket.socket:
    """Return a socket in the file system, which its owner alone may use; one that nobody listens on any more gives way."""
    if is_left_over(path):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(ONLY_OWNER)
    try:
        listening.bind(str(path))
    except OSError as error:
        listening.close()
        raise ServingError(f"cannot listen on {path}: {error.strerror or error}") from error
    finally:
        os.umask(before)
    return listening


def is_left_over(path: Path) -> bool:
    """Return whether a path is a socket on which nobody listens."""
    with suppress(FileNotFoundError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        if S_ISSOCK(path.lstat().st_mode):
            try:
                trial.connect(str(path))
            except ConnectionRefusedError:
                return True
    return False


def address_of(listening: socket.socket) -> str:
    """Return where a service is reached."""
    place = listening.getsockname()
    if listening.family == getattr(socket, "AF_UNIX", None):
        return f"unix:{place}"
    host, port = place[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
