"""A file is read in whatever encoding it is, up to where it is damaged, and what is lost is reported."""

import gzip
from pathlib import Path

import pytest
from corpora import FORMATS, PACKINGS, STORIES, ids, jsonl, lines, rows

from dedup.errors import InputError
from dedup.io.corpus import read_articles

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
    assert {record.to_dict()["text"] for record in corpus.iter_records()} == {text * 5}
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
    monkeypatch.setattr("dedup.io.file_bytes.ENCODING_SAMPLE_BYTES", 20)
    monkeypatch.setattr("dedup.io.file_bytes.CHUNK_BYTES", 1)
    for shift in range(4):
        (tmp_path / f"{shift}.txt").write_text("x" * (17 + shift) + "😀 ü", encoding="utf-8")
    corpus = read_articles(tmp_path)

    assert {row["text"].strip("x") for row in rows(corpus)} == {"😀 ü"}
    assert not corpus.warnings


def test_an_accent_at_the_very_end_is_not_taken_for_half_a_character(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Geschlossen: das Café".encode("cp1252"))

    assert rows(read_articles(tmp_path))[0]["text"] == "Geschlossen: das Café"


def test_the_encoding_is_told_where_accents_are_rare(tmp_path: Path) -> None:
    english = {"text": "The government said on Tuesday that it would not comment on the report. " * 20}
    polish = {"text": "Prezydent oświadczył, że podpisze ustawę; również posłowie są za. " * 3}
    written = jsonl(*[english] * 100, polish, *[english] * 100)
    (tmp_path / "news.jsonl").write_bytes(written.decode().encode("cp1250"))

    assert rows(read_articles(tmp_path))[100]["text"] == polish["text"]


def test_a_file_in_no_encoding_is_rejected_by_name(tmp_path: Path) -> None:
    noise = bytes(range(128, 256)) * 40 + bytes(range(32)) * 20
    (tmp_path / "noise.txt").write_bytes(noise)
    (tmp_path / "text.txt").write_text("text")
    corpus = read_articles(tmp_path)

    assert ids(corpus) == ["text.txt"]
    assert corpus.rejects[0].path == str(tmp_path / "noise.txt")
    assert corpus.rejects[0].reason == "its encoding cannot be told; convert it to UTF-8"


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
    assert [record.to_dict()["id"] for record in corpus.iter_records()] == found
    with pytest.raises(InputError, match=r"breaks off or is damaged"):
        rows(read_articles(path, strict=True))


def test_a_small_file_that_breaks_off_gives_its_whole_lines_and_shows_the_other(tmp_path: Path) -> None:
    data = jsonl({"text": "a"}, {"text": "b"}) + b'{"text": "cut'
    (tmp_path / "news.jsonl.gz").write_bytes(gzip.compress(data)[:-8])
    corpus = read_articles(tmp_path)

    assert [row["text"] for row in rows(corpus)] == ["a", "b"]
    assert [(reject.line, reject.record) for reject in corpus.rejects] == [(3, '{"text": "cut')]


def test_a_last_line_that_lacks_only_its_newline_is_kept_though_the_file_breaks_off(tmp_path: Path) -> None:
    (tmp_path / "news.jsonl.gz").write_bytes(gzip.compress(b'{"text": "a"}\n{"text": "b"}')[:-4])
    corpus = read_articles(tmp_path)

    assert [row["text"] for row in rows(corpus)] == ["a", "b"]
    assert len(lines(corpus)) == 2
    assert [(reject.line, reject.record) for reject in corpus.rejects] == [(None, "")]


def test_what_comes_before_a_damage_in_the_middle_is_kept(tmp_path: Path) -> None:
    records = [{"id": str(n), "text": f"{n} said nothing new. " * 50} for n in range(300)]
    packed = bytearray(gzip.compress(jsonl(*records)))
    packed[len(packed) // 2 : len(packed) // 2 + 20] = b"\xff" * 20
    (tmp_path / "news.jsonl.gz").write_bytes(packed)
    corpus = read_articles(tmp_path)

    found = ids(corpus)

    assert len(packed) < 10_000
    assert 50 < len(found) < 300
    assert found == [str(n) for n in range(len(found))]
    assert len(lines(corpus)) == len(found)
    assert "breaks off or is damaged" in corpus.rejects[0].reason


@pytest.mark.parametrize("kind", ["jsonl", "csv", "json"])
def test_a_wrong_checksum_is_reported(tmp_path: Path, kind: str) -> None:
    packed = bytearray(gzip.compress(FORMATS[kind](STORIES)))
    packed[-5] ^= 1
    (tmp_path / f"news.{kind}.gz").write_bytes(packed)
    corpus = read_articles(tmp_path)

    assert len(rows(corpus)) == len(lines(corpus)) == 4
    assert len(corpus.rejects) == 1
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


def test_a_byte_order_mark_changes_nothing_else(tmp_path: Path) -> None:
    lines_of_it = [b'{"text": "\xc3\xa9"}', b'{"text": "caf\xe9"}', b'{"text":  "x"}']
    (tmp_path / "news.jsonl").write_bytes(b"\xef\xbb\xbf" + jsonl(*lines_of_it))
    corpus = read_articles(tmp_path)

    assert [row["text"] for row in rows(corpus)] == ["é", "x"]
    assert [reject.reason for reject in corpus.rejects] == ["not valid UTF-8"]
    assert lines(corpus) == [lines_of_it[0], lines_of_it[2]]
