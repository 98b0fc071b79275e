"""What holds for every request alike: whether it may come in, whether there is room, what it is told where it fails.

In: an ASGI application. Out: the same, behind a token, counted, and with every error as one sentence. Nothing of an article gets
into an error or a log.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hmac import compare_digest
from time import perf_counter

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dedup.errors import IndexingError
from dedup.formatting import format_count
from dedup.io.records import to_json_line
from dedup.serving.bodies import JSON
from dedup.serving.figures import Figures
from dedup.serving.refusals import AGAIN_AFTER, Limits, Refused, busy

OPEN = "/healthz"
"""Whoever watches over the service needs no token."""
ELSEWHERE = "none"
"""The route of a request that leads nowhere."""
DEFECT = 500
log = logging.getLogger("dedup.serving")


class Gate:
    """The door of the service."""

    def __init__(self, app: ASGIApp, *, token: str | None, room: "Room", figures: Figures) -> None:
        self._app = app
        self._token = token.encode() if token else b""
        self._room = room
        self._figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, code = perf_counter(), 0

        async def counted_send(message: Message) -> None:
            nonlocal code
            code = message.get("status", code)
            await send(message)

        try:
            await self._answer(scope, receive, counted_send)
        except Exception as error:
            if code:
                raise
            await failure(error)(scope, receive, counted_send)
        finally:
            endpoint = scope.get("endpoint")
            self._figures.request(getattr(endpoint, "__name__", ELSEWHERE), code, perf_counter() - started)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, if it may come in."""
        if self._token and scope["path"] != OPEN and not self._knows(Headers(scope=scope)):
            sentence = "this needs the header Authorization: Bearer TOKEN, with the right token"
            denied = refusal(Request(scope), Refused(401, sentence, {"WWW-Authenticate": "Bearer"}))
            await denied(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _knows(self, headers: Headers) -> bool:
        """Return whether a request brings the token; it takes as long for a wrong one as for the right one."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        return compare_digest(given.strip().encode("latin-1"), self._token) and scheme.lower() == "bearer"


class Room:
    """How much is in hand: so many requests and bytes, and no more."""

    def __init__(self, limits: Limits, figures: Figures) -> None:
        self.requests = 0
        self._bytes = 0
        self._limits = limits
        self._figures = figures

    @contextmanager
    def taken(self) -> Iterator["Held"]:
        """Hold a place for a request; Refused where there is none left."""
        if self.requests >= self._limits.requests:
            raise busy(f"{format_count(self.requests, 'request')} are in hand, and there is no room for more")
        self.requests += 1
        self._figures.in_hand(self.requests)
        held = Held(self._limits.body, self)
        try:
            yield held
        finally:
            self.requests -= 1
            self.hold(-held.size)
            self._figures.in_hand(self.requests)

    def hold(self, size: int) -> None:
        """Hold so many more bytes; Refused where all requests together would hold too many."""
        if size > 0 and self._bytes + size > self._limits.bodies * self._limits.body:
            raise busy("the requests in hand are as large as can be held")
        self._bytes += size


@dataclass
class Held:
    """The room of one request."""

    most: int
    room: Room
    size: int = field(default=0, init=False)

    def expect(self, length: str | None) -> None:
        """Refuse a body that says itself that it is too large."""
        if length and length.isdecimal() and int(length) > self.most:
            raise self._too_large()

    def more(self, size: int) -> None:
        """Take a further piece of the body in."""
        if self.size + size > self.most:
            raise self._too_large()
        self.room.hold(size)
        self.size += size

    def _too_large(self) -> Refused:
        """Return the refusal of a body."""
        return Refused(413, f"the body may have {self.most:,} bytes; send the articles in parts")


def refusal(_request: Request, error: Exception) -> Response:
    """Return the answer to a request that is refused."""
    refused = error if isinstance(error, Refused) else Refused(DEFECT, "this should not have happened")
    return Response(
        to_json_line({"error": refused.sentence}),
        refused.status,
        headers=dict(refused.headers),
        media_type=JSON,
    )


def failure(error: Exception) -> Response:
    """Return the answer to a request that failed; what an error says may hold a text, so only its kind is told."""
    if isinstance(error, IndexingError):
        told = Refused(503, str(error), AGAIN_AFTER)
    else:
        kind = type(error).__name__
        log.error("a request failed: %s", kind)
        told = Refused(DEFECT, f"this should not have happened ({kind}); please report it")
    return Response(
        to_json_line({"error": told.sentence}), told.status, headers=dict(told.headers), media_type=JSON
    )
