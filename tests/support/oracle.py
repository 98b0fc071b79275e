"""The slow, obvious answer that the kernels must agree with: sets of word triples, every pair looked at.

It reads plain text only (no boilerplate, no headline in the text), which is what `newsmaker` writes.
"""

import re
from itertools import combinations

Shingles = frozenset[tuple[str, ...]]


def words(text: str) -> list[str]:
    """Return the words of a plain text."""
    return re.findall(r"\w+", text.lower())


def shingles(text: str, size: int = 3) -> Shingles:
    """Return the word n-grams of a text; a text shorter than `size` is one of them, an empty one has none."""
    found = words(text)
    width = min(size, len(found))
    return frozenset(tuple(found[i : i + width]) for i in range(len(found) - width + 1)) - {()}


def jaccard(a: Shingles, b: Shingles) -> float:
    """Return the share of all shingles that both have."""
    return len(a & b) / len(a | b) if a | b else 0.0


def containment(a: Shingles, b: Shingles) -> float:
    """Return the share of the shingles of `a` that `b` has too."""
    return len(a & b) / len(a) if a else 0.0


def relation(kept: str, other: str) -> tuple[str, float] | None:
    """Return how the text `other` repeats the text `kept`, and the score, by the default thresholds."""
    k, o = shingles(kept), shingles(other)
    if words(kept) == words(other):
        return "exact", 1.0
    if len(o) <= 0.8 * len(k) and containment(o, k) >= 0.8:
        return "excerpt", containment(o, k)
    if len(k) <= 0.8 * len(o) and containment(k, o) >= 0.8:
        return "extension", containment(k, o)
    return ("copy", jaccard(k, o)) if jaccard(k, o) >= 0.5 else None


def copies(texts: dict[str, str]) -> set[frozenset[str]]:
    """Return every pair of ids whose texts are copies of one another, whole or in part."""
    return {frozenset(pair) for pair in combinations(texts, 2) if relation(*(texts[i] for i in pair))}
