"""Find the passages that two texts share, longest first, and split texts into their written words, for display.

Nothing here decides whether articles match. A word is what `dedup.text.tokenizer` takes as one, but in its original
letters: a run of letters and digits, or a single character in scripts without spaces. The texts are without boilerplate.
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
"""Any two stories share runs of three words ("at the end")."""
MAX_STARTS_PER_RUN = 50
"""The maximum number of places recorded for a run of words."""
OPENING_WORDS = 12
"""An article without a title is shown by this number of its first words."""
MAX_HEADLINE_WORDS = 24
"""A first line longer than this is prose, not a headline."""
WORDLESS_FIRST_LINES = re.compile(r"\A(?:[^\w\n]*\n)+")
"""The lines before the first line with a word."""
UNSPACED_RANGES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
WORD_PATTERN = re.compile(rf"[{UNSPACED_RANGES}]|[^\W_{UNSPACED_RANGES}]+(?:[.,]\d+)*")
TOKEN_PATTERN = re.compile(rf"[{UNSPACED_RANGES}]+|[^\W_{UNSPACED_RANGES}]+(?:\.\d+)*")


class WordSpan(NamedTuple):
    """A word of a text, case-folded, and its position."""

    folded: str
    start: int
    end: int


def split_words(text: str) -> list[WordSpan]:
    """Return the words of a text in order."""
    return [
        WordSpan(match[0].casefold(), match.start(), match.end()) for match in WORD_PATTERN.finditer(text)
    ]


def split_surface_tokens(text: str) -> list[str]:
    """Return the words of a text as sketches use them: pairs of characters in scripts without spaces.

    >>> split_surface_tokens("Ana Ruiz, 青凪市")
    ['Ana', 'Ruiz', '青凪', '凪市']
    """
    words: list[str] = []
    for token in TOKEN_PATTERN.findall(text):
        is_split = len(token) > 1 and is_unspaced_script(token)
        words += [token[i : i + 2] for i in range(len(token) - 1)] if is_split else [token]
    return words


def format_opening(text: str) -> str:
    r"""Return the headline at the beginning of a text, or else its first words.

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
    """Return whether a word is in a script without spaces."""
    return re.match(f"[{UNSPACED_RANGES}]", word) is not None


def find_shared_passages(text: str, other: str, limit: int) -> list[str]:
    """Return the longest runs of words that both texts contain, as `text` writes them, at most `limit`.

    Runs do not overlap in `text`, and none is repeated.
    """
    words, other_words = split_words(text), [word.folded for word in split_words(other)]
    passages: dict[tuple[str, ...], str] = {}
    for i, length in iter_shared_runs(words, other_words, MIN_RUN_WORDS):
        run = words[i : i + length]
        passages.setdefault(tuple(w.folded for w in run), " ".join(text[run[0].start : run[-1].end].split()))
    longest = sorted(passages, key=len, reverse=True)
    return [passages[run] for run in longest[:limit]]


def iter_shared_runs(
    words: list[WordSpan], other_words: list[str], shortest: int
) -> Iterator[tuple[int, int]]:
    """Yield (position, length) of the runs of at least `shortest` words that `other_words` also contains."""
    starts = index_run_starts(other_words, shortest)
    i = 0
    while i + shortest <= len(words):
        length = measure_longest_run(
            words, i, other_words, starts.get(tuple(w.folded for w in words[i : i + shortest]), [])
        )
        if length:
            yield i, length
        i += length or 1


def index_run_starts(words: list[str], shortest: int) -> dict[tuple[str, ...], list[int]]:
    """Return the positions at which each run of `shortest` words begins."""
    starts: dict[tuple[str, ...], list[int]] = {}
    for j in range(len(words) - shortest + 1):
        run_starts = starts.setdefault(tuple(words[j : j + shortest]), [])
        if len(run_starts) < MAX_STARTS_PER_RUN:
            run_starts.append(j)
    return starts


def measure_longest_run(words: list[WordSpan], i: int, other_words: list[str], starts: list[int]) -> int:
    """Return how many words from position `i` on match a run from one of `starts` on; 0 without starts."""
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
