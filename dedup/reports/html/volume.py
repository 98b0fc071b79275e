"""Count kept and dropped articles over time, by the finest of hour, day, week, month, quarter and year that fits a chart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from dedup.formatting import format_count
from dedup.matching.classifier import NO_RELATION
from dedup.pipeline.results import Result
from dedup.reports.html.statistics import DAY_SECONDS, HOUR_SECONDS, to_epoch_seconds

__all__ = ["Volume", "choose_ticks", "count_volume", "describe_volume", "format_start"]

MAX_BINS = 61
"""The most columns of the chart: two months of days, five years of months."""
MAX_HOURLY_DAYS = 2
"""Up to this many days are counted by the hour, if the dates have times."""
FAR_SPAN = 3.0
"""If all dates span this many times the span of `CENTRAL_QUANTILES`, those beyond it are mistakes and are not drawn."""
CENTRAL_QUANTILES = (0.005, 0.995)
TICKS = 5
"""The number of labels on the axis."""
EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday; weeks begin on Monday."""
MONTHS_PER_UNIT = {"month": 1, "quarter": 3, "year": 12}
UNITS = ("hour", "day", "week", "month", "quarter", "year")
TICK_FORMATS = {"hour": "%H:%M", "month": "%b %Y", "quarter": "%b %Y", "year": "%Y"}


@dataclass(frozen=True, slots=True)
class Volume:
    """The numbers of kept and dropped articles in equal steps of time."""

    unit: str
    """One of `UNITS`."""
    starts: tuple[datetime, ...]
    kept: np.ndarray
    dropped: np.ndarray
    outside: int
    """The dated articles that are not counted, because their dates are far from all others."""


def count_volume(result: Result) -> Volume | None:
    """Return the articles over time; None without dates."""
    seconds = to_epoch_seconds(result.articles["published"])
    is_dated = ~np.isnan(seconds)
    if not is_dated.any():
        return None
    dates = seconds[is_dated].astype(np.int64)
    first, last = choose_span(dates)
    unit = choose_unit(first, last, has_times=bool(np.any(dates % DAY_SECONDS)))
    bins = to_bins(dates, unit)
    low, high = to_bins(np.array([first, last]), unit).tolist()
    is_inside = (bins >= low) & (bins <= high)
    is_dropped = (result.assignments.relations != NO_RELATION)[is_dated]
    kept, dropped = (
        np.bincount(bins[is_inside & chosen] - low, minlength=high - low + 1)
        for chosen in (~is_dropped, is_dropped)
    )
    starts = tuple(to_start(number, unit) for number in range(low, high + 1))
    return Volume(unit, starts, kept, dropped, int(np.count_nonzero(~is_inside)))


def choose_span(dates: np.ndarray) -> tuple[int, int]:
    """Return the first and the last date to draw, in seconds."""
    first, last = int(dates.min()), int(dates.max())
    low, high = (int(date) for date in np.quantile(dates, CENTRAL_QUANTILES, method="nearest"))
    return (low, high) if last - first > FAR_SPAN * max(high - low, DAY_SECONDS) else (first, last)


def choose_unit(first: int, last: int, *, has_times: bool) -> str:
    """Return the finest unit with at most `MAX_BINS` columns."""
    if has_times and last - first < MAX_HOURLY_DAYS * DAY_SECONDS:
        return "hour"
    span = np.array([first, last])
    return next((unit for unit in UNITS[1:-1] if np.ptp(to_bins(span, unit)) < MAX_BINS), UNITS[-1])


def to_bins(dates: np.ndarray, unit: str) -> np.ndarray:
    """Return the number of the hour, day, week, month, quarter or year of dates in seconds since 1970."""
    if unit == "hour":
        return dates // HOUR_SECONDS
    days = dates // DAY_SECONDS
    if unit == "day":
        return days
    if unit == "week":
        return (days + EPOCH_WEEKDAY) // 7
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.asarray(months // MONTHS_PER_UNIT[unit])


def to_start(number: int, unit: str) -> datetime:
    """Return the start of a unit of time by its number."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    if unit in MONTHS_PER_UNIT:
        year, month = divmod(number * MONTHS_PER_UNIT[unit], 12)
        return datetime(1970 + year, month + 1, 1, tzinfo=UTC)
    if unit == "week":
        return epoch + timedelta(days=7 * number - EPOCH_WEEKDAY)
    return epoch + timedelta(**{f"{unit}s": number})


def describe_volume(volume: Volume) -> str:
    """Return a sentence that says what the columns are, and which articles are left out."""
    outside = format_count(volume.outside, "article")
    left_out = f" {outside} with dates far from these {'is' if volume.outside == 1 else 'are'} not drawn."
    most = int((volume.kept + volume.dropped).max())
    return f"By {volume.unit}; at most {format_count(most, 'article')} in one." + (
        left_out if volume.outside else ""
    )


def choose_ticks(volume: Volume) -> dict[int, str]:
    """Return the labels of at most `TICKS` columns by number, at equal distances."""
    count = len(volume.starts)
    numbers = (
        sorted({int((n + 0.5) * count / TICKS) for n in range(TICKS)}) if count > TICKS else range(count)
    )
    return {n: format_tick(volume.starts[n], volume.unit) for n in numbers}


def format_start(start: datetime, unit: str) -> str:
    """Return the label of a column."""
    if unit in {"month", "year"}:
        return f"{start:{TICK_FORMATS[unit]}}"
    if unit == "quarter":
        return f"{start.year}, quarter {(start.month + 2) // 3}"
    day = f"{start.day} {start:%b %Y}"
    return f"{day}, {start:%H:%M}" if unit == "hour" else f"Week of {day}" if unit == "week" else day


def format_tick(start: datetime, unit: str) -> str:
    """Return the label of a tick, short enough for a telephone."""
    return f"{start:{TICK_FORMATS[unit]}}" if unit in TICK_FORMATS else f"{start.day} {start:%b}"
