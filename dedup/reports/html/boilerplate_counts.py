"""Count the boilerplate in batches of articles by rule, with examples.

The groups of rules and their order are those of `dedup.text.boilerplate.rules.find_boilerplate`, but applied to whole columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.text.boilerplate.passages import compute_profile_keys, find_passages, is_in_sorted
from dedup.text.boilerplate.profile import BoilerplateProfile
from dedup.text.boilerplate.rules import (
    ANYWHERE_PATTERNS,
    ANYWHERE_RULES,
    LINE_PATTERNS,
    LINE_RULES,
    MATCH_END,
    MATCH_START,
    BoilerplateRule,
    clean_texts,
)
from dedup.text.tokenizer import get_utf8_buffers

__all__ = [
    "LEARNED_RULE",
    "RULE_DESCRIPTIONS",
    "BoilerplateCounts",
    "BoilerplatePiece",
    "find_boilerplate_pieces",
]

LEARNED_RULE = "learned"
"""The rule name of learned passages."""
RULE_DESCRIPTIONS: Mapping[str, str] = {
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
    LEARNED_RULE: "learned of its source (--boilerplate)",
}
"""What each rule of `dedup.text.boilerplate.rules` recognises, in a few words."""
MAX_EXAMPLE_CHARACTERS = 160
"""Characters of a passage that an example shows."""
MAX_DISTINCT_PASSAGES = 20_000
"""So many different passages of a rule are counted at once; then those seen least are forgotten."""


class BoilerplatePiece(NamedTuple):
    """A piece of boilerplate."""

    row: int
    rule: str
    passage: str


@dataclass(slots=True)
class BoilerplateCounts:
    """How often each rule recognised something, in how many articles, and its commonest passages."""

    pieces: Counter[str] = field(default_factory=Counter)
    articles: Counter[str] = field(default_factory=Counter)
    passages: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, pieces: Iterable[BoilerplatePiece]) -> None:
        """Count the pieces of a batch."""
        seen = set()
        for row, rule, passage in pieces:
            self.pieces[rule] += 1
            seen.add((row, rule))
            self.passages.setdefault(rule, Counter())[" ".join(passage[:MAX_EXAMPLE_CHARACTERS].split())] += 1
        self.articles.update(rule for _, rule in seen)
        for rule, counts in self.passages.items():
            if len(counts) > MAX_DISTINCT_PASSAGES:
                self.passages[rule] = Counter(dict(counts.most_common(MAX_DISTINCT_PASSAGES // 2)))


def find_boilerplate_pieces(
    batch: pa.RecordBatch, learned: BoilerplateProfile | None
) -> Iterator[BoilerplatePiece]:
    """Yield each piece of boilerplate in a batch of articles by group of rules, learned passages last."""
    texts = pc.replace_substring_regex(batch["text"], pattern=f"[{MATCH_START}{MATCH_END}]", replacement=" ")
    marked = f"{MATCH_START}\\0{MATCH_END}"
    for group, pattern in zip(ANYWHERE_RULES, ANYWHERE_PATTERNS, strict=True):
        texts, found = extract_marked(texts, pattern, marked)
        yield from label_pieces(found, group)
    texts = pc.binary_join_element_wise("\n", texts, "")
    for group, pattern in zip(LINE_RULES, LINE_PATTERNS, strict=True):
        texts, found = extract_marked(texts, pattern, f"\n{MATCH_START}\\1{MATCH_END}")
        yield from label_pieces(found, group)
    if learned is not None:
        yield from find_learned_pieces(batch, learned)


def extract_marked(
    texts: pa.StringArray, pattern: str, replacement: str
) -> tuple[pa.StringArray, list[tuple[int, str]]]:
    """Return (texts without what matches, (row, passage) of what does); only texts with a match are taken apart."""
    shown = pc.replace_substring_regex(texts, pattern=pattern, replacement=replacement)
    hits = pc.match_substring(shown, MATCH_START)
    rows = np.flatnonzero(hits.to_numpy(zero_copy_only=False)).tolist()
    rests, found = [], []
    for row, text in zip(rows, shown.filter(hits).to_pylist(), strict=True):
        first, *others = (piece.split(MATCH_END) for piece in text.split(MATCH_START))
        rests.append(first[0] + "".join(rest for _, rest in others))
        found += [(row, passage.strip()) for passage, _ in others if passage.strip()]
    return pc.replace_with_mask(texts, hits, pa.array(rests, pa.string())) if rows else texts, found


def label_pieces(
    passages_by_row: list[tuple[int, str]], group: tuple[BoilerplateRule, ...]
) -> Iterator[BoilerplatePiece]:
    """Yield pieces, each with the first rule of the group that recognises it."""
    passages = pa.array([passage for _, passage in passages_by_row], pa.string())
    names = np.full(len(passages_by_row), group[0].name, object)
    for rule in reversed(group):
        matches = pc.match_substring_regex(passages, pattern="(?m)" + rule.pattern)
        names[matches.to_numpy(zero_copy_only=False)] = rule.name
    return (
        BoilerplatePiece(row, name, passage)
        for (row, passage), name in zip(passages_by_row, names.tolist(), strict=True)
    )


def find_learned_pieces(batch: pa.RecordBatch, learned: BoilerplateProfile) -> Iterator[BoilerplatePiece]:
    """Yield the passages of a batch that were learned of their sources."""
    texts = clean_texts(batch["text"])
    data, _ = get_utf8_buffers(texts)
    found = find_passages(texts, batch["source"])
    known = is_in_sorted(found.keys, compute_profile_keys(learned))
    for row, (start, end) in zip(found.rows[known].tolist(), found.spans[known].tolist(), strict=True):
        yield BoilerplatePiece(row, LEARNED_RULE, data[start:end].tobytes().decode())
