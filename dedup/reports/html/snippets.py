"""Read the beginnings of texts within a budget of characters, and count the boilerplate of a corpus in the same pass.

All texts are cut to the same number of characters. If that would be too few to be useful, the last texts are
left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.reports.html.boilerplate_counts import BoilerplateCounts, find_boilerplate_pieces
from dedup.text.boilerplate.passages import remove_boilerplate
from dedup.text.boilerplate.profile import BoilerplateProfile
from dedup.text.shared_passages import format_opening

__all__ = ["MIN_SNIPPET_CHARACTERS", "TEXT_BUDGET", "Snippet", "Snippets", "read_snippets"]

TEXT_BUDGET = 16_000_000
"""The default budget in characters; packed, it is about eight megabytes of the page."""
MIN_SNIPPET_CHARACTERS, MAX_SNIPPET_CHARACTERS = 500, 30_000
"""The fewest characters of a text that are worth comparing, and the most that a reader needs."""
BUDGET_SLACK = 4
"""The multiple of the budget that is kept in memory before the texts are cut."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """The part of a text in a page."""

    text: str
    length: int
    """Characters of the whole text."""
    boilerplate: tuple[tuple[int, int], ...]
    """The spans of `text` that are boilerplate, in order."""


@dataclass(frozen=True, slots=True)
class Snippets:
    """The texts and their first words by position, and the boilerplate counts."""

    shown: dict[int, Snippet]
    openings: dict[int, str]
    limit: int
    """The most characters of a text in the page."""
    boilerplate: BoilerplateCounts


def read_snippets(
    batches: Iterable[pa.RecordBatch],
    wanted: Sequence[int],
    budget: int,
    learned: BoilerplateProfile | None,
    titled: Sequence[int] = (),
) -> Snippets:
    """Return the snippets of the texts at the wanted positions, within a budget of characters.

    Articles at the positions `titled` have only their first words.
    """
    selected = set(wanted[: budget // MIN_SNIPPET_CHARACTERS])
    most = min(
        MAX_SNIPPET_CHARACTERS, max(MIN_SNIPPET_CHARACTERS, BUDGET_SLACK * budget // max(len(selected), 1))
    )
    heads: dict[int, tuple[str, int, list[str]]] = {}
    openings: dict[int, str] = {}
    tally, start = BoilerplateCounts(), 0
    places = np.array(sorted({*wanted, *titled}), np.int64)
    for batch in batches:
        pieces = list(find_boilerplate_pieces(batch, learned))
        tally.add(pieces)
        rows = places[(places >= start) & (places < start + batch.num_rows)] - start
        chosen = batch.take(pa.array(rows))
        boilerplate: dict[int, list[str]] = {int(row): [] for row in rows}
        for piece in pieces:
            if piece.row in boilerplate:
                boilerplate[piece.row].append(piece.passage)
        columns = (
            pc.utf8_slice_codeunits(chosen["text"], 0, most),
            pc.utf8_length(chosen["text"]),
            remove_boilerplate(chosen, learned),
        )
        for row, text, length, story in zip(rows.tolist(), *(c.to_pylist() for c in columns), strict=True):
            openings[start + row] = format_opening(story or "")
            if start + row in selected:
                heads[start + row] = (text, length, boilerplate[row])
        start += batch.num_rows
    limit = compute_cut_length([len(text) for text, _, _ in heads.values()], budget)
    shown = {
        a: Snippet(text[:limit], length, find_passage_spans(text[:limit], passages))
        for a, (text, length, passages) in heads.items()
    }
    return Snippets(shown, openings, limit, tally)


def compute_cut_length(lengths: Sequence[int], budget: int) -> int:
    """Return the length to which texts must be cut to fit into a budget together.

    >>> compute_cut_length([10, 50, 90], 100), compute_cut_length([10, 20], 100)
    (45, 20)
    """
    left = budget
    for n, length in enumerate(sorted(lengths)):
        if length * (len(lengths) - n) > left:
            return left // (len(lengths) - n)
        left -= length
    return max(lengths, default=0)


def find_passage_spans(text: str, passages: Iterable[str]) -> tuple[tuple[int, int], ...]:
    r"""Return the spans of passages in a text, in UTF-16 units as in browsers; each span is used once.

    >>> find_passage_spans("Share\nThe shareholders met.\nShare", ["Share", "Share"])
    ((0, 5), (28, 33))
    """
    spans: list[tuple[int, int]] = []
    seen: dict[str, int] = {}
    for passage in passages:
        start = find_whole_words(passage, text, seen.get(passage, 0))
        if start >= 0:
            seen[passage] = start + len(passage)
            spans.append((start, start + len(passage)))
    return tuple(
        (count_utf16_units(text[:start]), count_utf16_units(text[:end])) for start, end in sorted(spans)
    )


def find_whole_words(passage: str, text: str, start: int) -> int:
    """Return the index of a passage in a text from `start` on, only at word boundaries; -1 if there is none."""
    place = text.find(passage, start)
    while place >= 0 and is_inside_word(text, place, place + len(passage)):
        place = text.find(passage, place + 1)
    return place


def is_inside_word(text: str, start: int, end: int) -> bool:
    """Return whether a span begins or ends inside a word."""
    return text[max(start - 1, 0) : start].isalnum() or text[end : end + 1].isalnum()


def count_utf16_units(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
