"""Pages, feeds and web archives of invented news, made by other tools than those that read them."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

PARAGRAPHS = (
    "The ferry Merganser ran aground off Tarn Hollow on Friday morning with 212 people on board, the coastguard said.",
    "Two tugs from Velden pulled her free at high tide, and nobody was hurt. Divers will look at the hull on Monday.",
    "The shipping line Norwire Sealink said that its timetable would be thinned out until the end of the month.",
)
TEXT = "\n".join(PARAGRAPHS)


def make_page(
    title: str = "Ferry runs aground", text: str = TEXT, url: str = "https://www.norwire.co.uk/ferry"
) -> str:
    """Return a page of an invented news site around a text."""
    body = "".join(f"<p>{paragraph}</p>" for paragraph in text.split("\n"))
    return (
        f'<!DOCTYPE html><html lang="en-GB"><head><meta charset="utf-8"><title>{title} | Norwire</title>'
        f'<meta property="og:title" content="{title}"><meta property="og:site_name" content="Norwire">'
        f'<link rel="canonical" href="{url}">'
        '<meta property="article:published_time" content="2024-05-03T09:30:00+02:00"></head><body>'
        '<nav><ul><li><a href="/">Home</a></li><li><a href="/sport">Sport</a></li></ul></nav>'
        f"<main><article><h1>{title}</h1>{body}</article></main>"
        '<footer><p>Copyright Norwire. All rights reserved.</p><a href="/terms">Terms</a></footer></body></html>'
    )


EMPTY_PAGE = "<!DOCTYPE html><html><head><title>Gallery</title></head><body><img src='a.jpg'></body></html>"


def make_warc_writer(file: IO[bytes], *, gzip: bool) -> Any:
    """Return a writer of warcio, whose temporary files are in memory: it never closes them."""
    from warcio.warcwriter import WARCWriter

    class Writer(WARCWriter):  # type: ignore[misc]
        def _create_temp_file(self) -> IO[bytes]:
            return io.BytesIO()

    return Writer(file, gzip=gzip)


def write_warc(path: Path, records: Iterable[tuple[str, bytes, str, str]], *, gzip: bool = True) -> None:
    """Write a web archive with warcio: URL, body, content type and status of each response."""
    from warcio.statusandheaders import StatusAndHeaders

    with path.open("wb") as file:
        writer = make_warc_writer(file, gzip=gzip)
        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "a test"}))
        for url, body, content_type, status in records:
            headers = StatusAndHeaders(status, [("Content-Type", content_type)], protocol="HTTP/1.1")
            request = StatusAndHeaders("GET / HTTP/1.1", [("Host", "example.org")], is_http_request=True)
            requested = writer.create_warc_record(url, "request", payload=io.BytesIO(), http_headers=request)
            writer.write_record(requested)
            payload = io.BytesIO(body)
            writer.write_record(
                writer.create_warc_record(url, "response", payload=payload, http_headers=headers)
            )


def write_wet(path: Path, records: Iterable[tuple[str, str]]) -> None:
    """Write the conversion records of a WET file with warcio: URL and text of each."""
    with path.open("wb") as file:
        writer = make_warc_writer(file, gzip=True)
        for url, text in records:
            writer.write_record(
                writer.create_warc_record(
                    url,
                    "conversion",
                    payload=io.BytesIO(text.encode()),
                    warc_content_type="text/plain",
                    warc_headers_dict={"WARC-Identified-Content-Language": "eng"},
                )
            )
