"""CSV, Parquet and JSON documents give articles and rejects by the number of the row."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from corpora import STORIES, as_parquet, ids, lines, rows

from dedup.errors import InputError
from dedup.io.corpus import Corpus, Reject, read_articles


def test_csv_rows_are_numbered_by_the_line_they_begin_on(tmp_path: Path) -> None:
    path = tmp_path / "news.csv"
    path.write_bytes(
        b'text,title\r\n"two\r\nlines",A\r\n\r\nragged\r\n"x,y",B\r\na,b,c\r\n"caf\xe9",C\r\nz,\xc3\xa9\r\nz,\xc3\xa9'
    )
    corpus = read_articles(path)

    found = rows(corpus)

    assert [(row["id"], row["text"], row["title"]) for row in found] == [
        (f"{path}:2", "two\r\nlines", "A"),
        (f"{path}:6", "x,y", "B"),
        (f"{path}:9", "z", "é"),
        (f"{path}:10", "z", "é"),
    ]
    assert corpus.rejects == [
        Reject(str(path), 5, "1 fields where the header has 2", "ragged\r"),
        Reject(str(path), 7, "3 fields where the header has 2", "a,b,c\r"),
        Reject(str(path), 8, "not valid UTF-8", '"caf\ufffd",C\r'),
    ]
    assert lines(corpus)[0] == b'{"text":"two\\r\\nlines","title":"A"}'
    assert len(lines(corpus)) == 4


def test_a_csv_field_may_be_as_long_as_an_article(tmp_path: Path) -> None:
    (tmp_path / "news.csv").write_text("text\n" + "x" * 500_000 + "\n" + "y" * 2_000_000 + "\nlast\n")
    corpus = Corpus([tmp_path], max_article_bytes=1_000_000)

    assert [len(row["text"]) for row in rows(corpus)] == [500_000, 4]
    assert [(reject.line, reject.reason) for reject in corpus.rejects] == [(3, "longer than 1,000,000 bytes")]
    assert len(lines(corpus)) == 2


def test_a_quote_that_is_never_closed_is_rejected_by_the_line_it_opens_on(tmp_path: Path) -> None:
    (tmp_path / "news.csv").write_text('id,text\n1,a\n2,"never closed\n' + "3,c\n" * 100)
    corpus = Corpus([tmp_path], max_article_bytes=200)

    assert ids(corpus)[0] == "1"
    assert corpus.rejects[0].line == 3
    assert len(lines(corpus)) == len(ids(corpus))


def test_a_table_without_a_text_is_an_error_that_names_its_columns(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,story\n1,a\n")
    (tmp_path / "b.parquet").write_bytes(as_parquet([{"id": "1", "story": "a"}]))

    for name in ("a.csv", "b.parquet"):
        with pytest.raises(InputError, match=rf"{name} has no column text or body .* it has id, story"):
            rows(read_articles(tmp_path / name))
        assert ids(read_articles(tmp_path / name, fields={"text": "story"})) == ["1"]


@pytest.mark.parametrize("header", [b"id,te\rxt\n", b"id,t\xe9xt\xff\n", b"id\rtext\r1\ra\r"])
def test_a_header_that_cannot_be_read_is_an_error(tmp_path: Path, header: bytes) -> None:
    (tmp_path / "news.csv").write_bytes(header + "1,é\n".encode() * 9)

    with pytest.raises(InputError, match=r"the header of .*news\.csv cannot be read: "):
        rows(read_articles(tmp_path))


def test_an_empty_file_holds_no_articles(tmp_path: Path) -> None:
    for name in ("a.csv", "a.tsv", "a.jsonl", "a.ndjson", "a.json", "a.jsonl.gz"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "b.csv").write_text("text\n")
    (tmp_path / "b.json").write_text("[]")
    (tmp_path / "b.parquet").write_bytes(as_parquet([{"text": "a"}]))
    corpus = read_articles(tmp_path)

    assert [row["text"] for row in rows(corpus)] == ["a"]
    assert corpus.rejects == []


def test_parquet_columns_that_are_not_needed_may_be_of_any_type(tmp_path: Path) -> None:
    nanoseconds = 1706702400_123456789
    table = pa.table(
        {
            "key": [1, 2, 3],
            "body": ["a", None, "c"],
            "date": pa.array([nanoseconds] * 3, pa.timestamp("ns")),
            "nested": [{"a": [1]}, None, {"a": []}],
            "bytes": [b"\xff", b"", b"ok"],
            "seen": pa.array(
                [[{"at": nanoseconds, "for": 1_000_000_001}]] * 3,
                pa.list_(pa.struct([("at", pa.timestamp("ns")), ("for", pa.duration("ns"))])),
            ),
            "clock": pa.array([1_000_000_001] * 3, pa.time64("ns")).dictionary_encode(),
        }
    )
    path = tmp_path / "news.parquet"
    pyarrow.parquet.write_table(table, path)
    corpus = read_articles(path, fields={"id": "key"})

    found = rows(corpus)

    assert [(row["id"], row["text"]) for row in found] == [("1", "a"), ("3", "c")]
    assert found[0]["published"] == datetime(2024, 1, 31, 12, tzinfo=UTC)
    assert [(reject.line, reject.reason) for reject in corpus.rejects] == [
        (2, "no text (nor body, content, article)")
    ]
    times = {"seen": [{"at": "2024-01-31T12:00:00.123456", "for": "0:00:01"}], "clock": "00:00:01"}
    assert [json.loads(line) for line in lines(corpus)] == [
        {
            "key": 1,
            "body": "a",
            "date": "2024-01-31T12:00:00.123456",
            "nested": {"a": [1]},
            "bytes": "\ufffd",
            **times,
        },
        {
            "key": 3,
            "body": "c",
            "date": "2024-01-31T12:00:00.123456",
            "nested": {"a": []},
            "bytes": "ok",
            **times,
        },
    ]


def test_parquet_rows_are_rejected_by_number(tmp_path: Path) -> None:
    broken = pa.array([b"fine", b"br\xffken", b"x" * 5000, b"last"]).view(pa.string())
    path = tmp_path / "news.parquet"
    pyarrow.parquet.write_table(pa.table({"text": broken}), path)
    corpus = Corpus([path], max_article_bytes=1000)

    assert ids(corpus) == [f"{path}:1", f"{path}:4"]
    assert [(reject.line, reject.reason) for reject in corpus.rejects] == [
        (2, "text is not valid UTF-8"),
        (3, "longer than 1,000 bytes"),
    ]
    assert len(lines(corpus)) == 2


def test_a_parquet_file_cut_short_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "news.parquet").write_bytes(as_parquet(STORIES)[:-20])
    corpus = read_articles(tmp_path)

    assert rows(corpus) == []
    assert "not a Parquet file, or a damaged one" in corpus.rejects[0].reason


def test_a_json_file_may_hold_lines_or_an_array_or_one_article(tmp_path: Path) -> None:
    story = {"id": "a", "text": "Text"}
    forms = [
        json.dumps([story]),
        json.dumps([story], indent=4),
        "\n [\n" + json.dumps(story) + "\n]\n",
        json.dumps(story),
        json.dumps(story, indent=4),
        json.dumps(story) + "\n",
    ]
    for form in forms:
        (tmp_path / "news.json").write_text(form)
        corpus = read_articles(tmp_path)

        assert ids(corpus) == ["a"], form
        assert [json.loads(line) for line in lines(corpus)] == [story]


def test_an_element_that_is_no_article_is_rejected_by_its_position(tmp_path: Path) -> None:
    path = tmp_path / "news.json"
    path.write_text(
        '[{"text": "a"}, 12, {"title": "b"}, {"text": "lone \\ud800"}, {"text": "d" "x"}, {"text": "e"}]'
    )
    corpus = read_articles(path)

    assert ids(corpus) == [f"{path}:1", f"{path}:4"]
    assert [(reject.line, reject.reason.split(":")[0]) for reject in corpus.rejects] == [
        (2, "a number, not an object"),
        (3, "no text (nor body, content, article)"),
        (5, "broken JSON, and so is what follows"),
    ]
    assert len(lines(corpus)) == 2
    assert b"\\ud800" in lines(corpus)[1]


@pytest.mark.parametrize(
    ("document", "kept", "reason"),
    [
        ('[{"text": "a"}, {"text": "b"}', 2, "broken JSON: the array has no end"),
        ('[{"text": "a"},\n', 1, "broken JSON: the array has no end"),
        ('[{"text": "a"}]] {"text": "b"}', 1, "broken JSON: there is text after the end"),
        ('{\n"text": "a"}] {"text": "b"}', 1, "broken JSON: there is text after the end"),
    ],
)
def test_a_document_without_its_end_is_reported(
    tmp_path: Path, document: str, kept: int, reason: str
) -> None:
    (tmp_path / "news.json").write_text(document)
    corpus = read_articles(tmp_path)

    assert len(rows(corpus)) == kept
    assert [(reject.line, reject.reason) for reject in corpus.rejects] == [(None, reason)]
    assert len(lines(corpus)) == kept


def test_a_document_may_be_objects_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "news.json").write_text('{\n "text": "a"\n}\n{\n "text": "b"\n}\n')

    assert [row["text"] for row in rows(read_articles(tmp_path))] == ["a", "b"]
