"""Hostile and unlucky clients against a service as a process: deadlines, limits, and errors as JSON."""

import json
import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event
from tracemalloc import get_traced_memory, start, stop
from typing import Any

import psutil
import pytest
from fastapi import HTTPException
from fastapi.testclient import TestClient
from server_processes import asked, serving

from dedup.index.index import Index
from dedup.io.read_options import build_read_rules
from dedup.server import connection
from dedup.server.app import create_app
from dedup.server.capacity import Limits
from dedup.server.requests import JSON, LINES, parse_articles

SAID = "The river Tarn rose two metres overnight and flooded the old mill at Velden Ridge."
HEAD = b"POST /articles HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    """Give a connection."""
    with socket.create_connection(("127.0.0.1", port), 30) as line:
        yield line


def reply_on(line: socket.socket) -> tuple[int, dict[str, Any], bytes]:
    """Return the status, the JSON body and the head of what a connection says until it is closed."""
    said = b""
    while piece := line.recv(1 << 16):
        said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body), head.lower()


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Return the port of a service of which each deadline is short."""
    with serving(tmp_path_factory.mktemp("service"), "--max-seconds", "2", "--max-body", "1") as (_, found):
        yield found


FRAMING = {
    "no HTTP": b"\x16\x03\x01 hello\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "length and chunks": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no chunk size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "other coding": HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
    "tunnel": b"CONNECT x:1 HTTP/1.1\r\n\r\n",
    "bytes in path": b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("sent", FRAMING.values(), ids=FRAMING)
def test_malformed_framing_is_answered_as_json_and_closed(port: int, sent: bytes) -> None:
    with connected(port) as line:
        line.sendall(sent)
        status, body, head = reply_on(line)

    assert status == 400
    assert list(body) == ["error"]
    assert b"connection: close" in head


def test_a_body_that_is_too_large_closes_the_connection(port: int) -> None:
    with connected(port) as line:
        line.sendall(HEAD + b"Content-Length: 2000000\r\n\r\n")
        status, body, head = reply_on(line)

    assert (status, body) == (413, {"error": "the body may have 1,048,576 bytes; send the articles in parts"})
    assert b"connection: close" in head


def test_a_client_that_sends_a_refused_body_to_its_end_reads_the_reason(port: int) -> None:
    status, body = asked(port, "POST", "/articles", b" " * (4 << 20), **{"content-type": "application/json"})

    assert (status, list(json.loads(body))) == (413, ["error"])


def test_a_body_that_does_not_arrive_is_given_up(port: int) -> None:
    with connected(port) as line:
        line.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        status, body, head = reply_on(line)

    assert (status, body) == (408, {"error": "the body did not arrive within 2 seconds"})
    assert b"connection: close" in head


ENDLESS = {
    "head": (b"GET / HTTP/1.1\r\nX: ", b"x" * 4096, 431),
    "extension": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 4096, 431),
    "trailer": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 600, 431),
    "crumbs": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 600, 400),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"fff\r\n%b\r\n" % (b" " * 4095), 413),
}


@pytest.mark.parametrize(("first", "then", "status"), ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_is_ended(port: int, first: bytes, then: bytes, status: int) -> None:
    with connected(port) as line:
        line.sendall(first)
        line.setblocking(False)
        said, rest, until = b"", then, time.monotonic() + 20
        while b"}" not in said and time.monotonic() < until:
            with suppress(BlockingIOError, ConnectionError):
                rest = rest[line.send(rest) :] or then
            with suppress(BlockingIOError):
                said += line.recv(1 << 16)

    assert said.startswith(b"HTTP/1.1 %d" % status)
    assert list(json.loads(said.partition(b"\r\n\r\n")[2])) == ["error"]


def test_a_head_that_does_not_arrive_is_given_up(tmp_path: Path) -> None:
    assert 1 <= connection.HEAD_SECONDS <= 30
    with serving(tmp_path) as (_, found), connected(found) as line:
        line.settimeout(connection.HEAD_SECONDS + 5)
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        status, body, _ = reply_on(line)

    assert status == 408
    assert "did not arrive" in body["error"]


def test_idle_connections_give_way_to_those_who_ask(tmp_path: Path) -> None:
    few = 300

    with serving(tmp_path, files=few) as (running, found):
        idle = [socket.create_connection(("127.0.0.1", found), 30) for _ in range(2 * few)]
        for line in idle:
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        seconds = []
        for _ in range(20):
            started = time.monotonic()
            assert asked(found, "GET", "/healthz")[0] == 200
            seconds.append(time.monotonic() - started)
        files = psutil.Process(running.pid).num_fds()
        for line in idle:
            line.close()

    assert files <= few
    assert sorted(seconds)[-2] < 1
    assert (tmp_path / "said").stat().st_size < 1000


def test_the_service_ends_while_clients_dawdle(tmp_path: Path) -> None:
    articles = b"".join(b'{"id":"%d","text":"a b"}\n' % n for n in range(5000))
    post = HEAD.replace(b"json", b"x-ndjson") + b"Content-Length: %d\r\n\r\n" % len(articles) + articles

    with serving(tmp_path) as (running, found), closing(socket.socket()) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", found))
        deaf.sendall(post)  # and reads nothing
        lines = [socket.create_connection(("127.0.0.1", found), 30) for _ in range(50)]
        for line in lines:
            line.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        time.sleep(2)
        started = time.monotonic()
        running.terminate()
        running.wait(60)
        ended = time.monotonic() - started
        for line in lines:
            line.close()

    assert running.returncode == 0
    assert ended < 10


HOSTILE = {
    "objects": b"[" + b"{}," * 5_300_000 + b"{}]",
    "lists in an article": b'{"text":"a","x":[' + b"[0]," * 4_000_000 + b"0]}",
    "strings in an article": b'{"text":"a","x":'
    + b'["",' * 900
    + b"0"
    + b"]" * 900
    + b',"y":['
    + b'"",' * 5_000_000
    + b'""]}',
    "blank lines": b"\n" * 16_000_000,
    "quotation marks": b'["' + b'\\"' * 8_000_000,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_takes_little_memory_and_time(body: bytes) -> None:
    given, kind = bytearray(body), LINES if body.startswith(b"\n") else JSON
    start()
    started = time.monotonic()
    with suppress(HTTPException):
        parse_articles(given, kind, build_read_rules({}), Limits(), Event())
    seconds, (_, peak) = time.monotonic() - started, get_traced_memory()
    stop()

    assert peak < 60 << 20
    assert seconds < 20


@pytest.fixture
def client() -> Iterator[TestClient]:
    """Return a client of a service over an empty index."""
    with Index.open(":memory:") as index, TestClient(create_app(index)) as made:
        yield made


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_refused(client: TestClient, number: str) -> None:
    body = f'{{"id": "a", "text": "{SAID}", "x": [{number}]}}'
    reply = client.post("/articles", content=body, headers={"content-type": "application/json"})

    assert reply.status_code == 400
    assert reply.json()["error"].startswith("the body is broken JSON")


@pytest.mark.parametrize(
    "name",
    ['"a\\u0000b"', '"a\\ud800"', "1.5", "9007199254740993.0", "[1]", "true", f'"{"a" * 513}"', "1" * 513],
)
def test_an_id_that_cannot_be_kept_as_it_is_is_refused(client: TestClient, name: str) -> None:
    body = f'{{"id": {name}, "text": "{SAID}"}}'
    alone = client.post("/articles", content=body, headers={"content-type": "application/json"})
    listed = client.post("/articles", content=f"[{body}]", headers={"content-type": "application/json"})

    assert alone.status_code == 422
    assert alone.json()["error"].startswith("this is not an article: the id ")
    assert [list(item) for item in listed.json()] == [["error"]]


LISTS = {
    "[]": [],
    " [ ] \n": [],
    '[{"id":"a","text":"x, ]["}]': ["a"],
    '[{"id":"a","text":"x\\"]"} , {"id":"b","text":"y","z":[{},[1,2]]}]': ["a", "b"],
}
BROKEN = ["[", "[,]", "[{}", "[{}]]", "[{}] x", '[{"id":"a]', "[{},]", "[{} {}]", "[}", '[{"a":[}]}]', "]"]


@pytest.mark.parametrize(("body", "ids"), LISTS.items())
def test_a_list_is_cut_where_its_articles_end(client: TestClient, body: str, ids: list[str]) -> None:
    reply = client.post("/articles", content=body, headers={"content-type": "application/json"})

    assert [item["id"] for item in reply.json()] == ids


@pytest.mark.parametrize("body", BROKEN)
def test_a_broken_list_is_refused_whole(client: TestClient, body: str) -> None:
    reply = client.post("/articles", content=body, headers={"content-type": "application/json"})

    assert reply.status_code == 400
    assert re.match(r"the body is broken JSON|element \d of the list is broken JSON", reply.json()["error"])


def test_head_is_answered_like_get(client: TestClient) -> None:
    assert client.head("/healthz").status_code == 200


def test_a_client_that_goes_away_takes_its_write_out_of_the_queue(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, found):
        with closing(sqlite3.connect(tmp_path / "seen.db")) as other:
            other.execute("BEGIN IMMEDIATE")  # the index waits
            with connected(found) as first, connected(found) as second:
                for name, line in (("a", first), ("b", second)):
                    body = json.dumps({"id": name, "text": SAID}).encode()
                    line.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
                    time.sleep(0.5)
            time.sleep(0.5)
        while b"dedup_requests_in_hand 0.0" not in asked(found, "GET", "/metrics")[1]:
            time.sleep(0.05)
        status = [asked(found, "GET", f"/articles/{name}")[0] for name in "ab"]

    assert status == [200, 404]
