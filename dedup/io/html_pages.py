"""Read HTML pages: trafilatura finds the article in a page, and its title, date, site and address.

A page is one article. A page without an article is a reject.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from dedup.io.extras import import_reader
from dedup.io.file_bytes import CorruptFileError
from dedup.io.html_text import strip_html
from dedup.io.plain_text import read_bounded_bytes
from dedup.io.source_domain import find_url_domain
from dedup.io.source_file import NumberedRows, SourceFile

__all__ = ["PageExtractor", "read_html_rows"]

MAX_HEAD_CHARACTERS = 1 << 20
"""The language, the date and the character set of a page stand in its head."""
CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w-]{1,40})""", re.IGNORECASE)
LANGUAGE = re.compile(r"""<html\b[^>]{0,500}?\blang\s{0,9}=\s{0,9}["']?([a-zA-Z]{2,3})\b""", re.IGNORECASE)
ISO_TIME = r"(\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.]{0,12}(?:Z|[+-]\d\d:?\d\d)?)"
PUBLISHED = (
    re.compile(r'"datePublished"\s{0,9}:\s{0,9}"' + ISO_TIME + '"'),
    re.compile(
        r"""<meta[^>]{0,200}?(?:article:published_time|datePublished)["'][^>]{0,200}?content\s{0,9}=\s{0,9}["']"""
        + ISO_TIME
    ),
    re.compile(
        r"""<meta[^>]{0,200}?content\s{0,9}=\s{0,9}["']"""
        + ISO_TIME
        + r"""["'][^>]{0,200}?article:published_time"""
    ),
)
"""Where a page says to the minute when it was published; the dates of trafilatura are days."""
OWN_REPORT = b'<meta name="generator" content="dedup '
OWN_REPORT_WARNING = "reports that dedup wrote, which were skipped"
NO_TEXT = "no article text in the page"


class PageExtractor:
    """Extract the articles of HTML pages with trafilatura."""

    def __init__(self, path: str) -> None:
        """Import trafilatura; `InputError`, which names the file at `path`, if it is not installed."""
        self._trafilatura = import_reader("trafilatura", "HTML", "html", path)
        logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # a page without a text is our reject
        logging.getLogger("htmldate").setLevel(logging.CRITICAL)

    def extract(
        self, data: bytes, charset: str | None = None, url: str | None = None
    ) -> dict[str, Any] | str:
        """Return the article of a page as a row, or the reason why there is none.

        `charset` and `url` are those of the response that brought the page, if they are known.
        """
        page = decode_page(data, charset)
        try:
            document = self._trafilatura.bare_extraction(
                page,
                url=url,
                fast=True,
                with_metadata=True,
                include_comments=False,
                date_extraction_params={"original_date": True, "extensive_search": False},
            )
        except Exception as error:  # noqa: BLE001 - pages break parsers in any way
            return f"trafilatura cannot read the page: {type(error).__name__}: {error}"
        text = (document.text or "").strip() if document else ""
        return build_page_row(document, page, text, url) if text else NO_TEXT


def build_page_row(document: Any, page: str, text: str, url: str | None) -> dict[str, Any]:
    """Return the row of a page from the document of trafilatura."""
    head = page[:MAX_HEAD_CHARACTERS]
    language = LANGUAGE.search(head)
    row = {
        "title": strip_html(document.title or ""),
        "text": text,
        "published": find_published(head, document.date),
        "source": document.sitename or find_url_domain(document.url or url),
        "url": document.url or url,
        "language": language[1].lower() if language else document.language,
    }
    return {name: value for name, value in row.items() if value}


def find_published(head: str, day: str | None) -> str | None:
    """Return when a page was published: to the minute where its head says so, else the day that trafilatura found."""
    for pattern in PUBLISHED:
        if match := pattern.search(head):
            return match[1]
    return day


def decode_page(data: bytes, charset: str | None) -> str:
    """Return a page as text: UTF-8 if valid, else in the encoding that the response or the page names, else Windows-1252."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    declared = CHARSET.search(data[:4096])
    for name in (charset, declared[1].decode() if declared else None):
        try:
            if name:
                return data.decode(name, errors="replace")
        except LookupError:
            continue
    return data.decode("cp1252", errors="replace")


def read_html_rows(source_file: SourceFile) -> NumberedRows:
    """Yield the article of a page as one row, numbered 1, whose id is the name of the file.

    A report that dedup wrote into the folder is skipped.
    """
    data, damage = read_bounded_bytes(source_file.read_decompressed(), source_file.max_article_bytes)
    if damage:
        raise CorruptFileError(str(damage), None, data)
    if OWN_REPORT in data[:MAX_HEAD_CHARACTERS]:
        source_file.warnings[OWN_REPORT_WARNING] += 1
        return
    row = PageExtractor(source_file.source.path).extract(data)
    if isinstance(row, str):
        source_file.reject(1, row, data)
    else:
        yield 1, {"id": source_file.source.label, **row}
