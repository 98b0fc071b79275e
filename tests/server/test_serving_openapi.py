"""The description of the service is true: whatever it allows is answered as it says, and it leaves no address out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from newsmaker import chapter_of, story
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from dedup.index.index import Index
from dedup.serving.app import app_for
from dedup.serving.openapi import document
from dedup.serving.refusals import Limits
from dedup.settings.settings import Settings

LIMITS = Limits(articles=20)
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
def service() -> Iterator[Starlette]:
    """Return a service over an empty index, open to those who bring the token."""
    with Index.open(":memory:", LOOSE) as index:
        app = app_for(index, limits=LIMITS, token=TOKEN)
        with TestClient(app):
            yield app


ADDRESSES = [
    (path, method)
    for path, methods in document(LIMITS, has_token=True)["paths"].items()
    for method in methods
]


@pytest.mark.parametrize(("path", "method"), ADDRESSES)
@given(data=st.data())
@examples(max_examples=40, suppress_health_check=list(HealthCheck))
def test_every_reply_is_as_described(service: Starlette, path: str, method: str, data: st.DataObject) -> None:
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
def test_a_reply_that_tells_of_an_affair_is_as_described(
    service: Starlette, path: str, method: str, given_: dict[str, Any]
) -> None:
    bringing = {"Authorization": f"Bearer {TOKEN}"}
    TestClient(service, headers=bringing).post("/articles", json=ARTICLES)
    described = schemathesis.openapi.from_asgi("/openapi.json", service, headers=bringing)

    reply = described[path][method].Case(**given_).call_and_validate(headers=bringing)

    told = reply.json() if path == "/articles" else reply.json().get("versions", reply.json().get("articles"))
    assert any("follows" in decision["dedup"] for decision in told)
    assert {decision["dedup"]["storyline"] for decision in told} <= {"first", "chapter"}


def test_storylines_are_described() -> None:
    dedup = document(LIMITS, has_token=False)["components"]["schemas"]["Dedup"]
    follows = dedup["properties"]["follows"]

    assert "storyline" in dedup["required"]
    assert follows["required"] == ["id", "probability", "evidence"]
    assert "another chapter" in follows["description"]
    assert "followup" in dedup["properties"]["relation"]["enum"]


def test_every_address_is_described(service: Starlette) -> None:
    told = {(path, method.upper()) for path, method in ADDRESSES}
    routes = {
        (route.path.replace("{id:id}", "{id}"), method)
        for route in service.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }

    assert told == routes
