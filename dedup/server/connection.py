"""Connections with deadlines and a limit on their number, on uvicorn's protocol over httptools.

uvicorn has no deadline for the head of a request, and none for a client that does not read. A connection here has deadlines for
both. Where there are too many, the one that has waited longest for a request is closed, as nginx does; one in the middle of a
request never is.
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["BoundedProtocol", "ConnectionPool"]

HEAD_SECONDS = 10
"""From the first byte of a request, or the connection, to the end of the request's head."""
IDLE_SECONDS = 30
"""From a response to the next request, or to the client's having read it."""
READ_SECONDS = 30
"""From the moment when a client does not keep up with reading a response to the response's end."""
HEAD_BYTES = 1 << 16
"""Bytes that are neither body nor a whole head: heads, chunk extensions, trailers."""
CRUMBS, CRUMB_BYTES = 1000, 16
"""A body of more than so many pieces has at least so many bytes in each, on average."""


class ConnectionPool:
    """The connections of a server that wait for a request, those that wait longest first, and how many there may be in all."""

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
        """Take a connection; close another one, or else this one, where there are too many."""
        super().connection_made(transport)
        self._wait_for_request(HEAD_SECONDS)
        if len(self.connections) > self._pool.limit:
            oldest = next(iter(self._pool.waiting))
            if oldest is self:
                self._refuse(503, "there are too many connections; try again in a second")
            oldest.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._leave_pool()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse some bytes; refuse what goes on without end and is no body."""
        self._surplus += len(data)
        super().data_received(data)
        if self._surplus > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(431, "the head of the request, or what stands between its chunks, is too large")

    def on_message_begin(self) -> None:
        """Give a new request the time for its head."""
        super().on_message_begin()
        if not self._is_busy():
            self._arm(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """Begin to answer; from now on the application watches the time."""
        self._surplus = self._pieces = self._body_bytes = 0
        if not self._is_busy():
            self._leave_pool()
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; drop a trailer, which would change the headers of a request that is being answered."""
        if self.scope.get("path") is None:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body; refuse one that comes in crumbs, each of which costs as much as a large piece."""
        self._surplus = 0
        self._pieces += 1
        self._body_bytes += len(body)
        if self._pieces > CRUMBS and self._body_bytes < CRUMB_BYTES * self._pieces:
            self._refuse(400, f"the body comes in pieces of fewer than {CRUMB_BYTES} bytes")
            raise ValueError("which ends the parser's work on what has arrived")
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Wait for the client to have read the response, and for the next request."""
        super().on_response_complete()
        if not self._is_busy():
            self._wait_for_request(IDLE_SECONDS)

    def pause_writing(self) -> None:
        """Give a client that does not keep up a time to have read everything."""
        super().pause_writing()
        if self._is_busy() and self._deadline is None:
            self._arm(READ_SECONDS)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own words
        """Refuse what is not HTTP."""
        if not self.transport.is_closing():
            self._refuse(400, "this is not a valid HTTP request")

    def shutdown(self) -> None:
        """End: a request that is not complete will not be answered."""
        if self._is_busy() and not self.cycle.more_body:
            super().shutdown()
        else:
            self.drop()

    def timeout_keep_alive_handler(self) -> None:
        """Leave idle connections to their deadline."""

    def _is_busy(self) -> bool:
        """Return whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_request(self, seconds: float) -> None:
        """Wait for a request; those that wait may be closed to make room."""
        self._arm(seconds)
        self._pool.waiting[self] = None

    def _leave_pool(self) -> None:
        """Wait for no request any more."""
        self._pool.waiting.pop(self, None)
        self._disarm()

    def _arm(self, seconds: float) -> None:
        """Set the deadline."""
        self._disarm()
        self._deadline = self.loop.call_later(seconds, self._expire)

    def _disarm(self) -> None:
        """Take the deadline away."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _expire(self) -> None:
        """Close a connection whose deadline has passed; tell a client that has begun a request."""
        if self._surplus and not self._is_busy():
            self._refuse(408, f"the head of the request did not arrive within {HEAD_SECONDS} seconds")
        else:
            self.drop()

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer outside of the application, as JSON, and close."""
        if not (self.cycle and self.cycle.response_started and self._is_busy()):
            body = json.dumps({"error": sentence}).encode()
            head = (
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self._disconnect_cycle()
        self.transport.close()
        self._arm(IDLE_SECONDS)

    def drop(self) -> None:
        """Close at once, with what the client has not read."""
        self.connections.discard(self)
        self._leave_pool()
        self.transport.abort()

    def _disconnect_cycle(self) -> None:
        """Tell the application that nobody waits for its response."""
        if self._is_busy():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
