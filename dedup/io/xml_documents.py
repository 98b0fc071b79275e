"""Read XML documents: the first element says whether it is a feed, NewsML-G2 or NITF."""

from __future__ import annotations

from dedup.io.feeds import iter_feed_rows
from dedup.io.news_xml import ITEM_TAGS, iter_news_rows
from dedup.io.source_file import NumberedRows, SourceFile
from dedup.io.xml_text import ENTITY_REASON, EntityError, decode_xml, find_root_name

__all__ = ["read_xml_rows"]

FEED_ROOTS = frozenset({"rss", "RDF", "feed"})
NEWS_ROOTS = ITEM_TAGS | {"newsMessage"}
KNOWN_KINDS = "RSS, Atom, NewsML-G2 and NITF"


def read_xml_rows(source_file: SourceFile) -> NumberedRows:
    """Yield the articles of a feed, of NewsML-G2 or of NITF as rows, numbered from 1; reject other XML."""
    try:
        head, chunks = decode_xml(source_file.read_decompressed())
    except EntityError:
        source_file.reject(1, ENTITY_REASON, "")
        return
    root = find_root_name(head)
    if root in FEED_ROOTS:
        yield from iter_feed_rows(source_file, chunks)
    elif root in NEWS_ROOTS:
        yield from iter_news_rows(source_file, chunks)
    else:
        kind = f"XML of {root!r}" if root else "not XML"
        source_file.reject(1, f"{kind}; known are {KNOWN_KINDS}", head)
