"""Search a text for a pattern only at the places where a match can begin."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["match_at"]


def match_at(pattern: re.Pattern[str], text: str, starts: Iterable[int]) -> list[re.Match[str]]:
    r"""Return the matches that begin at these places, in rising order; none overlaps the one before it.

    >>> [match[0] for match in match_at(re.compile(r"\d+ \w+"), "3 cars, 12 boats", [0, 8, 9])]
    ['3 cars', '12 boats']
    """
    matches: list[re.Match[str]] = []
    end = 0
    for start in starts:
        match = pattern.match(text, start) if start >= end else None
        if match:
            matches.append(match)
            end = match.end()
    return matches
