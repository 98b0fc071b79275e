"""Two texts → what they say in the same words, longest first; one text → its words as they are written.

In: texts without their boilerplate. Out: strings, for people to read: nothing here decides anything. A word
is what `dedup.text.tokenizer` takes for one, but kept in its own letters: a run of letters and digits, or a single
character where a script has no spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = [
    "MIN_RUN_WORDS",
    "TOKEN_PATTERN",
    "WordSpan",
    "find_shared_passages",
    "format_opening",
    "is_unspaced_script",
    "iter_shared_runs",
    "split_surface_tokens",
    "split_words",
]

MIN_RUN_WORDS = 4
"""Runs of three words are shared by any two stories ("at the end")."""
MAX_STARTS_PER_RUN = 50
"""Of a run of words that comes so often, more places say nothing new."""
OPENING_WORDS = 12
"""An article without a title is called by this many of its first words."""
MAX_HEADLINE_WORDS = 24
"""A first line longer than this is prose, not a headline."""
WORDLESS_FIRST_LINES = re.compile(r"\A(?:[^\w\n]*\n)+")
"""Lines before the first that has a word."""
UNSPACED_RANGES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
WORD_PATTERN = re.compile(rf"[{UNSPACED_RANGES}]|[^\W_{UNSPACED_RANGES}]+(?:[.,]\d+)*")
TOKEN_PATTERN = re.compile(rf"[{UNSPACED_RANGES}]+|[^\W_{UNSPACED_RANGES}]+(?:\.\d+)*")


class WordSpan(NamedTuple):
    """A word of a text: folded, and where it stands."""

    folded: str
    start: int
    end: int


def split_words(text: str) -> list[WordSpan]:
    """Return the words of a text in order."""
    return [
        WordSpan(found[0].casefold(), found.start(), found.end()) for found in WORD_PATTERN.finditer(text)
    ]


def split_surface_tokens(text: str) -> list[str]:
    """Return the words of a text as the sketch sees them: in scripts without spaces, pairs of characters.

    >>> split_surface_tokens("Ana Ruiz, 青凪市")
    ['Ana', 'Ruiz', '青凪', '凪市']
    """
    words: list[str] = []
    for found in TOKEN_PATTERN.findall(text):
        dense = len(found) > 1 and is_unspaced_script(found)
        words += [found[i : i + 2] for i in range(len(found) - 1)] if dense else [found]
    return words


def format_opening(text: str) -> str:
    r"""Return the headline that a text begins with, or else its first words.

    >>> (
    ...     format_opening("Bridge shut\nThe bridge was shut."),
    ...     format_opening("The bridge was shut.\nIt will open."),
    ... )
    ('Bridge shut', 'The bridge was shut. It will open.')
    """
    start = WORDLESS_FIRST_LINES.sub("", text[: MAX_HEADLINE_WORDS * 40]).strip()
    first, newline, _ = start.partition("\n")
    headline = first.split()
    if newline and len(headline) <= MAX_HEADLINE_WORDS and not first.rstrip().endswith((".", "!", "?")):
        return " ".join(headline)
    words = start.split()
    return " ".join(words[:OPENING_WORDS]) + ("…" if len(words) > OPENING_WORDS else "")


def is_unspaced_script(word: str) -> bool:
    """Return whether a word is of a script without spaces."""
    return re.match(f"[{UNSPACED_RANGES}]", word) is not None


def find_shared_passages(text: str, other: str, limit: int) -> list[str]:
    """Return the longest runs of words that stand in both texts, as `text` writes them, at most so many.

    Runs do not overlap in `text`, and none is given twice.
    """
    words, theirs = split_words(text), [word.folded for word in split_words(other)]
    found: dict[tuple[str, ...], str] = {}
    for i, length in iter_shared_runs(words, theirs, MIN_RUN_WORDS):
        run = words[i : i + length]
        found.setdefault(tuple(w.folded for w in run), " ".join(text[run[0].start : run[-1].end].split()))
    longest = sorted(found, key=len, reverse=True)
    return [found[run] for run in longest[:limit]]


def iter_shared_runs(
    words: list[WordSpan], other_words: list[str], shortest: int
) -> Iterator[tuple[int, int]]:
    """Yield (position, length) of the runs of words that stand among theirs, of at least `shortest` words."""
    places = index_run_starts(other_words, shortest)
    i = 0
    while i + shortest <= len(words):
        length = measure_longest_run(
            words, i, other_words, places.get(tuple(w.folded for w in words[i : i + shortest]), [])
        )
        if length:
            yield i, length
        i += length or 1


def index_run_starts(words: list[str], shortest: int) -> dict[tuple[str, ...], list[int]]:
    """Return where each run of `shortest` words begins."""
    places: dict[tuple[str, ...], list[int]] = {}
    for j in range(len(words) - shortest + 1):
        found = places.setdefault(tuple(words[j : j + shortest]), [])
        if len(found) < MAX_STARTS_PER_RUN:
            found.append(j)
    return places


def measure_longest_run(words: list[WordSpan], i: int, other_words: list[str], starts: list[int]) -> int:
    """Return how many words from position `i` on also stand in a row at one of their places; 0 for no place."""
    longest = 0
    for j in starts:
        length = 0
        while (
            i + length < len(words)
            and j + length < len(other_words)
            and words[i + length].folded == other_words[j + length]
        ):
            length += 1
        longest = max(longest, length)
    return longest
