"""Serve the application on a socket until a signal, then finish the requests in flight.

The socket is bound before the index is opened, so that an address in use, or open to others without a token,
is an early error.
"""

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from stat import S_ISSOCK
from typing import Any

import uvicorn
from fastapi import FastAPI

from dedup.errors import ServingError
from dedup.server.connection import BoundedProtocol, ConnectionPool

__all__ = ["bind", "bind_unix", "describe_address", "serve_until_signal"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)
BACKLOG = 1024
"""Connections that wait to be accepted."""
ACCEPTED = 16
"""Connections accepted at a time, so that current clients do not wait for many new ones."""
MAX_CONNECTIONS = 2048
OTHER_FILES = 64 + 4 * ACCEPTED
"""Open files besides connections; a connection closed for lack of room is gone three rounds of the event loop later."""
GRACE_SECONDS = 6
"""Seconds to answer the requests in flight after a signal."""
SWITCH_SECONDS = 0.0005
"""Seconds that the event loop waits for the interpreter while threads compute; Python's default is ten times that."""
ONLY_OWNER = 0o177
"""The umask of a Unix socket: only its owner may connect."""


class GracefulServer(uvicorn.Server):
    """uvicorn without its last step: it would raise the signal again, which would end the process abnormally."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, with a backlog of the system's own, because asyncio accepts as many connections at a time as its backlog."""
        await super().startup(sockets)
        for listening in sockets or []:
            listening.listen(BACKLOG)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams of events, which have no end of their own, then finish the other requests."""
        self._app.state.service.events.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals while the server runs; after a second Ctrl-C it does not wait for requests in flight."""
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve_until_signal(app: FastAPI, listening: socket.socket, *, access_log: bool) -> None:
    """Serve an application on a socket until a signal."""
    # Otherwise each invalid HTTP request would add a line to the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    sys.setswitchinterval(SWITCH_SECONDS)
    protocol: Any = partial(BoundedProtocol, pool=ConnectionPool(limit_connections()))
    config = uvicorn.Config(
        app,
        access_log=access_log,
        backlog=ACCEPTED,
        http=protocol,
        lifespan="on",
        log_config=None,
        loop="asyncio",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws="none",
    )
    GracefulServer(config, app).run([listening])


def limit_connections() -> int:
    """Raise the limit of open files as far as needed, and return the number of connections that it allows."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return MAX_CONNECTIONS // 4
    files = MAX_CONNECTIONS + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = files if soft == resource.RLIM_INFINITY else soft
    if soft < files:
        soft = files if hard == resource.RLIM_INFINITY else min(files, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(MAX_CONNECTIONS, soft - OTHER_FILES))


def bind(host: str, port: int, *, has_token: bool) -> socket.socket:
    """Return a socket at an address; raise `ServingError` if it is in use, unknown, or open to others without a token."""
    try:
        family, _, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise ServingError(f"there is no address {host}") from error
    if not has_token and not ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise ServingError(
            f"{host} can be reached from other machines: set DEDUP_TOKEN to a secret that they must send"
        )
    # The protocol is needed: asyncio sends small replies at once only if it knows that the socket is TCP.
    listening = socket.socket(family, socket.SOCK_STREAM, protocol)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        listening.close()
        raise ServingError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listening


def bind_unix(path: Path) -> socket.socket:
    """Return a Unix socket for its owner only; replace one on which nobody listens."""
    if is_stale(path):
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


def is_stale(path: Path) -> bool:
    """Return whether a path is a socket on which nobody listens."""
    with suppress(FileNotFoundError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trial:
        if S_ISSOCK(path.lstat().st_mode):
            try:
                trial.connect(str(path))
            except ConnectionRefusedError:
                return True
    return False


def describe_address(listening: socket.socket) -> str:
    """Return the address at which a service is reached."""
    place = listening.getsockname()
    if listening.family == getattr(socket, "AF_UNIX", None):
        return f"unix:{place}"
    host, port = place[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
