"""A corpus → the beginnings of some of its texts, as long as a budget allows, and a tally of the furniture in all of them.

In: batches of articles, and the positions of those that are to be shown, the most important first. Out: `Texts`. All texts get
the same number of characters, those that are shorter excepted; where that would be too few to be of use, the last get none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.reports.html.boilerplate_counts import Tally, pieces_of
from dedup.text.boilerplate.passages import plain
from dedup.text.boilerplate.profile import Learned
from dedup.text.shared_passages import opening

__all__ = ["FEWEST", "MOST_CHARACTERS", "Shown", "Texts", "texts_of"]

MOST_CHARACTERS = 16_000_000
"""The budget: packed, it makes about eight megabytes of page."""
FEWEST, LONGEST = 500, 30_000
"""Characters of a text that are worth comparing, and more than any reader needs."""
SPARE = 4
"""So many times the budget is held in memory before the texts are cut to it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a text."""

    text: str
    length: int
    """Characters of the whole text."""
    furniture: tuple[tuple[int, int], ...]
    """From which character to which of `text` it is furniture, in order."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts, by position, with the first words of each; and the tally."""

    shown: dict[int, Shown]
    openings: dict[int, str]
    limit: int
    """Characters shown of each text at most."""
    tally: Tally


def texts_of(
    batches: Iterable[pa.RecordBatch], wanted: Sequence[int], budget: int, learned: Learned | None
) -> Texts:
    """Return what is shown of the texts at the positions wanted, within a budget of characters."""
    given = set(wanted[: budget // FEWEST])
    most = min(LONGEST, max(FEWEST, SPARE * budget // max(len(given), 1)))
    heads: dict[int, tuple[str, int, list[str]]] = {}
    openings: dict[int, str] = {}
    tally, start = Tally(), 0
    places = np.array(sorted(wanted), np.int64)
    for batch in batches:
        pieces = list(pieces_of(batch, learned))
        tally.add(pieces)
        rows = places[(places >= start) & (places < start + batch.num_rows)] - start
        chosen = batch.take(pa.array(rows))
        furniture: dict[int, list[str]] = {int(row): [] for row in rows}
        for piece in pieces:
            if piece.row in furniture:
                furniture[piece.row].append(piece.passage)
        columns = (
            pc.utf8_slice_codeunits(chosen["text"], 0, most),
            pc.utf8_length(chosen["text"]),
            plain(chosen, learned),
        )
        for row, text, length, story in zip(rows.tolist(), *(c.to_pylist() for c in columns), strict=True):
            openings[start + row] = opening(story or "")
            if start + row in given:
                heads[start + row] = (text, length, furniture[row])
        start += batch.num_rows
    limit = level([len(text) for text, _, _ in heads.values()], budget)
    shown = {
        a: Shown(text[:limit], length, spans(text[:limit], passages))
        for a, (text, length, passages) in heads.items()
    }
    return Texts(shown, openings, limit, tally)


def level(lengths: Sequence[int], budget: int) -> int:
    """Return the length to which texts are cut so that together they keep to a budget.

    >>> level([10, 50, 90], 100), level([10, 20], 100)
    (45, 20)
    """
    left = budget
    for n, length in enumerate(sorted(lengths)):
        if length * (len(lengths) - n) > left:
            return left // (len(lengths) - n)
        left -= length
    return max(lengths, default=0)


def spans(text: str, passages: Iterable[str]) -> tuple[tuple[int, int], ...]:
    r"""Return where passages stand in a text, in UTF-16 units as browsers count; each place is given to one passage only.

    >>> spans("Share\nThe shareholders met.\nShare", ["Share", "Share"])
    ((0, 5), (28, 33))
    """
    found: list[tuple[int, int]] = []
    seen: dict[str, int] = {}
    for passage in passages:
        start = place_of(passage, text, seen.get(passage, 0))
        if start >= 0:
            seen[passage] = start + len(passage)
            found.append((start, start + len(passage)))
    return tuple((units(text[:start]), units(text[:end])) for start, end in sorted(found))


def place_of(passage: str, text: str, start: int) -> int:
    """Return where a passage stands in a text from `start` on, not as a part of a longer word; -1 for nowhere."""
    place = text.find(passage, start)
    while place >= 0 and is_inside(text, place, place + len(passage)):
        place = text.find(passage, place + 1)
    return place


def is_inside(text: str, start: int, end: int) -> bool:
    """Return whether a part of a text begins or ends within a word."""
    return text[max(start - 1, 0) : start].isalnum() or text[end : end + 1].isalnum()


def units(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
