"""Count the boilerplate in batches of articles by rule, with examples."""

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
from dedup.text.boilerplate.rules import clean_texts, find_boilerplate
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
    LEARNED_RULE: "learned for its source (--boilerplate)",
}
"""A short description of the text that each rule of `dedup.text.boilerplate.rules` matches."""
MAX_EXAMPLE_CHARACTERS = 160
"""Characters of a passage that an example shows."""
MAX_DISTINCT_PASSAGES = 20_000
"""The most different passages counted for a rule at a time; beyond it, the rarest are dropped."""


class BoilerplatePiece(NamedTuple):
    """A passage that a boilerplate rule matched."""

    row: int
    rule: str
    passage: str


@dataclass(slots=True)
class BoilerplateCounts:
    """The matches of each rule, the number of articles with one, and the most frequent passages."""

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
    """Yield each piece of boilerplate in a batch of articles, learned passages last."""
    texts = batch["text"]
    changed = pc.fill_null(pc.not_equal(clean_texts(texts), texts), fill_value=False)
    rows = np.flatnonzero(changed.to_numpy(zero_copy_only=False)).tolist()
    for row, text in zip(rows, texts.filter(changed).to_pylist(), strict=True):
        yield from (BoilerplatePiece(row, rule, passage) for rule, passage in find_boilerplate(text))
    if learned is not None:
        yield from find_learned_pieces(batch, learned)


def find_learned_pieces(batch: pa.RecordBatch, learned: BoilerplateProfile) -> Iterator[BoilerplatePiece]:
    """Yield the learned passages of the sources of a batch."""
    texts = clean_texts(batch["text"])
    data, _ = get_utf8_buffers(texts)
    passages = find_passages(texts, batch["source"])
    is_learned = is_in_sorted(passages.keys, compute_profile_keys(learned))
    for row, (start, end) in zip(
        passages.rows[is_learned].tolist(), passages.spans[is_learned].tolist(), strict=True
    ):
        yield BoilerplatePiece(row, LEARNED_RULE, data[start:end].tobytes().decode())
