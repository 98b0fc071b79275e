"""Add deadlines and a limit on their number to connections of uvicorn's httptools protocol.

uvicorn has no deadline for the head of a request, and none for a client that does not read. These connections
have both. If there are too many, the one that has waited longest for a request is closed, as in nginx, but
never one in the middle of a request.
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["BoundedProtocol", "ConnectionPool"]

HEAD_SECONDS = 10
"""Seconds from the start of a connection or a request to the end of the request's head."""
IDLE_SECONDS = 30
"""Seconds from a response until the client has read it, or sends the next request."""
READ_SECONDS = 30
"""Seconds from the moment when a client falls behind in reading a response to the end of the response."""
HEAD_BYTES = 1 << 16
"""Bytes that are neither body nor a complete head: partial heads, chunk extensions and trailers."""
CRUMBS, CRUMB_BYTES = 1000, 16
"""A body of more than this many pieces must have at least this many bytes per piece, on average."""


class ConnectionPool:
    """The limit on connections, and the connections that wait for a request, longest wait first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.waiting: dict[BoundedProtocol, None] = {}


class BoundedProtocol(HttpToolsProtocol):
    """A connection of a pool."""

    def __init__(self, *options: Any, pool: ConnectionPool, **more: Any) -> None:
        super().__init__(*options, **more)
        self._pool = pool
        self._deadline: asyncio.TimerHandle | None = None
        self._surplus = self._pieces = self._body_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept a connection; if there are too many, close the one that has waited longest."""
        super().connection_made(transport)
        self._wait_for_request(HEAD_SECONDS)
        if len(self.connections) > self._pool.limit:
            oldest = next(iter(self._pool.waiting))
            if oldest is self:
                self._refuse(503, "there are too many connections; try again in a second")
            oldest.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection from the pool."""
        self._leave_pool()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse bytes; refuse a head or chunk extensions without an end."""
        self._surplus += len(data)
        super().data_received(data)
        if self._surplus > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, "the head of the request, or the data between its chunks, is too large")

    def on_message_begin(self) -> None:
        """Start the deadline for the head of a new request."""
        super().on_message_begin()
        if not self._is_busy():
            self._set_deadline(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """Start to answer; from now on the application controls the time."""
        self._surplus = self._pieces = self._body_bytes = 0
        if not self._is_busy():
            self._leave_pool()
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; drop a trailer, which would change the headers of the current request."""
        if self.scope.get("path") is None:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Accept a piece of a body; refuse a body in tiny pieces, each of which costs as much as a large one."""
        self._surplus = 0
        self._pieces += 1
        self._body_bytes += len(body)
        if self._pieces > CRUMBS and self._body_bytes < CRUMB_BYTES * self._pieces:
            self._refuse(400, f"the body comes in pieces of fewer than {CRUMB_BYTES} bytes")
            raise ValueError("the parser must stop, because the request was refused")
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Wait until the client has read the response, or sends the next request."""
        super().on_response_complete()
        if not self._is_busy():
            self._wait_for_request(IDLE_SECONDS)

    def pause_writing(self) -> None:
        """Start a deadline for a client that falls behind in reading."""
        super().pause_writing()
        if self._is_busy() and self._deadline is None:
            self._set_deadline(READ_SECONDS)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own message is not used
        """Refuse data that is not HTTP."""
        if not self.transport.is_closing():
            self._refuse(400, "this is not a valid HTTP request")

    def shutdown(self) -> None:
        """Finish the current response; drop a request that is not complete."""
        if self._is_busy() and not self.cycle.more_body:
            super().shutdown()
        else:
            self.drop()

    def timeout_keep_alive_handler(self) -> None:
        """Do nothing: idle connections have their own deadline."""

    def _is_busy(self) -> bool:
        """Return whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_request(self, seconds: float) -> None:
        """Start to wait for a request; a waiting connection may be closed to make room."""
        self._set_deadline(seconds)
        self._pool.waiting[self] = None

    def _leave_pool(self) -> None:
        """Stop waiting for a request."""
        self._pool.waiting.pop(self, None)
        self._cancel_deadline()

    def _set_deadline(self, seconds: float) -> None:
        """Set the deadline."""
        self._cancel_deadline()
        self._deadline = self.loop.call_later(seconds, self._expire)

    def _cancel_deadline(self) -> None:
        """Cancel the deadline."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        """Close a connection whose deadline has passed; report it if a request has begun."""
        if self._surplus and not self._is_busy():
            self._refuse(408, f"the head of the request did not arrive within {HEAD_SECONDS} seconds")
        else:
            self.drop()

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer with an error as JSON, outside of the application, and close."""
        if not (self.cycle and self.cycle.response_started and self._is_busy()):
            body = json.dumps({"error": sentence}).encode()
            head = (
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self._disconnect_cycle()
        self.transport.close()
        self._set_deadline(IDLE_SECONDS)

    def drop(self) -> None:
        """Close at once, and discard unsent data."""
        self.connections.discard(self)
        self._leave_pool()
        self.transport.abort()

    def _disconnect_cycle(self) -> None:
        """Tell the application that the client has gone."""
        if self._is_busy():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
