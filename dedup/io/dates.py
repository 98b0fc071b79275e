"""Parse columns of dates into timestamps in UTC, to the second.

These forms are read: ISO 8601 with or without time, fraction and zone (2024-01-31, 2024-01-31T12:00:00.5Z, 20240131);
RFC 2822, as in RSS feeds (Wed, 31 Jan 2024 12:00:00 GMT); seconds, or milliseconds to nanoseconds, since 1970, as
numbers or as text; GDELT's 14 digits (20240131120000); Arrow's own dates and timestamps; and, by
`dedup.io.written_dates`, dates in words (3 March 2026). A time without a zone is UTC. `DateRules` can say which number
of 03/04/2026 is the day, or give a pattern.

A date that cannot be read, or that no news article can have, is taken as missing and counted: an undated
article can still be matched by its text, a wrongly dated one would fall outside every date window. No article can be
dated more than a week after now, which is that of the clock, or of the variable DEDUP_NOW.
"""

from __future__ import annotations

import math
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pyarrow as pa
import pyarrow.compute as pc

from dedup.errors import SettingsError
from dedup.io.written_dates import parse_written_date

__all__ = ["TIMESTAMP", "DateRules", "is_implausible_date", "parse_published"]

TIMESTAMP = pa.timestamp("s", tz="UTC")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_DAY_SECONDS = 86_400

# Newspapers began in the 17th century; an earlier date is a typing error or a placeholder.
_EARLIEST = (datetime(1700, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND
_MISSING = pa.scalar(None, TIMESTAMP)
MAX_DAYS_AHEAD = 7
"""Zones differ by a day, and agencies and weeklies date a few days ahead."""
NOW_VARIABLE = "DEDUP_NOW"
"""A date in ISO 8601 that counts as now, to repeat an earlier run or to read news that was invented for later."""

# The least number that counts microseconds, and so on; as the next coarser unit it is the year 5138, as its own, 1973.
_UNITS = ((1e17, 10**9), (1e14, 10**6), (1e11, 10**3))

_MINUTE_DIGITS = 12
_DIGIT_LAYOUTS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
# No usual form of a date is longer; longer text is not even looked at, so that no pattern can be slow on it.
_MAX_DATE_LENGTH = 64
_DOT_NET_DATE = re.compile(r"/Date\((-?\d{1,17})(?:[+-]\d{4})?\)/", re.ASCII)
_ZONE_NAME = re.compile(r"\[[\w/+-]{1,40}\]$")
"""What Java writes after the offset of a zone."""
_RFC_2822 = re.compile(
    r"(?:[A-Za-z]{3,9},?\s)?\d{1,2}[\s-][A-Za-z]{3}[\s-]\d{2,4}\s\d\d?:\d\d(?![:\d\s]{0,6}[AaPp]\.?\s?[Mm])"
)
"""Only such a date goes to the parser of mail, which skips what it does not know, such as p.m."""
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?", re.ASCII)
_YEAR = re.compile(r"(?:1[7-9]|2[01])\d\d(?:\.0)?", re.ASCII)
# A match begins where no blank stands before it; from each blank on anew, a search would take quadratic time.
_SPACE_BEFORE_OFFSET = re.compile(r"(?<!\s)\s+(?=[+-]\d\d:?\d\d$)", re.ASCII)
_UTC_SUFFIX = re.compile(r"(?:(?<!\s)\s+)?(?:UTC|GMT|Z)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DateRules:
    """Say how to read dates that could be two days, or are in an unusual form."""

    day_first: bool | None = None
    """Whether 03/04/2026 is the third of April; None takes it for no date."""
    date_format: str | None = None
    """A pattern of `strptime`, which is tried before the usual forms."""


DEFAULT_RULES = DateRules()


def parse_published(column: pa.Array, rules: DateRules = DEFAULT_RULES) -> tuple[pa.Array, int]:
    """Return the column as timestamps (seconds, UTC), and the number of its values that could not be read.

    Nulls and blank strings are missing, not unreadable. Dates before 1700, or more than a week after now, count as
    unreadable.
    """
    given = len(column) - column.null_count
    if given == 0:
        return pa.nulls(len(column), TIMESTAMP), 0
    if pa.types.is_temporal(column.type):
        return _convert_temporal(column, given)
    times = None if rules.date_format else _parse_uniform_iso(column)
    if times is not None:
        return _drop_implausible(times, given)
    values = column.to_pylist()
    blank = sum(isinstance(value, str) and not value.strip() for value in values)
    known = {value: _parse_epoch_seconds(value, rules) for value in set(values)}
    times = pa.array([known[value] for value in values], pa.int64()).cast(TIMESTAMP)
    return _drop_implausible(times, given - blank)


def _convert_temporal(column: pa.Array, non_null: int) -> tuple[pa.Array, int]:
    """Return Arrow dates and timestamps in our unit; times of day and durations are not dates."""
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s"))
    if not pa.types.is_timestamp(column.type):
        return pa.nulls(len(column), TIMESTAMP), non_null
    return _drop_implausible(_to_whole_seconds(column), non_null)


def _parse_uniform_iso(column: pa.Array) -> pa.Array | None:
    """Return the timestamps of a column in ISO 8601 if all have a time zone or none has; otherwise None."""
    if not pa.types.is_string(column.type):
        return None
    for kind in (pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        try:
            return _to_whole_seconds(column.cast(kind))
        except pa.ArrowInvalid:
            continue
    return None


def _to_whole_seconds(times: pa.Array) -> pa.Array:
    """Return timestamps of any unit and zone in seconds UTC, rounded down."""
    as_utc = times.cast(pa.timestamp(times.type.unit, tz="UTC"))
    return pc.floor_temporal(as_utc, unit="second").cast(TIMESTAMP, safe=False)


def _drop_implausible(times: pa.Array, non_null: int) -> tuple[pa.Array, int]:
    """Return the timestamps, null before 1700 and more than a week after now, and how many of those given are null now."""
    seconds = times.cast(pa.int64())
    inside = pc.and_(pc.greater_equal(seconds, _EARLIEST), pc.less_equal(seconds, _find_latest()))
    kept = pc.if_else(inside, times, _MISSING)
    return kept, non_null - (len(kept) - kept.null_count)


def is_implausible_date(text: str) -> bool:
    """Return whether a text is a date, but one that no news article can have.

    >>> (
    ...     is_implausible_date("0001-01-01"),
    ...     is_implausible_date("2199-12-31T00:00:00Z"),
    ...     is_implausible_date("soon"),
    ... )
    (True, True, False)
    """
    seconds = _parse_epoch_seconds(text, DEFAULT_RULES)
    return seconds is not None and not _EARLIEST <= seconds <= _find_latest()


def _find_latest() -> int:
    """Return the latest moment that an article can be dated, in seconds since 1970."""
    now = os.environ.get(NOW_VARIABLE)
    try:
        seconds = _to_epoch_seconds(datetime.fromisoformat(now)) if now else int(time.time())
    except ValueError:
        raise SettingsError(f"{NOW_VARIABLE} is {now!r}, not a date such as 2026-05-04") from None
    return seconds + MAX_DAYS_AHEAD * _DAY_SECONDS


def _parse_epoch_seconds(value: object, rules: DateRules) -> int | None:
    """Return the seconds since 1970 of one value, or None if it is not a date."""
    if value is None or isinstance(value, bool):
        return None
    try:
        text = str(value).strip()
        if len(text) > _MAX_DATE_LENGTH:
            return None
        if rules.date_format:
            with suppress(ValueError):
                return _to_epoch_seconds(datetime.strptime(text, rules.date_format))  # noqa: DTZ007 - it is UTC then
        text = match[1] if (match := _DOT_NET_DATE.fullmatch(text)) else text
        moment = _parse_digits(text) if _NUMBER.fullmatch(text) else _parse_formatted(text, rules)
    except (
        ValueError,
        ArithmeticError,
        TypeError,
        LookupError,
        AttributeError,
    ):  # parsers are not all of a kind
        return None
    # Beyond what an int64 of seconds holds nothing is plausible anyway.
    return moment if abs(moment) < 1 << 60 else None


def _parse_digits(text: str) -> int:
    """Return the seconds of a number: a date in 8 or 14 digits, or else seconds or milliseconds."""
    if _YEAR.fullmatch(text):
        raise ValueError("a year alone is not a day: as seconds it would be one early morning of 1970")
    # datetime.fromisoformat must not see the others: it takes the 13 digits of some milliseconds for a date
    # in 1712.
    # Twelve digits are also milliseconds before 2001, of which only those of 1975 and 1976 look like a date.
    if (layout := _DIGIT_LAYOUTS.get(len(text))) and (len(text) != _MINUTE_DIGITS or _YEAR.match(text)):
        with suppress(ValueError):
            return _to_epoch_seconds(datetime.strptime(text, layout).replace(tzinfo=UTC))
    number = float(text)
    return math.floor(number / next((unit for least, unit in _UNITS if abs(number) > least), 1))


def _parse_formatted(text: str, rules: DateRules) -> int:
    """Return the seconds of a date in ISO 8601, in RFC 2822, or in words."""
    try:
        return _to_epoch_seconds(
            datetime.fromisoformat(
                _UTC_SUFFIX.sub("Z", _SPACE_BEFORE_OFFSET.sub("", _ZONE_NAME.sub("", text)))
            )
        )
    except ValueError:
        pass
    if _RFC_2822.match(text):
        with suppress(ValueError, TypeError, IndexError, OverflowError):
            return _to_epoch_seconds(parsedate_to_datetime(text))
    return _to_epoch_seconds(parse_written_date(text, day_first=rules.day_first))


def _to_epoch_seconds(moment: datetime) -> int:
    """Return whole seconds since 1970, rounded down; without a zone the moment is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _SECOND
