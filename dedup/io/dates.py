"""A column of dates as people write them → timestamps in UTC, to the second.

Understood: ISO 8601 with or without time, fraction and zone (2024-01-31, 2024-01-31T12:00:00.5Z, 20240131);
RFC 2822, as in RSS feeds (Wed, 31 Jan 2024 12:00:00 GMT); seconds or milliseconds since 1970, as numbers or
as text; GDELT's 14 digits (20240131120000); and Arrow's own dates and timestamps. A time without a zone is
UTC.

A date that cannot be read, or that no news article can have, is taken as missing and counted: an undated
article can still be matched by its text, a wrongly dated one would fall outside every date window.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["TIMESTAMP", "parse_published"]

TIMESTAMP = pa.timestamp("s", tz="UTC")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)

# Newspapers began in the 17th century; a date outside these years is a typing error or a placeholder.
_FIRST = pa.scalar((datetime(1700, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND)
_END = pa.scalar((datetime(2201, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND)
_MISSING = pa.scalar(None, TIMESTAMP)

# As seconds this is the year 5138; as milliseconds, 1973.
_MILLISECONDS_FROM = 1e11

_DATES_IN_DIGITS = {8: "%Y%m%d", 14: "%Y%m%d%H%M%S"}
# No usual form of a date is longer; longer text is not even looked at, so that no pattern can be slow on it.
_LONGEST = 64
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?", re.ASCII)
_YEAR = re.compile(r"(?:1[7-9]|2[01])\d\d(?:\.0)?", re.ASCII)
_ZONE_APART = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)", re.ASCII)
_UTC_NAMED = re.compile(r"\s*(?:UTC|GMT|Z)$", re.IGNORECASE)


def parse_published(column: pa.Array) -> tuple[pa.Array, int]:
    """Return the column as timestamps (seconds, UTC), and how many of its values could not be read.

    Nulls and blank strings are missing, not unreadable. Dates before 1700 or after 2200 count as unreadable.
    """
    given = len(column) - column.null_count
    if given == 0:
        return pa.nulls(len(column), TIMESTAMP), 0
    if pa.types.is_temporal(column.type):
        return _temporal(column, given)
    times = _uniform_iso(column)
    if times is not None:
        return _plausible(times, given)
    values = column.to_pylist()
    blank = sum(isinstance(value, str) and not value.strip() for value in values)
    known = {value: _seconds(value) for value in set(values)}
    times = pa.array([known[value] for value in values], pa.int64()).cast(TIMESTAMP)
    return _plausible(times, given - blank)


def _temporal(column: pa.Array, given: int) -> tuple[pa.Array, int]:
    """Return Arrow dates and timestamps in our unit; times of day and durations are not dates."""
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s"))
    if not pa.types.is_timestamp(column.type):
        return pa.nulls(len(column), TIMESTAMP), given
    return _plausible(_whole_seconds(column), given)


def _uniform_iso(column: pa.Array) -> pa.Array | None:
    """Return the timestamps of a column that is all ISO 8601 with a zone, or all without; else None."""
    if not pa.types.is_string(column.type):
        return None
    for kind in (pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        try:
            return _whole_seconds(column.cast(kind))
        except pa.ArrowInvalid:
            continue
    return None


def _whole_seconds(times: pa.Array) -> pa.Array:
    """Return timestamps of any unit and zone in seconds UTC, rounded down."""
    as_utc = times.cast(pa.timestamp(times.type.unit, tz="UTC"))
    return pc.floor_temporal(as_utc, unit="second").cast(TIMESTAMP, safe=False)


def _plausible(times: pa.Array, given: int) -> tuple[pa.Array, int]:
    """Return the timestamps, null outside 1700–2200, and how many of those given are null now."""
    seconds = times.cast(pa.int64())
    inside = pc.and_(pc.greater_equal(seconds, _FIRST), pc.less(seconds, _END))
    kept = pc.if_else(inside, times, _MISSING)
    return kept, given - (len(kept) - kept.null_count)


def _seconds(value: object) -> int | None:
    """Return the seconds since 1970 of one value, or None where it is no date."""
    if value is None or isinstance(value, bool):
        return None
    try:
        text = str(value).strip()
        if len(text) > _LONGEST:
            return None
        moment = _from_digits(text) if _NUMBER.fullmatch(text) else _from_words(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    # Beyond what an int64 of seconds holds nothing is plausible anyway.
    return moment if abs(moment) < 1 << 60 else None


def _from_digits(text: str) -> int:
    """Return the seconds of a number: a date in 8 or 14 digits, or else seconds or milliseconds."""
    if _YEAR.fullmatch(text):
        raise ValueError("a year alone is no day: as seconds it would be one early morning of 1970")
    # datetime.fromisoformat must not see the others: it takes the 13 digits of some milliseconds for a date
    # in 1712.
    if layout := _DATES_IN_DIGITS.get(len(text)):
        with suppress(ValueError):
            return _since_epoch(datetime.strptime(text, layout).replace(tzinfo=UTC))
    number = float(text)
    return math.floor(number / 1000 if abs(number) > _MILLISECONDS_FROM else number)


def _from_words(text: str) -> int:
    """Return the seconds of an ISO 8601 or RFC 2822 date."""
    try:
        return _since_epoch(datetime.fromisoformat(_UTC_NAMED.sub("Z", _ZONE_APART.sub("", text))))
    except ValueError:
        return _since_epoch(parsedate_to_datetime(text))


def _since_epoch(moment: datetime) -> int:
    """Return whole seconds since 1970, rounded down; without a zone the moment is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _SECOND
