"""Exports of well-known tools are recognised by their fields, read with a preset, and written as they were."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from corpora import jsonl, lines, rows
from exports import EXPORTS, URL

from dedup.cli.options import PRESETS as CHOICES
from dedup.errors import InputError, SettingsError
from dedup.io.corpus import read_articles
from dedup.io.presets import PRESETS
from dedup.io.source_file import PRESET_WARNING

DAY = datetime(2024, 5, 3, tzinfo=UTC)
TEXTS = {"fundus": "The ferry\nran aground", "ninjs": "The ferry\nran aground"}


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("as_document", [False, True])
def test_an_export_is_recognised_and_said_once(tmp_path: Path, name: str, as_document: bool) -> None:
    record = EXPORTS[name]
    path = tmp_path / ("news.json" if as_document else "news.jsonl")
    path.write_bytes(
        json.dumps([record, record], indent=1).encode() if as_document else jsonl(record, record)
    )
    corpus = read_articles(path)

    first, second = rows(corpus)

    assert first["text"] == TEXTS.get(name, "The ferry ran aground")
    assert (first["source"], first["published"]) == ("Norwire", DAY)
    assert first["title"] == ("The ferry ran aground" if name == "gdelt" else "Ferry")
    assert (first["url"] or first["id"]) == URL
    assert {**first, "id": ""} == {**second, "id": ""}
    assert corpus.warnings[PRESET_WARNING.format(name)] == 1
    assert json.loads(lines(corpus)[0]) == record


@pytest.mark.parametrize("name", EXPORTS)
def test_a_preset_can_be_named_or_turned_off(tmp_path: Path, name: str) -> None:
    path = tmp_path / "news.jsonl"
    path.write_bytes(jsonl(EXPORTS[name]))
    named, off = read_articles(path, preset=name), read_articles(path, preset="none")

    assert [row["source"] for row in rows(named)] == ["Norwire"]
    assert not any("recognised" in words for words in named.warnings)
    assert [row["source"] for row in rows(off)] != ["Norwire"]


def test_a_field_that_the_user_names_counts_before_those_of_a_preset(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(EXPORTS["newsapi"]))

    (article,) = rows(read_articles(tmp_path, fields={"text": "description"}))

    assert (article["text"], article["source"]) == ("Short.", "Norwire")


def test_other_records_are_no_export(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(
        jsonl({"text": 'He wrote "_source": and "_index": and "_id":', "date": "2024-05-03"})
    )
    corpus = read_articles(tmp_path)

    assert len(rows(corpus)) == 1
    assert not corpus.warnings


def test_the_hits_of_a_search_are_articles(tmp_path: Path) -> None:
    answer = {
        "took": 3,
        "timed_out": False,
        "hits": {"total": {"value": 1}, "hits": [EXPORTS["elasticsearch"]]},
    }
    (tmp_path / "a.json").write_text(json.dumps(answer))
    (tmp_path / "b.json").write_text(json.dumps(answer, indent=2))
    (tmp_path / "c.json").write_text(json.dumps({"hits": {"total": 0, "hits": []}}))
    corpus = read_articles(tmp_path)

    assert [(row["id"], row["title"]) for row in rows(corpus)] == [("7", "Ferry"), ("7", "Ferry")]
    assert not corpus.rejects
    assert json.loads(lines(corpus)[0]) == EXPORTS["elasticsearch"]


def test_the_items_of_a_json_feed_have_the_feed_as_their_source(tmp_path: Path) -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Norwire",
        "language": "en",
        "items": [
            {
                "id": "1",
                "url": URL,
                "content_html": "<p>The ferry</p><p>ran aground</p>",
                "date_published": "2024-05-03",
            },
            {"id": "2", "content_text": "Two tugs came."},
            {"id": "3", "image": "a.jpg"},
        ],
    }
    (tmp_path / "feed.json").write_text(json.dumps(feed))
    corpus = read_articles(tmp_path)

    first, second = rows(corpus)

    assert (first["text"], first["source"], first["published"]) == ("The ferry\nran aground", "Norwire", DAY)
    assert (second["text"], second["language"]) == ("Two tugs came.", "en")
    assert [reject.line for reject in corpus.rejects] == [3]


def test_an_unknown_preset_is_an_error_that_names_the_known(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl({"text": "x"}))

    with pytest.raises(SettingsError, match="there is no preset 'newsapy'; there are newsapi, news-please"):
        read_articles(tmp_path, preset="newsapy")


def test_the_command_line_offers_every_preset() -> None:
    assert set(CHOICES) == {*PRESETS, "none"}


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_delimiter_of_csv_is_found_in_its_header(tmp_path: Path, delimiter: str) -> None:
    cells = [["id", "headline", "body"], ["1", "Ferry, aground", "The ferry ran aground, they said."]]
    (tmp_path / "a.csv").write_text("\n" + "\n".join(delimiter.join(row) for row in cells))
    corpus = read_articles(tmp_path)

    (article,) = rows(corpus)

    assert (article["id"], article["text"]) == ("1", "The ferry ran aground, they said.")
    assert [words for words in corpus.warnings if repr(delimiter) in words]
    assert json.loads(lines(corpus)[0])["headline"] == "Ferry, aground"


def test_a_delimiter_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id:text\n1:a,b\n")

    assert [row["text"] for row in rows(read_articles(tmp_path, delimiter=":"))] == ["a,b"]
    with pytest.raises(InputError, match="has no column text"):
        rows(read_articles(tmp_path))
    with pytest.raises(SettingsError, match="a delimiter is one character"):
        read_articles(tmp_path, delimiter="::")


def test_an_export_in_csv_is_recognised_by_its_header(tmp_path: Path) -> None:
    header = "id,indexed_date,language,media_name,media_url,publish_date,title,url\n"
    (tmp_path / "a.csv").write_text(
        header + f"7,2024-05-04,en,Norwire,norwire.example,2024-05-03,Ferry aground,{URL}\n"
    )

    (article,) = rows(read_articles(tmp_path))

    assert (article["id"], article["text"], article["source"]) == ("7", "Ferry aground", "Norwire")
    assert article["published"] == DAY


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("ninjs", {"bodies": 5, "headlines": True, "body_text": 7}),
        ("ninjs", {"bodies": {"value": 1}, "headlines": "x"}),
        ("fundus", {"body": {"sections": 3, "summary": {"a": None}}}),
        ("newsapi", {"content": ["x"]}),
        ("jsonfeed", {"content_html": 3}),
    ],
)
def test_odd_values_in_an_export_are_rejects(tmp_path: Path, name: str, odd: dict[str, Any]) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(odd))
    corpus = read_articles(tmp_path, preset=name)

    assert rows(corpus) == []
    assert len(corpus.rejects) == 1


def test_sections_nested_without_end_are_left_out(tmp_path: Path) -> None:
    deep: Any = "deep"
    for _ in range(500):
        deep = [deep]
    (tmp_path / "a.jsonl").write_bytes(jsonl({"body": {"summary": ["Ferry"], "sections": deep}}))

    assert [row["text"] for row in rows(read_articles(tmp_path, preset="fundus"))] == ["Ferry"]
