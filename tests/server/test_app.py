"""The service in this process: what it answers, what it refuses, and that nobody waits in vain."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from exports import EXPORTS
from homes import Place
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import Article, make_storylines, planned, sagas
from starlette.testclient import TestClient

from dedup import read_articles
from dedup.errors import IndexingError
from dedup.index.index import Index
from dedup.matching.evidence_columns import EVIDENCE_NAMES
from dedup.pipeline.deduplicate import deduplicate, load_kernels
from dedup.server.app import create_app
from dedup.server.capacity import Limits
from dedup.settings.settings import LEVELS, Settings

SAID = "The river Tarn rose two metres overnight and flooded the old mill at Velden Ridge."
OTHER = "Prosecutors in Averstone charged the owner of the Lorholm shipyard with fraud on Friday."
JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/x-ndjson"}
SECRET = "s3cret, and long"  # noqa: S105 - it opens nothing


@contextmanager
def served(
    place: Place = ":memory:", settings: Settings | None = None, **options: Any
) -> Iterator[TestClient]:
    """Give a client of a service over an index."""
    with Index.open(place, settings) as index:
        app = create_app(index, **options)
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client


@pytest.fixture(scope="module", autouse=True)
def kernels() -> None:
    """Compile the kernels before the first request, as `dedup serve` does: a request has thirty seconds."""
    load_kernels()
    with Index.open(":memory:") as index:
        index.find(SAID)


@pytest.fixture
def client() -> Iterator[TestClient]:
    """Return a client of a service over an empty index."""
    with served() as made:
        yield made


def lines(articles: list[Article]) -> bytes:
    return b"".join(json.dumps(article, default=str).encode() + b"\n" for article in articles)


def sent(client: TestClient, articles: list[Article]) -> list[dict[str, Any]]:
    """Return the decisions on some articles, sent as lines."""
    reply = client.post("/articles", content=lines(articles), headers=LINES)
    assert reply.status_code == 200, reply.text
    return [json.loads(line) for line in reply.text.splitlines()]


def figure(client: TestClient, name: str) -> float:
    """Return a figure of /metrics; 0 where it is not there yet."""
    rows = (line.rpartition(" ") for line in client.get("/metrics").text.splitlines())
    return next((float(value) for key, _, value in rows if key == name), 0)


@contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Hold every turn of any index until the function that is given is called, or the block ends."""
    free, real = threading.Event(), Index.decide

    def waiting(self: Index, batch: pa.RecordBatch) -> Any:
        assert free.wait(60)
        return real(self, batch)

    monkeypatch.setattr(Index, "decide", waiting)
    try:
        yield free.set
    finally:
        free.set()


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    patience = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < patience
        time.sleep(0.01)


def test_one_object_is_answered_with_one(client: TestClient) -> None:
    first = client.post("/articles", json={"id": "a", "text": SAID})
    copied = client.post("/articles", json={"id": "b", "text": SAID})

    assert first.json() == {
        "id": "a",
        "version": 1,
        "dedup": {
            "cluster": "a",
            "canonical": True,
            "relation": None,
            "score": None,
            "storyline": "a",
        },
    }
    answer = copied.json()["dedup"]
    assert answer.pop("evidence")["jaccard"] == 1
    assert answer == {
        "cluster": "a",
        "canonical": False,
        "relation": "exact",
        "score": 1.0,
        "storyline": "a",
    }


def test_a_list_and_lines_are_answered_alike_and_in_order() -> None:
    articles = planned(30, seed=4, stories=4)
    with served() as one, served() as two:
        listed = one.post("/articles", content=json.dumps(articles, default=str), headers=JSON)
        by_line = sent(two, articles)

    assert listed.json() == by_line
    assert [decision["id"] for decision in by_line] == [article["id"] for article in articles]
    assert listed.headers["content-type"] == "application/json"


@pytest.mark.parametrize("level", LEVELS)
@given(articles=sagas(most=20), sizes=st.lists(st.integers(1, 6), min_size=20, max_size=20))
@examples(max_examples=12)
def test_law_6_any_chunking_into_requests_gives_the_batch(
    level: str, articles: list[Article], sizes: list[int]
) -> None:
    result = deduplicate(articles, Settings(level=level, undated="apart"))
    by_id = {article["id"]: article for article in articles}
    stream = [by_id[result.ids[a]] for a in result.order]

    decisions, start = [], 0
    with served(settings=Settings(level=level)) as client:
        for size in sizes:
            decisions += sent(client, stream[start : start + size])
            start += size

    expected = {result.ids[a]: result.verdict(a) for a in result.order.tolist()}
    for match in result.dropped:
        expected[match.id]["evidence"] = match.evidence
    for link in result.links:
        expected[link.id]["follows"]["evidence"] = link.evidence
    assert {decision["id"]: decision["dedup"] for decision in decisions} == expected


def test_a_chapter_names_the_article_that_it_follows_wherever_it_is_asked_for(place: Place) -> None:
    with served(place) as client:
        decisions = sent(client, make_storylines(60, seed=3))
        chapter = next(decision for decision in decisions if "follows" in decision["dedup"])
        path = quote(chapter["id"], safe="")
        history, story = client.get(f"/articles/{path}").json(), client.get(f"/clusters/{path}").json()
        again = sent(client, make_storylines(60, seed=3))

    follows = chapter["dedup"]["follows"]
    assert chapter["dedup"]["canonical"] is True
    assert list(follows) == ["id", "probability", "evidence"]
    assert follows["id"] == chapter["dedup"]["storyline"] != chapter["id"]
    assert 0.7 <= follows["probability"] <= 1
    assert tuple(follows["evidence"]) == EVIDENCE_NAMES
    assert history["versions"] == story["articles"][:1] == [chapter]
    assert all(decision["dedup"].pop("again") for decision in again)
    assert again == decisions


def test_a_request_may_be_sent_again(client: TestClient) -> None:
    articles = planned(12, seed=2, stories=3)

    first = sent(client, articles)
    again = sent(client, articles)

    assert [decision["dedup"].pop("again") for decision in again] == [True] * 12
    assert again == first


def test_what_is_no_article_is_answered_in_its_place(client: TestClient) -> None:
    body = lines([{"id": "a", "text": SAID}]) + b'{"id": "b"}\n\n[1]\n{"text": \n{"id": "c", "text": 7}\n'
    body += b'{"id": "d\xff", "text": "x"}\n' + lines([{"id": "e", "text": SAID}])

    reply = client.post("/articles", content=body, headers=LINES)

    answers = [json.loads(line) for line in reply.text.splitlines()]
    assert [answer.get("id", answer.get("error")) for answer in answers] == [
        "a",
        "no text (nor body, content, article)",
        "a list, not an object",
        "broken JSON: Expecting value (line 1, column 10)",
        "text is a number, not text",
        "not valid UTF-8",
        "e",
    ]
    assert answers[-1]["dedup"]["cluster"] == "a"


def test_an_article_without_an_id_gets_one_of_its_content(client: TestClient) -> None:
    (first,), (other,) = sent(client, [{"text": SAID}]), sent(client, [{"text": OTHER}])
    listed = client.post("/articles", json=[{"text": SAID}, {"text": OTHER}]).json()

    assert first["id"] != other["id"]
    assert [answer["id"] for answer in listed] == [first["id"], other["id"]]
    assert all(answer["dedup"]["again"] for answer in listed)


def test_fields_may_have_other_names() -> None:
    with served(fields={"text": "words"}) as client:
        answer = client.post("/articles", json={"id": 7, "words": SAID}).json()

    assert answer["id"] == "7"


@pytest.mark.parametrize("name", EXPORTS)
def test_articles_may_be_in_the_form_of_an_export(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(EXPORTS[name]))
    (batch,) = read_articles(tmp_path)

    with served(preset=name) as client:
        answer = client.post("/articles", json=EXPORTS[name])

    assert answer.status_code == 200
    assert answer.json()["id"] == batch["id"][0].as_py()


def test_a_field_may_be_in_an_object() -> None:
    with served(fields={"text": "story.body"}) as client:
        assert client.post("/articles", json={"id": "7", "story": {"body": SAID}}).json()["id"] == "7"


NESTED = b"[" * 100_000
REFUSED = {
    "no JSON": (b"The river rose", JSON, 400, "the body is broken JSON: Expecting value (line 1, column 1)"),
    "nothing": (b"", JSON, 400, "the body is broken JSON: Expecting value (line 1, column 1)"),
    "nested": (NESTED, JSON, 400, "the body is broken JSON: the list does not end, or does not end the body"),
    "digits": (b"9" * 5000, JSON, 400, "the body is broken JSON: a number too long"),
    "bytes": (b'{"text": "\xff"}', JSON, 400, "the body is not valid UTF-8"),
    "no line": (
        b"The river\nrose\n",
        LINES,
        400,
        "no line of the body is JSON; the first is broken JSON: Expecting value (line 1, column 1)",
    ),
    "number": (b"7", JSON, 422, "this is not an article: a number, not an object"),
    "no text": (b'{"id": "a"}', JSON, 422, "this is not an article: no text (nor body, content, article)"),
    "too many": (b"{}\n" * 11, LINES, 413, "a request holds at most 10 articles"),
    "too large": (b" " * 5001, JSON, 413, "the body may have 5,000 bytes; send the articles in parts"),
    "form": (
        b"text=rose",
        {"content-type": "application/x-www-form-urlencoded"},
        415,
        "the content type must be application/json or application/x-ndjson, not application/x-www-form-urlencoded",
    ),
    "unsaid": (
        b"{}",
        {},
        415,
        "the content type must be application/json or application/x-ndjson, not missing",
    ),
    "charset": (
        b"{}",
        {"content-type": "application/json; charset=latin-1"},
        415,
        "the charset must be utf-8, not latin-1",
    ),
    "packed": (
        b"{}",
        {**JSON, "content-encoding": "gzip"},
        415,
        "the body must not be packed, and its content encoding is gzip",
    ),
}


@pytest.mark.parametrize(("body", "headers", "status", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_answered_is_refused_with_a_sentence(
    body: bytes, headers: dict[str, str], status: int, sentence: str
) -> None:
    with served(limits=Limits(articles=10, body=200_000 if body == NESTED else 5_000)) as client:
        reply = client.post("/articles", content=body, headers=headers)
        described = client.get("/openapi.json").json()["paths"]["/articles"]["post"]["responses"]

    assert (reply.status_code, reply.json()) == (status, {"error": sentence})
    assert str(status) in described


def test_a_body_that_hides_its_length_is_refused_where_it_grows_too_large() -> None:
    with served(limits=Limits(body=1000)) as client:
        reply = client.post("/articles", content=iter([b" " * 600] * 2), headers=JSON)

    assert reply.status_code == 413


def test_no_articles_are_no_error(client: TestClient) -> None:
    assert client.post("/articles", json=[]).json() == []
    assert client.post("/articles", content=b"\n", headers=LINES).text == ""


@given(
    name=st.text(min_size=1).filter(lambda name: name.strip() and not {"%", "\0"} & {*name})
)  # which this client takes for an escape, twice
@examples(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_id_works_in_a_path(client: TestClient, name: str) -> None:
    posted = client.post("/articles", json={"id": name, "text": SAID}).json()

    path = quote(name, safe="").replace(".", "%2E")
    history = client.get(f"/articles/{path}")
    story = client.get(f"/clusters/{path}")

    assert history.json()["versions"][0]["id"] == posted["id"]
    assert posted["id"] in [member["id"] for member in story.json()["articles"]]


def test_history_and_cluster_tell_what_was_decided(client: TestClient) -> None:
    first = sent(client, [{"id": "a", "text": SAID}, {"id": "b", "text": OTHER}, {"id": "c", "text": SAID}])
    second = sent(client, [{"id": "a", "text": OTHER}])

    assert client.get("/articles/a").json() == {"id": "a", "versions": [first[0], second[0]]}
    assert client.get("/articles/a%232").json()["versions"] == second
    assert client.get("/clusters/c").json() == {"cluster": "a", "size": 2, "articles": [first[0], first[2]]}
    assert client.get("/clusters/a%232").json()["cluster"] == "b"


@pytest.mark.parametrize("path", ["/articles/x", "/clusters/x", "/articles/", "/nowhere", "/articles/%00"])
def test_what_is_not_there_is_404(client: TestClient, path: str) -> None:
    reply = client.get(path)

    assert reply.status_code == 404
    assert list(reply.json()) == ["error"]


def test_another_method_is_405_and_says_which_are_allowed(client: TestClient) -> None:
    reply = client.get("/articles")

    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    assert reply.json() == {"error": "GET is not allowed here; use POST"}


@pytest.mark.parametrize(
    "given_", [None, "", "Bearer", "Bearer wrong", f"Basic {SECRET}", f"Bearer {SECRET}é"]
)
@pytest.mark.parametrize("path", ["/articles/a", "/clusters/a", "/metrics", "/openapi.json", "/nowhere"])
def test_nothing_but_health_is_told_without_the_token(path: str, given_: str | None) -> None:
    headers = {} if given_ is None else {b"authorization": given_.encode()}

    with served(token=SECRET) as client:
        reply, health = client.get(path, headers=headers), client.get("/healthz")

    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert health.status_code == 200


def test_who_brings_the_token_is_answered() -> None:
    with served(token=SECRET) as client:
        denied = client.post("/articles", json={"id": "a", "text": SAID})
        client.headers["authorization"] = f"bearer {SECRET}"
        answered = client.post("/articles", json={"id": "a", "text": SAID})

    assert denied.status_code == 401
    assert "again" not in answered.json()["dedup"]


def test_small_requests_share_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    articles = [{"id": str(n), "text": text} for n, text in enumerate([SAID, OTHER] * 6)]

    with served() as client, ThreadPoolExecutor(12) as pool, held(monkeypatch) as release:
        replies = [pool.submit(sent, client, [article]) for article in articles]
        wait_for(lambda: figure(client, "dedup_requests_in_hand") == 12)
        release()
        found = [reply.result()[0] for reply in replies]
        turns, shared = (figure(client, f"dedup_turn_articles_{part}") for part in ("count", "sum"))

    assert [decision["id"] for decision in found] == [article["id"] for article in articles]
    assert sum(decision["dedup"]["canonical"] for decision in found) == 2
    assert turns <= 3
    assert shared == 12


def test_what_fails_alone_fails_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with served() as client, ThreadPoolExecutor(6) as pool, held(monkeypatch) as release:
        waiting = Index.decide

        def poisoned(self: Index, batch: pa.RecordBatch) -> Any:
            answers = waiting(self, batch) if "poison" not in batch["id"].to_pylist() else None
            if answers is None:
                raise ValueError(batch["text"].to_pylist())
            return answers

        monkeypatch.setattr(Index, "decide", poisoned)
        given_ = ["a", "b", "poison", "c"]
        replies = [pool.submit(client.post, "/articles", json={"id": name, "text": SAID}) for name in given_]
        wait_for(lambda: figure(client, "dedup_requests_in_hand") >= 3)
        release()
        found = [reply.result() for reply in replies]

    assert [reply.status_code for reply in found] == [200, 200, 500, 200]
    assert found[2].json() == {"error": "this should not have happened (ValueError); please report it"}
    assert "river" not in caplog.text


def test_more_than_there_is_room_for_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        served(limits=Limits(requests=2)) as client,
        ThreadPoolExecutor(2) as pool,
        held(monkeypatch) as release,
    ):
        first = [pool.submit(sent, client, [{"id": name, "text": SAID}]) for name in "ab"]
        wait_for(lambda: figure(client, "dedup_requests_in_hand") == 2)
        turned_away = client.post("/articles", json={"id": "c", "text": SAID})
        read = client.get("/articles/a")
        release()
        answered = [reply.result() for reply in first]
        later = client.post("/articles", json={"id": "c", "text": SAID})

    assert (turned_away.status_code, turned_away.headers["retry-after"]) == (503, "1")
    assert turned_away.json()["error"].startswith("there are too many requests in progress (2)")
    assert read.status_code == 503
    assert len(answered) == 2
    assert later.status_code == 200


def test_bodies_in_hand_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    padding = "x" * 700
    with (
        served(limits=Limits(body=1000, bodies=1)) as client,
        ThreadPoolExecutor(1) as pool,
        held(monkeypatch) as release,
    ):
        first = pool.submit(sent, client, [{"id": "a", "text": padding}])
        wait_for(lambda: figure(client, "dedup_requests_in_hand") == 1)
        turned_away = client.post("/articles", json={"id": "b", "text": padding})
        release()
        first.result()
        later = client.post("/articles", json={"id": "b", "text": padding})

    assert turned_away.status_code == 503
    assert later.status_code == 200


def test_who_waits_too_long_is_told_to_come_again_and_gets_the_answer_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with served(limits=Limits(seconds=0.3)) as client, held(monkeypatch) as release:
        in_turn = client.post("/articles", json={"id": "a", "text": SAID})
        waiting = client.post("/articles", json={"id": "b", "text": SAID})
        release()
        wait_for(lambda: figure(client, "dedup_index_articles") == 1)
        again, withdrawn = sent(client, [{"id": "a", "text": SAID}, {"id": "b", "text": SAID}])

    assert [in_turn.status_code, waiting.status_code] == [503, 503]
    assert in_turn.json() == {"error": "there was no answer within 0.3 seconds; try again in a second"}
    assert again["dedup"]["again"]
    assert "again" not in withdrawn["dedup"]


def test_an_index_that_cannot_be_used_is_said_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise IndexingError("the disk is full")

    with served() as client:
        with monkeypatch.context() as broken:
            broken.setattr(Index, "decide", full)
            refused = client.post("/articles", json={"id": "a", "text": SAID})
            unready = client.get("/healthz")
        ready = client.get("/healthz")
        answered = client.post("/articles", json={"id": "a", "text": SAID})

    assert (refused.status_code, refused.json()) == (503, {"error": "the disk is full"})
    assert refused.headers["retry-after"] == "1"
    assert (unready.status_code, unready.json()) == (503, {"error": "the disk is full"})
    assert (ready.status_code, ready.json()) == (200, {"ready": True})
    assert "again" not in answered.json()["dedup"]


def test_figures_tell_what_became_of_the_articles(client: TestClient) -> None:
    sent(
        client, [{"id": "a", "text": SAID}, {"id": "b", "text": SAID}, {"id": "a", "text": SAID}, {"id": "c"}]
    )
    client.get("/articles/a")
    client.get("/articles/x")

    found = {
        name: figure(client, name)
        for name in (
            'dedup_articles_total{outcome="kept"}',
            'dedup_articles_total{outcome="exact"}',
            'dedup_articles_total{outcome="again"}',
            'dedup_articles_total{outcome="malformed"}',
            'dedup_requests_total{code="200",route="decide"}',
            'dedup_requests_total{code="404",route="article"}',
            'dedup_request_seconds_count{route="decide"}',
            "dedup_request_articles_sum",
            "dedup_index_articles",
            "dedup_requests_in_hand",
        )
    }

    assert list(found.values()) == [1, 1, 1, 1, 1, 1, 1, 4, 2, 0]
    assert figure(client, "dedup_index_bytes") > 0


def test_nothing_of_a_text_is_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    sent(client, [{"id": "a", "text": SAID}, {"id": "b", "text": SAID}, {"text": [SAID]}])
    client.post("/articles", content=SAID.encode(), headers=JSON)

    assert "river" not in caplog.text
