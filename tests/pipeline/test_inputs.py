"""Articles come in as callers have them, and their ids come back as they were."""

import decimal
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from commands import written

from dedup import DedupError, deduplicate
from dedup.errors import InputError, SettingsError
from dedup.pipeline.inputs import open_articles

TEXT = "The river rose two metres overnight and flooded the old mill at Tollan, the mayor said."
OTHER = "A stolen painting by Varga was found behind a false wall in Quillfort on Wednesday."
ROWS = [{"id": 7, "body": TEXT}, {"id": 8, "body": TEXT}, {"id": 9, "body": OTHER}]
BODY = {"text": "body"}


@pytest.mark.parametrize(
    "articles",
    [
        ROWS,
        pa.Table.from_pylist(ROWS),
        pd.DataFrame(ROWS),
        pl.DataFrame(ROWS),
        datasets.Dataset.from_list(ROWS),
    ],
    ids=["dicts", "pyarrow", "pandas", "polars", "datasets"],
)
def test_whole_numbers_stay_ids(articles: Any) -> None:
    result = deduplicate(articles, fields=BODY)

    assert result.kept == [7, 9]
    dropped: list[Any] = [(match.id, match.canonical) for match in result.dropped]
    assert dropped == [(8, 7)]
    assert [cluster.ids for cluster in result.clusters] == [(7, 8)]
    assert [name for name, _ in result] == [7, 8, 9]


def test_a_frame_is_filtered_by_the_ids_kept() -> None:
    frame = pd.DataFrame(ROWS)

    kept = frame[frame["id"].isin(deduplicate(frame, fields=BODY).kept)]

    assert kept["id"].tolist() == [7, 9]


def test_ids_of_a_float_column_with_gaps_stay_numbers() -> None:
    frame = pd.DataFrame({"id": [7, None, 9], "text": [TEXT, TEXT, OTHER]})

    assert deduplicate(frame).ids == [7.0, "1", 9.0]


def test_decimals_and_bytes_stay_ids() -> None:
    names = [decimal.Decimal("7.5"), b"x", "y"]

    result = deduplicate([{"id": name, "text": TEXT} for name in names])

    assert result.ids == names


def test_an_id_that_had_to_be_renamed_is_a_string() -> None:
    result = deduplicate([{"id": 7, "text": TEXT}, {"id": 7, "text": OTHER}])

    assert result.ids == [7, "7#2"]
    assert result.to_arrow()["id"].to_pylist() == ["7", "7#2"]


def test_files_give_strings(tmp_path: Path) -> None:
    path = written(tmp_path / "news.jsonl", ROWS)

    assert deduplicate(path, fields=BODY).kept == ["7", "9"]
    assert deduplicate(str(path), fields=BODY).kept == ["7", "9"]
    assert deduplicate([path], fields=BODY).kept == ["7", "9"]


def test_a_lazy_frame_is_collected() -> None:
    assert deduplicate(pl.LazyFrame(ROWS), fields=BODY).kept == [7, 9]


class SparkFrame:
    """Stands in for a Spark data frame."""


SparkFrame.__module__ = "pyspark.sql.dataframe"


@pytest.mark.parametrize(
    ("articles", "advice"),
    [
        (
            datasets.DatasetDict({"train": datasets.Dataset.from_list(ROWS)}),
            r"deduplicate\(data\['train'\]\)",
        ),
        ({"text": TEXT}, r"deduplicate\(\[article\]\)"),
        (TEXT * 9, r"deduplicate\(\[text\]\)"),
        (Path("nowhere.jsonl"), "no file or folder 'nowhere.jsonl'"),
        (SparkFrame(), "from dedup.spark import deduplicate"),
        (pd.DataFrame({"id": [1, "a"], "text": [TEXT, 7]}), "DataFrame cannot be read as Arrow"),
    ],
    ids=["data sets", "dict", "text", "path", "spark", "mixed column"],
)
def test_what_does_not_fit_is_refused_with_the_way_to_give_it(articles: Any, advice: str) -> None:
    with pytest.raises(InputError, match=advice):
        deduplicate(articles)


MIXED: list[dict[str, Any]] = [{"id": 1, "text": TEXT}, {"id": 2}, {"text": OTHER}]


def test_an_article_without_a_text_is_an_error() -> None:
    with pytest.raises(InputError, match=r"article 1, counted from 0, .*no text.*on_error='reject'"):
        deduplicate(MIXED)


@pytest.mark.parametrize("articles", [MIXED, pa.Table.from_pylist(MIXED)], ids=["dicts", "table"])
def test_an_article_without_a_text_may_be_left_out(articles: Any) -> None:
    result = deduplicate(articles, on_error="reject")

    assert result.ids == [1, "2"]
    assert [(reject.line, reject.reason) for reject in result.rejects] == [
        (2, "no text (nor body, content, article)")
    ]


def test_an_unreadable_date_is_a_warning() -> None:
    result = deduplicate([{"text": TEXT, "published": "some day"}])

    assert result.warnings == {"articles whose date cannot be read, taken as undated, such as 'some day'": 1}


def test_on_error_is_one_of_two() -> None:
    with pytest.raises(SettingsError, match="raise or reject, not 'ignore'"):
        deduplicate(ROWS, on_error="ignore")  # type: ignore[arg-type]


def test_fields_of_a_corpus_are_given_when_it_is_opened(tmp_path: Path) -> None:
    corpus = open_articles(written(tmp_path / "news.jsonl", ROWS))

    with pytest.raises(SettingsError, match="read_articles"):
        deduplicate(corpus, fields=BODY)


def test_articles_are_read_again_as_long_as_they_are_as_many() -> None:
    articles = [TEXT, OTHER]
    source = open_articles(articles)
    list(source)

    again = [text for batch in source.read_again() for text in batch["text"].to_pylist()]
    articles.append(TEXT)

    assert again == [TEXT, OTHER]
    with pytest.raises(InputError, match="there were 2 articles, and now there are 3"):
        list(source.read_again())


def test_an_iterator_is_read_only_once() -> None:
    source = open_articles(iter([TEXT]))
    list(source)

    with pytest.raises(DedupError, match="only once"):
        list(source.read_again())
