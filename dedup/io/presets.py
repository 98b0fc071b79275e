"""Name the fields of well-known exports, and recognise such an export by its field names.

A preset says which field of an export is which of ours. Where a field is not plain text (the sections of Fundus, the
HTML of ninjs), it also has a function that adds our field to a record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dedup.errors import SettingsError
from dedup.io.schema import ALIASES, FIELDS

__all__ = [
    "PRESETS",
    "PRESET_BYTES",
    "Preset",
    "RecordConverter",
    "find_json_keys",
    "get_preset",
    "recognize_preset",
]

RecordConverter = Callable[[Mapping[str, Any]], Mapping[str, Any]]

TRUNCATED = re.compile(r"\[\+\d+ chars\]\Z")
"""How NewsAPI marks a text that it cut, after an ellipsis."""
PRESET_BYTES = 1 << 16
"""An export is recognised by the field names in the first bytes of a file, which hold a long article at least."""
MAX_DEPTH = 20
"""The sections of an article are nested three deep."""
KEY = re.compile(rb'"([\w.-]{1,80})"\s*:')


@dataclass(frozen=True, slots=True)
class Preset:
    """Hold the names of the fields of an export, and a set of names that only this export has."""

    names: Mapping[str, tuple[str, ...]]
    signature: frozenset[str] = frozenset()
    """An export that has all of these names is recognised; an empty set never is."""
    convert: RecordConverter | None = None
    """Adds the fields that cannot be named to a record."""
    any_of: frozenset[str] = field(default=frozenset())
    """Beside its signature, an export that is recognised has one of these names."""


def convert_newsapi(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a record of NewsAPI without the mark of a text that was cut."""
    content = record.get("content")
    mark = TRUNCATED.search(content.rstrip()) if isinstance(content, str) else None
    if mark is None:
        return record
    text = mark.string[: mark.start()].rstrip()
    text = text[:-1] if text.endswith("…") else text.removesuffix("...")
    return {**record, "content": text.rstrip()}


def convert_fundus(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a record of Fundus with the text of its sections as `plaintext`."""
    body = record.get("body")
    if record.get("plaintext") or not isinstance(body, Mapping):
        return record
    parts = list(iter_strings([body.get("summary"), body.get("sections")]))
    return {**record, "plaintext": "\n".join(parts) if parts else None}


def convert_ninjs(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an item of ninjs with its text as `body_text`, and its headline as `headline`."""
    from dedup.io.html_text import strip_html

    bodies = list_objects(record.get("bodies"))
    texts = [record.get("body_text"), *(each.get("value") for each in bodies)]
    texts += [value for name, value in record.items() if name.startswith("body_")]
    text = next((strip_html(each) for each in texts if isinstance(each, str) and each.strip()), None)
    headlines = list_objects(record.get("headlines"))
    headline = record.get("headline") or next((each.get("value") for each in headlines), None)
    return {**record, "body_text": text, "headline": headline}


def convert_json_feed(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an item of a JSON Feed with its text as `content_text`."""
    from dedup.io.html_text import strip_html

    html = record.get("content_html")
    if record.get("content_text") or not isinstance(html, str):
        return record
    return {**record, "content_text": strip_html(html)}


def list_objects(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects in a list; none if it is no list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []


def iter_strings(value: Any, depth: int = MAX_DEPTH) -> Iterator[str]:
    """Yield the strings in lists and objects down to a depth, in order."""
    if isinstance(value, str):
        if value.strip():
            yield value.strip()
    elif depth and isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from iter_strings(inner, depth - 1)


def build_source_names() -> dict[str, tuple[str, ...]]:
    """Return the names that our fields may have in the `_source` of a search engine."""
    names = {ours: tuple(f"_source.{name}" for name in (ours, *ALIASES[ours])) for ours in FIELDS}
    return {**names, "id": ("_id", *names["id"]), "published": (*names["published"], "_source.@timestamp")}


PRESETS: Mapping[str, Preset] = {
    "newsapi": Preset(
        {
            "id": ("url",),
            "text": ("content", "description"),
            "published": ("publishedAt",),
            "source": ("source.name", "source.id"),
        },
        frozenset({"source", "publishedAt", "urlToImage", "content"}),
        convert_newsapi,
    ),
    "news-please": Preset(
        {
            "id": ("url", "filename"),
            "text": ("maintext",),
            "published": ("date_publish", "date_download"),
            "source": ("source_domain",),
        },
        frozenset({"maintext", "date_publish", "source_domain"}),
    ),
    "trafilatura": Preset(
        {
            "id": ("id", "source", "url"),
            "text": ("text", "raw_text"),
            "source": ("source-hostname", "sitename", "hostname"),
            "url": ("source", "url"),
        },
        frozenset({"source-hostname", "fingerprint", "hostname"}),
    ),
    "fundus": Preset(
        {
            "id": ("id", "html.requested_url", "url"),
            "text": ("plaintext",),
            "published": ("publishing_date",),
            "source": ("publisher", "html.source_info.publisher"),
            "url": ("html.requested_url", "url"),
            "language": ("lang",),
        },
        frozenset({"publishing_date", "authors"}),
        convert_fundus,
        frozenset({"plaintext", "free_access", "sections"}),
    ),
    "elasticsearch": Preset(build_source_names(), frozenset({"_index", "_id", "_source"})),
    "mediacloud": Preset(
        {
            "id": ("stories_id", "id"),
            "text": ("text", "story_text", "title"),
            "published": ("publish_date",),
            "source": ("media_name", "media_url"),
        },
        frozenset({"media_name", "publish_date"}),
        any_of=frozenset({"stories_id", "indexed_date", "media_id"}),
    ),
    "gdelt": Preset(
        {
            "id": ("GKGRECORDID", "url"),
            "text": ("text", "content", "title"),
            "published": ("seendate", "DATE"),
            "source": ("domain", "SourceCommonName"),
            "url": ("url", "DocumentIdentifier"),
        },
        frozenset({"seendate", "domain", "sourcecountry"}),
    ),
    "ninjs": Preset(
        {
            "id": ("uri", "guid", "altids"),
            "title": ("headline", "title"),
            "text": ("body_text",),
            "published": ("firstcreated", "contentcreated", "versioncreated"),
            "source": ("provider", "copyrightholder", "byline"),
        },
        frozenset({"uri", "versioncreated"}),
        convert_ninjs,
        frozenset({"body_text", "body_html", "body_xhtml", "bodies"}),
    ),
    "jsonfeed": Preset(
        {
            "id": ("id", "url"),
            "text": ("content_text", "summary"),
            "published": ("date_published", "date_modified"),
            "source": ("feed_title",),
            "url": ("url", "external_url"),
            "language": ("language", "feed_language"),
        },
        frozenset({"items", "version"}),
        convert_json_feed,
        frozenset({"content_html", "content_text"}),
    ),
}


def get_preset(name: str) -> Preset:
    """Return the preset of a name; `SettingsError` if there is none."""
    if name not in PRESETS:
        raise SettingsError(f"there is no preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]


def recognize_preset(names: Collection[str]) -> str | None:
    """Return the preset that names of fields belong to without doubt; None if they belong to none, or to several.

    >>> (
    ...     recognize_preset({"maintext", "date_publish", "source_domain", "url"}),
    ...     recognize_preset({"text", "title"}),
    ... )
    ('news-please', None)
    """
    known = set(names)
    found = [
        name
        for name, preset in PRESETS.items()
        if preset.signature and preset.signature <= known and (not preset.any_of or preset.any_of & known)
    ]
    return found[0] if len(found) == 1 else None


def find_json_keys(head: bytes) -> set[str]:
    """Return the keys in the beginning of a file of JSON, at any depth."""
    return {key.decode() for key in KEY.findall(head)}
