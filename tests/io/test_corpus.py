"""A corpus is files and folders in order, read twice: articles first, then the records as they stood."""

import gzip
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from corpora import FORMATS, PACKINGS, STORIES, ids, jsonl, lines, rows

from dedup.errors import InputError
from dedup.io.articles import SCHEMA
from dedup.io.corpus import Corpus, read_articles


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
    assert [record.to_dict()["text"] for record in corpus.iter_records()] == [
        story["text"] for story in STORIES
    ]
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


def test_batches_of_small_files_are_bounded_too(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(*[{"text": ""}] * 3000))
    (tmp_path / "b.jsonl").write_bytes(jsonl(*[{"text": ""}] * 3000))
    (tmp_path / "c.jsonl").write_bytes(jsonl({"text": "x" * 10_000}))
    (tmp_path / "d.jsonl").write_bytes(jsonl({"text": "x" * 95_000}))

    many = list(Corpus([tmp_path / "a.jsonl", tmp_path / "b.jsonl"]))
    large = list(Corpus([tmp_path / "c.jsonl", tmp_path / "d.jsonl"], batch_bytes=100_000))

    assert max(batch.num_rows for batch in many) <= 4096
    assert sum(batch.num_rows for batch in many) == 6000
    assert [batch.num_rows for batch in large] == [1, 1]


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
    assert [record.to_dict()["text"] for record in corpus.iter_records()] == ["x", "b", "a"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing.jsonl", "there is no file or folder "),
        (
            "news.pdf",
            r"news\.pdf has no known extension; known are \.txt, \.jsonl, .*\.xlsx, .*\.newsml, each also with \.gz",
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


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.jsonl", b'{"text": "a"}\n{"text": 1}\n[]\n', r"a\.jsonl:2: text is a number, not text$"),
        ("a.jsonl", b'{"text": "a"}\n[]\n{"text": 1}\n', r"a\.jsonl:2: a list, not an object$"),
        ("a.csv", b"id,text\n1,a\n2\n", r"a\.csv:3: 1 fields where the header has 2$"),
        (
            "a.jsonl.gz",
            gzip.compress(b'{"text": "a"}\n' * 99, mtime=0)[:-12],
            r"a\.jsonl\.gz.*breaks off or is damaged",
        ),
        ("a.parquet", b"PAR1", r"a\.parquet: not a Parquet file, or a damaged one"),
    ],
)
def test_with_strict_the_first_reject_is_an_error(
    tmp_path: Path, name: str, data: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(InputError, match=sentence):
        rows(read_articles(tmp_path / name, strict=True))
    assert read_articles(tmp_path / name).rejects == []


READ_STDIN = """
import sys
from dedup.io.corpus import Corpus
corpus = Corpus(["-"], batch_bytes=1000)
for _ in range(2):
    print([row["id"] for batch in corpus for row in batch.to_pylist()])
    sys.stdout.flush()
    for record in corpus.iter_records():
        sys.stdout.buffer.write(record.to_line() + b"\\n")
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
    monkeypatch.setattr("dedup.io.file_bytes.CHUNK_BYTES", 500)
    monkeypatch.setattr("dedup.io.file_bytes.ENCODING_SAMPLE_BYTES", 500)

    with (tmp_path / "stdin").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        corpus = Corpus(["-"], batch_bytes=1000)
        next(iter(corpus))

        assert len(lines(corpus)) == 50
        assert len(rows(corpus)) == 50


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
@pytest.mark.parametrize("changed", [STORIES[:3], [*STORIES[:3], STORIES[3] | {"text": "corrected"}]])
def test_a_file_that_changes_between_the_passes_is_an_error(
    tmp_path: Path, kind: str, changed: list[dict[str, Any]]
) -> None:
    path = tmp_path / f"news.{kind}"
    path.write_bytes(FORMATS[kind](STORIES))
    corpus = read_articles(path)
    rows(corpus)

    path.write_bytes(FORMATS[kind](changed))

    with pytest.raises(InputError, match=rf"news\.{kind} was changed while it was being read"):
        lines(corpus)


@pytest.mark.parametrize("changed", [jsonl(*STORIES[:3]), b"no article\n"])
def test_articles_are_read_again_where_no_file_has_changed(tmp_path: Path, changed: bytes) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(*STORIES, b"broken"))
    (tmp_path / "b.jsonl").write_bytes(jsonl(*STORIES))
    corpus = Corpus([tmp_path], batch_bytes=1)
    first = rows(corpus)

    again = [row for batch in corpus.read_again() for row in batch.to_pylist()]

    assert again == first
    assert len(corpus.rejects) == 1
    batches = corpus.read_again()
    next(batches)
    (tmp_path / "b.jsonl").write_bytes(changed)
    with pytest.raises(InputError, match=r"b\.jsonl was changed while it was being read"):
        list(batches)


def test_a_file_that_changes_before_it_is_read_again_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(*STORIES))
    corpus = read_articles(tmp_path)
    rows(corpus)

    (tmp_path / "a.jsonl").write_bytes(b"no article\n")

    with pytest.raises(InputError, match=r"a\.jsonl was changed while it was being read"):
        next(corpus.read_again())
    assert corpus.rejects == []


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
