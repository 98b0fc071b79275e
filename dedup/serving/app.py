"""The service as an ASGI application: what each address answers.

In: an index, a token, limits. Out: an application for any ASGI server; `dedup serve` runs it under uvicorn. What holds for every
request alike, the token, the room and the time, is in `dedup.serving.gate`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from dedup.errors import IndexingError
from dedup.index.answers import Answer
from dedup.index.index import Index
from dedup.io.records import to_json_line
from dedup.io.schema import SCHEMA, FieldNames, build_field_names
from dedup.io.values import as_text
from dedup.serving.bodies import JSON, Posted, kind_named, posted
from dedup.serving.figures import Figures
from dedup.serving.gate import Gate, Room, refusal
from dedup.serving.openapi import document
from dedup.serving.refusals import Limits, Refused, busy
from dedup.serving.replies import cluster, history, replied
from dedup.serving.turns import Turns

METRICS = "text/plain; version=0.0.4; charset=utf-8"
SMALL = 1 << 16
"""A body of fewer bytes is read at once; a larger one by a thread, so that others are not kept waiting."""
PROBE_SECONDS = 5.0
"""An index that cannot record nothing in this time cannot be used."""
NOTHING = pa.RecordBatch.from_pylist([], SCHEMA)


class Anything(Convertor[str]):
    """An id in a path: slashes and newlines included."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """Return the id as an index holds it."""
        return (as_text(value) or "").replace("\0", " ")

    def to_string(self, value: str) -> str:
        """Return the id."""
        return value


register_url_convertor("id", Anything())


def app_for(
    index: Index,
    *,
    token: str | None = None,
    limits: Limits | None = None,
    fields: Mapping[str, str] | None = None,
) -> Starlette:
    """Return the application over an index; it answers whoever brings the token, if there is one.

    `fields` maps our names of fields to theirs, as for `read_articles`. Whoever opened the index closes it,
    when the application has ended.
    """
    service = Service(index, limits or Limits(), build_field_names(fields or {}), bool(token))
    app = Starlette(
        routes=[
            Route("/articles", service.decide, methods=["POST"]),
            Route("/articles/{id:id}", service.article),
            Route("/clusters/{id:id}", service.cluster),
            Route("/healthz", service.healthz),
            Route("/metrics", service.metrics),
            Route("/openapi.json", service.openapi),
        ],
        middleware=[Middleware(Gate, token=token, room=service.room, figures=service.figures)],
        exception_handlers={Refused: refusal, HTTPException: unknown},
        lifespan=service.lifespan,
    )
    app.router.redirect_slashes = False
    return app


def unknown(request: Request, error: Exception) -> Response:
    """Return the answer to a request for what is not there."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    if status == 405:  # noqa: PLR2004 - as HTTP has it
        sentence = f"{request.method} is not allowed here"
    else:
        sentence = "there is nothing at this address; /openapi.json says what there is"
    return refusal(request, Refused(status, sentence, headers or {}))


@dataclass
class Service:
    """The answers of a service, an address each."""

    index: Index
    limits: Limits
    names: FieldNames
    has_token: bool

    def __post_init__(self) -> None:
        """Begin to count and to take turns."""
        self.figures = Figures()
        self.room = Room(self.limits, self.figures)
        self.figures.look_at(self.index)
        self.turns = Turns(self.index, self.figures)

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Answer what waits when the application ends."""
        try:
            yield
        finally:
            await asyncio.to_thread(self.turns.close)

    async def decide(self, request: Request) -> Response:
        """Answer what becomes of some articles, once that is recorded for good."""
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await self._decided(request)
        except TimeoutError:
            raise busy(f"there was no answer within {self.limits.seconds:g} seconds") from None

    async def article(self, request: Request) -> Response:
        """Answer what was decided on an article."""
        name = request.path_params["id"]
        found = await self._read(self.index.history, name)
        return as_json(history(name, found))

    async def cluster(self, request: Request) -> Response:
        """Answer which articles tell the story of one."""
        return as_json(cluster(await self._read(self.index.cluster, request.path_params["id"])))

    async def healthz(self, _request: Request) -> Response:
        """Answer whether the index can be used: by the latest turn while there is work, else by an empty one."""
        if not self.turns.is_alive():
            raise Refused(503, "the thread that writes to the index has ended")
        if not self.room.requests:
            try:
                await asyncio.wait_for(asyncio.wrap_future(self.turns.ask(NOTHING)), PROBE_SECONDS)
            except TimeoutError:
                raise busy(f"the index did not answer within {PROBE_SECONDS:g} seconds") from None
            except IndexingError as error:
                raise Refused(503, str(error)) from None
        if self.turns.trouble:
            raise Refused(503, self.turns.trouble)
        return as_json({"ready": True})

    async def metrics(self, _request: Request) -> Response:
        """Answer the figures."""
        return Response(self.figures.text(), media_type=METRICS)

    async def openapi(self, _request: Request) -> Response:
        """Answer what can be asked, and how."""
        return as_json(document(self.limits, has_token=self.has_token))

    async def _decided(self, request: Request) -> Response:
        """Return the decisions on the articles of a request."""
        kind = kind_named(request.headers.get("content-type"), request.headers.get("content-encoding"))
        with self.room.taken() as held:
            body = bytearray()
            held.expect(request.headers.get("content-length"))
            async for piece in pieces(request):
                held.more(len(piece))
                body += piece
            given = await self._posted(bytes(body), kind)
            self.figures.posted(len(given.places) + len(given.errors), len(given.errors))
            if given.single and given.errors:
                raise Refused(422, f"this is no article: {given.errors[0]}")
            answers: list[Answer] = []
            if given.places:
                answers = await asyncio.wrap_future(self.turns.ask(given.batch))
        return Response(replied(given, answers, kind), media_type=kind)

    async def _posted(self, body: bytes, kind: str) -> Posted:
        """Return the articles of a body."""
        if len(body) < SMALL:
            return posted(body, kind, self.names, self.limits.articles)
        return await asyncio.to_thread(posted, body, kind, self.names, self.limits.articles)

    async def _read(self, look: Callable[[str], list[Answer]], name: str) -> list[Answer]:
        """Return what is known of an article; Refused where nothing is."""
        with self.room.taken():
            try:
                found = await asyncio.wait_for(asyncio.to_thread(look, name), self.limits.seconds)
            except TimeoutError:
                raise busy(f"there was no answer within {self.limits.seconds:g} seconds") from None
        if not found:
            raise Refused(404, "there is no such article in the index")
        return found


async def pieces(request: Request) -> AsyncIterator[bytes]:
    """Yield a body as it comes; Refused where the client goes away halfway."""
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect:
        raise Refused(400, "the body broke off") from None


def as_json(value: Any) -> Response:
    """Return a value as a reply."""
    return Response(to_json_line(value), media_type=JSON)
