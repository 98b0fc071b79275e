"""An article that names no source gets the registered domain of its URL, however it is read."""

import csv
import io
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet
import pytest
from corpora import jsonl, lines, rows

from dedup import deduplicate
from dedup.io.articles import to_batches
from dedup.io.corpus import read_articles
from dedup.io.source_domain import _build_extractor, fill_missing_sources, find_domain, find_url_domain

RECORDS: list[dict[str, Any]] = [
    {"id": "a", "text": "Ferry", "source": "Norwire", "url": "https://www.example.co.uk/a"},
    {"id": "b", "text": "Mill", "source": None, "url": "https://sport.example.co.uk/b"},
    {"id": "c", "text": "Flood", "source": "", "url": "https://EXAMPLE.org:443/c?d=http://x.com"},
    {"id": "d", "text": "Fire", "source": None, "url": None},
]
SOURCES = ["Norwire", "example.co.uk", "example.org", None]
TABLE = pa.Table.from_pylist(RECORDS)


def write_csv(path: Path) -> None:
    """Write the records as CSV."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(RECORDS[0]))
    writer.writeheader()
    writer.writerows(RECORDS)
    path.write_text(text.getvalue())


def write_excel(path: Path) -> None:
    """Write the records as a workbook."""
    from openpyxl import Workbook

    workbook = Workbook()
    for row in [[*RECORDS[0]], *([*record.values()] for record in RECORDS)]:
        workbook.active.append(row)
    workbook.save(path)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "news.jsonl": lambda path: path.write_bytes(jsonl(*RECORDS)),
    "untidy.jsonl": lambda path: path.write_bytes(jsonl(*RECORDS, b"broken")),
    "news.json": lambda path: path.write_text(json.dumps(RECORDS)),
    "news.csv": write_csv,
    "news.parquet": lambda path: pyarrow.parquet.write_table(TABLE, path),
    "news.arrow": lambda path: pyarrow.feather.write_feather(TABLE, path),
    "news.orc": lambda path: pyarrow.orc.write_table(TABLE, path),
    "news.xlsx": write_excel,
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_domain_of_the_url_is_the_source_of_an_article_without_one(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)

    assert [row["source"] for row in rows(read_articles(tmp_path))] == SOURCES


@pytest.mark.parametrize("articles", [RECORDS, TABLE, TABLE.to_batches()], ids=["dicts", "table", "batches"])
def test_articles_in_memory_get_the_same_sources(articles: Any) -> None:
    assert [source for batch in to_batches(articles) for source in batch["source"].to_pylist()] == SOURCES
    assert deduplicate(articles).articles["source"].to_pylist() == SOURCES


def test_a_request_gets_the_same_sources() -> None:
    requests = pytest.importorskip("dedup.server.requests")
    from dedup.io.read_options import build_read_rules

    batch, _ = requests.convert_records(dict(enumerate(RECORDS)), build_read_rules({}))

    assert batch["source"].to_pylist() == SOURCES


def test_a_data_frame_on_spark_gets_the_same_sources() -> None:
    pytest.importorskip("pyspark")
    from dedup.spark.sketch import to_article_batch

    batch = to_article_batch(TABLE.select(["id", "text", "source", "url"]).combine_chunks().to_batches()[0])

    assert batch["source"].to_pylist() == SOURCES


def test_the_output_has_only_the_fields_of_the_input(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(*RECORDS))
    corpus = read_articles(tmp_path)
    rows(corpus)

    assert lines(corpus) == [line.rstrip(b"\n") for line in jsonl(*RECORDS).splitlines()]


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.bbc.co.uk/news", "bbc.co.uk"),
        ("//edition.cnn.com/a", "cnn.com"),
        ("HTTPS://User:Secret@News.Abc.Net.AU:8080/a", "abc.net.au"),
        ("https://ferries.blogspot.com/2026", "ferries.blogspot.com"),
        ("https://blogspot.com/", "blogspot.com"),
        ("http://web.archive.org/web/20141108120155/http://www.wkrn.com/story", "wkrn.com"),
        ("https://web.archive.org/about", "archive.org"),
        ("www.norwire.com/a", "norwire.com"),
        ("https://xn--bcher-kva.de/a", "bücher.de"),
        ("https://norwire.com./a", "norwire.com"),
        ("story.md", None),
        ("http://10.0.0.1/a", None),
        ("http://[::1]/a", None),
        ("http://localhost:8080/a", None),
        ("https://norwire.example/a", None),
        ("https://co.uk/a", None),
        ("https://a%41.com/a", None),
        ("mailto:desk@norwire.com", None),
        (f"https://{'a' * 600}.com/", None),
        ("", None),
        (None, None),
    ],
)
def test_a_domain_ends_where_the_public_suffix_list_says(url: str | None, domain: str | None) -> None:
    assert find_url_domain(url) == domain


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("sport.bbc.co.uk", "bbc.co.uk"),
        ("//desk.norwire.example:80/a", "norwire.example"),
        ("desk.norwire.example/a", "norwire.example"),
        ("https://web.archive.org/web/2014/http://www.wkrn.com/story", "wkrn.com"),
        ("co.uk", None),
        ("10.0.0.1", None),
        ("http://norwire/a", None),
        ("The Bugle, p. 3", None),
        ("", None),
        (None, None),
    ],
)
def test_a_domain_of_an_unknown_suffix_has_two_labels(address: str | None, domain: str | None) -> None:
    assert find_domain(address) == domain


def test_the_list_of_suffixes_is_never_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setenv("TLDEXTRACT_CACHE", str(tmp_path))
    _build_extractor.cache_clear()

    found = fill_missing_sources(pa.nulls(1, pa.string()), pa.array(["https://never-seen-before.co.jp/a"]))

    assert found.to_pylist() == ["never-seen-before.co.jp"]
    assert list(tmp_path.iterdir()) == []
