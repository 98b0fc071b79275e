"""How far behind each outlet is, and how many articles there are at a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from newsmaker import story

from dedup.pipeline.deduplicate import deduplicate
from dedup.pipeline.results import Result
from dedup.reports.html import story_origins
from dedup.reports.html.statistics import compute_outlet_lags
from dedup.reports.html.story_origins import list_story_origins
from dedup.reports.html.volume import MAX_BINS, choose_ticks, count_volume, describe_volume

START = datetime(2003, 5, 4, 6, tzinfo=UTC)


def told(*times: datetime | None, sources: str = "") -> Result:
    """Return the result on one story, told once at each time by an outlet of one letter."""
    names: Any = sources or "A" * len(times)
    return deduplicate(
        [
            {"id": str(n), **story(1), "published": time, "source": None if name == "-" else name}
            for n, (time, name) in enumerate(zip(times, names, strict=True))
        ]
    )


def test_the_lag_of_an_outlet_counts_from_the_first_telling() -> None:
    hours = (0, 1, 2, 3, 50)
    result = told(*(START + timedelta(hours=hour) for hour in hours), sources="ABBBA")

    one, other = compute_outlet_lags(result, result.list_cluster_positions())

    assert (one.name, one.first, one.later, one.quantiles[2]) == ("B", 0, 3, 2 * 3600)
    assert (other.name, other.first, other.later) == ("A", 1, 1)
    assert set(other.quantiles) == {50 * 3600}


def test_undated_articles_and_those_without_an_outlet_have_no_lag() -> None:
    result = told(START, None, START + timedelta(hours=1), START + timedelta(hours=2), sources="ABB-")

    lags = compute_outlet_lags(result, result.list_cluster_positions())

    assert [(outlet.name, outlet.first, outlet.later) for outlet in lags] == [("B", 0, 1), ("A", 1, 0)]


def test_a_story_with_one_date_has_no_lags() -> None:
    result = told(START, None)

    assert compute_outlet_lags(result, result.list_cluster_positions()) == []


@pytest.mark.parametrize(
    ("days", "unit"),
    [(0.5, "hour"), (20, "day"), (300, "week"), (1_500, "month"), (5_000, "quarter"), (9_000, "year")],
)
def test_the_unit_of_time_is_the_finest_that_fits(days: float, unit: str) -> None:
    dates = [START + timedelta(days=days * n / 40) for n in range(41)]
    result = deduplicate([{"id": str(n), **story(n), "published": date} for n, date in enumerate(dates)])

    volume = count_volume(result)

    assert volume
    assert volume.unit == unit
    assert len(volume.starts) <= MAX_BINS
    assert volume.kept.sum() + volume.dropped.sum() == len(dates)
    assert volume.starts[0] <= min(dates)
    assert all(start <= max(dates) for start in volume.starts)
    assert len(choose_ticks(volume)) <= 5


def test_kept_and_dropped_articles_are_counted_in_their_day() -> None:
    result = told(START, START + timedelta(days=3), START + timedelta(days=3, hours=1))

    volume = count_volume(result)

    assert volume
    assert volume.kept.tolist() == [1, 0, 0, 0]
    assert volume.dropped.tolist() == [0, 0, 0, 2]


def test_a_date_far_from_all_others_does_not_flatten_the_chart() -> None:
    dates = [START + timedelta(days=n / 20) for n in range(400)] + [datetime(1950, 1, 1, tzinfo=UTC)]
    result = deduplicate([{"id": str(n), "text": f"{n}", "published": date} for n, date in enumerate(dates)])

    volume = count_volume(result)

    assert volume
    assert volume.unit == "day"
    assert volume.outside >= 1
    assert volume.kept.sum() + volume.dropped.sum() + volume.outside == len(dates)
    assert "are not drawn" in describe_volume(volume) or "is not drawn" in describe_volume(volume)


def test_a_corpus_without_dates_has_no_volume() -> None:
    assert count_volume(told(None, None)) is None


def test_a_story_beyond_the_limit_is_not_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story_origins, "MAX_TRACED_ARTICLES", 2)
    articles = [{"id": f"{n}-{k}", **story(n)} for n, size in ((1, 3), (2, 2)) for k in range(size)]
    result = deduplicate(articles)
    assert result.source

    large, small = list_story_origins(result, result.source, result.list_cluster_positions())

    assert large is None
    assert small
    assert small["count"] == 1
