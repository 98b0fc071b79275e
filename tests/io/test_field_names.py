"""A field may be nested, and a name that no article has is not passed over."""

from pathlib import Path
from typing import Any

import pytest
from corpora import FORMATS, as_parquet, ids, jsonl, rows

from dedup.errors import InputError
from dedup.io.articles import to_batches
from dedup.io.corpus import read_articles
from dedup.io.missing_fields import suggest_names
from dedup.io.source_file import HTML_WARNING

NESTED = [
    {"_id": 1, "_source": {"body": "one", "meta": {"at": "2024-01-31", "lang": "en"}, "other": [1]}},
    {"_id": 2, "_source": {"body": "two", "meta": None}},
    {"_id": 3, "_source": {"body": "three"}, "_source.body": "of that very name"},
]
FIELDS = {"text": "_source.body", "published": "_source.meta.at", "language": "_source.meta.lang"}
EXPECTED = [("1", "one", "en"), ("2", "two", None), ("3", "of that very name", None)]


def take(articles: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["id"], row["text"], row["language"]) for row in articles]


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_nested_fields_are_read_in_every_format_that_has_them(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"news.{kind}"
    path.write_bytes(as_parquet(NESTED) if kind == "parquet" else FORMATS[kind](NESTED))
    corpus = read_articles(path, fields=FIELDS)

    found = rows(corpus)

    assert take(found) == EXPECTED
    assert str(found[0]["published"]) == "2024-01-31 00:00:00+00:00"
    assert (corpus.rejects, corpus.warnings) == ([], {})


@pytest.mark.parametrize(
    "odd", [b'{"_id": 9, "_source": "text"}', b'{"_id": 9, "_source": {"body": 3}}', b"broken"]
)
def test_nested_fields_are_the_same_where_a_block_is_untidy(tmp_path: Path, odd: bytes) -> None:
    (tmp_path / "news.jsonl").write_bytes(jsonl(*NESTED, odd))
    corpus = read_articles(tmp_path, fields=FIELDS)

    assert take(rows(corpus)) == EXPECTED
    assert [reject.line for reject in corpus.rejects] == [4]


def test_nested_numbers_are_read(tmp_path: Path) -> None:
    (tmp_path / "news.jsonl").write_bytes(
        jsonl(*[{"a": {"id": n, "text": "t", "at": 1706702400}} for n in range(9)])
    )

    found = rows(read_articles(tmp_path, fields={"text": "a.text", "id": "a.id", "published": "a.at"}))

    assert [row["id"] for row in found] == list("012345678")
    assert {str(row["published"]) for row in found} == {"2024-01-31 12:00:00+00:00"}


def test_a_field_inside_of_another_is_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "news.jsonl").write_bytes(jsonl({"text": {"body": "a"}, "id": 7}))

    assert rows(read_articles(tmp_path, fields={"text": "text.body", "title": "text"}))[0]["text"] == "a"


def test_a_column_of_a_csv_file_may_have_a_dotted_name(tmp_path: Path) -> None:
    (tmp_path / "news.csv").write_text("id,_source.body\n1,one\n")

    assert rows(read_articles(tmp_path, fields={"text": "_source.body"}))[0]["text"] == "one"


def test_dicts_may_be_nested_too() -> None:
    assert take([row for batch in to_batches(NESTED, fields=FIELDS) for row in batch.to_pylist()]) == EXPECTED


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_a_misspelt_text_field_is_an_error_that_names_the_nearest(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"news.{kind}"
    path.write_bytes(FORMATS[kind]([{"id": "1", "title": "A", "full_text": "a"}] * 3))

    with pytest.raises(
        InputError, match=r"(no column|no article has the field).* did you mean 'full_text'\?"
    ):
        rows(read_articles(path, fields={"text": "fulltext"}))


def test_a_text_field_that_is_like_no_other_is_an_error_that_lists_them(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl({"id": "1", "story": {"body": "a"}}))

    with pytest.raises(
        InputError, match=r"the field 'xyz' for the text; their fields are id, story, story\.body$"
    ):
        rows(read_articles(tmp_path, fields={"text": "xyz"}))
    with pytest.raises(InputError, match=r"'body' for the text; did you mean 'story\.body'\?$"):
        rows(read_articles(tmp_path, fields={"text": "body"}))


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_another_field_that_no_article_has_is_a_warning(tmp_path: Path, kind: str) -> None:
    stories: list[dict[str, Any]] = [{"id": "1", "headline": "A", "text": "a", "outlet_name": "B"}] * 3
    (tmp_path / f"news.{kind}").write_bytes(FORMATS[kind](stories))
    corpus = read_articles(tmp_path, fields={"title": "headline", "source": "outletname"})

    assert len(rows(corpus)) == 3
    assert list(corpus.warnings.values()) == [3]
    assert next(iter(corpus.warnings)).startswith("articles without the field 'outletname' for the source; ")


def test_a_field_that_only_late_articles_have_is_no_misspelling(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(*[{"text": "a"}] * 50, {"text": "b", "by": "B"}))
    corpus = read_articles(tmp_path, fields={"source": "by"})

    assert len(ids(corpus)) == 51
    assert corpus.warnings == {}


def test_names_are_suggested_whatever_their_case() -> None:
    assert suggest_names("fulltext", ["FullText", "id"]) == "'FullText'"
    assert suggest_names("zzz", ["id"]) == ""


def test_a_column_whose_name_differs_by_case_is_told_with_its_option(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,Date,Source\nThe ferry ran aground.,2026-05-01,Norwire\n")
    corpus, mapped = read_articles(tmp_path), read_articles(tmp_path, fields={"published": "Date"})

    (article,), (dated,) = rows(corpus), rows(mapped)

    assert (article["published"], article["source"]) == (None, None)
    assert corpus.warnings == {
        "files whose column 'Date' is not read as published (--field 'published=Date' reads it)": 1,
        "files whose column 'Source' is not read as source (--field 'source=Source' reads it)": 1,
    }
    assert dated["published"] is not None
    assert len(mapped.warnings) == 1


def test_texts_with_html_tags_are_counted(tmp_path: Path) -> None:
    texts = ["<p>The ferry ran aground.</p>", "The ferry<br/>ran aground.", "Is 1 < 2, and 3 > 2?"]
    (tmp_path / "a.jsonl").write_bytes(jsonl(*({"text": text} for text in texts)))
    (tmp_path / "b.jsonl").write_bytes(jsonl({"text": texts[2]}))
    tagged, plain = read_articles(tmp_path / "a.jsonl"), read_articles(tmp_path / "b.jsonl")

    assert len(rows(tagged)) + len(rows(plain)) == 4

    assert tagged.warnings == {HTML_WARNING: 2}
    assert not plain.warnings
