"""Read WARC and WET files, such as those of Common Crawl and CC-NEWS.

Pages of HTML go through the extraction of `dedup.io.html_pages`; the conversion records of WET files are text already.
Other records (requests, redirects, images) are not articles: they are counted, not rejected.
"""

from __future__ import annotations

from typing import Any

from dedup.io.chunk_reader import ChunkReader
from dedup.io.extras import import_reader
from dedup.io.file_bytes import CorruptFileError
from dedup.io.html_pages import NO_TEXT, PageExtractor
from dedup.io.source_domain import find_url_domain
from dedup.io.source_file import NumberedRows, SourceFile

__all__ = ["read_warc_rows"]

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
HTTP_OK = 200
SKIPPED_WARNING = "records of web archives that are not HTML pages (redirects, images …), which were skipped"


def read_warc_rows(source_file: SourceFile) -> NumberedRows:
    """Yield the pages of a WARC file, and the texts of a WET file, as rows numbered by their records, from 1."""
    warc = import_reader("fastwarc.warc", "WARC", "warc", source_file.source.path)
    extractor = PageExtractor(source_file.source.path)
    stream = ChunkReader(source_file.read_decompressed())
    number = 0
    try:
        for record in warc.ArchiveIterator(stream, parse_http=False, stream_detect=False):
            number += 1
            row = _read_record(record, source_file, extractor, warc.WarcRecordType)
            if stream.damage:
                break
            if isinstance(row, str):
                source_file.reject(number, row, _get_url(record))
            elif row:
                yield number, row
    except (OSError, ValueError) as error:
        reason = str(stream.damage or f"not a WARC file, or a damaged one: {error}")
        raise CorruptFileError(reason, number + 1) from error
    if stream.damage:
        raise CorruptFileError(str(stream.damage), number)
    if not number:
        raise CorruptFileError("not a WARC file: it holds no record")


def _read_record(
    record: Any, source_file: SourceFile, extractor: PageExtractor, types: Any
) -> dict[str, Any] | str | None:
    """Return the row of a record, the reason why it is not an article, or None if it is of another kind."""
    if record.record_type not in (types.response, types.resource, types.conversion):
        return None
    is_conversion = record.record_type == types.conversion
    try:
        media_type, charset = _parse_media_type(record, parse_http=not is_conversion)
    except (OSError, ValueError) as error:
        return f"broken headers of the response: {error}"
    if media_type not in HTML_TYPES and not (is_conversion and media_type == "text/plain"):
        source_file.warnings[SKIPPED_WARNING] += 1
        return None
    limit = source_file.max_article_bytes
    data = record.reader.read(limit + 1)
    if len(data) > limit:
        return source_file.too_long_reason
    url = _get_url(record)
    row = (
        extractor.extract(data, charset, url)
        if media_type in HTML_TYPES
        else _build_text_row(data, url, record)
    )
    return row if isinstance(row, str) else {"id": (record.record_id or "").strip("<>") or url, **row}


def _parse_media_type(record: Any, *, parse_http: bool) -> tuple[str, str | None]:
    """Return the media type and the character set of a record; an empty type for a response that is not a success."""
    if not (parse_http and record.is_http):
        return (record.headers.get("Content-Type") or "").partition(";")[0].strip().lower(), None
    record.parse_http(auto_decode="all")
    if record.http_headers is None or record.http_headers.status_code != HTTP_OK:
        return "", None
    return (record.http_content_type or "").lower(), record.http_charset


def _get_url(record: Any) -> str:
    """Return the address of the page in a record."""
    return (record.headers.get("WARC-Target-URI") or "").strip("<>")


def _build_text_row(data: bytes, url: str, record: Any) -> dict[str, Any] | str:
    """Return the row of a conversion record: its first line is the title of the page."""
    text = data.decode(errors="replace").strip()
    if not text:
        return NO_TEXT
    title, _, body = text.partition("\n")
    languages = (record.headers.get("WARC-Identified-Content-Language") or "").split(",")
    row = {
        "title": title.strip(),
        "text": body.strip() or text,
        "source": find_url_domain(url),
        "url": url,
        "language": languages[0].strip(),
    }
    return {name: value for name, value in row.items() if value}
