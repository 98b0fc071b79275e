"""The webhook: requests to a real server, also to one that fails, hangs or is away, and what is counted."""

import hmac
import json
import logging
import socket
import ssl
import time
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from commands import ROOT, called
from fastapi.testclient import TestClient
from server_processes import asked, serving
from wire_newsroom import make_newsroom

from dedup.errors import ServingError
from dedup.index.index import Index
from dedup.server import webhook
from dedup.server.app import create_app
from dedup.server.story_changes import StoryChanges
from dedup.server.webhook import Webhook, parse_webhook_target

PATIENCE = 30.0
"""Seconds to wait for a request on a busy machine."""
NEWSROOM = ROOT / "examples" / "newsroom.jsonl"
LINES = {"content-type": "application/x-ndjson"}
SECRET = "whsec_" + b64encode(b"an invented key").decode()
HANG = 0
"""The status of a receiver that never answers."""


class Receiver(ThreadingHTTPServer):
    """A server that keeps what it gets, and answers with the statuses that it is given, the last one for ever."""

    daemon_threads = True

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.statuses = list(statuses) or [204]
        self.requests: list[tuple[dict[str, str], bytes, str]] = []
        self.ended = Event()

    @property
    def url(self) -> str:
        """Return the address of the receiver."""
        return f"http://127.0.0.1:{self.server_port}/hook?team=1"

    @property
    def events(self) -> list[dict[str, Any]]:
        """Return the events of all requests."""
        return [event for _, body, _ in self.requests for event in json.loads(body)["events"]]


class ReceiverHandler(BaseHTTPRequestHandler):
    """Answer a request of the webhook."""

    server: Receiver

    def do_POST(self) -> None:
        """Keep the request, and answer."""
        body = self.rfile.read(int(self.headers["content-length"]))
        status = self.server.statuses.pop(0) if len(self.server.statuses) > 1 else self.server.statuses[0]
        self.server.requests.append(({k.lower(): v for k, v in self.headers.items()}, body, self.path))
        if status == HANG:
            self.server.ended.wait(PATIENCE)
            return
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def receiving(*statuses: int) -> Iterator[Receiver]:
    """Give a receiver that runs."""
    with Receiver(*statuses) as receiver:
        thread = Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.ended.set()
            receiver.shutdown()
            thread.join()


@contextmanager
def served(url: str, secret: str | None = None) -> Iterator[TestClient]:
    """Give a client of a service with a webhook."""
    with Index.open(":memory:") as index:
        target = parse_webhook_target(url, secret)
        with TestClient(create_app(index, webhook=target)) as client:
            yield client


def wait_until(is_done: Callable[[], Any]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not is_done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)


def post(client: TestClient, *articles: dict[str, Any]) -> None:
    """Send articles, and check that the answer is there."""
    body = "".join(json.dumps(each) + "\n" for each in articles)
    assert client.post("/articles", content=body, headers=LINES).status_code == 200


def read_counts(client: TestClient) -> dict[str, float]:
    """Return the counts of the webhook by outcome."""
    lines = [
        line for line in client.get("/metrics").text.splitlines() if line.startswith("dedup_webhook_total{")
    ]
    return {line.split('"')[1]: float(line.split()[-1]) for line in lines}


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat failed requests at once."""
    monkeypatch.setattr(webhook, "RETRY_SECONDS", (0.0, 0.0, 0.0))


def test_stories_origins_and_changed_facts_reach_the_receiver() -> None:
    with receiving() as receiver, served(receiver.url) as client:
        for article in make_newsroom():
            post(client, article)
        wait_until(lambda: read_counts(client).get("sent", 0) >= 4)

        found = Counter((event["kind"], event["id"]) for event in receiver.events)
        assert found[("story", "anker-1/bridge")] == 1
        assert {name for kind, name in found if kind == "facts"} == {"anker-1/bridge#2", "boje-2/bridge#2"}
        assert {path for *_, path in receiver.requests} == {"/hook?team=1"}
        assert read_counts(client) == {"sent": len(receiver.events)}


def test_a_report_of_another_outlet_is_a_new_origin() -> None:
    ferry = [json.loads(line) for line in NEWSROOM.read_text("utf-8").splitlines() if "ferry-aground" in line]
    with receiving() as receiver, served(receiver.url) as client:
        post(client, *sorted(ferry, key=lambda article: str(article["id"]))[:2])
        wait_until(lambda: receiver.requests)

    assert [(event["kind"], event["id"]) for event in receiver.events] == [
        ("story", "ferry-aground-1"),
        ("origin", "ferry-aground-2"),
    ]
    assert (
        receiver.events[1].items()
        >= {"source": "Coastal Daily", "agencies": [], "story": "ferry-aground-1"}.items()
    )


def test_a_request_holds_no_text() -> None:
    with receiving() as receiver, served(receiver.url) as client:
        post(client, *make_newsroom()[:3])
        wait_until(lambda: receiver.requests)

    assert all(b"gravel" not in body for _, body, _ in receiver.requests)


def test_a_secret_signs_the_id_the_time_and_the_body() -> None:
    with receiving() as receiver, served(receiver.url, SECRET) as client:
        post(client, make_newsroom()[0])
        wait_until(lambda: receiver.requests)

    [(headers, body, _)] = receiver.requests
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    version, _, signature = headers["webhook-signature"].partition(",")
    assert (version, b64decode(signature)) == ("v1", hmac.digest(b"an invented key", signed, sha256))
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 2 * PATIENCE


def test_without_a_secret_nothing_is_signed() -> None:
    with receiving() as receiver, served(receiver.url) as client:
        post(client, make_newsroom()[0])
        wait_until(lambda: receiver.requests)

    assert "webhook-signature" not in receiver.requests[0][0]


@pytest.mark.usefixtures("at_once")
def test_a_failed_request_is_repeated_with_the_same_id() -> None:
    with receiving(500, 429, 204) as receiver, served(receiver.url) as client:
        post(client, make_newsroom()[0])
        wait_until(lambda: read_counts(client).get("sent"))

        assert len({headers["webhook-id"] for headers, *_ in receiver.requests}) == 1
        assert len({body for _, body, _ in receiver.requests}) == 1
        assert (len(receiver.requests), read_counts(client)) == (3, {"sent": 1})


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("status", "requests"), [(500, 4), (400, 1), (302, 1)])
def test_lost_events_are_counted_and_logged_without_the_path(
    status: int, requests: int, caplog: pytest.LogCaptureFixture
) -> None:
    with receiving(status) as receiver, served(receiver.url) as client:
        post(client, make_newsroom()[0])
        wait_until(lambda: read_counts(client).get("lost"))

        assert len(receiver.requests) == requests
    [line] = [record.getMessage() for record in caplog.records if "webhook" in record.getMessage()]
    port = receiver.server_port
    assert line == (
        f"webhook: 1 event lost: http://127.0.0.1:{port} answered {status} (attempts: {requests})"
    )


@pytest.mark.usefixtures("at_once")
def test_a_receiver_that_is_away_stops_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with served(f"http://127.0.0.1:{unused.getsockname()[1]}/") as client:
            post(client, make_newsroom()[0])
            wait_until(lambda: read_counts(client).get("lost") == 1)


def test_a_receiver_that_hangs_delays_no_answer_and_the_rest_is_dropped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(webhook, "MAX_WAITING_ARTICLES", 2)
    monkeypatch.setattr(webhook, "CLOSE_SECONDS", 0.1)
    with receiving(HANG) as receiver, served(receiver.url) as client:
        post(client, make_newsroom()[0])
        wait_until(lambda: receiver.requests)
        for article in make_newsroom()[1:5]:
            post(client, article)

        assert len(receiver.requests) == 1, "all were answered while the first request hangs"
        assert read_counts(client) == {"dropped": 3}
        assert client.get("/healthz").status_code == 200
    full = [record for record in caplog.records if "is too slow" in record.getMessage()]
    assert [record.levelno for record in full] == [logging.WARNING]
    assert "the events of the last 2 articles were not sent" in caplog.text


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("limit", ["TIMEOUT_SECONDS", "DEADLINE_SECONDS"])
def test_a_request_ends_when_its_time_is_over(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, limit, 0.1)
    with receiving(HANG, 204) as receiver, served(receiver.url) as client:
        post(client, make_newsroom()[0])
        wait_until(lambda: read_counts(client).get("sent"))

        assert len(receiver.requests) == 2


def test_a_queue_without_room_takes_one_turn_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "MAX_WAITING_BYTES", 1)
    with receiving() as receiver, served(receiver.url) as client:
        post(client, *make_newsroom())
        wait_until(lambda: receiver.requests)

        assert receiver.events[0]["kind"] == "story"


def test_events_that_cannot_be_made_are_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("the text of an article")

    monkeypatch.setattr(StoryChanges, "find_changes", fail)
    with receiving() as receiver, served(receiver.url) as client:
        post(client, make_newsroom()[0])
        wait_until(lambda: read_counts(client) == {"dropped": 1})

    assert "ValueError" in caplog.text
    assert "the text of an article" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://desk.example/",
        "desk.example/hook",
        "http://",
        "https://user:word@desk.example/",
        "http://desk.example:99999/",
        "http://desk.example/a b",
        "http://desk.example/\r\nX-Evil: 1",
        "http://[::1/",
        "http://desk..example/",
    ],
)
def test_another_address_is_one_sentence(url: str) -> None:
    with pytest.raises(ServingError, match="--webhook"):
        parse_webhook_target(url)


@pytest.mark.parametrize("secret", ["", " ", "whsec_", "whsec_not base64"])
def test_a_wrong_secret_is_one_sentence_that_does_not_show_it(secret: str) -> None:
    with pytest.raises(ServingError, match="DEDUP_WEBHOOK_SECRET") as caught:
        parse_webhook_target("http://desk.example/", secret)

    assert "not base64" not in str(caught.value)


def test_the_end_of_a_slow_request_keeps_its_encryption() -> None:
    first, second = socket.socketpair()
    with (
        second,
        ssl.create_default_context().wrap_socket(
            first, server_hostname="desk.example", do_handshake_on_connect=False
        ) as connection,
    ):
        webhook.end_connection(connection)

        with pytest.raises(OSError):  # noqa: PT011 - without encryption it would be a ValueError
            connection.unwrap()


def test_a_target_shows_neither_its_key_nor_its_path() -> None:
    target = parse_webhook_target("https://desk.example:8443/hook?token=hidden", "a key")

    assert "a key" not in repr(target)
    assert target.origin == "https://desk.example:8443"


def test_the_command_refuses_another_address(tmp_path: Path) -> None:
    done = called("serve", "--index", tmp_path / "seen.db", "--webhook", "file:///etc/passwd")

    assert (done.exit_code, done.stderr) == (
        1,
        "Error: --webhook needs an address of http or https, such as https://desk.example/hook\n",
    )


def test_the_service_sends_what_waits_before_it_ends(tmp_path: Path) -> None:
    with receiving() as receiver:
        with serving(tmp_path, "--webhook", receiver.url, DEDUP_WEBHOOK_SECRET=SECRET) as (_, port):
            body = "".join(json.dumps(each) + "\n" for each in make_newsroom()).encode()
            status, _ = asked(port, "POST", "/articles", body, **LINES)
            assert status == 200

        assert (receiver.events[0]["kind"], receiver.events[0]["id"]) == ("story", "anker-1/bridge")
        assert "webhook-signature" in receiver.requests[0][0]


def test_nothing_is_sent_before_the_service_runs() -> None:
    counted: list[tuple[str, int]] = []

    idle = Webhook(parse_webhook_target("http://127.0.0.1:9/"), lambda *values: counted.append(values))
    idle.close()

    assert counted == []
