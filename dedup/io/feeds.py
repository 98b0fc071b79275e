"""Read RSS and Atom feeds with feedparser.

An entry is an article. Its full content counts before its summary, and HTML becomes plain text. The feed is the
source, unless the entry names another: aggregators do.
"""

from __future__ import annotations

import io
from calendar import timegm
from datetime import UTC, datetime
from typing import Any

from dedup.io.extras import import_reader
from dedup.io.file_bytes import ByteChunks, CorruptFileError
from dedup.io.html_text import strip_html
from dedup.io.plain_text import read_bounded_bytes
from dedup.io.source_file import NumberedRows, SourceFile

__all__ = ["iter_feed_rows"]

RESPONSE_HEADERS = {"content-type": "application/xml; charset=utf-8"}
"""The feed is decoded already."""


def iter_feed_rows(source_file: SourceFile, chunks: ByteChunks) -> NumberedRows:
    """Yield the entries of a feed in UTF-8 as rows, numbered from 1.

    Raise `CorruptFileError` where the feed is too long, and after the entries before a break.
    """
    feedparser = import_reader("feedparser", "feeds", "feeds", source_file.source.path)
    data, damage = read_bounded_bytes(chunks, source_file.max_article_bytes)
    if damage and len(data) > source_file.max_article_bytes:
        raise damage
    try:
        feed = feedparser.parse(io.BytesIO(data), response_headers=RESPONSE_HEADERS)
    except Exception as error:  # a broken feed breaks the parser in any way
        raise CorruptFileError(f"broken XML: {type(error).__name__}: {error}", None, data) from error
    for number, entry in enumerate(feed.entries, 1):
        yield number, _build_entry_row(entry, feed.feed)
    if damage:
        raise damage
    if feed.bozo and not isinstance(feed.bozo_exception, feedparser.CharacterEncodingOverride):
        reason = str(feed.bozo_exception).partition("\n")[0]
        if "not well-formed" in reason or "no element found" in reason or not feed.entries:
            raise CorruptFileError(f"broken XML: {reason}")


def _build_entry_row(entry: Any, feed: Any) -> dict[str, Any]:
    """Return the row of an entry, without a text if the entry has none."""
    contents = [each.get("value") or "" for each in entry.get("content", [])]
    bodies = [*sorted(contents, key=len, reverse=True), entry.get("summary") or ""]
    text = next(filter(None, (strip_html(body) for body in bodies)), None)
    source = entry.get("source", {})
    language = next((each.get("language") for each in entry.get("content", []) if each.get("language")), None)
    row = {
        "id": entry.get("id"),
        "title": strip_html(entry.get("title") or ""),
        "text": text,
        "published": _read_date(entry),
        "source": source.get("title") or source.get("href") or feed.get("title"),
        "url": entry.get("link"),
        "language": language or feed.get("language"),
    }
    return {name: value for name, value in row.items() if value}


def _read_date(entry: Any) -> str | None:
    """Return the date of an entry in UTC, or as it is written where feedparser cannot read it."""
    for name in ("published", "updated"):
        if entry.get(name):
            moment = entry.get(f"{name}_parsed")
            return datetime.fromtimestamp(timegm(moment), UTC).isoformat() if moment else entry[name]
    return None
