"""HTML pages and web archives give the articles in them; what holds none is a reject with its reason."""

import gzip
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from corpora import jsonl, lines, rows
from pages import EMPTY_PAGE, PARAGRAPHS, TEXT, make_page, make_warc_writer, write_warc, write_wet

from dedup.errors import InputError
from dedup.io.corpus import read_articles
from dedup.io.html_pages import NO_TEXT, OWN_REPORT_WARNING, PageExtractor
from dedup.io.html_text import strip_html

pytest.importorskip("trafilatura")
HTML = "text/html; charset=utf-8"
ROOT = Path(__file__).parents[2]
OPTIONAL_MODULES = {
    "trafilatura",
    "lxml",
    "fastwarc",
    "feedparser",
    "python_calamine",
    "html.parser",
    "pyarrow.orc",
}


def test_a_page_gives_its_article_without_menu_and_footer(tmp_path: Path) -> None:
    (tmp_path / "ferry.html").write_text(make_page())

    (article,) = rows(read_articles(tmp_path))

    assert [paragraph in article["text"] for paragraph in PARAGRAPHS] == [True, True, True]
    assert "Sport" not in article["text"]
    assert "Copyright" not in article["text"]
    assert {name: article[name] for name in ("id", "title", "source", "url", "language")} == {
        "id": "ferry.html",
        "title": "Ferry runs aground",
        "source": "Norwire",
        "url": "https://www.norwire.co.uk/ferry",
        "language": "en",
    }
    assert article["published"] == datetime(2024, 5, 3, 7, 30, tzinfo=UTC)


def test_a_page_without_an_article_is_rejected_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(EMPTY_PAGE)
    (tmp_path / "b.htm").write_text("")
    (tmp_path / "c.xhtml").write_text(make_page())
    corpus = read_articles(tmp_path)

    assert [row["id"] for row in rows(corpus)] == ["c.xhtml"]
    assert [(Path(reject.path).name, reject.reason) for reject in corpus.rejects] == [
        ("a.html", NO_TEXT),
        ("b.htm", NO_TEXT),
    ]
    assert len(lines(corpus)) == 1


def test_a_page_is_read_in_the_encoding_that_it_declares(tmp_path: Path) -> None:
    page = make_page("Überflutete Straße", TEXT.replace("ferry", "Fähre")).replace("utf-8", "iso-8859-1")
    (tmp_path / "a.html").write_bytes(page.encode("latin-1"))

    (article,) = rows(read_articles(tmp_path))

    assert article["title"] == "Überflutete Straße"
    assert "The Fähre Merganser" in article["text"]


def test_a_report_of_dedup_is_no_article(tmp_path: Path) -> None:
    page = make_page().replace("<head>", '<head><meta name="generator" content="dedup 0.1.0">')
    (tmp_path / "report.html").write_text(page)
    corpus = read_articles(tmp_path)

    assert rows(corpus) == []
    assert corpus.rejects == []
    assert dict(corpus.warnings) == {OWN_REPORT_WARNING: 1}


def test_html_without_its_package_is_an_error_that_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.html").write_text(make_page())
    monkeypatch.setitem(sys.modules, "trafilatura", None)

    with pytest.raises(InputError, match=r"reading HTML needs trafilatura: pip install 'news-dedup\[html\]'"):
        rows(read_articles(tmp_path))


def test_the_pages_of_a_web_archive_are_articles_and_other_responses_are_counted(tmp_path: Path) -> None:
    pytest.importorskip("fastwarc")
    path = tmp_path / "CC-NEWS-1.warc.gz"
    write_warc(
        path,
        [
            ("https://www.norwire.co.uk/ferry", make_page().encode(), HTML, "200 OK"),
            ("https://norwire.co.uk/a.jpg", b"\xff\xd8", "image/jpeg", "200 OK"),
            ("https://norwire.co.uk/old", make_page().encode(), HTML, "301 Moved"),
            ("https://norwire.co.uk/gallery", EMPTY_PAGE.encode(), HTML, "200 OK"),
        ],
    )
    corpus = read_articles(path)

    (article,) = rows(corpus)

    assert article["id"].startswith("urn:uuid:")
    assert (article["title"], article["source"], article["language"]) == (
        "Ferry runs aground",
        "Norwire",
        "en",
    )
    assert [(reject.line, reject.reason, reject.record) for reject in corpus.rejects] == [
        (9, NO_TEXT, "https://norwire.co.uk/gallery")
    ]
    assert [count for words, count in corpus.warnings.items() if "not HTML pages" in words] == [2]
    assert len(lines(corpus)) == 1


def test_compressed_responses_are_unpacked(tmp_path: Path) -> None:
    from warcio.statusandheaders import StatusAndHeaders

    pytest.importorskip("fastwarc")
    packed = gzip.compress(make_page().encode())
    headers = StatusAndHeaders(
        "200 OK", [("Content-Type", HTML), ("Content-Encoding", "gzip")], protocol="HTTP/1.1"
    )
    with (tmp_path / "a.warc").open("wb") as file:
        writer = make_warc_writer(file, gzip=False)
        payload = io.BytesIO(packed)
        writer.write_record(
            writer.create_warc_record("https://a.org/1", "response", payload=payload, http_headers=headers)
        )

    assert [row["title"] for row in rows(read_articles(tmp_path))] == ["Ferry runs aground"]


def test_the_records_of_a_wet_file_are_texts_whose_first_line_is_the_title(tmp_path: Path) -> None:
    pytest.importorskip("fastwarc")
    path = tmp_path / "CC-MAIN-1.warc.wet.gz"
    write_wet(
        path,
        [
            ("https://www.norwire.co.uk/ferry", f"Ferry runs aground\n{TEXT}"),
            ("https://norwire.co.uk/b", " "),
        ],
    )
    corpus = read_articles(path)

    (article,) = rows(corpus)

    assert (article["title"], article["text"]) == ("Ferry runs aground", TEXT)
    assert (article["source"], article["language"]) == ("norwire.co.uk", "eng")
    assert [(reject.line, reject.reason) for reject in corpus.rejects] == [(2, NO_TEXT)]


def test_a_web_archive_that_breaks_off_gives_the_pages_before_the_break(tmp_path: Path) -> None:
    pytest.importorskip("fastwarc")
    whole, cut = tmp_path / "whole.warc.gz", tmp_path / "cut.warc.gz"
    write_warc(
        whole, [(f"https://a.org/{n}", make_page(f"Ferry {n}").encode(), HTML, "200 OK") for n in range(9)]
    )
    cut.write_bytes(whole.read_bytes()[:-200])
    corpus = read_articles(cut)

    assert len(rows(corpus)) == 8
    assert "breaks off" in corpus.rejects[0].reason
    assert len(corpus.corrupt_files) == 1


@pytest.mark.parametrize("content", [b"", b"no archive at all\n" * 50, b"\0" * 5000])
def test_what_is_no_web_archive_is_a_reject(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("fastwarc")
    (tmp_path / "a.warc").write_bytes(content)
    corpus = read_articles(tmp_path)

    assert rows(corpus) == []
    assert corpus.rejects[0].reason.startswith("not a WARC file")


def test_a_page_is_extracted_once_for_both_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.html").write_text(make_page())
    (tmp_path / "b.html").write_text(EMPTY_PAGE)
    (tmp_path / "c.html").write_text(make_page("Ferry afloat"))
    calls = []
    extract = PageExtractor.extract

    def count_call(self: PageExtractor, data: bytes) -> dict[str, Any] | str:
        calls.append(data)
        return extract(self, data)

    monkeypatch.setattr(PageExtractor, "extract", count_call)
    corpus = read_articles(tmp_path)

    titles = [row["title"] for row in rows(corpus)]
    written = [json.loads(line)["title"] for line in lines(corpus)]

    assert titles == written == ["Ferry runs aground", "Ferry afloat"]
    assert len(calls) == 3
    assert [row["title"] for row in rows(corpus)] == titles


def test_json_lines_are_read_without_the_packages_of_other_formats(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl({"text": "Ferry"}))
    program = "import sys; from dedup import read_articles; print(len(list(read_articles(sys.argv[1])))); print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True, cwd=ROOT
    )

    count, modules = done.stdout.splitlines()
    assert count == "1"
    assert not OPTIONAL_MODULES & set(modules.split())


def test_fragments_of_html_become_a_line_for_each_paragraph() -> None:
    fragment = "<p>One &amp; <a href='x'>two</a></p>\n<script>no()</script><ul><li>three</li></ul>"

    assert strip_html(fragment) == "One & two\nthree"
    assert strip_html("a < b") == "a < b"
