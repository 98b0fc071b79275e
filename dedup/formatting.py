"""Numbers → words for people: shares, counts, bytes, spans of time."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

SMALLEST_ROUND_SHARE, LARGEST_ROUND_SHARE = 0.1, 0.99
"""Between these shares no decimal is needed."""

SIZE_UNITS = ("bytes", "kB", "MB", "GB", "TB")

MAX_LOG_ODDS = 700.0
"""Log-odds beyond which a float has no exponential."""

__all__ = [
    "format_count",
    "format_date",
    "format_days",
    "format_lag",
    "format_percent",
    "format_size",
    "to_probability",
]


def to_probability(log_odds: float) -> float:
    """Return log-odds as a probability.

    >>> to_probability(0.0), to_probability(-1000.0)
    (0.5, 0.0)
    """
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -MAX_LOG_ODDS else 0.0


def format_percent(share: float) -> str:
    """Return a share as a per cent, with a decimal where it is near to none or all.

    100% and 0% are only said of what is exactly that.

    >>> format_percent(0.973), format_percent(0.0239), format_percent(0.99999)
    ('97%', '2.4%', '99.9%')
    """
    if SMALLEST_ROUND_SHARE <= share <= LARGEST_ROUND_SHARE or share in {0, 1}:
        return f"{share * 100:.0f}%"
    return f"{min(max(share * 100, 0.1), 99.9):.1f}%"


def format_count(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> format_count(1, "story"), format_count(2000, "article")
    ('1 story', '2,000 articles')
    """
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def format_days(number: float) -> str:
    """Return a number of days in words.

    >>> format_days(1), format_days(2.54)
    ('1 day', '2.5 days')
    """
    shown = f"{round(number, 1):g}"
    return f"{shown} {'day' if shown == '1' else 'days'}"


def format_date(published: datetime | None) -> str:
    """Return a date; without the time where it is midnight, which mostly means that none is known.

    >>> format_date(datetime(2026, 3, 9, 22, 5)), format_date(None)
    ('9 Mar 2026, 22:05', 'undated')
    """
    if published is None:
        return "undated"
    day = f"{published.day} {published:%b} {published.year}"
    return day if is_midnight(published) else f"{day}, {published:%H:%M}"


def format_lag(first: datetime | None, later: datetime | None) -> str:
    """Return how much later the second date is; nothing where one is missing.

    In days where no times are known.

    >>> (
    ...     format_lag(datetime(2026, 3, 9, 8), datetime(2026, 3, 9, 11)),
    ...     format_lag(datetime(2026, 3, 9), datetime(2026, 3, 8)),
    ... )
    ('+3 h', '−1 d')
    """
    if first is None or later is None:
        return ""
    apart = abs(later - first)
    sign = "+" if later > first else "−" if later < first else ""
    if is_midnight(first) and is_midnight(later):
        return f"{sign}{apart.days} d" if apart else "same day"
    if apart < timedelta(hours=1):
        return f"{sign}{apart // timedelta(minutes=1)} min"
    if apart < timedelta(days=2):
        return f"{sign}{round(apart / timedelta(hours=1))} h"
    return f"{sign}{round(apart / timedelta(days=1))} d"


def is_midnight(time: datetime) -> bool:
    """Return whether a date has no time but the beginning of its day."""
    return (time.hour, time.minute, time.second) == (0, 0, 0)


def format_size(count: float) -> str:
    """Return a number of bytes in the largest unit that it fills.

    >>> format_size(999), format_size(3_140_000)
    ('999 bytes', '3.1 MB')
    """
    power = 0
    while count >= 1000 and power < len(SIZE_UNITS) - 1:  # noqa: PLR2004 - a kilobyte
        count, power = count / 1000, power + 1
    return f"{count:.1f} {SIZE_UNITS[power]}" if power else f"{count:.0f} {SIZE_UNITS[0]}"
