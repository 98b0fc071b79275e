"""Read NewsML-G2 and NITF, the XML of news agencies, an item at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from dedup.io.file_bytes import ByteChunks, CorruptFileError
from dedup.io.html_text import BLOCK_TAGS
from dedup.io.source_file import NumberedRows, SourceFile

__all__ = ["ITEM_TAGS", "iter_news_rows"]

ITEM_TAGS = frozenset({"newsItem", "nitf"})
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
TEXT_TAGS = ("body.content", "body")
MAX_DEPTH = 200


def iter_news_rows(source_file: SourceFile, chunks: ByteChunks) -> NumberedRows:
    """Yield the items of NewsML-G2 or NITF in UTF-8 as rows, numbered from 1.

    Raise `CorruptFileError` where the XML is broken, or an item is longer than an article may be.
    """
    for number, item in enumerate(_iter_items(chunks, source_file.max_article_bytes), 1):
        yield number, _build_nitf_row(item) if _get_name(item) == "nitf" else _build_newsml_row(item)


def _iter_items(chunks: ByteChunks, max_bytes: int) -> Iterator[Element]:
    """Yield the outermost items; each is dropped from memory before the next one is read."""
    parser: XMLPullParser[Any] = XMLPullParser(["start", "end"])
    open_elements: list[Element] = []
    depth, held = 0, 0
    try:
        for chunk in chunks:
            held += len(chunk)
            parser.feed(chunk)
            for event, element in cast("Iterable[tuple[str, Element]]", parser.read_events()):
                if event == "start":
                    open_elements.append(element)
                    depth += depth > 0 or _get_name(element) in ITEM_TAGS
                    if len(open_elements) > MAX_DEPTH:
                        raise CorruptFileError(f"elements are nested more than {MAX_DEPTH} deep")
                    continue
                open_elements.pop()
                depth -= depth > 0
                if depth:
                    continue
                if _get_name(element) in ITEM_TAGS:
                    yield element
                    held = 0
                if open_elements:
                    open_elements[-1].clear()
            if held > max_bytes:
                raise CorruptFileError(f"longer than {max_bytes:,} bytes")
        parser.close()
    except ParseError as error:
        raise CorruptFileError(f"broken XML, and so is the rest: {error}") from error


def _build_newsml_row(item: Element) -> dict[str, Any]:
    """Return the row of an item of NewsML-G2, whose text may be NITF, XHTML or plain."""
    row: dict[str, Any] = {
        "id": item.get("guid"),
        "title": _find_text(item, "headline"),
        "published": _find_text(item, "contentCreated")
        or _find_text(item, "versionCreated")
        or _find_text(item, "firstCreated"),
        "source": _find_name(item, "provider") or _find_name(item, "infoSource"),
        "url": next((link.get("href") for link in _find_all(item, "link") if link.get("href")), None),
        "language": next((each.get("tag") for each in _find_all(item, "language")), None)
        or item.get(LANGUAGE),
    }
    inline = next(_find_all(item, "inlineXML"), None)
    if inline is not None:
        nitf = next(_find_all(inline, "nitf"), None)
        inner = {"text": _join_body(inline)} if nitf is None else _build_nitf_row(nitf)
        row = {**inner, **{name: value for name, value in row.items() if value}}
    else:
        row["text"] = _find_text(item, "inlineData")
    return {name: value for name, value in row.items() if value}


def _build_nitf_row(item: Element) -> dict[str, Any]:
    """Return the row of a document of NITF."""
    document_id = next(_find_all(item, "doc-id"), Element(""))
    row = {
        "id": document_id.get("id-string"),
        "title": _find_text(item, "hl1") or _find_text(item, "hedline") or _find_text(item, "title"),
        "text": _join_body(item),
        "published": next((each.get("norm") for each in _find_all(item, "date.issue")), None)
        or next((each.get("norm") for each in _find_all(item, "story.date")), None),
        "source": _find_text(item, "distributor") or document_id.get("regsrc"),
        "language": item.get(LANGUAGE)
        or next((each.get(LANGUAGE) for each in _find_all(item, "body")), None),
    }
    return {name: value for name, value in row.items() if value}


def _join_body(item: Element) -> str:
    """Return the text of an item, a line for each paragraph."""
    for tag in TEXT_TAGS:
        body = next(_find_all(item, tag), None)
        if body is not None:
            return _join_text(body)
    return _join_text(item)


def _join_text(element: Element) -> str:
    """Return the text in an element, with a line for each element that is a paragraph."""
    parts = "".join(_iter_text(element)).split("\n")
    return "\n".join(filter(None, (" ".join(part.split()) for part in parts)))


def _iter_text(element: Element) -> Iterator[str]:
    """Yield the pieces of text in an element."""
    for part in [element.text or "", *element]:
        if isinstance(part, str):
            yield part.replace("\n", " ")
            continue
        end = "\n" if _get_name(part).lower() in BLOCK_TAGS else ""
        yield end
        yield from _iter_text(part)
        yield end
        yield (part.tail or "").replace("\n", " ")


def _find_all(item: Element, name: str) -> Iterator[Element]:
    """Yield the elements of a name in an item, in any namespace."""
    return (element for element in item.iter() if _get_name(element) == name)


def _find_text(item: Element, name: str) -> str | None:
    """Return the text of the first element of a name that has one."""
    return next(filter(None, (_join_text(element) for element in _find_all(item, name))), None)


def _find_name(item: Element, name: str) -> str | None:
    """Return the name that the first element of some name has for its subject: inside, or as its code."""
    element = next(_find_all(item, name), None)
    if element is None:
        return None
    return (
        _find_text(element, "name") or element.get("literal") or element.get("qcode") or _join_text(element)
    )


def _get_name(element: Element) -> str:
    """Return the name of an element without its namespace; an empty string for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
