"""The description of the service is true: whatever it allows is answered as it says, and it leaves no address out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import chapter_of, story

from dedup.index.index import Index
from dedup.server.app import create_app
from dedup.server.capacity import Limits
from dedup.settings.settings import RELATIONS, Settings

LIMITS = Limits(articles=1000)
"""More articles than a generated list has: the description cannot say how many a service takes."""
TOKEN = "a secret"  # noqa: S105 - it opens nothing


LOOSE = Settings(followup_probability=0.02, rewrite_probability=1.0, window_days=20.0)
"""A chapter is found to follow another, and never to be a rewrite of it."""
ARTICLES = json.loads(
    json.dumps(
        [
            {"id": "first", **story(1)},
            {"id": "chapter", **chapter_of(1, 2)},
            {"id": "copied", **chapter_of(1, 2)},
        ],
        default=str,
    )
)


@pytest.fixture
def service() -> Iterator[FastAPI]:
    """Return a service over an empty index, open to those who bring the token."""
    with Index.open(":memory:", LOOSE) as index:
        app = create_app(index, limits=LIMITS, token=TOKEN)
        with TestClient(app):
            yield app


ADDRESSES = [
    ("/articles", "POST"),
    ("/articles/{id}", "GET"),
    ("/clusters/{id}", "GET"),
    ("/stories.atom", "GET"),
    ("/stories.json", "GET"),
    ("/metrics", "GET"),
    ("/healthz", "GET"),
    ("/live", "GET"),
]
ENDLESS = [("/events", "GET")]
"""A stream of events has no end, so no test reads all of it."""


@pytest.mark.parametrize(("path", "method"), ADDRESSES)
@given(data=st.data())
@examples(max_examples=40, suppress_health_check=list(HealthCheck))
def test_every_reply_is_as_described(service: FastAPI, path: str, method: str, data: st.DataObject) -> None:
    bringing = {"Authorization": f"Bearer {TOKEN}"}
    described = schemathesis.openapi.from_asgi("/openapi.json", service, headers=bringing)

    case = data.draw(described[path][method].as_strategy())

    case.call_and_validate(headers=bringing)


@pytest.mark.parametrize(
    ("path", "method", "given_"),
    [
        ("/articles", "POST", {"body": ARTICLES, "media_type": "application/json"}),
        ("/articles/{id}", "GET", {"path_parameters": {"id": "chapter"}}),
        ("/clusters/{id}", "GET", {"path_parameters": {"id": "copied"}}),
    ],
)
def test_a_reply_that_tells_of_a_storyline_is_as_described(
    service: FastAPI, path: str, method: str, given_: dict[str, Any]
) -> None:
    bringing = {"Authorization": f"Bearer {TOKEN}"}
    TestClient(service, headers=bringing).post("/articles", json=ARTICLES)
    described = schemathesis.openapi.from_asgi("/openapi.json", service, headers=bringing)

    reply = described[path][method].Case(**given_).call_and_validate(headers=bringing)

    told = reply.json() if path == "/articles" else reply.json().get("versions", reply.json().get("articles"))
    assert any("follows" in decision["dedup"] for decision in told)
    assert {decision["dedup"]["storyline"] for decision in told} <= {"first", "chapter"}


def test_the_models_say_what_may_be_left_out(service: FastAPI) -> None:
    schemas = service.openapi()["components"]["schemas"]
    fields = schemas["DedupFields"]

    assert fields["required"] == ["cluster", "canonical", "relation", "score", "storyline"]
    assert schemas["FollowedArticle"]["required"] == ["id", "probability", "evidence"]
    assert set(fields["properties"]["relation"]["anyOf"][0]["enum"]) == set(RELATIONS)


def test_every_address_is_described(service: FastAPI) -> None:
    described = service.openapi()["paths"]

    assert [(path, method.upper()) for path, methods in described.items() for method in methods] == [
        *ADDRESSES[:5],
        *ENDLESS,
        *ADDRESSES[5:],
    ]


def test_the_token_is_described_where_it_is_asked_for(service: FastAPI) -> None:
    paths = service.openapi()["paths"]

    assert [path for path in paths if "security" not in next(iter(paths[path].values()))] == [
        "/healthz",
        "/live",
    ]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_no_page_loads_scripts_from_elsewhere(service: FastAPI, path: str) -> None:
    assert TestClient(service, headers={"Authorization": f"Bearer {TOKEN}"}).get(path).status_code == 404
