"""Find the written forms of the terms that two articles share.

Sketches hold hashes only, so each word of a text is turned into its term again, as in sketching. No match depends on this.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from dedup.sketches.sketch import Sketches
from dedup.sketches.terms import FIGURE, KIND, NAME, WEIGHT, hash_term_pair
from dedup.text.shared_passages import is_unspaced_script, split_surface_tokens
from dedup.text.tokenizer import hash_words
from dedup.text.vocabulary import Vocabulary

__all__ = ["find_shared_names_and_numbers", "get_term_kinds", "is_readable", "iter_surface_forms"]


def find_shared_names_and_numbers(
    sketches: Sketches, pair: tuple[int, int], text: str, language_vocabulary: Vocabulary
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names and the numbers that two articles share, most telling first.

    They are given as the first article writes them; `text` and `known` are its own. Left out are
    names that nobody could read.
    """
    written = dict(iter_surface_forms(text, language_vocabulary))
    theirs = get_term_kinds(sketches, pair[1])
    shared = [
        (weight, term, {kind, theirs[term]})
        for term, kind, weight in iter_article_terms(sketches, pair[0])
        if term in theirs
    ]
    shared.sort(key=lambda found: (-found[0], found[1]))
    names = tuple(
        written[term]
        for _, term, kinds in shared
        if NAME in kinds and term in written and is_readable(written[term])
    )
    numbers = tuple(written[term] for _, term, kinds in shared if kinds == {FIGURE} and term in written)
    return names, numbers


def is_readable(name: str) -> bool:
    """Return whether a name says something by itself: single letters and pairs of characters do not."""
    return len(name) > 1 and not is_unspaced_script(name)


def iter_article_terms(sketches: Sketches, a: int) -> Iterator[tuple[int, int, int]]:
    """Return (term, kind, weight) for each term of an article."""
    own = slice(int(sketches.term_offsets[a]), int(sketches.term_offsets[a + 1]))
    facts = sketches.term_facts[own]
    columns = (sketches.term_hashes[own], facts[:, KIND], facts[:, WEIGHT])
    return zip(*(column.tolist() for column in columns), strict=True)


def get_term_kinds(sketches: Sketches, a: int) -> dict[int, int]:
    """Return term → kind for each term of an article."""
    return {term: kind for term, kind, _ in iter_article_terms(sketches, a)}


def iter_surface_forms(text: str, language_vocabulary: Vocabulary) -> Iterator[tuple[int, str]]:
    """Yield (term, word) for each word of a text, the last word first, so that a dict keeps the first.

    Where words are written a syllable at a time, each two in a row come before all words.
    """
    written = split_surface_tokens(text)
    words = list(dict.fromkeys(written))
    terms = dict(
        zip(
            words,
            (lookup_stem_hash(hashed, language_vocabulary) for hashed in hash_words(words).tolist()),
            strict=True,
        )
    )
    if language_vocabulary.syllabic:
        for first, second in reversed(list(pairwise(written))):
            yield int(hash_term_pair(terms[first], terms[second])), f"{first} {second}"
    for word in reversed(words):
        yield terms[word], word


def lookup_stem_hash(word: int, language_vocabulary: Vocabulary) -> int:
    """Return the hash of a word's stem: its own where the vocabulary does not know it."""
    mask = len(language_vocabulary.keys) - 1
    slot = word & mask
    while language_vocabulary.keys[slot] not in (0, word):
        slot = (slot + 1) & mask
    return int(language_vocabulary.stems[slot]) if word and language_vocabulary.keys[slot] == word else word
