"""Every cell of the table of formats in docs/how-to/reading.md holds, for files that another tool wrote."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from corpora import lines, rows
from pages import EMPTY_PAGE, make_page, write_warc, write_wet
from test_tables import make_workbook

from dedup.io.corpus import read_articles
from dedup.io.discovery import EXTENSIONS

for package in ("trafilatura", "fastwarc", "feedparser", "python_calamine"):
    pytest.importorskip(package)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "reading.md"
TEXTS = [
    f"The ferry Merganser ran aground off Tarn Hollow with {n} people on board, and two tugs pulled her free at high tide."
    for n in range(212, 215)
]
GOOD: list[dict[str, Any]] = [
    {"id": str(n), "title": f"Ferry {n}", "text": text} for n, text in enumerate(TEXTS, 1)
]
TEXTLESS = {"id": "4", "title": "Nothing", "text": None}
NO_TEXT = "no text (nor body, content, article)"
NO_PAGE = "no article text in the page"
UNKNOWN_ENCODING = "Die Fähre lief auf Grund.".encode("utf-16-le")  # without its mark
RECORDS = [*GOOD, TEXTLESS]
Records = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """A file of one format that another tool writes: a row of the table may have several."""

    row: str
    """How the first cell of the row begins."""
    name: str
    write: Callable[[Path, Records], Any]
    reject: tuple[int | None, str] = (4, NO_TEXT)
    """The line and the beginning of the reason of the record that is no article."""

    def __str__(self) -> str:
        return self.name


def write_with_duckdb(path: Path, records: Records, options: str = "") -> None:
    """Write records with DuckDB, in the format of the extension or of the options."""
    with duckdb.connect() as connection:
        connection.register("news", pa.Table.from_pylist(records))
        connection.sql(f"COPY news TO '{path}' ({options})" if options else f"COPY news TO '{path}'")


def write_csv(path: Path, records: Records, *, separator: str = ",") -> None:
    """Write records with polars, and one without a text as a row that is too short."""
    pl.DataFrame([record for record in records if record["text"]]).write_csv(path, separator=separator)
    with path.open("a") as file:
        file.writelines(f"{r['id']}{separator}{r['title']}\n" for r in records if not r["text"])


def pack(command: str) -> Callable[[Path, Records], None]:
    """Return a function that writes JSON Lines and packs them with a command."""

    def write(path: Path, records: Records) -> None:
        plain = path.with_suffix("")
        pl.DataFrame(records).write_ndjson(plain)
        with path.open("wb") as file:
            subprocess.run([command, "-c", str(plain)], stdout=file, check=True)
        plain.unlink()

    return write


def write_pages(path: Path, records: Records, *, gzip: bool = True) -> None:
    """Write a web archive with warcio: a page for each record, an empty page, and a picture."""
    urls = [f"https://www.norwire.co.uk/{record['id']}" for record in records]
    pages = [
        make_page(record["title"], record["text"], url) if record["text"] else EMPTY_PAGE
        for record, url in zip(records, urls, strict=True)
    ]
    responses = [(url, page.encode(), "text/html", "200 OK") for url, page in zip(urls, pages, strict=True)]
    write_warc(path, [*responses, ("https://a.org/a.png", b"PNG", "image/png", "200 OK")], gzip=gzip)


def write_texts(path: Path, records: Records) -> None:
    """Write a WET file with warcio."""
    write_wet(
        path,
        [(f"https://a.org/{r['id']}", f"{r['title']}\n{r['text']}" if r["text"] else "") for r in records],
    )


def write_page_files(folder: Path, records: Records, *, extension: str = "html") -> None:
    """Write a page for each record."""
    folder.mkdir()
    for record in records:
        page = make_page(record["title"], record["text"]) if record["text"] else EMPTY_PAGE
        (folder / f"{record['id']}.{extension}").write_text(page)


def write_text_files(folder: Path, records: Records) -> None:
    """Write a text for each record; that of a record without a text is not UTF-8."""
    folder.mkdir()
    for record in records:
        text = f"{record['title']}\n\n{record['text']}".encode() if record["text"] else UNKNOWN_ENCODING
        (folder / f"{record['id']}.txt").write_bytes(text)


def write_rss(path: Path, records: Records) -> None:
    """Write RSS as a content management system does."""
    items = "".join(
        f"<item><guid>{r['id']}</guid><title>{r['title']}</title>"
        + (f"<description>{r['text']}</description>" if r["text"] else "")
        + "</item>"
        for r in records
    )
    path.write_text(f'<rss version="2.0"><channel><title>Norwire</title>{items}</channel></rss>')


def write_atom(path: Path, records: Records) -> None:
    """Write Atom."""
    entries = "".join(
        f"<entry><id>{r['id']}</id><title>{r['title']}</title>"
        + (f"<content>{r['text']}</content>" if r["text"] else "")
        + "</entry>"
        for r in records
    )
    path.write_text(
        f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Norwire</title><id>n</id>{entries}</feed>'
    )


def write_newsml(path: Path, records: Records) -> None:
    """Write NewsML-G2."""
    items = "".join(
        f'<newsItem guid="{r["id"]}"><contentMeta><headline>{r["title"]}</headline></contentMeta><contentSet>'
        f'<inlineData contenttype="text/plain">{r["text"] or ""}</inlineData></contentSet></newsItem>'
        for r in records
    )
    path.write_text(
        f'<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet>{items}</itemSet></newsMessage>'
    )


def write_ninjs(path: Path, records: Records) -> None:
    """Write ninjs as JSON Lines, or as an array."""
    items = [
        {"uri": r["id"], "type": "text", "versioncreated": "2024-05-03T00:00:00Z", "headline": r["title"]}
        | ({"body_text": r["text"]} if r["text"] else {"body_text": None})
        for r in records
    ]
    path.write_text(
        json.dumps(items) if path.suffix == ".json" else "".join(json.dumps(item) + "\n" for item in items)
    )


def write_workbook(path: Path, records: Records) -> None:
    """Write a workbook with openpyxl."""
    path.write_bytes(make_workbook({"News": [[*records[0]], *([*record.values()] for record in records)]}))


MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry '
    'manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>'
)


def write_opendocument(path: Path, records: Records) -> None:
    """Write a sheet as OpenDocument asks for it."""
    cells = [[*records[0]], *([*record.values()] for record in records)]
    sheet = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{cell or ""}</text:p></table:table-cell>'
            for cell in row
        )
        + "</table:table-row>"
        for row in cells
    )
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr(
            "content.xml",
            f'<office:document-content {names}><office:body><office:spreadsheet><table:table table:name="News">'
            f"{sheet}</table:table></office:spreadsheet></office:body></office:document-content>",
        )


CASES = [
    Case("JSON Lines", "a.jsonl", lambda path, records: pl.DataFrame(records).write_ndjson(path)),
    Case(
        "JSON Lines",
        "a.ndjson",
        lambda path, records: pd.DataFrame(records).to_json(path, orient="records", lines=True),
    ),
    Case("JSON Lines", "a.jsonl.gz", pack("gzip")),
    Case("JSON Lines", "a.jsonl.zst", pack("zstd")),
    Case("JSON Lines", "a.jsonl.bz2", pack("bzip2")),
    Case("JSON:", "a.json", lambda path, records: pd.DataFrame(records).to_json(path, orient="records")),
    Case(
        "JSON:",
        "b.json",
        lambda path, records: write_with_duckdb(path, records, "FORMAT json, ARRAY true"),
    ),
    Case("CSV, TSV", "a.csv", write_csv, (5, "2 fields where the header has 3")),
    Case(
        "CSV, TSV",
        "a.tsv",
        lambda path, records: write_csv(path, records, separator="\t"),
        (5, "2 fields where the header has 3"),
    ),
    Case("Parquet", "a.parquet", write_with_duckdb),
    Case("Parquet", "b.parquet", lambda path, records: pl.DataFrame(records).write_parquet(path)),
    Case("Arrow IPC", "a.arrow", lambda path, records: pl.DataFrame(records).write_ipc(path)),
    Case("Arrow IPC", "a.arrows", lambda path, records: pl.DataFrame(records).write_ipc_stream(path)),
    Case("Arrow IPC", "a.feather", lambda path, records: pd.DataFrame(records).to_feather(path)),
    Case(
        "Arrow IPC", "a.ipc", lambda path, records: pl.DataFrame(records).write_ipc(path, compression="zstd")
    ),
    Case("ORC", "a.orc", lambda path, records: pd.DataFrame(records).to_orc(path)),
    Case("plain text", "texts", write_text_files, (None, "its encoding cannot be told; convert it to UTF-8")),
    Case("HTML pages", "pages", write_page_files, (1, NO_PAGE)),
    Case(
        "HTML pages",
        "xhtml",
        lambda path, records: write_page_files(path, records, extension="xhtml"),
        (1, NO_PAGE),
    ),
    Case(
        "web archives", "a.warc", lambda path, records: write_pages(path, records, gzip=False), (9, NO_PAGE)
    ),
    Case("web archives", "a.warc.gz", write_pages, (9, NO_PAGE)),
    Case("web archives", "a.wet.gz", write_texts, (4, NO_PAGE)),
    Case("RSS, Atom", "a.rss", write_rss),
    Case("RSS, Atom", "a.atom", write_atom),
    Case("RSS, Atom", "a.xml", write_rss),
    Case("NewsML-G2, NITF", "a.newsml", write_newsml),
    Case("NewsML-G2, NITF", "b.xml", write_newsml),
    Case("ninjs", "c.json", write_ninjs, (4, "no body_text")),
    Case("ninjs", "c.jsonl", write_ninjs, (4, "no body_text")),
    Case("Excel", "a.xlsx", write_workbook, (5, NO_TEXT)),
    Case("Excel", "a.ods", write_opendocument, (5, NO_TEXT)),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_file_of_each_format_gives_its_articles_and_names_what_is_none(tmp_path: Path, case: Case) -> None:
    case.write(tmp_path / case.name, RECORDS)
    corpus = read_articles(tmp_path)

    found = rows(corpus)

    assert [row["text"].split("\n")[-1] for row in found] == TEXTS
    assert [row["title"] for row in found] == [
        each["title"] if case.name != "texts" else None for each in GOOD
    ]
    assert len(lines(corpus)) == len(GOOD)
    line, reason = case.reject
    assert [(reject.line, reject.reason[: len(reason)]) for reject in corpus.rejects] == [(line, reason)]


def read_table() -> list[list[str]]:
    """Return the rows of the table, without its head."""
    rows = [line for line in PAGE.read_text().split("## Fields")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows[2:]]


TABLE = read_table()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_the_table_names_the_extensions_of_a_format(row: list[str]) -> None:
    named = re.findall(r"`(\.\w+)`", row[1])

    assert named
    assert set(named) <= set(EXTENSIONS)
    assert [case for case in CASES if row[0].startswith(case.row)]


def test_every_extension_is_in_the_table() -> None:
    named = {extension for row in TABLE for extension in re.findall(r"`(\.\w+)`", row[1])}

    assert set(EXTENSIONS) <= named


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_an_extra_brings_the_libraries_of_its_format(row: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    extra = row[2].strip("`")
    asked = extras[extra] if extra != "–" else project["dependencies"]
    asked = [
        *asked,
        *(package for name in ("html",) if f"news-dedup[{name}]" in asked for package in extras[name]),
    ]

    missing = [
        library
        for library in row[3].split(", ")
        if library != "–" and not any(re.match(rf"{library}\b", package) for package in asked)
    ]
    assert missing == []


@pytest.mark.parametrize("row", [row for row in TABLE if row[2] != "–"], ids=lambda row: row[0])
def test_without_its_extra_a_format_says_which_it_needs(tmp_path: Path, row: list[str]) -> None:
    case = next(case for case in CASES if row[0].startswith(case.row))
    case.write(tmp_path / case.name, GOOD)
    modules = {"python-calamine": "python_calamine"}
    script = (
        "import sys; sys.modules.update(dict.fromkeys(sys.argv[2:])); from dedup.io.corpus import read_articles\n"
        "for batch in read_articles(sys.argv[1]): pass"
    )
    libraries = [modules.get(library, library) for library in row[3].split(", ")]

    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path, *libraries], capture_output=True, text=True, check=False
    )

    assert f"pip install 'news-dedup[{row[2].strip('`')}]'" in done.stderr


LONG = "The river rose two metres overnight. " * 400
"""Fifteen thousand characters, as many as a long article has."""
LARGE = 3000
"""The number of such articles: 45 MB."""
STREAMED = [
    case for case in CASES if case.name in {"a.jsonl", "a.json", "a.csv", "a.newsml", "c.json", "a.wet.gz"}
]
IN_PARTS = [
    Case(
        "Parquet",
        "a.parquet",
        lambda path, records: pl.DataFrame(records).write_parquet(path, row_group_size=50),
    ),
    Case(
        "Arrow IPC",
        "a.arrow",
        lambda path, records: pl.DataFrame(records).write_ipc(path, compression="zstd", record_batch_size=50),
    ),
    Case(
        "ORC",
        "a.orc",
        lambda path, records: pd.DataFrame(records).to_orc(path, engine_kwargs={"stripe_size": 1 << 20}),
    ),
]
"""Formats that are read in the parts in which they were written."""
MAX_PEAK = 40 << 20
"""A reader that holds the file needs more; those that stream take 10 MB, of web archives 22, and a stripe of ORC has 15."""
MEASURE = """
import sys, tracemalloc
import pyarrow as pa
from dedup.io.corpus import Corpus
tracemalloc.start()
corpus = Corpus([sys.argv[1]], batch_bytes=1 << 20)
print(sum(batch.num_rows for batch in corpus), sum(1 for _ in corpus.iter_records()))
print(tracemalloc.get_traced_memory()[1] + pa.default_memory_pool().max_memory())
"""


def measure_peak(path: Path, count: int) -> int:
    """Return the most memory, in bytes, that Python and Arrow hold while a file is read twice; mapped files are not in it."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True
    ).stdout.split()
    assert done[:2] == [str(count)] * 2
    return int(done[2])


@pytest.mark.parametrize("case", [*STREAMED, *IN_PARTS], ids=str)
def test_a_large_file_is_read_in_little_memory(tmp_path: Path, case: Case) -> None:
    case.write(
        tmp_path / case.name,
        [{"id": str(n), "title": f"Mill {n}", "text": f"{n} {LONG}"} for n in range(LARGE)],
    )

    assert measure_peak(tmp_path / case.name, LARGE) < MAX_PEAK


def test_the_table_says_streamed_of_the_formats_that_are() -> None:
    streamed = {row[0] for row in TABLE if row[5] in {"streamed", "an item"}}

    assert streamed == {row[0] for row in TABLE for case in STREAMED if row[0].startswith(case.row)}
