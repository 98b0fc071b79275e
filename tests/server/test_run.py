"""`dedup serve` as a process: it starts, is killed and started again, and ends in good order; what it will not do, it says."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from commands import called
from newsmaker import Article, planned
from server_processes import asked, serving

from dedup.index.index import Index
from dedup.server.run import bind

SAID = "The river Tarn rose two metres overnight and flooded the old mill at Velden Ridge."


def sent(port: int, articles: list[Article]) -> list[dict[str, Any]]:
    """Return the decisions on some articles, sent as lines."""
    body = b"".join(json.dumps(article, default=str).encode() + b"\n" for article in articles)
    status, reply = asked(port, "POST", "/articles", body, **{"content-type": "application/x-ndjson"})
    assert status == 200, reply
    return [json.loads(line) for line in reply.splitlines()]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(tmp_path: Path, end: signal.Signals) -> None:
    with serving(tmp_path, end=end) as (running, port):
        sent(port, planned(5, seed=1))
        assert asked(port, "GET", "/healthz")[0] == 200

    assert running.returncode == 0
    assert (tmp_path / "said").read_text().splitlines()[-1] == "stopped"
    assert {path.name for path in tmp_path.iterdir()} == {"said", "seen.db"}


def test_what_is_in_hand_is_answered_before_it_ends(tmp_path: Path) -> None:
    articles = planned(20, seed=1)

    with serving(tmp_path) as (running, port), ThreadPoolExecutor(1) as pool:
        with closing(sqlite3.connect(tmp_path / "seen.db")) as other:
            other.execute("BEGIN IMMEDIATE")  # nobody else has a turn
            reply = pool.submit(sent, port, articles)
            while b"dedup_requests_in_hand 1.0" not in asked(port, "GET", "/metrics")[1]:
                assert not reply.done()
            running.terminate()
            with pytest.raises(subprocess.TimeoutExpired):
                running.wait(1)
            with pytest.raises(ConnectionRefusedError):
                asked(port, "GET", "/healthz")
        decisions = reply.result()

    assert running.returncode == 0
    with Index.open(tmp_path / "seen.db") as index:
        assert [index.history(made["id"])[0].name for made in decisions] == [a["id"] for a in articles]


def test_killed_and_started_again_it_answers_as_before(tmp_path: Path) -> None:
    articles = planned(60, seed=9, stories=6)

    with serving(tmp_path, end=signal.SIGKILL) as (_, port):
        first = sent(port, articles[:40])
    with serving(tmp_path) as (_, port):
        again = sent(port, articles)

    assert all(decision["dedup"].pop("again") for decision in again[:40])
    assert again[:40] == first
    with Index.open(":memory:") as index:
        expected = index.add(articles)
    assert [made["dedup"]["relation"] for made in again] == [m and m.relation for _, m in expected]


def test_killed_in_mid_stream_nothing_that_was_answered_is_lost(tmp_path: Path) -> None:
    articles = planned(400, seed=11, stories=60)
    answered: list[dict[str, Any]] = []

    with serving(tmp_path) as (running, port), ThreadPoolExecutor(1) as pool:
        feed = iter(articles)

        def push() -> None:
            for article in feed:
                answered.extend(sent(port, [article]))

        pushing = pool.submit(push)
        while len(answered) < 20 and not pushing.done():
            pass
        running.kill()
        with pytest.raises((OSError, http.client.HTTPException)):
            pushing.result()
    with serving(tmp_path) as (_, port):
        again = sent(port, articles[: len(answered)])

    assert 20 <= len(answered) < 400
    assert all(decision["dedup"].pop("again") for decision in again)
    assert again == answered


def test_a_path_may_hold_quotes_slashes_newlines_and_percent_signs(tmp_path: Path) -> None:
    names = ['/a "b"/%41\n//c?d#2\n', "%", "a%2Fb", "ä/\u2028", " b "]

    with serving(tmp_path) as (_, port):
        sent(port, [{"id": name, "text": SAID} for name in names])
        found = [json.loads(asked(port, "GET", f"/articles/{quote(n, safe='')}")[1]) for n in names]
        (story, broken) = asked(port, "GET", "/clusters/%25"), asked(port, "GET", "/articles/%FF")

    assert [history["id"] for history in found] == names
    assert json.loads(story[1])["size"] == len(names)
    assert broken[0] == 404


def test_what_is_no_http_does_not_end_it(tmp_path: Path) -> None:
    with serving(tmp_path) as (_, port):
        with socket.create_connection(("127.0.0.1", port), 30) as line:
            line.sendall(b"\x16\x03\x01 hello\r\n\r\n")
            refused = line.recv(100)
        with socket.create_connection(("127.0.0.1", port), 30) as line:
            line.sendall(b"POST /articles HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n")
            line.sendall(b"Content-Length: 100\r\n\r\n{")
        alive = asked(port, "GET", "/healthz")

    assert refused.startswith(b"HTTP/1.1 400")
    assert alive[0] == 200


def test_the_token_of_the_environment_is_asked_for(tmp_path: Path) -> None:
    with serving(tmp_path, DEDUP_TOKEN="a secret") as (_, port):  # noqa: S106 - it opens nothing
        denied, health = asked(port, "GET", "/metrics"), asked(port, "GET", "/healthz")
        let_in = asked(port, "GET", "/metrics", authorization="Bearer a secret")

    assert [denied[0], health[0], let_in[0]] == [401, 200, 200]


def test_a_socket_in_the_file_system_is_for_its_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "dedup.sock"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(place))

    with serving(tmp_path, "--unix", place), socket.socket(socket.AF_UNIX) as line:
        mode = place.stat().st_mode & 0o777
        line.connect(str(place))
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        reply = line.recv(4096)
        taken = called("serve", "--index", ":memory:", "--unix", place)

    assert (mode, place.exists()) == (0o600, False)
    assert reply.startswith(b"HTTP/1.1 200")
    assert (taken.exit_code, "cannot listen on" in taken.stderr) == (1, True)


def test_requests_are_logged_where_that_is_asked_for(tmp_path: Path) -> None:
    with serving(tmp_path, "--access-log") as (_, port):
        asked(port, "GET", "/articles/a")

    assert '"GET /articles/a HTTP/1.1" 404' in (tmp_path / "said").read_text()


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - it is refused
def test_it_is_not_open_to_other_machines_without_a_token(host: str) -> None:
    answer = called("serve", "--index", ":memory:", "--host", host, "--port", "0")

    assert answer.exit_code == 1
    assert answer.stderr == (
        f"Error: {host} can be reached from other machines: set DEDUP_TOKEN to a secret that they must send\n"
    )


def test_replies_are_sent_at_once() -> None:
    with bind("localhost", 0, has_token=False) as listening:
        assert listening.proto == socket.IPPROTO_TCP  # which asyncio asks for before it sets TCP_NODELAY


def test_an_empty_token_is_refused() -> None:
    answer = called("serve", "--index", ":memory:", DEDUP_TOKEN=" ")  # noqa: S106 - it opens nothing

    assert (answer.exit_code, answer.stderr) == (
        1,
        "Error: DEDUP_TOKEN is empty; set it to a secret or unset it\n",
    )


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = called("serve", "--index", ":memory:", "--port", str(port))

    assert (answer.exit_code, answer.stderr) == (
        1,
        f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n",
    )


def test_an_index_that_is_none_is_said(tmp_path: Path) -> None:
    place = tmp_path / "seen.db"
    place.write_text("The river rose two metres." * 100)

    answer = called("serve", "--index", place, "--port", "0")

    assert (answer.exit_code, answer.stderr) == (
        1,
        f"Error: the index {place}: it is not an index of dedup\n",
    )


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("dedup.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    answer = called("serve", "--index", ":memory:")

    assert answer.exit_code == 1
    assert answer.stderr == "Error: serving needs the package uvicorn: pip install 'news-dedup[serve]'\n"


def test_dedup_imports_without_the_extra() -> None:
    absent = "import sys; sys.modules.update(dict.fromkeys(['uvicorn', 'starlette', 'prometheus_client']));"
    ran = subprocess.run(
        [sys.executable, "-c", f"{absent} import dedup.cli.main"], env={**os.environ}, check=False, timeout=60
    )

    assert ran.returncode == 0
