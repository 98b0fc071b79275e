"""Pass decisions on to listeners as they are recorded, as server-sent events (WHATWG HTML, 9.2).

The latest decisions are in memory. Each listener reads them at its own pace, so a slow one costs no memory and delays nobody.
One that misses some gets an event `gap`. The thread that writes only hands its answers to the event loop.
"""

import asyncio
import json
import re
import secrets
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from dedup.index.answers import Answer
from dedup.server.errors import service_unavailable

__all__ = ["LiveEvents"]

KEPT_EVENTS = 1_000
MAX_LISTENERS = 100
HEARTBEAT_SECONDS = 15.0
"""Seconds without an event after which a listener gets a comment, so that proxies keep the connection open."""
NUMBER = re.compile("[0-9]{1,18}")
HEARTBEAT = b": heartbeat\n\n"
RETRY = b"retry: 3000\n\n"
"""Tells a browser to connect again three seconds after the connection is lost."""


class LiveEvent(NamedTuple):
    """A decision, as listeners get it."""

    kind: str
    """`story`: a new story; `followup`: a new story that follows another; `article`: another article of a story."""
    id: str
    """The name of the article."""
    story: str
    storyline: str
    relation: str | None
    score: float | None
    """Of the match; for a follow-up, the probability that it belongs to the storyline."""


class LiveEvents:
    """The latest decisions of a service, and those who listen. All methods but `publish` belong to the event loop."""

    def __init__(self) -> None:
        self.listeners = 0
        self._run = secrets.token_hex(4)
        """Part of each event id, because the numbers begin anew when the service starts."""
        self._unsent: deque[LiveEvent] = deque(maxlen=KEPT_EVENTS)
        """Events that no listener has got yet: each is encoded once, and only if somebody listens."""
        self._encoded: deque[bytes] = deque(maxlen=KEPT_EVENTS)
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._is_closed = False

    def open(self) -> None:
        """Begin to take decisions, in the current event loop."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """End the streams of all listeners."""
        self._is_closed = True
        self._notify_listeners()

    def publish(self, answers: Sequence[Answer]) -> None:
        """Hand recorded answers to the event loop; any thread may call this, and it never waits."""
        if self._loop and answers:
            with suppress(RuntimeError):  # the loop has ended, and nobody listens any more
                self._loop.call_soon_threadsafe(self.append, answers)

    def append(self, answers: Sequence[Answer]) -> None:
        """Add the decisions on articles that the index did not have, and wake the listeners."""
        events = [build_event(answer) for answer in answers if not answer.again]
        self._unsent.extend(events)
        self._count += len(events)
        if events:
            self._notify_listeners()

    async def listen(self, last_event_id: str | None) -> AsyncIterator[bytes]:
        """Yield events and heartbeats until the service ends: first the latest ones that the listener does not have."""
        seen = self._parse_event_id(last_event_id)
        self.listeners += 1
        try:
            yield RETRY
            while not self._is_closed:
                changed = self._changed
                if seen < self._count:
                    yield self._format_events(seen)
                    seen = self._count
                    continue
                try:
                    await asyncio.wait_for(changed.wait(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield HEARTBEAT
        finally:
            self.listeners -= 1

    def check_listeners(self) -> None:
        """Raise 503 if there are too many listeners."""
        if self.listeners >= MAX_LISTENERS:
            raise service_unavailable(f"there are too many listeners ({self.listeners:,})")

    def _notify_listeners(self) -> None:
        """Wake all listeners."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _parse_event_id(self, event_id: str | None) -> int:
        """Return the number of the last event that a listener has, or is too late for."""
        run, _, number = (event_id or "").partition("-")
        if run != self._run or not NUMBER.fullmatch(number):
            return max(0, self._count - KEPT_EVENTS)
        return min(int(number), self._count)

    def _format_events(self, seen: int) -> bytes:
        """Return the events after the first `seen` ones; begin with a gap if a listener missed earlier ones."""
        self._encode_events()
        start = max(seen, self._count - KEPT_EVENTS)
        latest = list(islice(reversed(self._encoded), self._count - start))
        gap = (
            f"event: gap\ndata: {json.dumps({'missed': start - seen})}\n\n".encode() if seen < start else b""
        )
        return gap + b"".join(reversed(latest))

    def _encode_events(self) -> None:
        """Encode the events that nobody has got yet."""
        for number, event in enumerate(self._unsent, self._count - len(self._unsent) + 1):
            data = json.dumps(event._asdict(), ensure_ascii=False)
            block = f"id: {self._run}-{number}\nevent: {event.kind}\ndata: {data}\n\n"
            self._encoded.append(block.encode())
        self._unsent.clear()


def build_event(answer: Answer) -> LiveEvent:
    """Return the event of a decision."""
    match, link = answer.match, answer.link
    if match:
        return LiveEvent(
            "article", answer.name, match.canonical, answer.storyline, match.relation, match.score
        )
    kind = "followup" if link else "story"
    return LiveEvent(kind, answer.name, answer.name, answer.storyline, None, link.score if link else None)
