"""Dates in two readings follow the user's option, and those that no article can have are counted with an example."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from corpora import jsonl, rows

from dedup.errors import InputError, SettingsError
from dedup.io.corpus import Corpus, read_articles
from dedup.io.dates import DateRules, parse_published

APRIL = datetime(2026, 4, 3, tzinfo=UTC)
MARCH = datetime(2026, 3, 4, tzinfo=UTC)


def read_dates(
    folder: Path, dates: list[Any], **options: Any
) -> tuple[list[datetime | None], Mapping[str, int]]:
    """Return the dates of articles as they are read, and the warnings."""
    (folder / "a.jsonl").write_bytes(jsonl(*({"text": "Ferry", "date": date} for date in dates)))
    corpus: Corpus = read_articles(folder, **options)
    return [row["published"] for row in rows(corpus)], corpus.warnings


@pytest.mark.parametrize(("day_first", "meant"), [(True, APRIL), (False, MARCH), (None, None)])
def test_which_number_is_the_day_is_an_option(
    tmp_path: Path, day_first: bool | None, meant: datetime | None
) -> None:
    dates, warnings = read_dates(tmp_path, ["03/04/2026", "03-04-2026", "03.04.2026"], day_first=day_first)

    assert dates == [meant, meant, APRIL]
    assert [count for words, count in warnings.items() if "two days" in words] == (
        [2] if meant is None else []
    )


def test_an_ambiguous_date_is_shown_with_the_option_that_reads_it(tmp_path: Path) -> None:
    _, warnings = read_dates(tmp_path, ["2026-03-03", "03/04/2026", "05/06/2026"])

    (words,) = warnings
    assert "--day-first" in words
    assert words.endswith("such as '03/04/2026'")


def test_dates_in_a_given_form_are_read_and_the_others_as_usual(tmp_path: Path) -> None:
    dates, _ = read_dates(
        tmp_path, ["2026-04-03", "03|04|26", "2026-04-03T00:00:00Z"], date_format="%d|%m|%y"
    )

    assert dates == [APRIL, APRIL, APRIL]


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("%Q", "'%Q' is not a date pattern"),
        ("%d/%", "is not a date pattern"),
        ("%d/%m", "has no year, such as %Y"),
    ],
)
def test_a_form_that_is_none_is_an_error(tmp_path: Path, pattern: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read_articles(tmp_path, date_format=pattern)


def test_a_given_form_counts_before_iso(tmp_path: Path) -> None:
    assert read_dates(tmp_path, ["2026-03-04"], date_format="%Y-%d-%m")[0] == [APRIL]


@pytest.mark.parametrize(
    "written",
    [
        "3 kwietnia 2026",
        "3 апреля 2026 г.",
        "3 Nisan 2026",
        "3. april 2026",
        "2026年4月3日",
        "3 tháng 4, 2026",
        "ngày 3 tháng 4 năm 2026",
        "3 avril 2026",
        "3 abril 2026",
        "3 aprile 2026",
        "2026년 4월 3일",
        "vendredi 3 avril 2026",
        "Freitag, 3. April 2026",
        "Published on: 3 April 2026",
        "Aktualisiert am 3. April 2026",
    ],
)
def test_months_are_read_in_many_languages(written: str) -> None:
    assert parse_published(pa.array([written])) == (pa.array([APRIL], pa.timestamp("s", "UTC")), 0)


def test_dates_before_and_after_all_newspapers_are_counted_with_an_example(tmp_path: Path) -> None:
    dates, warnings = read_dates(
        tmp_path, ["2026-04-03", "0001-01-01", "1599-12-31T00:00:00Z", "9999-12-31", "soon"]
    )

    assert dates == [APRIL, None, None, None, None]
    assert dict(warnings) == {
        "articles dated before 1700 or more than a week from now, taken as undated, such as '0001-01-01'": 3,
        "articles whose date cannot be read, taken as undated, such as 'soon'": 1,
    }


def test_a_date_more_than_a_week_from_now_is_no_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEDUP_NOW", "2026-04-03T12:00:00")
    written = ["2026-04-03", "2026-04-10T12:00:00Z", "2026-04-10T12:00:01Z", "April 2027", "4100000000"]
    dates, warnings = read_dates(tmp_path, written)

    assert dates == [APRIL, datetime(2026, 4, 10, 12, tzinfo=UTC), None, None, None]
    assert dict(warnings) == {
        "articles dated before 1700 or more than a week from now, taken as undated, such as '2026-04-10T12:00:01Z'": 3
    }


def test_now_is_the_clock_unless_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEDUP_NOW")
    now = datetime.now(UTC).replace(microsecond=0)
    days = [now, now + timedelta(days=1), now + timedelta(days=8)]

    assert parse_published(pa.array(days))[0].to_pylist() == [*days[:2], None]

    monkeypatch.setenv("DEDUP_NOW", "soon")
    with pytest.raises(SettingsError, match="DEDUP_NOW is 'soon', not a date such as 2026-05-04"):
        parse_published(pa.array(days))


def test_a_future_date_in_parquet_is_counted_with_an_example(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", "b"], "date": [APRIL, datetime(2099, 4, 3, tzinfo=UTC)]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    corpus = read_articles(tmp_path)

    assert [row["published"] for row in rows(corpus)] == [APRIL, None]
    assert list(corpus.warnings) == [
        "articles dated before 1700 or more than a week from now, taken as undated, such as '2099-04-03 00:00:00+00:00'"
    ]


def test_rules_hold_for_csv_too(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,date\nFerry,03/04/2026\n")

    assert [row["published"] for row in rows(read_articles(tmp_path, day_first=True))] == [APRIL]


def test_without_rules_nothing_changes() -> None:
    assert parse_published(pa.array(["03/04/2026"]), DateRules()) == parse_published(pa.array(["03/04/2026"]))


def test_unknown_options_of_reading_are_an_error(tmp_path: Path) -> None:
    with pytest.raises((InputError, TypeError)):
        read_articles(tmp_path, day_last=True)  # type: ignore[call-arg]
