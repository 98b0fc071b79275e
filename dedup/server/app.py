"""Build the FastAPI application: its routes, which answer from an index."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, StreamingResponse
from fastapi.security import HTTPBearer
from prometheus_client import generate_latest
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

import dedup
from dedup.errors import IndexingError
from dedup.index.index import Index
from dedup.index.stories import IndexedStory
from dedup.io.read_options import NO_PRESET, build_read_rules
from dedup.io.values import as_text
from dedup.server.capacity import Limits, Slot
from dedup.server.errors import respond_to_error, service_unavailable
from dedup.server.feeds import ATOM, JSON_FEED, JsonFeed, render_atom, render_json_feed, respond_to_reader
from dedup.server.index_service import IndexService
from dedup.server.live_page import render_live_page
from dedup.server.middleware import RequestGuard
from dedup.server.requests import JSON, LINES, ArticleBody, content_kind
from dedup.server.response_models import ArticleHistory, Decision, ErrorBody, Readiness, StoryCluster
from dedup.server.webhook import WebhookTarget

__all__ = ["create_app"]

DEFAULT_STORIES, MAX_STORIES = 50, 200
"""The number of stories in a feed."""
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The reader has this feed already."}}
EVENT_STREAM = "text/event-stream"
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
TOKEN_DESCRIPTION = "The value of DEDUP_TOKEN when the service was started."  # noqa: S105 - no token
ARTICLE = ArticleBody.model_json_schema()
TEXT = {"schema": {"type": "string"}}
ANYTHING = {"description": "An element that is not an article gets an error in its place."}
POSTED = {
    JSON: {"schema": {"anyOf": [ARTICLE, {"type": "array", "items": {"anyOf": [ARTICLE, ANYTHING]}}]}},
    LINES: TEXT,
}
router = APIRouter()


class IdConvertor(Convertor[str]):
    """Accept any id in a path, including slashes and newlines."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """Return the id as the index stores it."""
        return (as_text(value) or "").replace("\0", " ")

    def to_string(self, value: str) -> str:
        """Return the id."""
        return value


register_url_convertor("id", IdConvertor())


def get_service(request: Request) -> IndexService:
    """Return the service of a request; a plain call is faster than a dependency."""
    service: IndexService = request.app.state.service
    return service


async def open_slot(request: Request) -> AsyncIterator[Slot]:
    """Yield a slot for a request, until its response is sent."""
    with get_service(request).capacity.open_slot() as slot:
        yield slot


CurrentSlot = Annotated[Slot, Depends(open_slot)]
StoryLimit = Annotated[int, Query(ge=1, le=MAX_STORIES, description="The maximum number of stories.")]
LastEventId = Annotated[str | None, Header(description="The id of the last event that the listener has.")]
KnownTags = Annotated[str | None, Header(description="The ETag of the feed that the reader has.")]


def describe_errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the error responses of a route for the OpenAPI document."""
    return {status: {"model": ErrorBody} for status in (401, 431, 500, 503, *statuses)}


@router.post(
    "/articles",
    name="decide",
    response_model=Decision | list[Decision | ErrorBody],
    responses={**describe_errors(400, 408, 413, 415, 422), 200: {"content": {LINES: TEXT}}},
    openapi_extra={"requestBody": {"required": True, "content": POSTED}},
)
async def post_articles(request: Request, slot: CurrentSlot) -> Response:
    """Decide on one article, a list or JSON Lines, in order, and answer once the decisions are stored.

    An element that is not an article gets an error in its place, and does not stop the others. The same id
    and text get the same answer again, so a request can be repeated.
    """
    service, kind = get_service(request), content_kind(request.headers)
    seconds = service.limits.seconds
    deadline = asyncio.get_running_loop().time() + seconds
    try:
        async with asyncio.timeout_at(deadline):
            body = await read_body(request, slot)
    except TimeoutError:
        raise HTTPException(408, f"the body did not arrive within {seconds:g} seconds") from None
    slot.admit()
    try:
        async with asyncio.timeout_at(deadline):
            return await run_while_connected(request, service.decide(body, kind, slot))
    except TimeoutError:
        raise service_unavailable(f"there was no answer within {seconds:g} seconds") from None


@router.get(
    "/articles/{id:id}",
    name="article",
    responses=describe_errors(404, 422),
    response_model_exclude_unset=True,
)
async def get_article(id: str, request: Request, slot: CurrentSlot) -> ArticleHistory:  # noqa: A002
    """Return the decisions on all versions of an article; `id#2` is only the second version."""
    service = get_service(request)
    return ArticleHistory(id=id, versions=await service.look_up(service.index.history, id, slot))


@router.get(
    "/clusters/{id:id}",
    name="cluster",
    responses=describe_errors(404, 422),
    response_model_exclude_unset=True,
)
async def get_cluster(id: str, request: Request, slot: CurrentSlot) -> StoryCluster:  # noqa: A002
    """Return the cluster of an article: the kept article, then its duplicates in order of arrival."""
    service = get_service(request)
    decisions = await service.look_up(service.index.cluster, id, slot)
    return StoryCluster(cluster=decisions[0].dedup.cluster, size=len(decisions), articles=decisions)


@router.get(
    "/stories.atom",
    name="stories",
    response_class=Response,
    responses={**describe_errors(422), **NOT_MODIFIED, 200: {"content": {ATOM: TEXT}}},
)
async def get_atom_feed(
    request: Request,
    slot: CurrentSlot,
    limit: StoryLimit = DEFAULT_STORIES,
    if_none_match: KnownTags = None,
) -> Response:
    """Return the newest stories as an Atom feed, newest first: ids, dates, numbers of articles and storylines."""
    return respond_to_reader(await render_feed(request, slot, limit, render_atom), ATOM, if_none_match)


@router.get(
    "/stories.json",
    name="stories",
    response_class=Response,
    responses={
        **describe_errors(422),
        **NOT_MODIFIED,
        200: {"content": {JSON_FEED: {"schema": JsonFeed.model_json_schema()}}},
    },
)
async def get_json_feed(
    request: Request,
    slot: CurrentSlot,
    limit: StoryLimit = DEFAULT_STORIES,
    if_none_match: KnownTags = None,
) -> Response:
    """Return the newest stories as a JSON Feed, newest first; `_dedup` holds the number of articles and the storyline."""
    return respond_to_reader(
        await render_feed(request, slot, limit, render_json_feed), JSON_FEED, if_none_match
    )


@router.get(
    "/events",
    name="events",
    response_class=StreamingResponse,
    responses={**describe_errors(), 200: {"content": {EVENT_STREAM: TEXT}}},
)
async def get_events(request: Request, last_event_id: LastEventId = None) -> Response:
    """Send decisions as server-sent events, without an end: `story`, `followup` and `article`; `gap` if some are missing.

    The first events are the latest decisions since the service started, or those after `Last-Event-ID`.
    """
    events = get_service(request).events
    events.check_listeners()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events.listen(last_event_id), media_type=EVENT_STREAM, headers=headers)


async def render_feed(
    request: Request, slot: Slot, limit: int, render: Callable[[Sequence[IndexedStory]], bytes]
) -> bytes:
    """Return the newest stories as a feed, written in a thread."""
    service = get_service(request)
    return await service.read(lambda: render(service.index.list_stories(limit)), slot)


@router.get(
    "/metrics",
    name="metrics",
    response_class=Response,
    responses={**describe_errors(), 200: {"content": {"text/plain": TEXT}}},
)
async def get_metrics(request: Request) -> Response:
    """Return the metrics for Prometheus."""
    return Response(generate_latest(get_service(request).metrics.registry), media_type=METRICS_TYPE)


async def get_health(request: Request) -> Readiness:
    """Return whether the index can be used."""
    await get_service(request).check_index()
    return Readiness(ready=True)


async def get_live_page() -> Response:
    """Return a page that shows stories as they form; it holds no data, and listens to `/events`."""
    return render_live_page()


async def read_body(request: Request, slot: Slot) -> bytearray:
    """Return the body of a request; raise an HTTP error if it is too large or incomplete."""
    length = request.headers.get("content-length", "")
    slot.check_size(int(length) if length.isdecimal() else 0)
    body = bytearray()
    try:
        async for piece in request.stream():
            slot.grow(len(piece))
            body += piece
    except ClientDisconnect:
        raise HTTPException(400, "the body broke off") from None
    return body


async def run_while_connected(request: Request, work: Coroutine[Any, Any, Response]) -> Response:
    """Return the result of `work`; cancel it if the client disconnects."""
    working, leaving = asyncio.create_task(work), asyncio.ensure_future(request.receive())
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise HTTPException(400, "the client has gone")
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()
        del working  # for the same reason as in `Slot.wait`


def create_app(
    index: Index,
    *,
    token: str | None = None,
    limits: Limits | None = None,
    fields: Mapping[str, str] | None = None,
    preset: str | None = None,
    webhook: WebhookTarget | None = None,
) -> FastAPI:
    """Return the application over an index; if there is a `token`, requests must have it.

    `fields` maps our field names to yours, and `preset` names the export that the posted articles are in, as for
    `read_articles`; no export is recognised by its fields. `webhook` gets the changes of stories. The caller must close
    the index.
    """
    rules = build_read_rules({"fields": fields, "preset": preset or NO_PRESET})
    service = IndexService(index, limits or Limits(), rules, webhook)
    app = FastAPI(
        title="dedup",
        version=dedup.__version__,
        summary="Reports for each article whether it is new, or which article it repeats, and why.",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,  # the pages load their scripts from a content delivery network
        redoc_url=None,
        redirect_slashes=False,
        lifespan=service.lifespan,
        exception_handlers=dict.fromkeys(
            (StarletteHTTPException, IndexingError, RequestValidationError), respond_to_error
        ),
    )
    app.state.service = service
    app.add_middleware(RequestGuard, token=token, metrics=service.metrics)
    security = [Depends(HTTPBearer(description=TOKEN_DESCRIPTION, auto_error=False))] if token else []
    app.include_router(router, dependencies=security)
    app.add_api_route("/healthz", get_health, name="healthz", responses=describe_errors())
    app.add_api_route(
        "/live", get_live_page, name="live", response_class=HTMLResponse, responses=describe_errors()
    )
    return app
