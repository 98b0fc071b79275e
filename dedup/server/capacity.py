"""Limit the requests and bytes that the service holds at a time; it refuses more at once, so no queue grows without limit."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from fastapi import HTTPException
from prometheus_client import Gauge

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
    """JSON values of an article; real articles have far fewer fields, and millions of them would fill the memory."""
    requests: int = 64
    """Requests in flight: complete bodies without an answer."""
    bodies: int = 4
    """The bodies of all requests together have at most this many times `body` bytes."""
    seconds: float = 30.0
    """Seconds for a body to arrive, and for its answer."""


@dataclass
class Capacity:
    """The requests and bytes in flight."""

    limits: Limits
    gauge: Gauge
    requests: int = 0
    size: int = 0

    @contextmanager
    def open_slot(self) -> Iterator["Slot"]:
        """Yield a slot for a request; raise 503 if there is none left."""
        self.check_requests()
        slot = Slot(self)
        try:
            yield slot
        finally:
            slot.release()

    def check_requests(self) -> None:
        """Raise 503 if there are too many requests in flight."""
        if self.requests >= self.limits.requests:
            raise service_unavailable(f"there are too many requests in progress ({self.requests:,})")

    def add(self, requests: int, size: int) -> None:
        """Add to the numbers of requests and bytes, which may be negative."""
        self.requests += requests
        self.size += size
        self.gauge.set(self.requests)


@dataclass
class Slot:
    """The share of the capacity that a request holds until it is answered and its threads have ended."""

    capacity: Capacity
    requests: int = field(default=0, init=False)
    size: int = field(default=0, init=False)
    holders: int = field(default=1, init=False)

    def admit(self) -> None:
        """Count the request as in flight; raise 503 if there are too many."""
        self.capacity.check_requests()
        self.requests = 1
        self.capacity.add(1, 0)

    def check_size(self, size: int) -> None:
        """Raise 413 if a body of this size is too large."""
        if size > self.capacity.limits.body:
            raise HTTPException(
                413, f"the body may have {self.capacity.limits.body:,} bytes; send the articles in parts"
            )

    def grow(self, size: int) -> None:
        """Add bytes of the body; raise 413 or 503 if there are too many."""
        self.check_size(self.size + size)
        if self.capacity.size + size > self.capacity.limits.bodies * self.capacity.limits.body:
            raise service_unavailable("the bodies of the requests in progress are too large together")
        self.size += size
        self.capacity.add(0, size)

    async def wait(self, future: "Future[T]") -> T:
        """Return the result of a thread; a thread cannot be interrupted, so it holds the slot until it ends."""
        loop = asyncio.get_running_loop()
        self.holders += 1

        def release(_: "Future[T]") -> None:
            with suppress(RuntimeError):  # the loop has ended, and the count no longer matters
                loop.call_soon_threadsafe(self.release)

        future.add_done_callback(release)
        try:
            return await asyncio.wrap_future(future)
        finally:
            del future  # its exception refers to this frame, which would keep the bodies until the next garbage collection

    def release(self) -> None:
        """Release one holder; the last one frees the slot."""
        self.holders -= 1
        if not self.holders:
            self.capacity.add(-self.requests, -self.size)
