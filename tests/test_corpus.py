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
from itertools import compress
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
    "json": lambda records: json.dumps(records, indent=2, ensure_ascii=False).encode(),
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
    (tmp_path / "news" / "one.txt").write_bytes(b"Ein\nText\0")

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
    with pytest.raises(InputError, match=r"cannot read .*inner: Permission denied"):
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


@pytest.mark.parametrize("batch_bytes", [1, 8 << 20])
def test_each_line_that_is_no_article_is_rejected_by_number_and_reason(
    tmp_path: Path, batch_bytes: int
) -> None:
    path = tmp_path / "news.jsonl"
    bad = {
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
    good = jsonl({"text": "é", "id": "good"})
    path.write_bytes(good + b"".join(line + b"\n\n  \n" + good for line in bad))
    corpus = Corpus([path], max_article_bytes=2000, batch_bytes=batch_bytes)

    found = ids(corpus)

    # The brackets are longer than an article may be, too; that is noticed first.
    expected = [reason if len(line) <= 2000 else "longer than 2,000 bytes" for line, reason in bad.items()]
    assert found == ["good"] * (len(bad) + 1)
    assert [reject.reason for reject in corpus.rejects] == expected
    assert [reject.line for reject in corpus.rejects] == [2 + 4 * n for n in range(len(bad))]
    assert [reject.record for reject in corpus.rejects] == [
        line.decode(errors="replace")[:2000] for line in bad
    ]
    assert {reject.path for reject in corpus.rejects} == {str(path)}
    assert lines(corpus) == [good.strip()] * (len(bad) + 1)


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
        "articles whose date cannot be read, taken as undated": 2,
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
@pytest.mark.parametrize("piece", [1, 2, 3, 7, 50])
def test_where_the_pieces_of_a_file_are_cut_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, ending: bytes
) -> None:
    data = jsonl(*STORIES, b"", b"broken", {"text": "x" * 300}, {"text": "last"})
    (tmp_path / "news.jsonl").write_bytes(data[:-1] + ending)
    whole = Corpus([tmp_path], max_article_bytes=200)
    expected = rows(whole), lines(whole), whole.rejects
    monkeypatch.setattr("dedup.streams.PIECE", piece)

    corpus = Corpus([tmp_path], max_article_bytes=200, batch_bytes=60)

    assert (rows(corpus), lines(corpus), corpus.rejects) == expected
    assert [row["text"] for row in expected[0]][-1] == "last"
    assert [reject.line for reject in expected[2]] == [6, 7]


# Strictness


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.jsonl", b'{"text": "a"}\n{"text": 1}\n[]\n', r"a\.jsonl:2: text is a number, not text$"),
        ("a.jsonl", b'{"text": "a"}\n[]\n{"text": 1}\n', r"a\.jsonl:2: a list, not an object$"),
        ("a.csv", b"id,text\n1,a\n2\n", r"a\.csv:3: 1 fields where the header has 2$"),
        ("a.txt", b"\xff\xfe\x00", None),
        (
            "a.jsonl.gz",
            gzip.compress(b'{"text": "a"}\n' * 99)[:-12],
            r"a\.jsonl\.gz.*breaks off or is damaged",
        ),
        ("a.parquet", b"PAR1", r"a\.parquet: not a Parquet file, or a damaged one"),
    ],
)
def test_with_strict_the_first_reject_is_an_error(
    tmp_path: Path, name: str, data: bytes, sentence: str | None
) -> None:
    (tmp_path / name).write_bytes(data)

    if sentence is None:
        assert len(rows(read_articles(tmp_path / name, strict=True))) == 1
        return
    with pytest.raises(InputError, match=sentence):
        rows(read_articles(tmp_path / name, strict=True))


# Standard input

READ_STDIN = """
import sys
from dedup.corpus import Corpus
corpus = Corpus(["-"], batch_bytes=1000)
for _ in range(2):
    print([row["id"] for batch in corpus for row in batch.to_pylist()])
    sys.stdout.flush()
    for record in corpus.records():
        sys.stdout.buffer.write(record.line() + b"\\n")
    sys.stdout.flush()
print([(reject.path, reject.line) for reject in corpus.rejects], corpus.total_bytes, corpus.bytes_read)
"""


def test_standard_input_can_be_read_again_and_again() -> None:
    data = jsonl(*[{"text": "é" * 100, "id": n} for n in range(50)], b"broken", {"text": "last"})

    done = subprocess.run([sys.executable, "-c", READ_STDIN], input=data, capture_output=True, check=True)

    names = str([*map(str, range(50)), "-:52"]).encode() + b"\n"
    kept = data.replace(b"broken\n", b"")
    assert done.stdout == (names + kept) * 2 + f"[('-', 51)] None {len(data)}\n".encode()
    assert done.stderr == b""


def test_standard_input_that_was_left_early_is_read_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = jsonl(*[{"text": "x" * 100}] * 50)
    (tmp_path / "stdin").write_bytes(data)
    monkeypatch.setattr("dedup.streams.PIECE", 500)
    monkeypatch.setattr("dedup.streams.SAMPLE", 500)

    with (tmp_path / "stdin").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        corpus = Corpus(["-"], batch_bytes=1000)
        next(iter(corpus))

        assert len(lines(corpus)) == 50
        assert len(rows(corpus)) == 50


# Encodings

GERMAN = (
    "Größere Überschwemmungen träfen künftig auch höher gelegene Städte, erklärte die Behörde für Gewässer. "
)
RUSSIAN = (
    "Правительство объявило о новых мерах поддержки, сообщает газета со ссылкой на источник в министерстве. "
)


@pytest.mark.parametrize("packing", ["", ".gz"])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv", "json", "txt"])
@pytest.mark.parametrize(
    ("encoding", "text", "warned"),
    [
        ("utf-8", GERMAN, None),
        ("utf-8-sig", RUSSIAN, None),
        ("utf-16", GERMAN, "utf-16"),
        ("utf-16-be", "\ufeff" + RUSSIAN, "utf-16"),
        ("utf-32", RUSSIAN, "utf-32"),
        ("cp1252", GERMAN, "cp1252"),
        ("cp1251", RUSSIAN, "cp1251"),
        ("koi8-r", RUSSIAN, "koi8_r"),
    ],
)
def test_the_encoding_is_told_and_the_records_are_utf8(
    tmp_path: Path, kind: str, packing: str, encoding: str, text: str, warned: str | None
) -> None:
    mark, text = ("\ufeff", text[1:]) if text.startswith("\ufeff") else ("", text)
    records = [{"id": str(n), "text": text * 5} for n in range(3)]
    data = FORMATS[kind](records).decode() if kind != "txt" else text * 5
    (tmp_path / f"news.{kind}{packing}").write_bytes(PACKINGS[packing]((mark + data).encode(encoding)))
    corpus = read_articles(tmp_path)

    found = rows(corpus)

    assert {row["text"] for row in found} == {text * 5}
    assert {record.fields()["text"] for record in corpus.records()} == {text * 5}
    assert corpus.warnings == ({f"files read as {warned}, not UTF-8": 1} if warned else {})
    if kind == "jsonl":
        assert b"\n".join(lines(corpus)) + b"\n" == data.encode()


def test_a_few_damaged_bytes_do_not_make_a_file_another_encoding(tmp_path: Path) -> None:
    good = {"text": GERMAN}
    (tmp_path / "news.jsonl").write_bytes(
        jsonl(good, b'{"text": "caf\xe9"}', good, {"text": "was \ufffd before"})
    )
    corpus = read_articles(tmp_path)

    assert [row["text"] for row in rows(corpus)] == [GERMAN, GERMAN, "was \ufffd before"]
    assert [reject.reason for reject in corpus.rejects] == ["not valid UTF-8"]


def test_a_character_on_the_border_of_the_sample_is_not_taken_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dedup.streams.SAMPLE", 20)
    monkeypatch.setattr("dedup.streams.PIECE", 1)
    for shift in range(4):
        (tmp_path / f"{shift}.txt").write_text("x" * (17 + shift) + "😀 ü", encoding="utf-8")
    corpus = read_articles(tmp_path)

    assert {row["text"].strip("x") for row in rows(corpus)} == {"😀 ü"}
    assert not corpus.warnings


def test_a_file_in_no_encoding_is_rejected_by_name(tmp_path: Path) -> None:
    noise = bytes(range(128, 256)) * 40 + bytes(range(32)) * 20
    (tmp_path / "noise.txt").write_bytes(noise)
    (tmp_path / "text.txt").write_text("text")
    corpus = read_articles(tmp_path)

    assert ids(corpus) == ["text.txt"]
    assert corpus.rejects[0].path == str(tmp_path / "noise.txt")
    assert corpus.rejects[0].reason == "its encoding cannot be told; convert it to UTF-8"


# Damaged files


@pytest.mark.parametrize("packing", [".gz", ".bz2", ".zst"])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "json"])
def test_what_comes_before_the_damage_is_kept_and_the_rest_is_reported(
    tmp_path: Path, kind: str, packing: str
) -> None:
    records = [{"id": str(n), "text": f"{n * 7919 % 10007} {n * n}" * 40} for n in range(9000)]
    path = tmp_path / f"news.{kind}{packing}"
    packed = PACKINGS[packing](FORMATS[kind](records))
    path.write_bytes(packed[: len(packed) * 2 // 3])
    corpus = read_articles(path)

    found = ids(corpus)

    assert found == [str(n) for n in range(len(found))]
    assert 1000 < len(found) < 9000
    assert len(corpus.rejects) == 1
    assert "breaks off or is damaged" in corpus.rejects[0].reason
    assert [record.fields()["id"] for record in corpus.records()] == found
    with pytest.raises(InputError, match=r"breaks off or is damaged"):
        rows(read_articles(path, strict=True))


@pytest.mark.parametrize("packing", [".gz", ".bz2"])
def test_a_small_file_that_breaks_off_gives_its_whole_lines_and_shows_the_other(
    tmp_path: Path, packing: str
) -> None:
    data = jsonl({"text": "a"}, {"text": "b"}) + b'{"text": "cut'
    path = tmp_path / f"news.jsonl{packing}"
    compressor = bz2.BZ2Compressor() if packing == ".bz2" else None
    path.write_bytes(PACKINGS[packing](data)[:-8] if compressor is None else compressor.compress(data))
    corpus = read_articles(path)

    found = rows(corpus)

    if packing == ".gz":
        assert [row["text"] for row in found] == ["a", "b"]
        assert [(reject.line, reject.record) for reject in corpus.rejects] == [(3, '{"text": "cut')]
    assert len(corpus.rejects) == 1


def test_a_last_line_that_lacks_only_its_newline_is_kept_though_the_file_breaks_off(tmp_path: Path) -> None:
    (tmp_path / "news.jsonl.gz").write_bytes(gzip.compress(b'{"text": "a"}\n{"text": "b"}')[:-4])
    corpus = read_articles(tmp_path)

    assert [row["text"] for row in rows(corpus)] == ["a", "b"]
    assert len(lines(corpus)) == 2
    assert [(reject.line, reject.record) for reject in corpus.rejects] == [(None, "")]


def test_a_wrong_checksum_is_reported(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(jsonl(*STORIES)))
    packed[-5] ^= 1
    (tmp_path / "news.jsonl.gz").write_bytes(packed)
    corpus = read_articles(tmp_path)

    assert len(rows(corpus)) == 4
    assert "CRC" in corpus.rejects[0].reason


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet", "txt", "json"])
@pytest.mark.parametrize("packing", [".gz", ".bz2", ".zst"])
def test_a_file_that_is_not_compressed_as_its_name_says_is_rejected(
    tmp_path: Path, kind: str, packing: str
) -> None:
    (tmp_path / f"a.{kind}{packing}").write_bytes(b'{"text": "plain"}\n')
    (tmp_path / "b.txt").write_text("b")
    corpus = read_articles(tmp_path)

    assert ids(corpus) == ["b.txt"]
    assert len(corpus.rejects) == 1
    assert len(lines(corpus)) == 1


def test_half_a_text_is_no_article(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"The whole story, and its end")[:-9])
    corpus = read_articles(tmp_path)

    assert rows(corpus) == []
    assert corpus.rejects[0].record.startswith("The whole")


def test_joined_compressed_files_are_read_to_the_end(tmp_path: Path) -> None:
    for packing in (".gz", ".bz2", ".zst"):
        pack = PACKINGS[packing]
        (tmp_path / f"news.jsonl{packing}").write_bytes(
            pack(jsonl({"text": "a"})) + pack(jsonl({"text": "b"}))
        )

    assert [row["text"] for row in rows(read_articles(tmp_path))] == ["a", "b"] * 3


# CSV


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


def test_an_empty_file_holds_no_articles(tmp_path: Path) -> None:
    for name in ("a.csv", "a.tsv", "a.jsonl", "a.ndjson", "a.json", "a.jsonl.gz"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "b.csv").write_text("text\n")
    (tmp_path / "b.json").write_text("[]")
    (tmp_path / "b.parquet").write_bytes(as_parquet([{"text": "a"}]).replace(b"", b""))
    corpus = read_articles(tmp_path)

    assert [row["text"] for row in rows(corpus)] == ["a"]
    assert corpus.rejects == []


# Parquet


def test_parquet_columns_that_are_not_needed_may_be_of_any_type(tmp_path: Path) -> None:
    moment = datetime(2024, 1, 31, 12)  # noqa: DTZ001
    table = pa.table(
        {
            "key": [1, 2, 3],
            "body": ["a", None, "c"],
            "date": pa.array([moment] * 3, pa.timestamp("ns")),
            "nested": [{"a": [1]}, None, {"a": []}],
            "bytes": [b"\xff", b"", b"ok"],
        }
    )
    path = tmp_path / "news.parquet"
    pyarrow.parquet.write_table(table, path)
    corpus = read_articles(path, fields={"id": "key"})

    found = rows(corpus)

    assert [(row["id"], row["text"]) for row in found] == [("1", "a"), ("3", "c")]
    assert found[0]["published"] == moment.replace(tzinfo=UTC)
    assert [(reject.line, reject.reason) for reject in corpus.rejects] == [
        (2, "no text (nor body, content, article)")
    ]
    assert [json.loads(line) for line in lines(corpus)] == [
        {"key": 1, "body": "a", "date": "2024-01-31T12:00:00", "nested": {"a": [1]}, "bytes": "\ufffd"},
        {"key": 3, "body": "c", "date": "2024-01-31T12:00:00", "nested": {"a": []}, "bytes": "ok"},
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


# JSON documents


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


# Two passes


def test_a_second_iteration_starts_afresh(tmp_path: Path) -> None:
    (tmp_path / "news.jsonl").write_bytes(jsonl({"text": "a", "published": "?"}, b"broken", {"text": "b"}))
    corpus = Corpus([tmp_path], batch_bytes=1)

    next(iter(corpus))
    first = rows(corpus), corpus.rejects, corpus.warnings
    second = rows(corpus), corpus.rejects, corpus.warnings

    assert first == second
    assert len(corpus.rejects) == 1


def test_records_can_be_had_without_a_first_pass(tmp_path: Path) -> None:
    (tmp_path / "news.jsonl").write_bytes(jsonl({"text": "a"}, {"text": 1}, {"text": "b"}))
    corpus = read_articles(tmp_path)

    assert lines(corpus) == [b'{"text": "a"}', b'{"text": "b"}']
    assert len(corpus.rejects) == 1


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_changes_between_the_passes_is_an_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"news.{kind}"
    path.write_bytes(FORMATS[kind](STORIES))
    corpus = read_articles(path)
    rows(corpus)

    path.write_bytes(FORMATS[kind](STORIES[:3]))

    with pytest.raises(InputError, match=rf"news\.{kind} was changed while it was being read"):
        lines(corpus)


def test_a_file_that_changes_unnoticed_by_the_clock_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    path.write_bytes(b'{"text": "a"}\n{"text": "b"}\n')
    state = path.stat()
    corpus = read_articles(path)
    rows(corpus)

    path.write_bytes(b'{"text": "a"}    \n            \n'[: state.st_size - 1] + b"\n")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))

    assert path.stat().st_size == state.st_size
    with pytest.raises(InputError, match="was changed"):
        lines(corpus)


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    for kind, write in FORMATS.items():
        path = tmp_path / f"news.{kind}"
        path.write_bytes(write(STORIES))
        corpus = read_articles(path)
        rows(corpus)

        path.unlink()

        with pytest.raises(InputError, match="cannot read"):
            rows(corpus)
        with pytest.raises(InputError, match="cannot read"):
            lines(corpus)


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.jsonl.gz", "a.csv.bz2", "a.tsv.zst", "a.parquet", "a.parquet.gz", "a.txt"]
)
def test_progress_ends_at_the_total(tmp_path: Path, name: str) -> None:
    kind, _, packing = name.removeprefix("a.").partition(".")
    stories = STORIES * 500
    data = FORMATS[kind](stories) if kind in FORMATS else b"text"
    (tmp_path / name).write_bytes(PACKINGS["." + packing if packing else ""](data))
    corpus = Corpus([tmp_path, tmp_path], batch_bytes=10_000)

    seen = [corpus.bytes_read for _ in corpus]

    assert seen == sorted(seen)
    assert corpus.bytes_read == corpus.total_bytes == 2 * (tmp_path / name).stat().st_size


# Records


def test_the_dedup_object_is_added_last_and_nothing_else_is_touched() -> None:
    record = Record(b'{"text":  "a \xc3\xa9",\t"n": 1.50}  ')

    assert (
        record.with_dedup({"canonical": True})
        == b'{"text":  "a \xc3\xa9",\t"n": 1.50,"dedup":{"canonical":true}}  '
    )
    assert Record({"text": "é"}).with_dedup({"score": 0.5}) == '{"text":"é","dedup":{"score":0.5}}'.encode()


def test_a_dedup_object_that_is_there_already_is_replaced() -> None:
    record = Record(b'{"dedup": {"old": 1}, "text": "a"}')

    assert record.with_dedup({"new": 2}) == b'{"text":"a","dedup":{"new":2}}'


@pytest.mark.parametrize(
    "line", [b'{"text": "say \\"dedup\\""}', b'{"text": "a", "x": {"dedup": 1}}', b'{"text":"\\"dedup""}']
)
def test_the_word_dedup_elsewhere_is_not_the_key(line: bytes) -> None:
    if line.endswith(b'dedup""}'):
        line = b'{"text": "\\"dedup\\""}'

    assert Record(line).with_dedup({}) == line[:-1] + b',"dedup":{}}'


@given(json_objects, st.dictionaries(st.text(), json_values, max_size=3))
def test_a_record_with_its_dedup_object_is_still_the_record(
    fields: dict[str, Any], dedup: dict[str, Any]
) -> None:
    fields = {"text": ""} | fields
    line = json.dumps(fields).encode()

    for record in (Record(line), Record(fields)):
        written = json.loads(record.with_dedup(dedup))
        assert list(written)[-1] == "dedup"
        assert _without_nan(written.pop("dedup")) == _without_nan(dedup)
        fields.pop("dedup", None)
        assert _without_nan(written) == _without_nan(fields)


def _without_nan(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    return json.loads(json.dumps(value), parse_constant=lambda _: None)


def test_what_json_has_no_type_for_is_text() -> None:
    record = Record(
        {"at": datetime(2024, 1, 31, tzinfo=UTC), "raw": b"a\xff", "nan": [float("nan")], "lone": "\ud800"}
    )

    assert json.loads(record.line()) == {
        "at": "2024-01-31T00:00:00+00:00",
        "raw": "a\ufffd",
        "nan": [None],
        "lone": "\ud800",
    }
