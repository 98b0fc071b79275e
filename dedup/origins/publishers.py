"""Find the publisher of an article and the news agencies that it credits."""

from __future__ import annotations

import re

__all__ = ["find_credited_agencies", "find_publisher"]

AGENCIES = {
    "AFP": ("AFP", "Agence France-Presse"),
    "Anadolu": ("Anadolu", "Anadolu Ajansı", "AA"),
    "ANSA": ("ANSA", "Ansa"),
    "AP": ("AP", "Associated Press", "The Associated Press"),
    "dpa": ("dpa", "DPA", "Deutsche Presse-Agentur"),
    "EFE": ("EFE", "Efe", "Agencia EFE"),
    "Interfax": ("Interfax", "Интерфакс"),
    "Jiji": ("Jiji", "Jiji Press", "時事", "時事通信"),
    "Kyodo": ("Kyodo", "Kyodo News", "共同", "共同通信"),
    "Lusa": ("Lusa", "LUSA", "Agência Lusa"),
    "PAP": ("PAP",),
    "Reuters": ("Reuters", "REUTERS", "Thomson Reuters"),
    "RIA": ("RIA Novosti", "РИА Новости"),
    "TASS": ("TASS", "ТАСС"),
    "UPI": ("UPI",),
    "Xinhua": ("Xinhua", "XINHUA", "新华社", "新華社"),
}
"""The names that credit each news agency."""
AGENCY_NAMES = {name: agency for agency, names in AGENCIES.items() for name in names}
EDGE_CHARACTERS = 160
"""A credit is within this many characters of the start or the end of a text."""
_ANY_AGENCY = "|".join(sorted(map(re.escape, AGENCY_NAMES), key=len, reverse=True))
_LIST = rf"(?:{_ANY_AGENCY})(?:\s*[/,+&]\s*(?:{_ANY_AGENCY}))*"
_SOURCE = "Quelle|Sources?|Fuente|Fonte|Źródło|Kaynak|Bron|Источник|来源|來源|出典|提供"
START_CREDITS = (
    re.compile(rf"[(（【\[]({_LIST})[^()（）【】\[\]\n]{{0,20}}[)）】\]]"),
    re.compile(rf"^\s*({_LIST})\s*[-–—:：]"),
    re.compile(rf"^\s*({_LIST})(?=\d{{1,2}}月|\s*\n|[^\W\d_]*\d{{1,2}}日电)"),
)
END_CREDITS = (
    re.compile(rf"[(（【\[]({_LIST})[)）】\]]\W*$"),
    re.compile(rf"(?:{_SOURCE}|©)\s*[:：]?\s*({_LIST})\W*$"),
    re.compile(rf"(?:\n|[.!?。»”\"]\s*[-–—]?)\s*({_LIST})\W*$"),
)
SECOND_LEVELS = frozenset(["ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"])
"""Labels below which a country registers domains: bbc.co.uk, abc.net.au."""
_DOMAIN = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@]*@)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?::\d+)?(?:[/?#]|$)"
)


def find_credited_agencies(text: str) -> frozenset[str]:
    """Return the agencies that a text credits at its start or end.

    >>> sorted(
    ...     find_credited_agencies("PARIS, March 3 (Reuters) - A bridge fell. It was old. Quelle: dpa/AFP")
    ... )
    ['AFP', 'Reuters', 'dpa']
    """
    start, end = text[:EDGE_CHARACTERS], text.rstrip()[-EDGE_CHARACTERS:]
    matches = [
        pattern.search(part)
        for part, patterns in ((start, START_CREDITS), (end, END_CREDITS))
        for pattern in patterns
    ]
    names = [name.strip() for match in matches if match for name in re.split(r"[/,+&]", match[1])]
    return frozenset(AGENCY_NAMES[name] for name in names)


def find_publisher(source: str | None, url: str | None) -> str | None:
    """Return the registered domain of an article's source or URL, or else the name of its source in lower case.

    >>> find_publisher("Sport", "https://sport.example.co.uk/a"), find_publisher("The Bugle", None)
    ('example.co.uk', 'the bugle')
    """
    for value in (url, source):
        match = _DOMAIN.match((value or "").strip().lower())
        if match:
            return get_registered_domain(match[1])
    return (source or "").strip().casefold() or None


def get_registered_domain(host: str) -> str:
    """Return the part of a host name that is registered."""
    labels = host.split(".")
    is_country = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SECOND_LEVELS  # noqa: PLR2004 - example.co.uk
    return ".".join(labels[-3:] if is_country else labels[-2:])
