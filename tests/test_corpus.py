"""A corpus gives its articles, then its records as they stood; what it cannot read, it says."""

import bz2
import csv
import gzip
import io
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.articles import SCHEMA
from dedup.corpus import Corpus, Reject, read_articles
from dedup.errors import InputError
from dedup.records import Record

STORIES = [
    {
        "id": "a",
        "title": "Flood in Lübeck",
        "text": "Die Trave stieg über die Ufer.",
        "published": "2024-01-31",
    },
    {"id": "b", "title": "Выборы", "text": "Явка превысила 60 %.\nИтоги — завтра.", "source": "Газета"},
    {"id": "c", "title": "", "text": "", "url": "https://example.org/c", "language": "en"},
    {"id": "d", "title": 'Said, "no"', "text": "He said: “no”; then\tleft.\r\nOr not.", "extra": "kept"},
]


def rows(corpus: Corpus) -> list[dict[str, Any]]:
    """Return the articles of a corpus as dicts."""
    return [row for batch in corpus for row in batch.to_pylist()]


def ids(corpus: Corpus) -> list[str]:
    """Return the ids of the articles of a corpus."""
    return [row["id"] for row in rows(corpus)]


def lines(corpus: Corpus) -> list[bytes]:
    """Return the records of a corpus as lines of JSON."""
    return [record.line() for record in corpus.records()]


def jsonl(*records: object) -> bytes:
    """Return JSON Lines in which each record that is bytes is a line as it stands."""
    return b"".join(
        (r if isinstance(r, bytes) else json.dumps(r, ensure_ascii=False).encode()) + b"\n" for r in records
    )


def as_csv(records: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    """Return records as CSV, with every field that any of them has."""
    text = io.StringIO(newline="")
    names = dict.fromkeys(name for record in records for name in record)
    writer = csv.DictWriter(text, list(names), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def as_parquet(records: list[dict[str, Any]]) -> bytes:
    """Return records as a Parquet file."""
    names = dict.fromkeys(name for record in records for name in record)
    file = io.BytesIO()
    columns = {name: [record.get(name) for record in records] for name in names}
    pyarrow.parquet.write_table(pa.table(columns), file)
    return file.getvalue()


def zstd(data: bytes) -> bytes:
    """Return data as one frame of Zstandard."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


FORMATS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "jsonl": lambda records: jsonl(*records),
    "ndjson": lambda records: jsonl(*records),
    "json": lambda records: json.dumps(records, indent=2).encode(),
    "csv": as_csv,
    "tsv": lambda records: as_csv(records, "\t"),
    "parquet": as_parquet,
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".zst": zstd,
}


# Formats and places


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("kind", FORMATS)
def test_the_articles_are_the_same_in_every_format_and_compression(
    tmp_path: Path, kind: str, packing: str
) -> None:
    path = tmp_path / f"news.{kind}{packing}"
    path.write_bytes(PACKINGS[packing](FORMATS[kind](STORIES)))
    corpus = read_articles(path)

    found = rows(corpus)

    assert [row["id"] for row in found] == ["a", "b", "c", "d"]
    assert [row["text"] for row in found] == [story["text"] for story in STORIES]
    assert [row["title"] for row in found] == ["Flood in Lübeck", "Выборы", None, 'Said, "no"']
    assert found[0]["published"] == datetime(2024, 1, 31, tzinfo=UTC)
    assert found[2]["url"] == "https://example.org/c"
    assert [record.fields()["text"] for record in corpus.records()] == [story["text"] for story in STORIES]
    assert (corpus.rejects, corpus.warnings) == ([], {})


@pytest.mark.parametrize("batch_bytes", [1, 100, 10_000, 8 << 20])
@pytest.mark.parametrize("kind", FORMATS)
def test_the_size_of_a_batch_changes_no_article(tmp_path: Path, kind: str, batch_bytes: int) -> None:
    stories = [story | {"id": f"{n}-{story['id']}"} for n in range(60) for story in STORIES]
    (tmp_path / f"news.{kind}").write_bytes(FORMATS[kind](stories))
    whole = Corpus([tmp_path / f"news.{kind}"])

    corpus = Corpus([tmp_path / f"news.{kind}"], batch_bytes=batch_bytes)

    assert rows(corpus) == rows(whole)
    assert lines(corpus) == lines(whole)
    assert all(batch.schema == SCHEMA for batch in corpus)


def test_batches_are_bounded_in_bytes_and_articles(tmp_path: Path) -> None:
    long, short = {"text": "x" * 5000}, {"text": ""}
    (tmp_path / "news.jsonl").write_bytes(jsonl(*[long] * 1000, *[short] * 10_000))

    batches = list(Corpus([tmp_path], batch_bytes=100_000))

    assert sum(batch.num_rows for batch in batches) == 11_000
    assert max(batch.num_rows for batch in batches) <= 4096
    assert max(batch.nbytes for batch in batches) < 150_000


def test_small_files_share_a_batch(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number:03}.txt").write_text(f"story {number}")

    batches = list(read_articles(tmp_path))

    assert [batch.num_rows for batch in batches] == [300]


def test_a_folder_is_read_in_order_without_what_is_hidden_or_unknown(tmp_path: Path) -> None:
    for name in ["b.txt", "a/z.txt", "a/y.jsonl", "a.txt", ".hidden.txt", ".git/x.txt", "readme.md", "B.TXT"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"text": "x"}')

    corpus = read_articles(tmp_path)

    assert ids(corpus) == ["B.TXT", "a/y.jsonl:1", "a/z.txt", "a.txt", "b.txt"]


def test_a_text_file_is_one_article_named_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "one.txt").write_bytes("Ein\nText\0".encode())

    assert rows(read_articles("news"))[0]["id"] == "one.txt"
    assert rows(read_articles("news/one.txt"))[0]["id"] == "news/one.txt"
    assert rows(read_articles("news/one.txt"))[0]["text"] == "Ein\nText "
    assert lines(read_articles("news")) == [b'{"id":"one.txt","text":"Ein\\nText\\u0000"}']
    assert ids(read_articles("news", fields={"text": "body", "id": "key"})) == ["one.txt"]


def test_a_file_name_that_is_no_utf8_still_gives_an_id(tmp_path: Path) -> None:
    place = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    Path(os.fsdecode(place)).write_text("text")

    assert ids(read_articles(tmp_path)) == ["caf\ufffd.txt"]


def test_several_places_follow_one_another_as_given(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x.txt").write_text("x")
    (tmp_path / "b.jsonl").write_bytes(jsonl({"id": "same", "text": "b"}))
    (tmp_path / "a.csv").write_text("id,text\nsame,a\n")

    corpus = read_articles(tmp_path / "folder", tmp_path / "b.jsonl", tmp_path / "a.csv")

    assert [(row["id"], row["text"]) for row in rows(corpus)] == [
        ("x.txt", "x"),
        ("same", "b"),
        ("same", "a"),
    ]
    assert [record.fields()["text"] for record in corpus.records()] == ["x", "b", "a"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing.jsonl", "there is no file or folder "),
        (
            "news.pdf",
            r"news\.pdf has no known extension; known are \.txt, \.jsonl, .*\.parquet, each also with \.gz",
        ),
        ("empty", r"the folder .*empty holds no file to read; known extensions are \.txt, \.jsonl"),
    ],
)
def test_a_place_that_cannot_be_read_is_an_error_in_one_sentence(
    tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / "news.pdf").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".hidden.jsonl").write_text("{}")

    with pytest.raises(InputError, match=sentence):
        read_articles(tmp_path / name)


def test_no_place_at_all_is_an_error() -> None:
    with pytest.raises(InputError, match="no corpus was given"):
        read_articles()


def test_what_one_may_not_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "inner"))

    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.txt").write_text("x")
    file = tmp_path / "inner" / "a.txt"
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(InputError, match=r"cannot read .*a\.txt: permission denied"):
        read_articles(file)
    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(InputError, match="cannot read .*inner: Permission denied"):
        read_articles(tmp_path)


# JSON Lines


def test_records_come_back_byte_for_byte(tmp_path: Path) -> None:
    odd = [b'{ "text" :"a" , "n": 1.50e3,"n":2}', b'{"text":"\\u00e9\\/", "z": [ ] }  ', b'{"text":"x"}\r']
    (tmp_path / "news.jsonl").write_bytes(jsonl(*odd))

    corpus = read_articles(tmp_path)

    assert len(rows(corpus)) == 3
    assert lines(corpus) == odd


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
json_objects = st.dictionaries(
    st.sampled_from(["id", "title", "headline", "body", "published", "source", "other", "\x00"]) | st.text(),
    json_values,
    max_size=5,
)


@given(
    st.lists(st.tuples(json_objects, st.none() | st.text(), st.booleans()), max_size=8),
    st.sampled_from([1, 200, 8 << 20]),
)
def test_arbitrary_objects_come_back_byte_for_byte_and_one_way_or_another(
    tmp_path_factory: pytest.TempPathFactory,
    given_objects: list[tuple[dict[str, Any], str | None, bool]],
    batch_bytes: int,
) -> None:
    """Whether Arrow or Python parsed a line can be seen neither in its article nor in its record."""
    written = [
        json.dumps({**fields, "text": text} if text is not None else fields, ensure_ascii=ascii_only)
        for fields, text, ascii_only in given_objects
    ]
    data = [line.encode(errors="surrogatepass") for line in written]
    path = tmp_path_factory.mktemp("any") / "news.jsonl"
    path.write_bytes(b"\n".join(data))
    usable = [
        line for line, (fields, text, _) in zip(data, given_objects, strict=True) if _has_text(fields, text)
    ]

    corpus = Corpus([path], batch_bytes=batch_bytes)
    one_by_one = [row for batch in _each_line(path, data) for row in batch]

    assert rows(corpus) == one_by_one
    assert lines(corpus) == usable
    assert [reject.line for reject in corpus.rejects] == [
        n for n, line in enumerate(data, 1) if line not in usable
    ]


def _has_text(fields: dict[str, Any], text: str | None) -> bool:
    found = [text, *(fields.get(name) for name in ("text", "body", "content", "article"))]
    return any(isinstance(value, str) for value in (found if text is not None else found[1:]))


def _each_line(path: Path, data: list[bytes]) -> list[list[dict[str, Any]]]:
    """Return the articles of each line, read with a line beside it that only Python can parse."""
    found = []
    for number, line in enumerate(data, 1):
        path.with_name("one.jsonl").write_bytes(b"\n" * (number - 1) + line + b"\n[]\n")
        found.append(
            [
                row | {"id": row["id"].replace("one.jsonl", "news.jsonl")}
                for row in rows(Corpus([path.with_name("one.jsonl")]))
            ]
        )
    return found
