"""Find the long quotations of a text: two articles that share one may have one origin."""

from __future__ import annotations

import re

from dedup.origins.anchored_search import match_at
from dedup.reports.lead_diff import QUOTATION_PATTERN
from dedup.text.boilerplate.rules import compile_pattern
from dedup.text.shared_passages import WORD_PATTERN

__all__ = ["MIN_QUOTATION_WORDS", "find_long_quotations", "iter_quotations"]

OPENING_PATTERN = re.compile('[“„«»"「]')
MAX_MARKS, MAX_CHARACTERS = 256, 100_000
"""Up to so many opening marks, in a text of so many characters, it is faster to try Python's pattern at each. It looks for the
end of each, so with more the time would grow with the square, and RE2 searches instead."""
MIN_QUOTATION_WORDS = 8
"""The fewest words of a quotation that may show an origin; shorter ones are phrases that many report."""


def iter_quotations(text: str, min_words: int = MIN_QUOTATION_WORDS) -> list[tuple[str, str]]:
    """Return (words in lower case, quotation as written) for each quotation of at least `min_words` words."""
    found = []
    for quotation in find_quotations(text):
        if len(quotation) < min_words + 2:  # each word has a character, and there are two marks
            continue
        words = WORD_PATTERN.findall(quotation.casefold())
        if len(words) >= min_words:
            found.append((" ".join(words), " ".join(quotation.split())))
    return found


def find_quotations(text: str) -> list[str]:
    """Return the quotations of a text with their marks."""
    starts = [mark.start() for mark in OPENING_PATTERN.finditer(text)]
    if len(text) <= MAX_CHARACTERS and len(starts) <= MAX_MARKS:
        return [match[0] for match in match_at(QUOTATION_PATTERN, text, starts)]
    quotations: list[str] = compile_pattern(QUOTATION_PATTERN.pattern).findall(text)
    return quotations


def find_long_quotations(text: str) -> frozenset[str]:
    """Return the long quotations of a text, in lower case and without punctuation.

    >>> find_long_quotations("“It fell at night, and nobody was on the bridge,” she said. “Never.”")
    frozenset({'it fell at night and nobody was on the bridge'})
    """
    return frozenset(words for words, _ in iter_quotations(text))
