"""Format values for people: shares, counts, sizes, dates, and text that is safe to print on a terminal."""

from __future__ import annotations

import math
import unicodedata
from datetime import datetime, timedelta

SMALLEST_ROUND_SHARE, LARGEST_ROUND_SHARE = 0.1, 0.99
"""Shares between these two are shown without decimals."""

SIZE_UNITS = ("bytes", "kB", "MB", "GB", "TB")

MAX_LOG_ODDS = 700.0
"""Beyond these log-odds `math.exp` overflows."""

UNPRINTABLE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Unicode categories that can move the cursor, start an escape sequence or reverse the text that follows."""
JOINERS = "\u200c\u200d"
"""Format characters that Persian words and emoji need."""

__all__ = [
    "escape_controls",
    "escape_json_controls",
    "format_count",
    "format_date",
    "format_days",
    "format_lag",
    "format_percent",
    "format_size",
    "format_warning",
    "strip_controls",
    "to_probability",
]


def to_probability(log_odds: float) -> float:
    """Return log-odds as a probability.

    >>> to_probability(0.0), to_probability(-1000.0)
    (0.5, 0.0)
    """
    return 1 / (1 + math.exp(-log_odds)) if log_odds > -MAX_LOG_ODDS else 0.0


def format_percent(share: float) -> str:
    """Return a share as a percentage, with one decimal near 0 and 100.

    Only a share of exactly 0 or 1 is shown as 0% or 100%.

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


def format_warning(words: str, count: int) -> str:
    """Return a warning that begins with a plural noun, with its count.

    >>> format_warning("articles without a date", 1), format_warning("files read as cp1252", 2)
    ('1 article without a date', '2 files read as cp1252')
    """
    noun, _, rest = words.partition(" ")
    return f"{count:,} {noun.removesuffix('s') if count == 1 else noun} {rest}"


def format_days(number: float) -> str:
    """Return a number of days with its unit.

    >>> format_days(1), format_days(2.54)
    ('1 day', '2.5 days')
    """
    rounded = f"{round(number, 1):g}"
    return f"{rounded} {'day' if rounded == '1' else 'days'}"


def format_date(published: datetime | None) -> str:
    """Return a date and time; without the time at midnight, which usually means that the time is unknown.

    >>> format_date(datetime(2026, 3, 9, 22, 5)), format_date(None)
    ('9 Mar 2026, 22:05', 'undated')
    """
    if published is None:
        return "undated"
    day = f"{published.day} {published:%b} {published.year}"
    return day if is_midnight(published) else f"{day}, {published:%H:%M}"


def format_lag(first: datetime | None, later: datetime | None) -> str:
    """Return how much later the second date is, or "" if either is missing.

    The lag is in days if neither date has a time.

    >>> (
    ...     format_lag(datetime(2026, 3, 9, 8), datetime(2026, 3, 9, 11)),
    ...     format_lag(datetime(2026, 3, 9), datetime(2026, 3, 8)),
    ... )
    ('+3 h', '−1 d')
    """
    if first is None or later is None:
        return ""
    lag = abs(later - first)
    sign = "+" if later > first else "−" if later < first else ""
    if is_midnight(first) and is_midnight(later):
        return f"{sign}{lag.days} d" if lag else "same day"
    if lag < timedelta(hours=1):
        return f"{sign}{lag // timedelta(minutes=1)} min"
    if lag < timedelta(days=2):
        return f"{sign}{round(lag / timedelta(hours=1))} h"
    return f"{sign}{round(lag / timedelta(days=1))} d"


def is_midnight(time: datetime) -> bool:
    """Return whether a date is at midnight."""
    return (time.hour, time.minute, time.second) == (0, 0, 0)


def format_size(count: float) -> str:
    """Return a number of bytes in the largest unit that fits.

    >>> format_size(999), format_size(3_140_000)
    ('999 bytes', '3.1 MB')
    """
    power = 0
    while count >= 1000 and power < len(SIZE_UNITS) - 1:  # noqa: PLR2004 - a kilobyte
        count, power = count / 1000, power + 1
    return f"{count:.1f} {SIZE_UNITS[power]}" if power else f"{count:.0f} {SIZE_UNITS[0]}"


def strip_controls(text: str | None) -> str:
    r"""Return text on one line, with characters that could control a terminal replaced by spaces.

    >>> strip_controls("Mayor\x1b[2J resigns")
    'Mayor [2J resigns'
    """
    return " ".join("".join(" " if is_unprintable(c) else c for c in text or "").split())


def escape_controls(text: str) -> str:
    r"""Return text with characters that could control a terminal written as escapes; newlines and tabs stay.

    >>> escape_controls("cannot read a\x1b[2J.jsonl")
    'cannot read a\\x1b[2J.jsonl'
    """
    return "".join(
        c.encode("unicode_escape").decode() if is_unprintable(c) and c not in "\n\t" else c for c in text
    )


def escape_json_controls(text: str) -> str:
    r"""Return JSON that means the same, with the control characters of its strings as \u escapes.

    JSON escapes only U+0000 to U+001F itself, and a terminal also obeys others.

    >>> escape_json_controls('{"title": "\x9b2J"}')
    '{"title": "\\u009b2J"}'
    """
    return "".join(encode_json_escape(c) if is_unprintable(c) and c not in "\n\r\t" else c for c in text)


def encode_json_escape(character: str) -> str:
    """Return a character as JSON escapes it: one or two UTF-16 code units."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[n : n + 4]}" for n in range(0, len(units), 4))


def is_unprintable(character: str) -> bool:
    """Return whether a character could control a terminal or reorder the text after it."""
    return (
        not character.isprintable()
        and character not in JOINERS
        and unicodedata.category(character) in UNPRINTABLE_CATEGORIES
    )
