"""The stream of events: what it says of each decision, where it continues, and that it ends with the service."""

import asyncio
import http.client
import json
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from newsmaker import story
from server_processes import asked, serving

from dedup.index.answers import Answer
from dedup.index.index import Index
from dedup.matching.classifier import Match
from dedup.server import live_events
from dedup.server.app import create_app
from dedup.server.live_events import HEARTBEAT, KEPT_EVENTS, RETRY, LiveEvents

JSON = {"Content-Type": "application/json"}
TOKEN = "s3cret"  # noqa: S105 - it opens nothing
Event = tuple[str, str, dict[str, Any]]
"""The id, the kind and the data of an event."""


def new(name: str) -> Answer:
    return Answer(name, 1, None, again=False, storyline=name)


def repeated(name: str, story: str) -> Answer:
    return Answer(name, 1, Match(name, story, "copy", 0.9, {}), again=False, storyline=story)


def chapter(name: str, first: str) -> Answer:
    link = Match(name, first, "followup", 0.8, {})
    return Answer(name, 1, None, again=False, storyline=first, link=link)


def parse(stream: bytes) -> list[Event]:
    """Return the events of a stream."""
    found = []
    for block in stream.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and line[0] != ":")
        if "data" in fields:
            found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
    return found


def heard(events: LiveEvents, last: str | None = None) -> list[Event]:
    """Return the events that a new listener gets at once."""

    async def listen() -> bytes:
        stream = events.listen(last)
        parts = [await anext(stream), await anext(stream)]
        await closed(stream)
        return b"".join(parts)

    return parse(asyncio.run(listen()))


async def closed(stream: AsyncIterator[bytes]) -> None:
    await stream.aclose()  # type: ignore[attr-defined]


def test_each_decision_is_an_event_of_its_kind() -> None:
    events = LiveEvents()
    events.append([new("a"), repeated("b", "a"), chapter("c", "a")])

    found = heard(events)

    assert [(kind, data["id"], data["story"], data["storyline"]) for _, kind, data in found] == [
        ("story", "a", "a", "a"),
        ("article", "b", "a", "a"),
        ("followup", "c", "c", "a"),
    ]
    assert [(data["relation"], data["score"]) for *_, data in found] == [
        (None, None),
        ("copy", 0.9),
        (None, 0.8),
    ]


def test_an_article_that_comes_again_is_no_event() -> None:
    events = LiveEvents()
    events.append([Answer("a", 1, None, again=True, storyline="a"), new("b")])

    assert [data["id"] for *_, data in heard(events)] == ["b"]


def test_a_listener_continues_after_its_last_event() -> None:
    events = LiveEvents()
    events.append([new(name) for name in "abc"])
    second = heard(events)[1][0]

    assert [data["id"] for *_, data in heard(events, second)] == ["c"]


@pytest.mark.parametrize("last", ["", "0-1", "nonsense", "-", "0" * 5000, "²"])
def test_an_id_of_another_run_of_the_service_gets_all_that_is_in_memory(last: str) -> None:
    events = LiveEvents()
    events.append([new(name) for name in "ab"])

    assert [data["id"] for *_, data in heard(events, last)] == ["a", "b"]


def test_a_listener_that_fell_behind_gets_the_number_of_decisions_that_it_missed() -> None:
    events = LiveEvents()
    events.append([new("a")])
    first = heard(events)[0][0]
    events.append([new(f"{k}") for k in range(KEPT_EVENTS + 7)])

    gap, *others = heard(events, first)

    assert gap[1:] == ("gap", {"missed": 7})
    assert [data["id"] for *_, data in others] == [f"{k}" for k in range(7, KEPT_EVENTS + 7)]


def test_a_name_with_a_line_break_stays_one_event() -> None:
    events = LiveEvents()
    events.append([new("a\nevent: gap\n\ndata: {}")])

    assert [data["id"] for *_, data in heard(events)] == ["a\nevent: gap\n\ndata: {}"]


def test_a_listener_without_events_gets_heartbeats_and_then_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_events, "HEARTBEAT_SECONDS", 0.01)
    events = LiveEvents()

    async def listen() -> tuple[list[bytes], int, list[bytes]]:
        stream = events.listen(None)
        parts, listeners = [await anext(stream), await anext(stream)], events.listeners
        events.close()
        return parts, listeners, [part async for part in stream]

    assert asyncio.run(listen()) == ([RETRY, HEARTBEAT], 1, [])
    assert events.listeners == 0


def test_too_many_listeners_are_asked_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_events, "MAX_LISTENERS", 0)
    with Index.open(":memory:") as index, TestClient(create_app(index)) as client:
        reply = client.get("/events")

    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
    assert "too many listeners" in reply.json()["error"]


@contextmanager
def listening(port: int, *, ends: bool = False, **headers: str) -> Iterator[Callable[[int], list[Event]]]:
    """Give a function that waits for so many events of a service."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(
            "GET", "/events", headers={name.replace("_", "-"): headers[name] for name in headers}
        )
        reply = connection.getresponse()
        assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")

        def wait(count: int) -> list[Event]:
            stream = b""
            while len(found := parse(stream)) < count:
                line = reply.readline()
                assert line, "the stream ended"
                stream += line
            return found

        yield wait
        if ends:
            reply.read()  # IncompleteRead unless the service ends the stream


def test_decisions_reach_a_listener_as_they_are_made(tmp_path: Path) -> None:
    with serving(tmp_path) as (service, port), listening(port, ends=True) as wait:
        for name, article in {"first": story(1), "copied": story(1), "other": story(5)}.items():
            status, _ = asked(
                port, "POST", "/articles", json.dumps({"id": name, **article}, default=str).encode(), **JSON
            )
            assert status == 200
        found = wait(3)
        with listening(port, Last_Event_ID=found[1][0]) as wait_after:
            later = wait_after(1)
        service.send_signal(signal.SIGTERM)
        assert service.wait(60) == 0

    assert [(kind, data["story"]) for _, kind, data in found] == [
        ("story", "first"),
        ("article", "first"),
        ("story", "other"),
    ]
    assert later == found[2:]


def test_events_need_the_token_and_the_page_does_not() -> None:
    with Index.open(":memory:") as index, TestClient(create_app(index, token=TOKEN)) as client:
        statuses = [client.get(path).status_code for path in (f"/events?token={TOKEN}", "/events", "/live")]

    assert statuses == [401, 401, 200]


def test_articles_are_decided_on_without_an_event_loop_that_takes_events() -> None:
    events = LiveEvents()

    events.publish([new("a")])

    assert events.listeners == 0


def test_listeners_get_the_same_events_whenever_they_come() -> None:
    events = LiveEvents()
    events.append([new("early")])
    early = heard(events)
    events.append([new(f"{k}") for k in range(KEPT_EVENTS - 1)])

    found = heard(events)

    assert found[:1] == early
    assert found == heard(events)
    assert [data["id"] for *_, data in found] == ["early", *(f"{k}" for k in range(KEPT_EVENTS - 1))]
