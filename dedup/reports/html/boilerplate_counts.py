"""Batches of articles → the furniture that was recognised in them: for each rule how often, and examples.

In: batches, and what was learned of their sources. Out: (row, rule, passage) for each piece; and `Tally`, which counts them. The
same groups of rules in the same order as `dedup.text.boilerplate.rules.furniture_in`, but over whole columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.text.boilerplate.passages import is_known, keys_of, passages_of
from dedup.text.boilerplate.profile import Learned
from dedup.text.boilerplate.rules import (
    ANYWHERE_RULES,
    CLOSE,
    LINE_PATTERNS,
    LINE_RULES,
    OPEN,
    PATTERNS,
    Rule,
    cleaned,
)
from dedup.text.tokenizer import utf8

__all__ = ["LEARNED", "RULES", "Piece", "Tally", "pieces_of"]

LEARNED = "learned"
"""The rule of what was learned."""
RULES: Mapping[str, str] = {
    "entity": "characters written as in HTML",
    "picture": "picture credits and captions",
    "markup": "tags and addresses",
    "gate": "subscription notices",
    "stamp": "times of publication",
    "agency": "agency credits",
    "rights": "copyright notices",
    "button": "buttons and menus",
    "navigation": "paths through the site",
    "more": "links to other stories",
    "continues": "“continue reading”",
    "plea": "sign-ups and pleas",
    "comment": "invitations to comment",
    "contributors": "who reported and edited",
    "caption": "captions that end in a credit",
    "byline": "bylines",
    "dateline": "datelines",
    LEARNED: "learned of its source (--furniture)",
}
"""What each rule of `dedup.text.boilerplate.rules` recognises, in a few words."""
SHOWN = 160
"""Characters of a passage that an example shows."""
DISTINCT = 20_000
"""So many different passages of a rule are counted at once; then those seen least are forgotten."""


class Piece(NamedTuple):
    """A piece of furniture."""

    row: int
    rule: str
    passage: str


@dataclass(slots=True)
class Tally:
    """How often each rule recognised something, in how many articles, and its commonest passages."""

    pieces: Counter[str] = field(default_factory=Counter)
    articles: Counter[str] = field(default_factory=Counter)
    passages: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, pieces: Iterable[Piece]) -> None:
        """Count the pieces of a batch."""
        seen = set()
        for row, rule, passage in pieces:
            self.pieces[rule] += 1
            seen.add((row, rule))
            self.passages.setdefault(rule, Counter())[" ".join(passage[:SHOWN].split())] += 1
        self.articles.update(rule for _, rule in seen)
        for rule, counts in self.passages.items():
            if len(counts) > DISTINCT:
                self.passages[rule] = Counter(dict(counts.most_common(DISTINCT // 2)))


def pieces_of(batch: pa.RecordBatch, learned: Learned | None) -> Iterator[Piece]:
    """Yield each piece of furniture in a batch of articles, a group of rules after the other, then what was learned."""
    texts = pc.replace_substring_regex(batch["text"], pattern=f"[{OPEN}{CLOSE}]", replacement=" ")
    marked = f"{OPEN}\\0{CLOSE}"
    for group, pattern in zip(ANYWHERE_RULES, PATTERNS, strict=True):
        texts, found = taken_out(texts, pattern, marked)
        yield from named(found, group)
    texts = pc.binary_join_element_wise("\n", texts, "")
    for group, pattern in zip(LINE_RULES, LINE_PATTERNS, strict=True):
        texts, found = taken_out(texts, pattern, f"\n{OPEN}\\1{CLOSE}")
        yield from named(found, group)
    if learned is not None:
        yield from recurring(batch, learned)


def taken_out(
    texts: pa.StringArray, pattern: str, marked: str
) -> tuple[pa.StringArray, list[tuple[int, str]]]:
    """Return (texts without what matches, (row, passage) of what does); only texts with a match are taken apart."""
    shown = pc.replace_substring_regex(texts, pattern=pattern, replacement=marked)
    hits = pc.match_substring(shown, OPEN)
    rows = np.flatnonzero(hits.to_numpy(zero_copy_only=False)).tolist()
    rests, found = [], []
    for row, text in zip(rows, shown.filter(hits).to_pylist(), strict=True):
        first, *others = (piece.split(CLOSE) for piece in text.split(OPEN))
        rests.append(first[0] + "".join(rest for _, rest in others))
        found += [(row, passage.strip()) for passage, _ in others if passage.strip()]
    return pc.replace_with_mask(texts, hits, pa.array(rests, pa.string())) if rows else texts, found


def named(found: list[tuple[int, str]], group: tuple[Rule, ...]) -> Iterator[Piece]:
    """Yield pieces, each with the first rule of the group that recognises it."""
    passages = pa.array([passage for _, passage in found], pa.string())
    names = np.full(len(found), group[0].name, object)
    for rule in reversed(group):
        matches = pc.match_substring_regex(passages, pattern="(?m)" + rule.pattern)
        names[matches.to_numpy(zero_copy_only=False)] = rule.name
    return (Piece(row, name, passage) for (row, passage), name in zip(found, names.tolist(), strict=True))


def recurring(batch: pa.RecordBatch, learned: Learned) -> Iterator[Piece]:
    """Yield the passages of a batch that were learned of their sources."""
    texts = cleaned(batch["text"])
    data, _ = utf8(texts)
    found = passages_of(texts, batch["source"])
    known = is_known(found.keys, keys_of(learned))
    for row, (start, end) in zip(found.rows[known].tolist(), found.spans[known].tolist(), strict=True):
        yield Piece(row, LEARNED, data[start:end].tobytes().decode())
