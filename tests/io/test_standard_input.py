"""Standard input may be JSON or CSV in any encoding; a stream into an index is JSON Lines, and says so of anything else."""

import gzip
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from corpora import FORMATS, PACKINGS, STORIES, as_csv, jsonl, rows
from exports import EXPORTS

from dedup import deduplicate
from dedup.errors import InputError
from dedup.index.index import Index
from dedup.index.stream import NOT_UTF8_HINT, ArticleStream, BatchLimits
from dedup.io.corpus import read_articles
from dedup.io.source_file import PRESET_WARNING

LIMITS = BatchLimits(articles=1000, seconds=0.01)


def answer_stream(data: bytes, **options: Any) -> tuple[list[str], list[str], dict[str, int]]:
    """Return the ids and the reasons of the rejects of a stream, and its warnings."""
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    with Index.open(":memory:") as index:
        stream = ArticleStream(read, index, options, LIMITS)  # type: ignore[arg-type]
        batches = list(stream)
    os.close(read)
    ids = [answer.id for batch in batches for _, answer in batch.answers]
    return ids, [reject.reason for batch in batches for reject in batch.rejects], stream.warnings


def set_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Let standard input be some bytes."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
@pytest.mark.parametrize("packing", PACKINGS)
def test_csv_on_standard_input_is_read(
    monkeypatch: pytest.MonkeyPatch, delimiter: str, encoding: str, packing: str
) -> None:
    stories = [{"id": "b", "title": "Выборы", "text": "Явка превысила шестьдесят процентов, итоги завтра."}]
    data = as_csv(stories, delimiter).decode().encode(encoding)
    set_stdin(monkeypatch, PACKINGS[packing](data))

    (article,) = rows(read_articles("-"))

    assert {name: article[name] for name in stories[0]} == stories[0]


def test_csv_with_other_names_on_standard_input_is_read_with_a_field(monkeypatch: pytest.MonkeyPatch) -> None:
    set_stdin(monkeypatch, b"Nr;Inhalt\n1;Ferry\n")

    assert [row["text"] for row in rows(read_articles("-", fields={"text": "Inhalt"}))] == ["Ferry"]


def test_an_export_in_csv_on_standard_input_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    set_stdin(monkeypatch, b"stories_id,media_name,publish_date,story_text\n7,Norwire,2024-05-03,Ferry\n")

    assert [(row["id"], row["source"], row["text"]) for row in rows(read_articles("-"))] == [
        ("7", "Norwire", "Ferry")
    ]


@pytest.mark.parametrize("first", [b"text\n", b"{broken\n", b'"text", ...\n'])
def test_a_broken_first_line_of_json_does_not_make_it_csv(
    monkeypatch: pytest.MonkeyPatch, first: bytes
) -> None:
    set_stdin(monkeypatch, first.replace(b"text", b"log") + jsonl(*STORIES))
    corpus = read_articles("-")

    assert [row["id"] for row in rows(corpus)] == ["a", "b", "c", "d"]
    assert [reject.line for reject in corpus.rejects] == [1]


def test_the_line_of_excel_names_the_delimiter(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"sep=;\r\nid;text\r\n1;Ferry, aground\r\n")

    assert [(row["id"], row["text"]) for row in rows(read_articles(tmp_path))] == [("1", "Ferry, aground")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            "Nr;Titel;Inhalt\n1;a;b\n",
            r"it has Nr, Titel, Inhalt; name the column of the text: --field text=NAME$",
        ),
        (
            "id~text\n1~b\n",
            r"it has id~text; name the character between the columns: --delimiter CHARACTER$",
        ),
    ],
)
def test_a_table_without_a_text_says_how_to_read_it(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "a.csv").write_text(content)

    with pytest.raises(InputError, match=sentence):
        rows(read_articles(tmp_path))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (gzip.compress(jsonl(*STORIES)), "compressed; name a file instead, or pass it through gzip -dc"),
        (PACKINGS[".zst"](jsonl(*STORIES)), "compressed; name a file instead, or pass it through zstd -dc"),
        (jsonl(*STORIES).decode().encode("utf-16"), "UTF-16; .* iconv -f utf-16 -t utf-8"),
        (json.dumps(STORIES).encode(), r"a JSON document; .* jq -c '\.\[\]'"),
        (json.dumps(STORIES, indent=1).encode(), "a JSON document"),
        (json.dumps({"status": "ok", "articles": STORIES}).encode(), "a JSON document"),
        (b"\xef\xbb\xbf" + FORMATS["csv"](STORIES), "CSV; name a file instead"),
        (FORMATS["tsv"](STORIES), "CSV"),
    ],
)
def test_a_stream_of_another_kind_says_how_to_pass_it(data: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=f"a stream is JSON Lines in UTF-8, and this one is {sentence}"):
        answer_stream(data)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_stream_may_begin_with_a_mark_or_a_broken_line(mark: bytes) -> None:
    assert answer_stream(mark + jsonl(*STORIES))[0] == ["a", "b", "c", "d"]
    assert answer_stream(b"id,title\n" + jsonl(*STORIES))[0] == ["a", "b", "c", "d"]


def test_a_line_of_a_stream_in_another_encoding_is_rejected_with_the_way_to_convert_it() -> None:
    ids, reasons, _ = answer_stream(
        jsonl({"id": "1", "text": "café"}).decode().encode("cp1252") + jsonl(*STORIES)
    )

    assert (ids, reasons) == (["a", "b", "c", "d"], [NOT_UTF8_HINT])


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_in_a_stream_is_recognised_as_in_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(*[EXPORTS[name]] * 3))
    expected = [row["id"] for row in rows(read_articles(tmp_path))]

    ids, reasons, warnings = answer_stream(jsonl(*[EXPORTS[name]] * 3))

    assert (ids, reasons) == (expected, [])
    assert warnings == {PRESET_WARNING.format(name): 1}


def test_a_preset_of_a_stream_can_be_given_or_refused() -> None:
    hit = jsonl({"_id": "7", "_source": {"body": "Ferry"}})

    assert answer_stream(hit)[1] == ["no text (nor body, content, article)"]
    assert answer_stream(hit, preset="elasticsearch")[0] == ["7"]
    assert answer_stream(jsonl(EXPORTS["elasticsearch"]), preset="none")[0] == []


def test_a_stream_shows_the_first_date_that_it_cannot_read() -> None:
    _, _, warnings = answer_stream(jsonl({"text": "a", "date": "soon"}, {"text": "b", "date": "later"}))

    assert warnings == {"articles whose date cannot be read, taken as undated, such as 'soon'": 2}


def test_articles_in_memory_show_the_first_date_that_cannot_be_read() -> None:
    result = deduplicate([{"text": "a", "date": "soon"}, {"text": "b", "date": "later"}])

    assert result.warnings == {"articles whose date cannot be read, taken as undated, such as 'soon'": 2}


FOREIGN = {
    "Parquet": b"PAR1\x15\x04\x15\x9c\xff",
    "a web archive": b"WARC/1.0\r\nWARC-Type: response\r\n",
    "a zip file or an Excel workbook": b"PK\x03\x04\x14\x00",
    "HTML or XML": b"\n<!DOCTYPE html><title>Ferry</title>",
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("packing", PACKINGS)
def test_another_format_on_standard_input_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, packing: str
) -> None:
    set_stdin(monkeypatch, PACKINGS[packing](FOREIGN[name]))

    with pytest.raises(InputError, match=f"^standard input is {name}, and only JSON Lines, JSON and CSV"):
        deduplicate(read_articles("-"))


@pytest.mark.parametrize("name", FOREIGN)
def test_another_format_in_a_stream_is_named(name: str) -> None:
    with pytest.raises(InputError, match=f"this one is {name};"):
        answer_stream(FOREIGN[name])
