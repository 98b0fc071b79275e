"""Parse dates in words or with slashes.

This is for the few dates that the fast ways of `dedup.io.dates` do not read. A date needs a year of four digits and a
month; without a day it is the first of the month. `03/04/2026` can be two days, and is rejected unless the caller
says which number is the day. With points, as in `03.04.2026`, the day always comes first.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dateutil.parser import parser

__all__ = ["is_ambiguous_date", "parse_written_date"]

YEAR_MONTH = re.compile(r"((?:1[7-9]|2[01])\d\d)-(0[1-9]|1[0-2])", re.ASCII)
FOUR_DIGIT_YEAR = re.compile(r"(?<!\d)(?:1[7-9]|2[01])\d\d(?!\d)", re.ASCII)
NUMERIC_DATE = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2\d{4}(?!\d)", re.ASCII)
LAST_MONTH = 12
NUMBERED_MONTHS = (
    (re.compile(r"(\d{4})\s?年\s?(\d{1,2})\s?月\s?(\d{1,2})\s?日"), r"\1-\2-\3"),
    (re.compile(r"(\d{4})\s?년\s?(\d{1,2})\s?월\s?(\d{1,2})\s?일"), r"\1-\2-\3"),
    (re.compile(r"(?:ngày )?(\d{1,2}) tháng (\d{1,2}),?(?: năm)? (\d{4})", re.IGNORECASE), r"\1.\2.\3"),
)
"""How Chinese, Japanese, Korean and Vietnamese number their months."""
HALF_OF_DAY = re.compile(r"\b([ap])\.\s?m\b\.?", re.IGNORECASE)
FIRST_WORDS = re.compile(r"(?:[^\W\d_]{2,20}[.:,]?\s){1,3}(?=\d)")
"""The day of the week, or words such as "Published on"."""

MONTHS = (
    "jan january janvier januar enero ene gennaio gen janeiro januari stycznia styczeń января январь янв ocak",
    "feb february février fevrier fév fev februar febrero febbraio fevereiro februari lutego luty февраля февраль фев şubat",
    "mar march mars märz maerz mär marzo março marco maart mrt marts marca marzec марта март мар mart",
    "apr april avril avr abril abr aprile kwietnia kwiecień апреля апрель апр nisan",
    "may mai mayo maggio mag maio mei maj maja мая май mayıs",
    "jun june juin juni junio giugno giu junho czerwca czerwiec июня июнь июн haziran",
    "jul july juillet juil juli julio luglio lug julho lipca lipiec июля июль июл temmuz",
    "aug august août aout agosto ago augustus augusti sierpnia sierpień августа август авг ağustos",
    "sep sept september septembre septiembre settembre set setembro września wrzesień сентября сентябрь сен сент eylül",
    "oct october octobre oktober okt octubre ottobre ott outubro października październik октября октябрь окт ekim",
    "nov november novembre noviembre novembro listopada listopad ноября ноябрь ноя kasım",
    "dec december décembre decembre déc dezember dez diciembre dic dicembre dezembro desember grudnia декабря дек aralık",
)
"""The names of the months in English, French, German, Spanish, Italian, Portuguese, Dutch, Swedish, Danish, Norwegian,
Polish, Russian and Turkish."""

MONTH_NAMES = frozenset(name for names in MONTHS for name in names.split())

JUMPS = [
    "de",
    "del",
    "di",
    "of",
    "the",
    "um",
    "uhr",
    "h",
    "à",
    "a",
    "le",
    "den",
    "der",
    "il",
    "el",
    "à",
    "at",
    "on",
    "and",
    "ad",
    "st",
    "nd",
    "rd",
    "th",
    "er",
    ".",
    ",",
    ";",
    "-",
    "/",
    "'",
    "r",
    "г",
    "года",
]
"""Words that are skipped."""

ZONE_HOURS = {
    "UTC": 0,
    "GMT": 0,
    "Z": 0,
    "WET": 0,
    "BST": 1,
    "CET": 1,
    "CEST": 2,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "EST": -5,
    "EDT": -4,
    "CST": -6,
    "CDT": -5,
    "MST": -7,
    "MDT": -6,
    "PST": -8,
    "PDT": -7,
}


def parse_written_date(text: str, *, day_first: bool | None = None) -> datetime:
    """Return the moment of a date; raise ValueError, or another error of a parser, if it is not a date or could be two.

    `day_first` says whether the first of two numbers is the day; without it, a date that could be two is an error.

    >>> parse_written_date("3 mars 2026").isoformat(), parse_written_date("Mar 3 2026 10:05AM").isoformat()
    ('2026-03-03T00:00:00', '2026-03-03T10:05:00')
    """
    if match := YEAR_MONTH.fullmatch(text):
        return datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC)
    for pattern, template in NUMBERED_MONTHS:
        text = pattern.sub(template, text)
    text = _strip_first_words(HALF_OF_DAY.sub(r"\1m", text))
    if not FOUR_DIGIT_YEAR.search(text) or (day_first is None and is_ambiguous_date(text)):
        raise ValueError("a date has a year of four digits, and names one day")
    numeric = NUMERIC_DATE.match(text)
    day_first = bool(numeric and (numeric[2] == "." or day_first))
    # The parser fills what a date lacks from its default. If two defaults give two dates, something was missing.
    first, second = (
        _build_parser().parse(text, default=default, dayfirst=day_first, tzinfos=_find_zone)
        for default in (datetime(2000, 1, 1), datetime(2001, 2, 2))  # noqa: DTZ001 - the date may have a zone
    )
    if (first.year, first.month) != (second.year, second.month):
        raise ValueError("a date has a year and a month")
    return first


def is_ambiguous_date(text: str) -> bool:
    """Return whether a date can be two days, by which of its numbers is the month.

    >>> is_ambiguous_date("03/04/2026"), is_ambiguous_date("03/13/2026"), is_ambiguous_date("03.04.2026")
    (True, False, False)
    """
    match = NUMERIC_DATE.match(text)
    if not match or match[2] == ".":
        return False
    one, other = int(match[1]), int(match[3])
    return one != other and max(one, other) <= LAST_MONTH


def _strip_first_words(text: str) -> str:
    """Return a date without the words before its first number, unless a month is among them."""
    match = FIRST_WORDS.match(text)
    if match is None or not MONTH_NAMES.isdisjoint(word.strip(".:,") for word in match[0].lower().split()):
        return text
    return text[match.end() :]


def _find_zone(name: str | None, offset: int | None) -> tzinfo | None:
    """Return the time zone of a date; None, which means UTC, if its name is unknown."""
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    return None if name not in ZONE_HOURS else timezone(timedelta(hours=ZONE_HOURS[name]))


@cache
def _build_parser() -> parser:
    from dateutil.parser import parser, parserinfo

    tables = {"MONTHS": [tuple(names.split()) for names in MONTHS], "JUMP": [" ", *JUMPS]}
    return parser(type("NewsParserInfo", (parserinfo,), tables)())
