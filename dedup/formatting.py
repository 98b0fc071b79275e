"""Numbers → words for people: shares, counts, bytes, spans of time."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

FEW, MOST = 0.1, 0.99
"""Between these shares no decimal is needed."""

UNITS = ("bytes", "kB", "MB", "GB", "TB")

MOST_ODDS = 700.0
"""Log-odds beyond which a float has no exponential."""

__all__ = ["chance", "counted", "date", "days", "lag", "percent", "size"]


def chance(log_odds: float) -> float:
    """Return log-odds as a probability.

    >>> chance(0.0), chance(-1000.0)
    (0.5, 0.0)
    """
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -MOST_ODDS else 0.0


def percent(share: float) -> str:
    """Return a share as a per cent, with a decimal where it is near to none or all.

    100% and 0% are only said of what is exactly that.

    >>> percent(0.973), percent(0.0239), percent(0.99999)
    ('97%', '2.4%', '99.9%')
    """
    if FEW <= share <= MOST or share in {0, 1}:
        return f"{share * 100:.0f}%"
    return f"{min(max(share * 100, 0.1), 99.9):.1f}%"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "story"), counted(2000, "article")
    ('1 story', '2,000 articles')
    """
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def days(number: float) -> str:
    """Return a number of days in words.

    >>> days(1), days(2.54)
    ('1 day', '2.5 days')
    """
    shown = f"{round(number, 1):g}"
    return f"{shown} {'day' if shown == '1' else 'days'}"


def date(published: datetime | None) -> str:
    """Return a date; without the time where it is midnight, which mostly means that none is known.

    >>> date(datetime(2026, 3, 9, 22, 5)), date(None)
    ('9 Mar 2026, 22:05', 'undated')
    """
    if published is None:
        return "undated"
    day = f"{published.day} {published:%b} {published.year}"
    return day if is_midnight(published) else f"{day}, {published:%H:%M}"


def lag(first: datetime | None, later: datetime | None) -> str:
    """Return how much later the second date is; nothing where one is missing.

    In days where no times are known.

    >>> (
    ...     lag(datetime(2026, 3, 9, 8), datetime(2026, 3, 9, 11)),
    ...     lag(datetime(2026, 3, 9), datetime(2026, 3, 8)),
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


def size(count: float) -> str:
    """Return a number of bytes in the largest unit that it fills.

    >>> size(999), size(3_140_000)
    ('999 bytes', '3.1 MB')
    """
    power = 0
    while count >= 1000 and power < len(UNITS) - 1:  # noqa: PLR2004 - a kilobyte
        count, power = count / 1000, power + 1
    return f"{count:.1f} {UNITS[power]}" if power else f"{count:.0f} {UNITS[0]}"
