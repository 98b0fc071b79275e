"""Read the articles of JSON documents: arrays, lists of articles in an object, and objects one after the other."""

from __future__ import annotations

import re
from itertools import count
from typing import NoReturn

from dedup.io.file_bytes import CorruptFileError
from dedup.io.json_stream import JsonStream, has_article_list, iter_json_articles
from dedup.io.records import MAX_REJECT_CHARACTERS, describe_json_type
from dedup.io.schema import FieldNames
from dedup.io.source_file import NumberedRows, SourceFile

__all__ = ["is_document", "is_json", "read_document_rows"]

# Anchored, and with one way to match each blank, so that they take linear time on any input.
JSON_START = re.compile(rb"\A\s*[\[{]")
ARRAY_START = re.compile(rb"\A\s*\[")
ARTICLE_ARRAY_START = re.compile(rb"\A\s*\[(?:[ \t\r]*[\n{]|\s*(?:\]\s*)?\Z)")
OBJECT_START = re.compile(rb'\A\s*\{[ \t\r]*\n\s*["}]')
LIST_KEYS = (b'"articles"', b'"hits"', b'"items"')
"""One of these is in the beginning of every object that holds a list of articles."""
END = object()


def is_json(head: bytes) -> bool:
    """Return whether a text begins as an array or an object does."""
    return JSON_START.match(head) is not None


def is_document(head: bytes, file_format: str, names: FieldNames) -> bool:
    """Return whether a file is one JSON document, or several, and not JSON Lines, by its first bytes.

    A document is an array, an object on several lines, or an object with a list of articles. In a file that is
    named JSON Lines, a list on its first line that holds no objects is a broken line and no document.
    """
    pattern = ARRAY_START if file_format == "json" else ARTICLE_ARRAY_START
    if pattern.match(head) or OBJECT_START.match(head):
        return True
    return any(key in head for key in LIST_KEYS) and has_article_list(head, _list_field_names(names))


def read_document_rows(source_file: SourceFile) -> NumberedRows:
    """Yield the objects of JSON documents: of arrays, of lists of articles, or one after the other; numbered from 1.

    A document is read in a stream, so its size does not matter. Broken JSON in it cannot be told apart from all that
    follows, which is rejected with it.
    """
    text = JsonStream(source_file.read_chunks(), 2 * source_file.max_article_bytes)
    articles = iter_json_articles(text, _list_field_names(source_file.names))
    for number in count(1):
        try:
            value = next(articles, END)
        except (ValueError, RecursionError) as error:
            _raise_broken(text, number, error)
        if value is END:
            break
        if isinstance(value, dict):
            yield number, value
        else:
            source_file.reject(number, f"{describe_json_type(value)}, not an object", text.get_value_text())
    if text.damage:
        raise text.damage


def _raise_broken(text: JsonStream, number: int, error: Exception) -> NoReturn:
    """Raise the error that says where a document breaks off, and why."""
    rest = text.get_rest(MAX_REJECT_CHARACTERS).encode(errors="replace")
    if str(error) in {"the array has no end", "there is text after the end"}:
        raise text.damage or CorruptFileError(f"broken JSON: {error}", None, rest)
    reason = str(text.damage or f"broken JSON, and so is what follows: {error}")
    raise CorruptFileError(reason, number, rest) from error


def _list_field_names(names: FieldNames) -> list[str]:
    """Return the names that the id, the title, the text or the URL of an article may have."""
    return [name for ours in ("id", "title", "text", "url") for name in names[ours]]
