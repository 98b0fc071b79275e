"""The description of the service is true: whatever it allows is answered as it says, and it leaves no address out."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from dedup.index.index import Index
from dedup.serving.app import app_for
from dedup.serving.openapi import document
from dedup.serving.refusals import Limits

LIMITS = Limits(articles=20)
TOKEN = "a secret"  # noqa: S105 - it opens nothing


@pytest.fixture
def service() -> Iterator[Starlette]:
    """Return a service over an empty index, open to those who bring the token."""
    with Index.open(":memory:") as index:
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


def test_every_address_is_described(service: Starlette) -> None:
    told = {(path, method.upper()) for path, method in ADDRESSES}
    routes = {
        (route.path.replace("{id:id}", "{id}"), method)
        for route in service.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }

    assert told == routes
