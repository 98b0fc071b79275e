"""Spark reads what a local run reads: articles, records, rejects and warnings, in the order of input."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from corpora import FORMATS, STORIES, jsonl, lines, rows
from exports import EXPORTS
from pyspark.sql import SparkSession

from dedup.errors import InputError
from dedup.io.corpus import Corpus
from dedup.spark.files.read import SparkCorpus, read_articles

ODD = (
    b"\xef\xbb\xbf" + b'{"text":"no id"}',
    b"nonsense",
    b"",
    b"  ",
    {"title": "no text"},
    b'{"text":"crlf","dedup":1}\r',
    b"\xff\xfe{}",
    {"text": "the last", "published": "when?"},
)
FOREIGN = {"text": "Déjà vu, mon été à Ċe"}
SMALL = "20000"
"""Bytes of a piece: a file of some hundred articles is divided."""


def many(count: int) -> bytes:
    """Return JSON Lines without ids, every seventh of which is no article."""
    return jsonl(*({"text": f"word{n} " * 9} if n % 7 else {"title": str(n)} for n in range(count)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of every format, and of what goes wrong."""
    folder = tmp_path_factory.mktemp("read")
    for extension, made in FORMATS.items():
        (folder / f"stories.{extension}").write_bytes(made(STORIES))
    inner = folder / "inner"
    inner.mkdir()
    (inner / "odd [1] 100%25,{a}.jsonl").write_bytes(jsonl(*ODD))
    (inner / "_hidden.jsonl").write_bytes(jsonl(*STORIES))
    (inner / "many.jsonl").write_bytes(many(900))
    (inner / "foreign.jsonl").write_bytes(
        "".join(json.dumps(FOREIGN, ensure_ascii=False) + "\n" for _ in range(5)).encode("utf-16")
    )
    (inner / "broken.jsonl.gz").write_bytes(gzip.compress(jsonl(*STORIES))[:-30])
    (inner / "ragged.csv").write_bytes(b"id,text\n1,a\n2,b,c\n3,d\n")
    (inner / "plain.txt").write_bytes(b"Hello there.")
    (inner / "empty.jsonl").write_bytes(b"")
    return folder


@pytest.fixture
def small(spark: SparkSession) -> SparkSession:
    """Return a session that divides files into small pieces."""
    spark.conf.set("spark.sql.files.maxPartitionBytes", SMALL)
    return spark


def found(articles: SparkCorpus) -> list[dict[str, Any]]:
    """Return the articles that Spark reads, as a local run gives them."""
    read = sorted(articles.frame.toArrow().to_pylist(), key=lambda row: row["dedup_position"])
    assert [row.pop("dedup_position") for row in read] == list(range(len(articles)))
    return read


def records(articles: SparkCorpus) -> list[bytes]:
    """Return the records that Spark reads, in order."""
    read = articles.read_records().toArrow().to_pylist()
    return [row["record"] for row in sorted(read, key=lambda row: row["position"])]


def test_a_folder_is_read_as_a_local_run_reads_it(small: SparkSession, folder: Path) -> None:
    local = Corpus([folder])
    expected = rows(local)

    articles = read_articles(small, folder)

    assert found(articles) == expected
    assert records(articles) == lines(local)
    assert list(articles.rejects) == local.rejects
    damaged = (
        f"files damaged or cut off, so that articles are missing, such as {folder}/inner/broken.jsonl.gz"
    )
    assert articles.warnings == {words: n for words, n in local.warnings.items() if words != damaged}
    assert [words for words in articles.warnings if words.endswith("such as 'when?'")]


def test_a_path_is_seen_from_where_the_run_is_and_not_its_workers(
    spark: SparkSession, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    names = ["stories.jsonl", "inner/plain.txt"]

    assert found(read_articles(spark, *names)) == rows(Corpus(names))


def test_a_place_of_sparks_is_read_through_spark(small: SparkSession, folder: Path) -> None:
    names = ["stories.jsonl", "stories.csv", "stories.parquet"]
    local = Corpus([folder / name for name in names])
    expected = rows(local)

    articles = read_articles(small, *(f"file://{folder / name}" for name in names))

    assert found(articles) == expected
    assert records(articles) == lines(local)


def test_damaged_parquet_is_rejected_as_a_local_run_rejects_it(spark: SparkSession, tmp_path: Path) -> None:
    whole = FORMATS["parquet"](STORIES)
    start, end = len(whole) // 8, len(whole) // 4
    (tmp_path / "cut%41.parquet").write_bytes(whole[:-30])
    (tmp_path / "whole.parquet").write_bytes(whole)
    (tmp_path / "rotten.parquet").write_bytes(
        whole[:start] + bytes(byte ^ 0xFF for byte in whole[start:end]) + whole[end:]
    )
    local = Corpus([tmp_path])
    expected = rows(local)

    articles = read_articles(spark, tmp_path)

    assert found(articles) == expected
    assert [reject.path for reject in local.rejects] == [
        str(tmp_path / f"{name}.parquet") for name in ("cut%41", "rotten")
    ]
    assert list(articles.rejects) == local.rejects


def test_what_is_no_article_stops_a_strict_run(spark: SparkSession, folder: Path) -> None:
    with pytest.raises(InputError, match=r"ragged.csv:3: 3 fields where the header has 2"):
        read_articles(spark, folder / "inner" / "ragged.csv", strict=True)


@pytest.mark.parametrize("path", ["nowhere.jsonl", "file:///nowhere.jsonl", "no*where", "-"])
def test_what_cannot_be_read_is_named(spark: SparkSession, path: str) -> None:
    with pytest.raises(InputError):
        read_articles(spark, path)


def test_a_table_without_a_text_ends_the_run_with_its_name(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"id,name\n1,a\n")

    with pytest.raises(InputError, match=r"x.csv has no column text .* it has id, name"):
        read_articles(spark, f"file://{tmp_path}/x.csv")


def test_exports_and_documents_named_json_lines_are_recognised(small: SparkSession, tmp_path: Path) -> None:
    for name, record in EXPORTS.items():
        (tmp_path / f"{name}.jsonl").write_bytes(jsonl(*[record] * 3))
    (tmp_path / "array.jsonl").write_text(json.dumps(STORIES))
    (tmp_path / "indented.jsonl").write_text(json.dumps(STORIES, indent=1))
    (tmp_path / "answer.jsonl").write_text(json.dumps({"status": "ok", "articles": [EXPORTS["newsapi"]]}))
    (tmp_path / "large.jsonl").write_bytes(jsonl(*[EXPORTS["elasticsearch"]] * 500))
    local = Corpus([tmp_path])
    expected = rows(local)

    articles = read_articles(small, tmp_path)

    assert found(articles) == expected
    assert records(articles) == lines(local)
    assert (list(articles.rejects), local.rejects) == ([], [])
    assert articles.warnings == local.warnings


@pytest.mark.parametrize("preset", ["elasticsearch", "none"])
def test_a_preset_counts_on_spark_as_in_a_local_run(spark: SparkSession, tmp_path: Path, preset: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl({"_id": "7", "_source": {"body": "Ferry"}}, {"text": "Mill"}))
    local = Corpus([tmp_path], preset=preset)

    articles = read_articles(spark, tmp_path, preset=preset)

    assert found(articles) == rows(local)
    assert list(articles.rejects) == local.rejects


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_tables_of_any_delimiter_and_encoding_are_read(
    spark: SparkSession, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    text = "Der Fährmann hörte die größte Welle schon früh."
    (tmp_path / "a.csv").write_bytes(f"id{delimiter}text\n1{delimiter}{text}\n".encode(encoding))

    articles = read_articles(spark, tmp_path)

    assert [(row["id"], row["text"]) for row in found(articles)] == [("1", text)]
