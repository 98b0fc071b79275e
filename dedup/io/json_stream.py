"""Decode the values of JSON text one by one, with only a window of the text in memory.

Python's decoder takes a whole text. This module tries it on the text read so far. Where that ends within a value, at
least as much text again is read before the next try, so the time stays proportional to the length.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from dedup.io.file_bytes import ByteChunks, CorruptFileError

__all__ = ["JsonStream", "has_article_list", "iter_json_articles"]

ARTICLE_LIST = "articles"
"""The key of the list of articles in the responses of news APIs."""
HIT_LIST = "hits"
"""The key of the list of hits in the response of a search engine, and of the object around the list."""
FEED_LIST = "items"
"""The key of the list of items in a JSON Feed."""
FEED_VERSION = ("https://jsonfeed.org/version/", "http://jsonfeed.org/version/")

LIST_STARTS = {ARTICLE_LIST: "[", HIT_LIST: "[{", FEED_LIST: "["}

SEPARATORS = re.compile(r"[\s,]*")
DECODER = json.JSONDecoder(strict=False)  # a raw tab inside a string is no reason to lose an article

MAX_TOKEN_CHARACTERS = 16
"""The length of the longest token (-Infinity, or an escape): an error further from the end of the text is not a cut token."""


class JsonStream:
    """Read JSON text; if it breaks off, `damage` is the reason, once the end is reached."""

    def __init__(self, chunks: ByteChunks, max_value_characters: int) -> None:
        self.damage: CorruptFileError | None = None
        self._chunks = _decode_utf8(chunks)
        self.max_value_characters = max_value_characters
        self._text = ""
        self._start = self._position = 0
        self._dropped = 0
        self._ended = False

    @property
    def offset(self) -> int:
        """The number of characters read so far."""
        return self._dropped + self._position

    def peek(self) -> str:
        """Return the next character that is neither blank nor a comma, and stay before it; at the end, an empty string."""
        while True:
            match = SEPARATORS.match(self._text, self._position)
            self._position = match.end() if match else self._position
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._read_more():
                return ""

    def take(self, character: str) -> None:
        """Take the next character; ValueError if it is not the expected one."""
        if self.peek() != character:
            raise ValueError(f"Expecting {character!r}")
        self._position += 1

    def decode_value(self) -> Any:
        """Take the next value and return it; ValueError or RecursionError where it is broken."""
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                if not self._is_cut(error) or not self._read_more():
                    # Positions within the window would say nothing.
                    raise ValueError(error.msg) from error
                continue
            if end < len(self._text) or self._text[end - 1] in '"]}' or not self._read_more():
                self._start, self._position = self._position, end
                return value

    def get_value_text(self) -> str:
        """Return the text of the value taken last, as long as nothing has been taken since."""
        return self._text[self._start : self._position]

    def get_rest(self, size: int) -> str:
        """Return up to `size` of the characters that come next."""
        return self._text[self._position : self._position + size]

    def _is_cut(self, error: json.JSONDecodeError) -> bool:
        """Return whether an error can mean that the text read so far ends within a value."""
        if len(self._text) - self._position > self.max_value_characters:
            raise ValueError(f"a value is longer than {self.max_value_characters:,} characters")
        near_end = len(self._text) - error.pos < MAX_TOKEN_CHARACTERS
        return near_end or error.msg.startswith("Unterminated string")

    def _read_more(self) -> bool:
        """Read on, at least as much as is held; return whether there was more."""
        parts = [self._text[self._position :]]
        wanted, size = max(len(parts[0]), 1), 0
        while size < wanted and not self._ended:
            try:
                text = next(self._chunks, None)
            except CorruptFileError as damage:
                self.damage, text = damage, None
            self._ended = text is None
            parts.append(text or "")
            size += len(parts[-1])
        self._dropped += self._position
        self._text = "".join(parts)
        self._start = self._position = 0
        return size > 0


def iter_json_articles(text: JsonStream, field_names: Collection[str]) -> Iterator[Any]:
    """Yield the elements of arrays and of lists of articles, and the objects, that follow each other.

    An object holds a list of articles under `articles`, the hits of a search engine under `hits`, or the items of a
    JSON Feed under `items`. It is an article itself where it has one of the `field_names` before such a list. The
    items of a feed get its title and language, as `feed_title` and `feed_language`. Raise ValueError or RecursionError
    where the text is broken.
    """
    while character := text.peek():
        if character == "[":
            yield from _iter_array(text)
        elif character == "{":
            yield from _iter_object(text, field_names)
        elif character in "]}":
            raise ValueError("there is text after the end")
        else:
            yield text.decode_value()


def has_article_list(head: bytes, field_names: Collection[str]) -> bool:
    """Return whether a text begins with an object that holds a list of articles, by its first bytes."""
    text = JsonStream(iter([head]), len(head))
    fields: dict[str, Any] = {}
    try:
        text.take("{")
        while text.peek() == '"':
            key = text.decode_value()
            text.take(":")
            if _is_list_key(key, fields, field_names):
                if text.peek() == "[":
                    text.take("[")
                    return text.peek() in "{]"
                if key == HIT_LIST and text.peek() == "{":
                    text.take("{")  # the list is in here
                    continue
            fields[key] = text.decode_value()
    except (ValueError, RecursionError):
        pass
    return False


def _is_list_key(key: str, fields: Mapping[str, Any], field_names: Collection[str]) -> bool:
    """Return whether a key is that of a list of articles, in an object that has some `fields` before it."""
    if key == FEED_LIST:
        return str(fields.get("version", "")).startswith(FEED_VERSION)
    return key in {ARTICLE_LIST, HIT_LIST} and fields.keys().isdisjoint(field_names)


def _iter_array(text: JsonStream) -> Iterator[Any]:
    """Yield the elements of an array."""
    text.take("[")
    while (character := text.peek()) != "]":
        if not character:
            raise ValueError("the array has no end")
        yield text.decode_value()
    text.take("]")


def _iter_list(text: JsonStream, key: str, fields: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the elements of a list; those of a feed with the title and the language of the feed."""
    own = (
        {"feed_title": fields.get("title"), "feed_language": fields.get("language")}
        if key == FEED_LIST
        else {}
    )
    added = {name: value for name, value in own.items() if value is not None}
    for value in _iter_array(text):
        yield {**value, **added} if added and isinstance(value, dict) else value


def _iter_object(text: JsonStream, field_names: Collection[str]) -> Iterator[Any]:
    """Yield the elements of an object's list of articles, or else the object."""
    fields: dict[str, Any] = {}
    start, has_list = text.offset, False
    text.take("{")
    while text.peek() == '"':
        key = text.decode_value()
        text.take(":")
        if _is_list_key(key, fields, field_names) and text.peek() in LIST_STARTS[key]:
            has_list = True
            if text.peek() == "{":
                yield from _iter_object(text, field_names)
            else:
                yield from _iter_list(text, key, fields)
            continue
        fields[key] = text.decode_value()
        if not has_list and text.offset - start > text.max_value_characters:
            raise ValueError(f"a value is longer than {text.max_value_characters:,} characters")
        if has_list:
            fields.clear()
    text.take("}")
    if not has_list:
        yield fields


def _decode_utf8(chunks: ByteChunks) -> Iterator[str]:
    """Yield chunks as text; at the first byte that is not UTF-8, raise CorruptFileError."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        yield error.object[: error.start].decode()
        raise CorruptFileError("not valid UTF-8") from error
