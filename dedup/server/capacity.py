"""Limits on what the service holds at a time. More than that is refused at once, so nothing queues without end."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from fastapi import HTTPException
from prometheus_client import Gauge

from dedup.formatting import format_count
from dedup.server.errors import service_unavailable

__all__ = ["Capacity", "Limits", "Slot"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a service."""

    body: int = 16 << 20
    """Bytes of a request."""
    articles: int = 5_000
    """Articles of a request."""
    values: int = 10_000
    """JSON values of an article: no article has as many fields, and millions of them would fill the memory."""
    requests: int = 64
    """Requests in flight: their bodies are complete, and they are not answered yet."""
    bodies: int = 4
    """The bodies of all requests together have at most this many times `body` bytes."""
    seconds: float = 30.0
    """Time for the body of a request to arrive and to be answered."""


@dataclass
class Capacity:
    """The requests and bytes in flight."""

    limits: Limits
    gauge: Gauge
    requests: int = 0
    size: int = 0

    @contextmanager
    def open_slot(self) -> Iterator["Slot"]:
        """Give a slot to a request; raise 503 where there is none left."""
        self.check_requests()
        slot = Slot(self)
        try:
            yield slot
        finally:
            slot.release()

    def check_requests(self) -> None:
        """Raise 503 where no further request can be in flight."""
        if self.requests >= self.limits.requests:
            raise service_unavailable(
                f"{format_count(self.requests, 'request')} are in hand, and there is no room for more"
            )

    def add(self, requests: int, size: int) -> None:
        """Count requests and bytes in or out."""
        self.requests += requests
        self.size += size
        self.gauge.set(self.requests)


@dataclass
class Slot:
    """What one request holds: until it is answered, and until the threads that work for it have ended."""

    capacity: Capacity
    requests: int = field(default=0, init=False)
    size: int = field(default=0, init=False)
    holders: int = field(default=1, init=False)

    def admit(self) -> None:
        """Count the request as in flight; raise 503 where there are too many."""
        self.capacity.check_requests()
        self.requests = 1
        self.capacity.add(1, 0)

    def check_size(self, size: int) -> None:
        """Raise 413 where a body of a size is too large."""
        if size > self.capacity.limits.body:
            raise HTTPException(
                413, f"the body may have {self.capacity.limits.body:,} bytes; send the articles in parts"
            )

    def grow(self, size: int) -> None:
        """Count further bytes of the body; raise 413 or 503 where they are too many."""
        self.check_size(self.size + size)
        if self.capacity.size + size > self.capacity.limits.bodies * self.capacity.limits.body:
            raise service_unavailable("the requests in hand are as large as can be held")
        self.size += size
        self.capacity.add(0, size)

    async def wait(self, future: "Future[T]") -> T:
        """Return what a thread works out; a thread cannot be interrupted, so it holds the slot until its end."""
        loop = asyncio.get_running_loop()
        self.holders += 1

        def release(_: "Future[T]") -> None:
            with suppress(RuntimeError):  # the loop has ended, and nobody counts any more
                loop.call_soon_threadsafe(self.release)

        future.add_done_callback(release)
        try:
            return await asyncio.wrap_future(future)
        finally:
            del (
                future
            )  # an error of it holds this frame, whose bodies would stay until the next garbage collection

    def release(self) -> None:
        """Let one holder go; the last one gives the slot back."""
        self.holders -= 1
        if not self.holders:
            self.capacity.add(-self.requests, -self.size)
