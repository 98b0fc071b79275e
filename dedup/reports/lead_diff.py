"""Two articles → their beginnings side by side, with what both say and what only one says marked.

In: titles and texts without furniture, and the sketches of both. Out: `Lead`s. A run of words, a quotation, a name or a
number of one lead is looked for in the *whole* of the other article: what is called its own stands nowhere in the other. For
people to read: nothing here decides anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from dedup.reports.surface_forms import is_readable, surfaces
from dedup.sketches.terms import FIGURE, NAME
from dedup.text.shared_passages import RUN, SHORTEST, is_dense, shared_runs, single_words
from dedup.text.vocabulary import Vocabulary

__all__ = ["Lead", "Mark", "Told", "lead"]

LEAD_WORDS = 80
"""As many words as the story model looks at most closely."""
QUOTED = re.compile(r"“[^”\n]+”|„[^“”\n]+[“”]|«[^»\n]+»|»[^«\n]+«|\"[^\"\n]+\"|「[^」\n]+」")
SHORTEST_QUOTED = 3
"""Inside quotation marks a shingle says enough."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of a lead: from which character to which, and what it is to the other article."""

    start: int
    end: int
    kind: str
    """`words`, `quotation`, `name` or `number`: in both; `own name` or `own number`: nowhere in the other."""


@dataclass(frozen=True, slots=True)
class Lead:
    """Title and first words of an article, with its marks in order, none upon another."""

    text: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a lead is made of."""

    title: str
    text: str
    kinds: Mapping[int, int]
    """Term → kind, of the sketch."""
    known: Vocabulary

    @property
    def whole(self) -> str:
        """Return title and text."""
        return f"{self.title}\n{self.text}".strip()


def lead(own: Told, other: Told) -> Lead:
    """Return the lead of an article, marked by what the other says too."""
    words = single_words(own.text)
    end = words[LEAD_WORDS - 1].end if len(words) > LEAD_WORDS else len(own.text)
    text = f"{own.title}\n{own.text[:end]}".strip() + ("…" if end < len(own.text) else "")
    painted = [""] * len(text)
    for mark in (*facts(text, own, other), *passages(text, other.whole), *quotations(text, other.whole)):
        painted[mark.start : mark.end] = [mark.kind] * (mark.end - mark.start)
    return Lead(text, tuple(marks_of(painted)))


def marks_of(painted: list[str]) -> Iterator[Mark]:
    """Yield a mark for each run of characters of one kind."""
    start = 0
    for i in range(1, len(painted) + 1):
        if i == len(painted) or painted[i] != painted[start]:
            if painted[start]:
                yield Mark(start, i, painted[start])
            start = i


def facts(text: str, own: Told, other: Told) -> Iterator[Mark]:
    """Yield the names and the numbers of a text, by whether the other has them."""
    theirs = other.kinds.keys() | {term for term, _ in surfaces(other.whole, other.known)}
    terms = {word: term for term, word in surfaces(text, own.known)}
    spans = [(found[0], found.start(), found.end()) for found in RUN.finditer(text)]
    if own.known.syllabic:
        spans += [(f"{one[0]} {two[0]}", one[1], two[2]) for one, two in pairwise(spans)]
    for word, start, end in spans:
        kind = {NAME: "name", FIGURE: "number"}.get(own.kinds.get(terms.get(word, 0), -1))
        if kind and not is_dense(word) and (kind == "number" or is_readable(word)):
            yield Mark(start, end, kind if terms[word] in theirs else f"own {kind}")


def passages(text: str, other: str) -> Iterator[Mark]:
    """Yield the runs of words of a text that stand in the other."""
    words = single_words(text)
    for i, length in shared_runs(words, [word.folded for word in single_words(other)], SHORTEST):
        yield Mark(words[i].start, words[i + length - 1].end, "words")


def quotations(text: str, other: str) -> Iterator[Mark]:
    """Yield the runs of words inside quotation marks that stand inside quotation marks in the other."""
    theirs = []
    for quote in QUOTED.findall(other):
        theirs += [
            *(word.folded for word in single_words(quote)),
            "",
        ]  # no word goes on into the next quotation
    for quote in QUOTED.finditer(text):
        words = single_words(quote[0])
        for i, length in shared_runs(words, theirs, SHORTEST_QUOTED):
            start, end = (quote.start() + place for place in (words[i].start, words[i + length - 1].end))
            yield Mark(start, end, "quotation")
