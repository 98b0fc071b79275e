"""Answer requests from an index: parse articles, write them, read them. Long steps run outside of the event loop."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa
from fastapi import FastAPI, HTTPException, Response

from dedup.errors import IndexingError
from dedup.index.answers import Answer
from dedup.index.index import Index
from dedup.io.read_options import ReadRules
from dedup.io.schema import SCHEMA
from dedup.server.capacity import Capacity, Limits, Slot
from dedup.server.errors import service_unavailable
from dedup.server.live_events import LiveEvents
from dedup.server.metrics import Metrics
from dedup.server.requests import PostedArticles, parse_articles
from dedup.server.response_models import Decision, render, respond
from dedup.server.webhook import Webhook, WebhookTarget
from dedup.server.write_queue import WriteQueue

__all__ = ["IndexService"]

T = TypeVar("T")
SMALL_BYTES, SMALL_ARTICLES = 1 << 15, 100
"""Bodies and answers up to this size are processed in the event loop, larger ones in a thread."""
PROBE_SECONDS = 5.0
"""An index that cannot complete an empty transaction within this time is unusable."""
EMPTY = pa.RecordBatch.from_pylist([], SCHEMA)


@dataclass
class IndexService:
    """Answer requests from an index, within limits and in threads."""

    index: Index
    limits: Limits
    rules: ReadRules
    """How posted records become articles."""
    target: WebhookTarget | None = None
    """The address that gets the changes of stories."""

    def __post_init__(self) -> None:
        self.metrics = Metrics(self.index)
        self.capacity = Capacity(self.limits, self.metrics.in_flight)
        self.events = LiveEvents()
        self.webhook = Webhook(self.target, self.metrics.count_webhook) if self.target else None
        self.writes = WriteQueue(self.index, self.metrics, self.publish)
        self.workers = ThreadPoolExecutor(1, "dedup parse")
        self.readers = ThreadPoolExecutor(4, "dedup read")

    @asynccontextmanager
    async def lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        """Pass decisions on while the application runs, and stop the threads when it ends."""
        self.events.open()
        if self.webhook:
            self.webhook.start()
        try:
            yield
        finally:
            await asyncio.to_thread(self.writes.close)
            if self.webhook:
                await asyncio.to_thread(self.webhook.close)
            for pool in (self.workers, self.readers):
                pool.shutdown(wait=False, cancel_futures=True)

    def publish(self, batch: pa.RecordBatch, answers: Sequence[Answer]) -> None:
        """Pass recorded decisions on to listeners and to the webhook; the writing thread calls this, and never waits."""
        self.events.publish(answers)
        if self.webhook:
            self.webhook.offer(batch, answers)

    async def decide(self, body: bytearray, kind: str, slot: Slot) -> Response:
        """Return the decisions on the articles of a body, once they are stored."""
        posted = await self._parse(body, kind, slot)
        body.clear()
        self.metrics.count_posted(len(posted.positions) + len(posted.errors), len(posted.errors))
        answers: list[Answer] = []
        if posted.positions:
            answers = await slot.wait(self.writes.submit(posted.batch))
        if len(answers) <= SMALL_ARTICLES:
            return respond(render(posted, answers), kind)
        return respond(await slot.wait(self.workers.submit(render, posted, answers)), kind)

    async def _parse(self, body: bytearray, kind: str, slot: Slot) -> PostedArticles:
        """Return the articles of a body; parsing in a thread is cancelled if the request is."""
        cancelled = threading.Event()
        options = (body, kind, self.rules, self.limits, cancelled)
        if len(body) < SMALL_BYTES:
            return parse_articles(*options)
        try:
            return await slot.wait(self.workers.submit(parse_articles, *options))
        finally:
            cancelled.set()

    async def look_up(self, read: Callable[[str], list[Answer]], name: str, slot: Slot) -> list[Decision]:
        """Return the decisions on an article from the index; raise 404 if it has none."""
        answers = await self.read(lambda: read(name), slot)
        if not answers:
            raise HTTPException(404, "there is no such article in the index")
        return [Decision.from_answer(answer) for answer in answers]

    async def read(self, function: Callable[[], T], slot: Slot) -> T:
        """Return the result of a function that reads the index, run in a thread; raise 503 if it takes too long."""
        slot.admit()
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await slot.wait(self.readers.submit(function))
        except TimeoutError:
            raise service_unavailable(f"there was no answer within {self.limits.seconds:g} seconds") from None

    async def check_index(self) -> None:
        """Raise 503 if the index is unusable, judged by the latest transaction or, without work, by an empty one."""
        if not self.writes.is_alive():
            raise HTTPException(503, "the thread that writes to the index has ended")
        if not self.capacity.requests:
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    await asyncio.wrap_future(self.writes.submit(EMPTY))
            except TimeoutError:
                raise service_unavailable(
                    f"the index did not answer within {PROBE_SECONDS:g} seconds"
                ) from None
            except IndexingError as error:
                raise HTTPException(503, str(error)) from None
        if self.writes.failure:
            raise HTTPException(503, self.writes.failure)
