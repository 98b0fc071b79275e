"""The feeds of the service: what an entry holds, that readers of feeds understand it, and that a known feed is not sent again."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

import feedparser
import pytest
from fastapi.testclient import TestClient
from newsmaker import chapter_of, story

from dedup.index.index import Index
from dedup.server.app import create_app
from dedup.settings.settings import Settings

LOOSE = Settings(followup_probability=0.02, rewrite_probability=1.0, window_days=20.0)
"""A chapter is found to follow another, and never to be a rewrite of it."""
ADDRESS = "https://news.example/a?b=1&c=<2>"
STRANGE = 'a/b "c" <d> & \x01é'
ARTICLES = [
    {"id": "first", **story(1)},
    {"id": "chapter", **chapter_of(1, 2)},
    {"id": "copied", **chapter_of(1, 2)},
    {"id": ADDRESS, **story(5)},
    {"id": STRANGE, "title": "", "text": story(7)["text"]},
]
FEEDS = ["/stories.atom", "/stories.json"]
SECRET = "s3cret"  # noqa: S105 - it opens nothing
every_feed = pytest.mark.parametrize("path", FEEDS)


@pytest.fixture
def client() -> Iterator[TestClient]:
    """Return a client of a service over four stories, two of them in one storyline."""
    with Index.open(":memory:", LOOSE) as index, TestClient(create_app(index)) as made:
        index.add(ARTICLES)
        yield made


def entries(client: TestClient, path: str = "/stories.atom") -> Any:
    """Return the entries of a feed, as feedparser reads them."""
    reply = client.get(path)
    assert reply.status_code == 200
    parsed = feedparser.parse(reply.content, response_headers={"content-type": reply.headers["content-type"]})
    assert not parsed.bozo
    return parsed.entries


def test_an_entry_of_the_atom_feed_says_what_the_index_knows(client: TestClient) -> None:
    newest, address, chapter, first = entries(client)

    assert newest.title.startswith('a/b "c"')
    assert "published" not in newest
    assert address.link == ADDRESS
    assert chapter.title == "chapter"
    assert chapter.id == "urn:dedup:story:chapter"
    assert chapter.summary == "2 articles; storyline first"
    assert [tag.term for tag in chapter.tags] == ["first"]
    assert chapter.links[1].href == "/clusters/chapter"
    assert datetime.fromisoformat(chapter.published) == ARTICLES[1]["published"]
    assert datetime.fromisoformat(chapter.updated)
    assert first.summary == "1 article"


def test_an_atom_feed_is_valid_whatever_the_ids(client: TestClient) -> None:
    root = ET.fromstring(client.get("/stories.atom").content)  # noqa: S314 - our own

    names = [entry.findtext("{*}title") for entry in root.iterfind("{*}entry")]
    assert names == [STRANGE.replace("\x01", "\ufffd"), ADDRESS, "chapter", "first"]
    for element in (root, *root.iterfind("{*}entry")):
        assert all(element.findtext(f"{{*}}{name}") for name in ("id", "title", "updated"))


def test_an_item_of_the_json_feed_says_the_same(client: TestClient) -> None:
    reply = client.get("/stories.json")

    feed = reply.json()
    assert reply.headers["content-type"] == "application/feed+json"
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["title"] for item in feed["items"]] == [STRANGE, ADDRESS, "chapter", "first"]
    assert [item.get("url") for item in feed["items"]] == [None, ADDRESS, None, None]
    chapter = feed["items"][2]
    assert chapter["_dedup"].pop("about")
    assert chapter["_dedup"] == {
        "story": "chapter",
        "articles": 2,
        "storyline": "first",
        "cluster": "/clusters/chapter",
    }
    assert chapter["content_text"] == "2 articles; storyline first"


def test_the_address_in_a_feed_leads_to_the_story(client: TestClient) -> None:
    paths = [item["_dedup"]["cluster"] for item in client.get("/stories.json").json()["items"]]

    assert [client.get(path).json()["cluster"] for path in paths] == [STRANGE, ADDRESS, "chapter", "first"]


@every_feed
def test_an_empty_index_has_a_valid_feed_without_entries(path: str) -> None:
    with Index.open(":memory:") as index, TestClient(create_app(index)) as client:
        reply = client.get(path)

    assert reply.status_code == 200
    if path.endswith("json"):
        assert json.loads(reply.content)["items"] == []
    else:
        assert feedparser.parse(reply.content).feed.updated == "1970-01-01T00:00:00Z"


@every_feed
def test_a_feed_is_sent_again_only_after_a_change(client: TestClient, path: str) -> None:
    tag = client.get(path).headers["etag"]

    known = client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    client.post("/articles", json={"id": "more", "text": story(7)["text"]})
    changed = client.get(path, headers={"If-None-Match": tag})

    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


@every_feed
def test_a_feed_has_no_more_entries_than_asked_for(client: TestClient, path: str) -> None:
    size = len(client.get(path).content)

    assert len(client.get(f"{path}?limit=1").content) < size
    assert len(entries(client, "/stories.atom?limit=2")) == 2


@every_feed
@pytest.mark.parametrize("limit", ["0", "201", "many"])
def test_a_limit_out_of_range_is_an_error_in_one_sentence(client: TestClient, path: str, limit: str) -> None:
    reply = client.get(f"{path}?limit={limit}")

    assert reply.status_code == 422
    assert reply.json()["error"].startswith("limit: input should be")


@every_feed
def test_a_token_belongs_in_the_header_and_not_in_the_address(path: str) -> None:
    with Index.open(":memory:") as index, TestClient(create_app(index, token=SECRET)) as client:
        without = client.get(f"{path}?token={SECRET}")
        with_token = client.get(path, headers={"Authorization": f"Bearer {SECRET}"})

    assert (without.status_code, with_token.status_code) == (401, 200)
