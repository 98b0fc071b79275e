"""Two texts → what they say in the same words, longest first; one text → its words as they are written.

In: texts without their furniture. Out: strings, for people to read: nothing here decides anything. A word
is what `dedup.text.tokenizer` takes for one, but kept in its own letters: a run of letters and digits, or a single
character where a script has no spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = [
    "RUN",
    "SHORTEST",
    "Word",
    "is_dense",
    "opening",
    "shared_passages",
    "shared_runs",
    "single_words",
    "written_words",
]

SHORTEST = 4
"""Runs of three words are shared by any two stories ("at the end")."""
MOST_PLACES = 50
"""Of a run of words that comes so often, more places say nothing new."""
OPENING_WORDS = 12
"""An article without a title is called by this many of its first words."""
HEADLINE_WORDS = 24
"""A first line longer than this is prose, not a headline."""
WORDLESS = re.compile(r"\A(?:[^\w\n]*\n)+")
"""Lines before the first that has a word."""
DENSE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
WORD = re.compile(rf"[{DENSE}]|[^\W_{DENSE}]+(?:[.,]\d+)*")
RUN = re.compile(rf"[{DENSE}]+|[^\W_{DENSE}]+(?:\.\d+)*")


class Word(NamedTuple):
    """A word of a text: folded, and where it stands."""

    folded: str
    start: int
    end: int


def single_words(text: str) -> list[Word]:
    """Return the words of a text in order."""
    return [Word(found[0].casefold(), found.start(), found.end()) for found in WORD.finditer(text)]


def written_words(text: str) -> list[str]:
    """Return the words of a text as the sketch sees them: in scripts without spaces, pairs of characters.

    >>> written_words("Ana Ruiz, 青凪市")
    ['Ana', 'Ruiz', '青凪', '凪市']
    """
    words: list[str] = []
    for found in RUN.findall(text):
        dense = len(found) > 1 and is_dense(found)
        words += [found[i : i + 2] for i in range(len(found) - 1)] if dense else [found]
    return words


def opening(text: str) -> str:
    r"""Return the headline that a text begins with, or else its first words.

    >>> opening("Bridge shut\nThe bridge was shut."), opening("The bridge was shut.\nIt will open.")
    ('Bridge shut', 'The bridge was shut. It will open.')
    """
    start = WORDLESS.sub("", text[: HEADLINE_WORDS * 40]).strip()
    first, newline, _ = start.partition("\n")
    headline = first.split()
    if newline and len(headline) <= HEADLINE_WORDS and not first.rstrip().endswith((".", "!", "?")):
        return " ".join(headline)
    words = start.split()
    return " ".join(words[:OPENING_WORDS]) + ("…" if len(words) > OPENING_WORDS else "")


def is_dense(word: str) -> bool:
    """Return whether a word is of a script without spaces."""
    return re.match(f"[{DENSE}]", word) is not None


def shared_passages(text: str, other: str, most: int) -> list[str]:
    """Return the longest runs of words that stand in both texts, as `text` writes them, at most so many.

    Runs do not overlap in `text`, and none is given twice.
    """
    words, theirs = single_words(text), [word.folded for word in single_words(other)]
    found: dict[tuple[str, ...], str] = {}
    for i, length in shared_runs(words, theirs, SHORTEST):
        run = words[i : i + length]
        found.setdefault(tuple(w.folded for w in run), " ".join(text[run[0].start : run[-1].end].split()))
    longest = sorted(found, key=len, reverse=True)
    return [found[run] for run in longest[:most]]


def shared_runs(words: list[Word], theirs: list[str], shortest: int) -> Iterator[tuple[int, int]]:
    """Yield (position, length) of the runs of words that stand among theirs, of at least `shortest` words."""
    places = places_of(theirs, shortest)
    i = 0
    while i + shortest <= len(words):
        length = longest_run(
            words, i, theirs, places.get(tuple(w.folded for w in words[i : i + shortest]), [])
        )
        if length:
            yield i, length
        i += length or 1


def places_of(words: list[str], shortest: int) -> dict[tuple[str, ...], list[int]]:
    """Return where each run of `shortest` words begins."""
    places: dict[tuple[str, ...], list[int]] = {}
    for j in range(len(words) - shortest + 1):
        found = places.setdefault(tuple(words[j : j + shortest]), [])
        if len(found) < MOST_PLACES:
            found.append(j)
    return places


def longest_run(words: list[Word], i: int, theirs: list[str], places: list[int]) -> int:
    """Return how many words from position `i` on also stand in a row at one of their places; 0 for no place."""
    longest = 0
    for j in places:
        length = 0
        while (
            i + length < len(words)
            and j + length < len(theirs)
            and words[i + length].folded == theirs[j + length]
        ):
            length += 1
        longest = max(longest, length)
    return longest
