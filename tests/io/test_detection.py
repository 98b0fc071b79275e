"""A format that is not as the name says is recognised by the first bytes, and read in a stream."""

import gzip
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from corpora import FORMATS, PACKINGS, STORIES, ids, jsonl, lines, rows

from dedup.io.corpus import Corpus, read_articles

ANSWER = {"status": "ok", "totalResults": 4, "articles": STORIES, "page": 1}
DOCUMENTS = {
    "an array": json.dumps(STORIES),
    "an array with a line each": "[\n" + ",\n".join(map(json.dumps, STORIES)) + "\n]\n",
    "an indented array": json.dumps(STORIES, indent=2),
    "an object with articles": json.dumps(ANSWER),
    "an indented object with articles": json.dumps(ANSWER, indent=4),
    "articles first": json.dumps({"articles": STORIES, "status": "ok"}),
    "several objects with articles": "\n".join(
        [
            json.dumps({"articles": STORIES[:1]}),
            json.dumps({"articles": []}),
            json.dumps({"articles": STORIES[1:]}),
        ]
    ),
    "several arrays": json.dumps(STORIES[:2]) + "\n" + json.dumps(STORIES[2:]),
}


@pytest.mark.parametrize("piece", [1, 100, 1 << 20])
@pytest.mark.parametrize("name", ["news.json", "news.jsonl", "news.ndjson"])
@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=list(DOCUMENTS))
def test_documents_are_read_whatever_they_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, document: str, name: str, piece: int
) -> None:
    monkeypatch.setattr("dedup.io.file_bytes.CHUNK_BYTES", piece)
    (tmp_path / name).write_text(document)
    corpus = read_articles(tmp_path)

    found = ids(corpus)

    assert found == ["a", "b", "c", "d"]
    assert [json.loads(line) for line in lines(corpus)] == STORIES
    assert corpus.rejects == []


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("document", [*DOCUMENTS.values(), FORMATS["jsonl"](STORIES).decode()])
def test_standard_input_may_be_compressed_and_a_document(document: str, packing: str) -> None:
    script = (
        "from dedup.io.corpus import read_articles; corpus = read_articles('-');"
        "print([row['id'] for batch in corpus for row in batch.to_pylist()], len(list(corpus.iter_records())))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        input=PACKINGS[packing](document.encode()),
        capture_output=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == (b"['a', 'b', 'c', 'd'] 4\n", b"")


@pytest.mark.parametrize("packing", [".gz", ".bz2", ".zst"])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "json"])
def test_a_compressed_file_without_the_extension_is_read(tmp_path: Path, kind: str, packing: str) -> None:
    (tmp_path / f"news.{kind}").write_bytes(PACKINGS[packing](FORMATS[kind](STORIES)))

    assert ids(read_articles(tmp_path)) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([{"text": "a", "articles": [{"text": "b"}]}], ["a"]),
        ([{"title": "A", "articles": [{"title": "related"}], "text": "a"}, {"text": "b"}], ["a", "b"]),
        ([{"n": 1, "articles": 3, "text": "a"}, {"text": "b"}], ["a", "b"]),
        ([b'["a list"]', {"text": "a"}], ["a"]),
        ([b"[]", {"text": "a"}], ["a"]),
        ([b"[" * 1000, {"text": "a"}], ["a"]),
        ([b"{", {"text": "a"}], ["a"]),
        ([b'{"articles": [{"text"', {"text": "a"}], []),
    ],
)
def test_json_lines_stay_json_lines(tmp_path: Path, records: list[Any], expected: list[str]) -> None:
    (tmp_path / "news.jsonl").write_bytes(jsonl(*records))

    assert [row["text"] for row in rows(read_articles(tmp_path))] == expected


def test_a_large_array_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "news.json"
    with path.open("w") as file:
        file.write('{"articles": [' + ",".join([json.dumps({"text": "x" * 1000})] * 40_000) + "]}")
    corpus = Corpus([path], batch_bytes=100_000)
    tracemalloc.start()

    articles = sum(batch.num_rows for batch in corpus)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (articles, path.stat().st_size > 40 << 20) == (40_000, False)
    assert peak < 15 << 20


def test_a_broken_element_is_found_without_reading_on(tmp_path: Path) -> None:
    (tmp_path / "news.json").write_text('[{"text": "a"}, {"text": "b" "x"}, ' + '{"text": "c"},' * 100_000)
    corpus = read_articles(tmp_path)

    assert [row["text"] for row in rows(corpus)] == ["a"]
    assert [(reject.line, reject.reason) for reject in corpus.rejects] == [
        (2, "broken JSON, and so is what follows: Expecting ',' delimiter")
    ]
    assert corpus.rejects[0].record.startswith('{"text": "b" "x"}')


def test_an_element_without_end_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "news.json").write_text('[{"text": "a"}, {"text": "' + "x" * (5 << 20))
    corpus = Corpus([tmp_path], max_article_bytes=100_000)

    assert [row["text"] for row in rows(corpus)] == ["a"]
    assert [reject.reason for reject in corpus.rejects] == [
        "broken JSON, and so is what follows: a value is longer than 200,000 characters"
    ]


def test_a_document_that_is_no_utf8_gives_what_comes_before(tmp_path: Path) -> None:
    (tmp_path / "news.json").write_bytes(
        b'[{"text": "\xc3\xa9"}, {"text": "caf\xe9"}, {"text": "\xc3\xa9\xc3\xa9"}]'
    )
    corpus = read_articles(tmp_path)

    assert [row["text"] for row in rows(corpus)] == ["é"]
    assert [reject.reason for reject in corpus.rejects] == ["not valid UTF-8"]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "json", "txt"])
def test_a_file_that_breaks_off_is_named(tmp_path: Path, kind: str) -> None:
    (tmp_path / "whole.txt").write_text("whole")
    data = FORMATS[kind](STORIES) if kind != "txt" else b"text" * 100
    (tmp_path / f"cut.{kind}.gz").write_bytes(gzip.compress(data)[:-9])
    corpus = read_articles(tmp_path)

    rows(corpus)

    assert [(file.path, "breaks off" in file.reason) for file in corpus.corrupt_files] == [
        (str(tmp_path / f"cut.{kind}.gz"), True)
    ]
    warning = f"files damaged or cut off, so that articles are missing, such as {tmp_path}/cut.{kind}.gz"
    assert corpus.warnings == {warning: 1}
    assert corpus.corrupt_files[0] in corpus.rejects
