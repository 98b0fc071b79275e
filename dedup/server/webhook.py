"""Send the changes of stories to the address that the operator names: POST requests with JSON, from a thread of their own.

The thread that writes only appends its decisions to a bounded queue, and drops them if that is full. A request that fails is
repeated with growing pauses. It is signed as Standard Webhooks (version 1) say, if there is a secret.
"""

import hmac
import http.client
import json
import logging
import secrets
import socket
import ssl
import time
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from threading import Condition, Event, Thread, Timer
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

import dedup
from dedup.errors import ServingError
from dedup.formatting import format_count
from dedup.index.answers import Answer
from dedup.server.story_changes import StoryChanges

__all__ = ["Webhook", "WebhookTarget", "parse_webhook_target"]

log = logging.getLogger("dedup.server")

MAX_WAITING_ARTICLES, MAX_WAITING_BYTES = 10_000, 64 << 20
"""The most articles that wait to be examined, and the most bytes of them."""
EVENTS_PER_REQUEST = 100
TIMEOUT_SECONDS, DEADLINE_SECONDS = 5.0, 10.0
"""Seconds to connect, and between two parts of an answer; and of a whole request."""
RETRY_SECONDS = (1.0, 5.0, 25.0)
"""The pauses before a failed request is repeated."""
TEMPORARY_STATUSES = frozenset([408, 425, 429])
"""The statuses below 500 after which a request is repeated."""
CLOSE_SECONDS = 3.0
"""Seconds in which waiting events are sent when the service ends."""
LOG_SECONDS = 60.0
"""Seconds between two lines of the log about a full queue."""
SECRET_PREFIX = "whsec_"  # noqa: S105 - no secret
SENT, LOST, DROPPED = "sent", "lost", "dropped"


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """The address that gets the events, and the key that signs them."""

    scheme: str
    host: str
    port: int | None
    path: str
    """The path with the query; it may hold a secret, so it is never logged."""
    key: bytes | None = field(default=None, repr=False)

    @property
    def origin(self) -> str:
        """Return the address without the path, for the log."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port else "")


def parse_webhook_target(url: str, secret: str | None = None) -> WebhookTarget:
    """Return the target of a URL; raise `ServingError` unless it is an address of http or https without a password.

    >>> parse_webhook_target("https://desk.example/hook?team=1").path
    '/hook?team=1'
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ServingError(
            f"--webhook needs an address such as https://desk.example/hook: {error}"
        ) from error
    is_printable = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_printable:
        raise ServingError("--webhook needs an address of http or https, such as https://desk.example/hook")
    if "@" in parts.netloc:
        raise ServingError(
            "--webhook takes no user or password in the address; DEDUP_WEBHOOK_SECRET signs the requests"
        )
    try:
        parts.hostname.encode("idna")  # as a connection does
    except UnicodeError as error:
        raise ServingError("--webhook needs the name of a host, such as desk.example") from error
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebhookTarget(
        parts.scheme, parts.hostname, port, path, None if secret is None else make_key(secret)
    )


def make_key(secret: str) -> bytes:
    """Return the key of a secret: its bytes, or those that follow `SECRET_PREFIX` in Base64."""
    if not secret.strip():
        raise ServingError("DEDUP_WEBHOOK_SECRET is empty; set it to a secret or unset it")
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode(errors="surrogateescape")
    try:
        key = b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (Base64Error, ValueError) as error:
        raise ServingError(f"DEDUP_WEBHOOK_SECRET begins with {SECRET_PREFIX} but is not Base64") from error
    if not key:
        raise ServingError(f"DEDUP_WEBHOOK_SECRET has no key after {SECRET_PREFIX}")
    return key


class Webhook:
    """A thread that examines decisions and sends the events; `count` takes an outcome and a number."""

    def __init__(self, target: WebhookTarget, count: Callable[[str, int], None]) -> None:
        self._target = target
        self._count = count
        self._changes = StoryChanges()
        self._turns: deque[tuple[pa.RecordBatch, Sequence[Answer]]] = deque()
        self._articles = self._bytes = 0
        """Those that wait, with those of the turn that is being sent."""
        self._changed = Condition()
        self._closing = Event()
        self._end = float("inf")
        """When to stop, by the clock of `time.monotonic`."""
        self._logged_full = -LOG_SECONDS
        self._thread = Thread(target=self._work, name="dedup webhook", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def offer(self, batch: pa.RecordBatch, answers: Sequence[Answer]) -> None:
        """Take the decisions on a batch, or drop them if too many wait; this never waits for the network."""
        new = sum(not answer.again for answer in answers)
        if not new:
            return
        with self._changed:
            is_full = self._articles and (
                self._articles + len(answers) > MAX_WAITING_ARTICLES
                or self._bytes + batch.nbytes > MAX_WAITING_BYTES
            )
            if not is_full:
                self._turns.append((batch, answers))
                self._articles += len(answers)
                self._bytes += batch.nbytes
                self._changed.notify()
        if is_full:
            self._report_full(new)

    def close(self) -> None:
        """Send what waits, once and for `CLOSE_SECONDS` at most; the rest is lost."""
        self._end = time.monotonic() + CLOSE_SECONDS
        self._closing.set()
        with self._changed:
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)
        with self._changed:
            left = self._articles
        if left:
            log.warning("webhook: the events of the last %s were not sent", format_count(left, "article"))

    def _report_full(self, articles: int) -> None:
        """Count dropped articles, and log them from time to time."""
        self._count(DROPPED, articles)
        if time.monotonic() - self._logged_full >= LOG_SECONDS:
            self._logged_full = time.monotonic()
            log.warning(
                "webhook: %s is too slow: the events of %s wait, and further ones are dropped until there is room",
                self._target.origin,
                format_count(self._articles, "article"),
            )

    def _work(self) -> None:
        """Examine and send the turns until the service ends."""
        while turn := self._take_turn():
            batch, answers = turn
            try:
                for events in split_events(self._changes.find_changes(batch, answers)):
                    self._deliver(events)
            except Exception as error:  # noqa: BLE001 - its message may quote a text
                log.error("webhook: events could not be made: %s", type(error).__name__)  # noqa: TRY400 - as above
                self._count(DROPPED, len(answers))
            with self._changed:
                self._articles -= len(answers)
                self._bytes -= batch.nbytes

    def _take_turn(self) -> tuple[pa.RecordBatch, Sequence[Answer]] | None:
        """Return the next turn, once there is one; None when the service ends."""
        with self._changed:
            while not self._turns and not self._closing.is_set():
                self._changed.wait()
            return self._turns.popleft() if self._turns and time.monotonic() < self._end else None

    def _deliver(self, events: Sequence[dict[str, Any]]) -> None:
        """Send events in one request, which is repeated if it fails; count and log those that are lost."""
        body = json.dumps({"events": list(events)}).encode()
        name, reason, attempts = f"msg_{secrets.token_hex(12)}", "", 0
        for pause in (0.0, *RETRY_SECONDS):
            if attempts and self._closing.wait(pause):
                break
            attempts += 1
            reason, is_temporary = self._post(name, body)
            if not reason:
                self._count(SENT, len(events))
                return
            if not is_temporary:
                break
        self._count(LOST, len(events))
        log.warning(
            "webhook: %s lost: %s %s (attempts: %d)",
            format_count(len(events), "event"),
            self._target.origin,
            reason,
            attempts,
        )

    def _post(self, name: str, body: bytes) -> tuple[str, bool]:
        """Send one request; return why it failed, or "", and whether it may succeed later."""
        try:
            status = send_request(self._target, make_headers(self._target.key, name, body), body)
        except (OSError, http.client.HTTPException) as error:
            words = "did not answer in time" if isinstance(error, TimeoutError) else "cannot be reached"
            return f"{words} ({type(error).__name__})", True
        if http.HTTPStatus.OK <= status < http.HTTPStatus.MULTIPLE_CHOICES:
            return "", False
        is_temporary = status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or status in TEMPORARY_STATUSES
        return f"answered {status}", is_temporary


def split_events(events: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the events in parts that fit into one request each."""
    waiting = iter(events)
    while part := list(islice(waiting, EVENTS_PER_REQUEST)):
        yield part


def make_headers(key: bytes | None, name: str, body: bytes) -> dict[str, str]:
    """Return the headers of a request: its id and time, and their signature with the body."""
    now = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"dedup/{dedup.__version__}",
        "Webhook-Id": name,
        "Webhook-Timestamp": now,
    }
    if key is not None:
        digest = hmac.digest(key, f"{name}.{now}.".encode() + body, sha256)
        headers["Webhook-Signature"] = f"v1,{b64encode(digest).decode()}"
    return headers


def send_request(target: WebhookTarget, headers: dict[str, str], body: bytes) -> int:
    """Send a request and return the status of the answer; redirects are not followed, and the answer is not read."""
    connection: http.client.HTTPConnection
    if target.scheme == "https":
        connection = http.client.HTTPSConnection(
            target.host, target.port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(target.host, target.port, timeout=TIMEOUT_SECONDS)
    with closing(connection):
        connection.connect()
        timer = Timer(DEADLINE_SECONDS, end_connection, (connection.sock,))
        timer.daemon = True
        timer.start()
        try:
            connection.request("POST", target.path, body, headers)
            return connection.getresponse().status
        finally:
            timer.cancel()


def end_connection(connection: socket.socket) -> None:
    """End a connection that takes too long, although bytes still come.

    An `SSLSocket` would first forget its encryption, while the other thread may still send.
    """
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
