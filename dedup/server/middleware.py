"""Apply the rules for every request: the token, the metrics, unread bodies, and errors as JSON."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from hmac import compare_digest
from time import perf_counter

from fastapi import HTTPException, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dedup.server.errors import respond_to_error, service_unavailable
from dedup.server.metrics import Metrics

__all__ = ["RequestGuard"]

PUBLIC = frozenset({"/healthz", "/live"})
"""The paths that need no token: for health checks, and a page without data, which asks for the token itself."""
NO_ROUTE = "none"
LINGER_SECONDS = 1
LINGER_BYTES = 32 << 20
"""The most bytes of a refused body that are read and dropped, so that the client reads the error instead of a reset."""


class RequestGuard:
    """The outermost middleware."""

    def __init__(self, app: ASGIApp, *, token: str | None, metrics: Metrics) -> None:
        self._app = app
        self._token = token.encode() if token else b""
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(Headers(scope=scope), receive, send)
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        started = perf_counter()
        try:
            await self._answer(scope, exchange)
        finally:
            route = getattr(scope.get("route"), "name", NO_ROUTE)
            self._metrics.count_request(route, exchange.status, perf_counter() - started)

    async def _answer(self, scope: Scope, exchange: "Exchange") -> None:
        """Answer a request; an exception before the response has begun is answered as an error."""
        failure: Exception | None = None
        try:
            if self._token and scope["path"] not in PUBLIC and not self._has_token(exchange.headers):
                sentence = "this needs the header Authorization: Bearer TOKEN, with the right token"
                failure = HTTPException(401, sentence, {"WWW-Authenticate": "Bearer"})
            else:
                await self._app(scope, exchange.receive, exchange.send)
        except asyncio.CancelledError:
            failure = service_unavailable("the service is ending")
        except Exception as error:
            if exchange.status:
                raise
            failure = error
        if failure and not exchange.status:
            response = await respond_to_error(Request(scope), failure)
            await response(scope, exchange.receive, exchange.send)

    def _has_token(self, headers: Headers) -> bool:
        """Return whether a request has the token, in constant time."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        return compare_digest(value.strip().encode("latin-1"), self._token) and scheme.lower() == "bearer"


@dataclass
class Exchange:
    """The messages of a request and its response."""

    headers: Headers
    receive_next: Receive
    send_next: Send
    status: int = 0

    def __post_init__(self) -> None:
        self.unread = "transfer-encoding" in self.headers or self.headers.get("content-length", "0") != "0"

    async def receive(self) -> Message:
        """Return the next message of the request."""
        message = await self.receive_next()
        self.unread = self.unread and bool(message.get("more_body"))
        return message

    async def send(self, message: Message) -> None:
        """Send a message of the response; close the connection if the body was too large or not fully read."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.unread or self.status == 413:  # noqa: PLR2004 - content too large
                await self._linger()
                message["headers"] = [*message["headers"], (b"connection", b"close")]
        await self.send_next(message)

    async def _linger(self) -> None:
        """Read and drop the rest of the body, up to a limit; a client that waits for 100 Continue sends none."""
        read = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while self.unread and "expect" not in self.headers and read < LINGER_BYTES:
                    read += len((await self.receive()).get("body", b""))
