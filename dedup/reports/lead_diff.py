"""Mark the shared and the differing parts in the leads of two articles.

Each passage, quotation, name and number of one lead is searched for in the whole other article, so a part
that is marked as its own is nowhere in the other. The marks are for people; no match depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from dedup.reports.surface_forms import is_readable, iter_surface_forms
from dedup.sketches.terms import FIGURE, NAME
from dedup.text.shared_passages import (
    MIN_RUN_WORDS,
    TOKEN_PATTERN,
    is_unspaced_script,
    iter_shared_runs,
    split_words,
)
from dedup.text.vocabulary import Vocabulary

__all__ = ["Lead", "LeadMark", "LeadSource", "build_lead"]

LEAD_WORDS = 80
"""The number of words to which the story model gives most weight."""
QUOTATION_PATTERN = re.compile(r"“[^”\n]+”|„[^“”\n]+[“”]|«[^»\n]+»|»[^«\n]+«|\"[^\"\n]+\"|「[^」\n]+」")
MIN_QUOTATION_WORDS = 3
"""The fewest words of a shared quotation: one shingle."""


@dataclass(frozen=True, slots=True)
class LeadMark:
    """A marked part of a lead: its first and last character, and its kind."""

    start: int
    end: int
    kind: str
    """words, quotation, name or number if it is in both; own name or own number if it is not in the other."""


@dataclass(frozen=True, slots=True)
class Lead:
    """The title and first words of an article, with marks in order that do not overlap."""

    text: str
    marks: tuple[LeadMark, ...]


@dataclass(frozen=True, slots=True)
class LeadSource:
    """The parts of an article from which its lead is built."""

    title: str
    text: str
    kinds: Mapping[int, int]
    """The kind of each term of the sketch."""
    vocabulary: Vocabulary

    @property
    def full_text(self) -> str:
        """Return title and text."""
        return f"{self.title}\n{self.text}".strip()


def build_lead(own: LeadSource, other: LeadSource) -> Lead:
    """Return the lead of an article, marked against the other article."""
    words = split_words(own.text)
    end = words[LEAD_WORDS - 1].end if len(words) > LEAD_WORDS else len(own.text)
    text = f"{own.title}\n{own.text[:end]}".strip() + ("…" if end < len(own.text) else "")
    painted = [""] * len(text)
    for mark in (
        *mark_facts(text, own, other),
        *mark_shared_words(text, other.full_text),
        *mark_quotations(text, other.full_text),
    ):
        painted[mark.start : mark.end] = [mark.kind] * (mark.end - mark.start)
    return Lead(text, tuple(iter_lead_marks(painted)))


def iter_lead_marks(painted: list[str]) -> Iterator[LeadMark]:
    """Yield a mark for each run of characters of one kind."""
    start = 0
    for i in range(1, len(painted) + 1):
        if i == len(painted) or painted[i] != painted[start]:
            if painted[start]:
                yield LeadMark(start, i, painted[start])
            start = i


def mark_facts(text: str, own: LeadSource, other: LeadSource) -> Iterator[LeadMark]:
    """Yield the names and numbers of a text, marked by whether the other article has them."""
    other_terms = other.kinds.keys() | {
        term for term, _ in iter_surface_forms(other.full_text, other.vocabulary)
    }
    terms = {word: term for term, word in iter_surface_forms(text, own.vocabulary)}
    spans = [(found[0], found.start(), found.end()) for found in TOKEN_PATTERN.finditer(text)]
    if own.vocabulary.syllabic:
        spans += [(f"{one[0]} {two[0]}", one[1], two[2]) for one, two in pairwise(spans)]
    for word, start, end in spans:
        kind = {NAME: "name", FIGURE: "number"}.get(own.kinds.get(terms.get(word, 0), -1))
        if kind and not is_unspaced_script(word) and (kind == "number" or is_readable(word)):
            yield LeadMark(start, end, kind if terms[word] in other_terms else f"own {kind}")


def mark_shared_words(text: str, other: str) -> Iterator[LeadMark]:
    """Yield the runs of words of a text that are also in the other."""
    words = split_words(text)
    for i, length in iter_shared_runs(words, [word.folded for word in split_words(other)], MIN_RUN_WORDS):
        yield LeadMark(words[i].start, words[i + length - 1].end, "words")


def mark_quotations(text: str, other: str) -> Iterator[LeadMark]:
    """Yield the runs of words inside quotation marks that are also quoted in the other."""
    other_runs = []
    for quote in QUOTATION_PATTERN.findall(other):
        other_runs += [
            *(word.folded for word in split_words(quote)),
            "",
        ]  # no run of words continues into the next quotation
    for quote in QUOTATION_PATTERN.finditer(text):
        words = split_words(quote[0])
        for i, length in iter_shared_runs(words, other_runs, MIN_QUOTATION_WORDS):
            start, end = (quote.start() + place for place in (words[i].start, words[i + length - 1].end))
            yield LeadMark(start, end, "quotation")
