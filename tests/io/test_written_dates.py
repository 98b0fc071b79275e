"""Dates as people write them are read, those that could be two days are not, and each loss is counted."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from corpora import jsonl, rows
from hypothesis import given
from hypothesis import strategies as st

from dedup.io.corpus import read_articles
from dedup.io.dates import parse_published

DAY = datetime(2026, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("3 March 2026", DAY),
        ("March 3, 2026", DAY),
        ("Tuesday, 3rd March 2026", DAY),
        ("Mar 3 2026 10:05AM", DAY.replace(hour=10, minute=5)),
        ("March 3, 2026 at 10:05 pm EST", datetime(2026, 3, 4, 3, 5, tzinfo=UTC)),
        ("3 mars 2026", DAY),
        ("3 août 2026", DAY.replace(month=8)),
        ("3. März 2026", DAY),
        ("3 de marzo de 2026", DAY),
        ("2026-03", DAY.replace(day=1)),
        ("March 2026", DAY.replace(day=1)),
        ("2026/03/03", DAY),
        ("03.04.2026", DAY.replace(month=4)),
        ("13/03/2026", DAY.replace(day=13)),
        ("03/13/2026", DAY.replace(day=13)),
        ("03/03/2026 10:05", DAY.replace(hour=10, minute=5)),
        ("March 3, 2026, 10:05 p.m. EST", datetime(2026, 3, 4, 3, 5, tzinfo=UTC)),
        ("March 3, 2026 10:05 A.M.", DAY.replace(hour=10, minute=5)),
        ("3 Mar 2026 10:05:00 PM", DAY.replace(hour=22, minute=5)),
        ("Tue, 03 Mar 2026 10:05:00 EST", DAY.replace(hour=15, minute=5)),
        ("Tue, 03 Mar 26 10:05 +0100", DAY.replace(hour=9, minute=5)),
        ("Tue Mar 03 10:05:00 +0000 2026", DAY.replace(hour=10, minute=5)),
        ("mardi 3 mars 2026 à 10h05", DAY.replace(hour=10, minute=5)),
        ("Mar 3 2026", DAY),
        ("2026-03-03T10:05:00+01:00[Europe/Paris]", DAY.replace(hour=9, minute=5)),
        ("2026-03-03T10:05:00-0500", DAY.replace(hour=15, minute=5)),
        ("202603031005", DAY.replace(hour=10, minute=5)),
        ("883612010000", datetime(1997, 12, 31, 23, 46, 50, tzinfo=UTC)),
        ("1772532300", DAY.replace(hour=10, minute=5)),
        ("1772532300000", DAY.replace(hour=10, minute=5)),
        ("1772532300000000", DAY.replace(hour=10, minute=5)),
        ("1772532300000000000", DAY.replace(hour=10, minute=5)),
        ("/Date(1772532300000+0100)/", DAY.replace(hour=10, minute=5)),
    ],
)
def test_dates_in_words_and_with_slashes_are_read(written: str, meant: datetime) -> None:
    times, unreadable = parse_published(pa.array([written]))

    assert (times.to_pylist(), unreadable) == ([meant], 0)


@pytest.mark.parametrize(
    "written",
    [
        "March 3",
        "3 March 26",
        "10:05",
        "March",
        "2026",
        "03/04/2026",
        "3-4-2026 10:05",
        "32 March 2026",
        "3 Foo 2026",
        "yesterday",
        "Updated 2 hours ago",
        "March Hare 3 2026 x",
    ],
)
def test_half_a_date_or_one_that_could_be_two_is_no_date(written: str) -> None:
    assert parse_published(pa.array([written])) == (pa.nulls(1, pa.timestamp("s", "UTC")), 1)


@given(
    st.lists(
        st.sampled_from(
            ["2026", "March", "3", "/", "-", ":", " ", "+", "é", "10", "AM", "T", ".", "e", "9" * 20]
        )
    )
)
def test_no_text_is_more_than_an_unreadable_date(parts: list[str]) -> None:
    parse_published(pa.array(["".join(parts)]))


def test_losses_are_counted_with_an_example(tmp_path: Path) -> None:
    dates = ["03/04/2026", "05/04/2026", "soon", "2026-01-01", None, ""]
    (tmp_path / "a.jsonl").write_bytes(jsonl(*[{"text": "a", "date": date} for date in dates]))
    corpus = read_articles(tmp_path)

    assert len(rows(corpus)) == 6
    assert corpus.warnings == {
        "articles whose date could be two days (see --day-first), taken as undated, such as '03/04/2026'": 2,
        "articles whose date cannot be read, taken as undated, such as 'soon'": 1,
    }
