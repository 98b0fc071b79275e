"""JSON Lines come back byte for byte, and a line that is no article is rejected by its number."""

import json
import tracemalloc
from datetime import UTC, datetime
from itertools import compress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from corpora import STORIES, ids, json_objects, jsonl, lines, rows
from hypothesis import given
from hypothesis import strategies as st

from dedup.io.corpus import Corpus, read_articles
from dedup.io.jsonl import _parse_with_arrow
from dedup.io.line_blocks import LineBlock
from dedup.io.source_file import SourceFile


def test_records_come_back_byte_for_byte(tmp_path: Path) -> None:
    odd = [b'{ "text" :"a" , "n": 1.50e3,"n":2}', b'{"text":"\\u00e9\\/", "z": [ ] }  ', b'{"text":"x"}\r']
    (tmp_path / "news.jsonl").write_bytes(jsonl(*odd))

    corpus = read_articles(tmp_path)

    assert len(rows(corpus)) == 3
    assert lines(corpus) == odd


@given(
    st.lists(
        st.tuples(json_objects | json_objects.map(lambda o: {**o, "text": ""}), st.booleans()), max_size=8
    ),
    st.sampled_from([1, 200, 8 << 20]),
)
def test_arbitrary_objects_come_back_byte_for_byte_and_one_way_or_another(
    tmp_path_factory: pytest.TempPathFactory, objects: list[tuple[dict[str, Any], bool]], batch_bytes: int
) -> None:
    """Whether Arrow or Python parsed a line can be seen neither in its article nor in its record."""
    data = [json.dumps(fields, ensure_ascii=ascii_only).encode() for fields, ascii_only in objects]
    path = tmp_path_factory.mktemp("any") / "news.jsonl"
    path.write_bytes(b"\n".join(data))
    usable = [_has_text(fields) for fields, _ in objects]

    corpus = Corpus([path], batch_bytes=batch_bytes)

    assert rows(corpus) == _each_line(path, data)
    assert lines(corpus) == list(compress(data, usable))
    assert [reject.line for reject in corpus.rejects] == [n for n, ok in enumerate(usable, 1) if not ok]


tidy_objects = st.fixed_dictionaries(
    {"text": st.text(max_size=20), "id": st.integers(-(2**63), 2**63 - 1)},
    optional={
        "title": st.text(max_size=5),
        "headline": st.text(max_size=5),
        "published": st.sampled_from(["2024-01-31", "2024-01-31T12:00:00Z", "", "soon", None]),
        "source": st.none() | st.text(max_size=5),
        "other": st.recursive(st.none() | st.integers() | st.text(), st.lists),
    },
)


@given(st.lists(tidy_objects, min_size=1, max_size=10))
def test_arrow_and_python_read_the_same_articles(
    tmp_path_factory: pytest.TempPathFactory, objects: list[dict[str, Any]]
) -> None:
    """Objects whose fields have one type each are what Arrow is there for; Python is the oracle."""
    path = tmp_path_factory.mktemp("tidy") / "news.jsonl"
    path.write_bytes(jsonl(*[json.dumps(fields).encode() for fields in objects]))
    by_arrow: list[bool] = []

    def spy(block: LineBlock, reading: SourceFile) -> list[pa.RecordBatch] | None:
        found = _parse_with_arrow(block, reading)
        by_arrow.append(found is not None)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dedup.io.jsonl._parse_with_arrow", spy)
        fast = rows(read_articles(path))
        patch.setattr("dedup.io.jsonl._parse_with_arrow", lambda *_: None)
        slow = rows(read_articles(path))

    assert fast == slow
    assert by_arrow == [True]


def _has_text(fields: dict[str, Any]) -> bool:
    """Return whether a field that may be the text is one."""
    return any(isinstance(fields.get(name), str) for name in ("text", "body", "content", "article"))


def _each_line(path: Path, data: list[bytes]) -> list[dict[str, Any]]:
    """Return the articles of lines read one by one, each beside a line that only Python can refuse."""
    alone = path.with_name("alone.jsonl")
    found = []
    for number, line in enumerate(data):
        alone.write_bytes(b"\n" * number + line + b"\n[]\n")
        found += [row | {"id": row["id"].replace(str(alone), str(path))} for row in rows(Corpus([alone]))]
    return found


BAD_LINES = {
    b'{"text": "cut off': "broken JSON: Unterminated string starting at (column 10)",
    b'{"text": "a"} x': "broken JSON: Extra data (column 15)",
    b'{"text": "a"}{"text": "b"}': "broken JSON: Extra data (column 14)",
    b"[" * 100_000: "broken JSON: ",
    b'["text"]': "a list, not an object",
    b'"text"': "a string, not an object",
    b"null": "null, not an object",
    b"12": "a number, not an object",
    b'{"title": "a"}': "no text (nor body, content, article)",
    b'{"text": null}': "no text (nor body, content, article)",
    b'{"text": 12}': "text is a number, not text",
    b'{"text": true}': "text is a truth value, not text",
    b'{"text": ["a"]}': "text is a list, not text",
    b'{"text": {"a": 1}}': "text is an object, not text",
    b'{"text": "caf\xe9"}': "not valid UTF-8",
    b'{"text": "a", "other": "caf\xe9"}': "not valid UTF-8",
    b'{"text": "' + b"x" * 2000 + b'"}': "longer than 2,000 bytes",
}


@pytest.mark.parametrize("batch_bytes", [1, 8 << 20])
def test_each_line_that_is_no_article_is_rejected_by_number_and_reason(
    tmp_path: Path, batch_bytes: int
) -> None:
    path = tmp_path / "news.jsonl"
    good = jsonl({"text": "é", "id": "good"})
    path.write_bytes(good + b"".join(line + b"\n\n  \n" + good for line in BAD_LINES))
    corpus = Corpus([path], max_article_bytes=2000, batch_bytes=batch_bytes)

    found = ids(corpus)

    # The brackets are longer than an article may be, too; that is noticed first.
    expected = [
        reason if len(line) <= 2000 else "longer than 2,000 bytes" for line, reason in BAD_LINES.items()
    ]
    assert found == ["good"] * (len(BAD_LINES) + 1)
    assert [reject.reason for reject in corpus.rejects] == expected
    assert [reject.line for reject in corpus.rejects] == [2 + 4 * n for n in range(len(BAD_LINES))]
    assert [reject.record for reject in corpus.rejects] == [
        line.decode(errors="replace")[:2000] for line in BAD_LINES
    ]
    assert {reject.path for reject in corpus.rejects} == {str(path)}
    assert lines(corpus) == [good.strip()] * (len(BAD_LINES) + 1)


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES.items())
def test_one_bad_line_among_tidy_ones_is_the_only_one_rejected(
    tmp_path: Path, bad: bytes, reason: str
) -> None:
    """Arrow reads the others well enough to hide it."""
    good = jsonl(*[{"id": str(n), "text": "é"} for n in range(50)])
    (tmp_path / "news.jsonl").write_bytes(good + bad + b"\n" + good)
    corpus = Corpus([tmp_path], max_article_bytes=200_000 if bad.startswith(b"[[") else 2000)

    assert ids(corpus) == [str(n) for n in range(50)] * 2
    assert [reject.line for reject in corpus.rejects] == [51]
    assert corpus.rejects[0].reason.startswith(reason)
    assert b"\n".join(lines(corpus)) + b"\n" == good * 2


def test_an_object_on_two_lines_is_rejected_though_another_line_makes_up_for_it(tmp_path: Path) -> None:
    """Arrow finds as many objects here as there are lines."""
    odd = [b'{"text": "a", "x":', b'{"y": 1}}', b'{"text": "b"}{"text": "c"}']
    (tmp_path / "news.jsonl").write_bytes(jsonl(*[{"text": "x"}] * 5, *odd))
    corpus = read_articles(tmp_path)

    rows(corpus)

    assert [reject.line for reject in corpus.rejects] == [6, 7, 8]


@pytest.mark.parametrize("nulls", [1, 1000])
def test_nulls_after_objects_are_rejected(tmp_path: Path, nulls: int) -> None:
    """Arrow parses a block in parts: here some begin with null, which crashes it."""
    (tmp_path / "news.jsonl").write_bytes(jsonl(*[{"text": "x"}] * 10, *[b"null"] * nulls, {"text": "x"}))
    corpus = read_articles(tmp_path)

    assert len(rows(corpus)) == 11
    assert len(corpus.rejects) == nulls


@pytest.mark.parametrize("first", [b"null", b"\n\nnull", b"  null", b"\xef\xbb\xbfnull"])
def test_null_instead_of_an_object_is_rejected(tmp_path: Path, first: bytes) -> None:
    """It crashes Arrow's parser, and with it the process, where no object comes before it."""
    (tmp_path / "news.jsonl").write_bytes(jsonl(first, {"text": "a"}))
    corpus = read_articles(tmp_path)

    assert [row["text"] for row in rows(corpus)] == ["a"]
    assert [reject.reason for reject in corpus.rejects] == ["null, not an object"]


def test_nesting_without_end_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "news.jsonl").write_bytes(jsonl({"text": "a"}, b"[" * 100_000, b'{"a":' * 100_000))
    corpus = read_articles(tmp_path)

    assert ids(corpus) == ["news.jsonl:1"]
    assert [reject.line for reject in corpus.rejects] == [2, 3]


def test_ids_that_are_made_name_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "news.jsonl").write_bytes(jsonl(b"", {"text": "a"}, b"broken", b"", {"text": "b", "id": ""}))
    (tmp_path / "tidy.jsonl").write_bytes(jsonl({"text": "a"}, {"text": "b", "id": 7}, {"text": "c"}))

    assert ids(read_articles("news.jsonl")) == ["news.jsonl:2", "news.jsonl:5"]
    assert ids(read_articles("./tidy.jsonl")) == ["./tidy.jsonl:1", "7", "./tidy.jsonl:3"]
    assert ids(read_articles(tmp_path)) == [
        "news.jsonl:2",
        "news.jsonl:5",
        "tidy.jsonl:1",
        "7",
        "tidy.jsonl:3",
    ]


def test_ids_and_dates_may_be_of_several_types(tmp_path: Path) -> None:
    records = [
        {"id": "one", "text": "", "published": "2024-01-31"},
        {"id": 2, "text": "", "published": 1706702400},
        {"id": 10**20, "text": "", "published": 1706702400.5},
        {"id": 1.5, "text": "", "published": None},
        {"id": 4.0, "text": "", "published": [2024]},
    ]
    (tmp_path / "news.jsonl").write_bytes(jsonl(*records))
    for number, record in enumerate(records):
        (tmp_path / f"{number}.jsonl").write_bytes(jsonl(record))

    together = rows(read_articles(tmp_path / "news.jsonl"))

    assert [row["id"] for row in together] == ["one", "2", "1" + "0" * 20, "1.5", "4"]
    assert together == [row for n in range(5) for row in rows(read_articles(tmp_path / f"{n}.jsonl"))]


def test_a_name_that_only_later_records_have_is_found(tmp_path: Path) -> None:
    """The optional names of a field are looked for in every record, not in the first alone."""
    plain = [{"text": "a"}] * 50
    late = [{"headline": "H", "body": "B", "_id": 5, "date": "2024-01-31", "domain": {"name": "x"}}]
    (tmp_path / "news.jsonl").write_bytes(jsonl(*plain, *late))

    found = rows(read_articles(tmp_path))[-1]

    assert (found["title"], found["text"], found["id"], found["source"]) == ("H", "B", "5", None)
    assert found["published"] == datetime(2024, 1, 31, tzinfo=UTC)


def test_odd_characters_are_replaced_in_articles_and_kept_in_records(tmp_path: Path) -> None:
    odd = [
        rb'{"id": "1\u0000", "text": "lone \ud800, pair \ud83d\ude00, nul \u0000"}',
        b'{"id": "2", "text": "raw tab \t, raw nul \x00"}',
    ]
    (tmp_path / "news.jsonl").write_bytes(jsonl(*odd))
    corpus = read_articles(tmp_path)

    found = rows(corpus)

    assert [row["id"] for row in found] == ["1 ", "2"]
    assert found[0]["text"] == "lone \ufffd, pair 😀, nul  "
    assert found[1]["text"] == "raw tab \t, raw nul  "
    assert lines(corpus) == odd


def test_nul_is_replaced_in_a_block_that_arrow_parses(tmp_path: Path) -> None:
    (tmp_path / "news.jsonl").write_bytes(jsonl(rb'{"text": "nul \u0000"}'))

    assert rows(read_articles(tmp_path))[0]["text"] == "nul  "


def test_what_is_odd_but_harmless_is_counted(tmp_path: Path) -> None:
    odd = {"text": "", "published": "soon", "source": {"name": "Reuters"}}
    (tmp_path / "news.jsonl").write_bytes(jsonl(odd, odd, {"text": ""}))
    corpus = read_articles(tmp_path)

    rows(corpus)

    assert corpus.warnings == {
        "articles whose date cannot be read, taken as undated, such as 'soon'": 2,
        "articles whose source is neither text nor a number, left out": 2,
    }


def test_a_line_beyond_all_measure_is_never_held(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    with path.open("wb") as file:
        file.write(jsonl({"text": "before"}) + b'{"text": "')
        for _ in range(50):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n' + jsonl({"text": "after"}))
    corpus = Corpus([path], max_article_bytes=100_000)
    tracemalloc.start()

    found = rows(corpus)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [(row["id"], row["text"]) for row in found] == [(f"{path}:1", "before"), (f"{path}:3", "after")]
    assert [(reject.line, reject.reason) for reject in corpus.rejects] == [(2, "longer than 100,000 bytes")]
    assert corpus.rejects[0].record == '{"text": "' + "x" * 1990
    assert len(lines(corpus)) == 2
    assert peak < 10 << 20


@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_a_last_line_that_is_too_long_is_rejected(tmp_path: Path, ending: bytes) -> None:
    data = jsonl({"text": "a"}) + b'{"text": "' + b"x" * (5 << 20) + b'"}' + ending
    (tmp_path / "news.jsonl").write_bytes(data)
    corpus = Corpus([tmp_path], max_article_bytes=1000)

    assert len(rows(corpus)) == len(lines(corpus)) == 1
    assert [reject.line for reject in corpus.rejects] == [2]


@pytest.mark.parametrize("ending", [b"", b"\n"])
@pytest.mark.parametrize("piece", [1, 2, 3, 7, 50])
def test_where_the_pieces_of_a_file_are_cut_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, ending: bytes
) -> None:
    data = jsonl(*STORIES, b"", b"broken", {"text": "x" * 300}, {"text": "last"})
    (tmp_path / "news.jsonl").write_bytes(data[:-1] + ending)
    whole = Corpus([tmp_path], max_article_bytes=200)
    expected = rows(whole), lines(whole), whole.rejects
    monkeypatch.setattr("dedup.io.file_bytes.CHUNK_BYTES", piece)

    corpus = Corpus([tmp_path], max_article_bytes=200, batch_bytes=60)

    assert (rows(corpus), lines(corpus), corpus.rejects) == expected
    assert [row["text"] for row in expected[0]][-1] == "last"
    assert [reject.line for reject in expected[2]] == [6, 7]
