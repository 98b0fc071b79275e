"""Write the newest stories of an index as a feed: Atom 1.0 (RFC 4287) and JSON Feed 1.1.

An index stores neither titles nor texts. So the title of an entry is the id of the kept article, and its text says how many
articles tell the story. If the id is an address of the web, the entry links to it.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

import dedup
from dedup.formatting import format_count
from dedup.index.stories import IndexedStory

__all__ = ["ATOM", "JSON_FEED", "JsonFeed", "render_atom", "render_json_feed", "respond_to_reader"]

ATOM, JSON_FEED = "application/atom+xml", "application/feed+json"
ATOM_NAMESPACE = "http://www.w3.org/2005/Atom"
JSON_FEED_VERSION = "https://jsonfeed.org/version/1.1"
TITLE = "Newest stories"
FEED_ID, STORY_ID, STORYLINE_SCHEME = "urn:dedup:stories", "urn:dedup:story:", "urn:dedup:storyline"
NO_TIME = "1970-01-01T00:00:00Z"
"""When a feed without entries was updated: a feed must have a time."""
NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document can hold."""
WEB_SCHEMES = ("http", "https")


class StoryFields(BaseModel):
    """What the index knows of a story."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    about: str = "https://jsonfeed.org/version/1.1#extensions"
    story: str = Field(description="The id of the kept article.")
    articles: int = Field(ge=1, description="The number of articles that tell the story.")
    storyline: str = Field(description="The id of the first article of the storyline.")
    cluster: str = Field(description="The address of the story in this service, without the host.")


class JsonFeedItem(BaseModel):
    """A story as an item of a JSON Feed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: str
    title: str
    url: str | None = Field(default=None, description="Only where the id of the article is an address.")
    content_text: str
    date_published: str | None = Field(default=None, description="Only where the article has a date.")
    date_modified: str = Field(description="When the story was first seen.")
    dedup: StoryFields = Field(alias="_dedup")


class JsonFeed(BaseModel):
    """The newest stories as a JSON Feed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    title: str
    items: list[JsonFeedItem]


def render_atom(stories: Sequence[IndexedStory]) -> bytes:
    """Return stories as an Atom feed, in their order."""
    ET.register_namespace("", ATOM_NAMESPACE)
    feed = ET.Element(name_tag("feed"))
    add_element(feed, "id", FEED_ID)
    add_element(feed, "title", TITLE)
    add_element(feed, "updated", max((format_rfc3339(story.decided) for story in stories), default=NO_TIME))
    add_element(add_element(feed, "author"), "name", "dedup")
    add_element(feed, "generator", "dedup", version=dedup.__version__)
    for story in stories:
        add_entry(feed, story)
    body: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return body


def add_entry(feed: ET.Element, story: IndexedStory) -> None:
    """Add a story to a feed."""
    name = story.answer.name
    entry = add_element(feed, "entry")
    add_element(entry, "id", format_story_id(name))
    add_element(entry, "title", name)
    add_element(entry, "updated", format_rfc3339(story.decided))
    if story.published:
        add_element(entry, "published", format_rfc3339(story.published))
    cluster = format_cluster_path(name)
    add_element(entry, "link", rel="alternate", href=find_web_address(name) or cluster)
    add_element(entry, "link", rel="related", href=cluster, type="application/json")
    add_element(entry, "category", term=story.answer.storyline, scheme=STORYLINE_SCHEME)
    add_element(entry, "summary", describe_size(story))


def add_element(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    """Add an element of Atom and return it; characters that XML cannot hold are replaced."""
    element = ET.SubElement(
        parent, name_tag(name), {key: NO_XML.sub("\ufffd", value) for key, value in attributes.items()}
    )
    element.text = text and NO_XML.sub("\ufffd", text)
    return element


def name_tag(name: str) -> str:
    """Return the name of an element of Atom with its namespace."""
    return f"{{{ATOM_NAMESPACE}}}{name}"


def render_json_feed(stories: Sequence[IndexedStory]) -> bytes:
    """Return stories as a JSON Feed, in their order."""
    feed = JsonFeed(version=JSON_FEED_VERSION, title=TITLE, items=[build_item(story) for story in stories])
    return feed.model_dump_json(by_alias=True, exclude_none=True).encode()


def build_item(story: IndexedStory) -> JsonFeedItem:
    """Return a story as an item of a JSON Feed."""
    name = story.answer.name
    fields = StoryFields(
        story=name,
        articles=story.articles,
        storyline=story.answer.storyline,
        cluster=format_cluster_path(name),
    )
    return JsonFeedItem(
        id=format_story_id(name),
        title=name,
        url=find_web_address(name),
        content_text=describe_size(story),
        date_published=format_rfc3339(story.published) if story.published else None,
        date_modified=format_rfc3339(story.decided),
        _dedup=fields,
    )


def describe_size(story: IndexedStory) -> str:
    """Return how many articles tell a story, and its storyline where another article began that."""
    sentence = format_count(story.articles, "article")
    if story.answer.storyline != story.answer.name:
        sentence += f"; storyline {story.answer.storyline}"
    return sentence


def format_story_id(name: str) -> str:
    """Return the identifier of a story in a feed, which never changes."""
    return STORY_ID + quote(name, safe="")


def format_cluster_path(name: str) -> str:
    """Return the address of a story in the service."""
    return f"/clusters/{quote(name, safe='')}"


def find_web_address(name: str) -> str | None:
    """Return an id if it is an address of the web, to link to; None otherwise."""
    try:
        parts = urlsplit(name)
        is_address = parts.scheme in WEB_SCHEMES and bool(parts.hostname)
    except ValueError:
        return None
    return name if is_address and not re.search(r"\s", name) else None


def format_rfc3339(moment: datetime | None) -> str:
    """Return a time as feeds write it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ").zfill(len(NO_TIME)) if moment else NO_TIME


def respond_to_reader(body: bytes, kind: str, if_none_match: str | None) -> Response:
    """Return a feed with its ETag, or 304 if the reader has this feed already."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)
