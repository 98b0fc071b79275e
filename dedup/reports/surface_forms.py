"""Find the written forms of the terms that two articles share.

Sketches contain only hashes, so each word of a text is converted to its term again. No match depends on this.
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
    """Return the names and the numbers that two articles share, most salient first.

    They are written as in the first article; `text` and `language_vocabulary` are those of that article.
    Names that are not readable on their own are left out.
    """
    written = dict(iter_surface_forms(text, language_vocabulary))
    other_kinds = get_term_kinds(sketches, pair[1])
    shared = [
        (weight, term, {kind, other_kinds[term]})
        for term, kind, weight in iter_article_terms(sketches, pair[0])
        if term in other_kinds
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
    """Return whether a name is readable on its own: single letters and pairs of characters are not."""
    return len(name) > 1 and not is_unspaced_script(name)


def iter_article_terms(sketches: Sketches, a: int) -> Iterator[tuple[int, int, int]]:
    """Return (term, kind, weight) for each term of an article."""
    own = slice(int(sketches.term_offsets[a]), int(sketches.term_offsets[a + 1]))
    facts = sketches.term_facts[own]
    columns = (sketches.term_hashes[own], facts[:, KIND], facts[:, WEIGHT])
    return zip(*(column.tolist() for column in columns), strict=True)


def get_term_kinds(sketches: Sketches, a: int) -> dict[int, int]:
    """Return the kind of each term of an article."""
    return {term: kind for term, kind, _ in iter_article_terms(sketches, a)}


def iter_surface_forms(text: str, language_vocabulary: Vocabulary) -> Iterator[tuple[int, str]]:
    """Yield (term, word) for each word of a text, last word first, so that a dict keeps the first.

    In languages that write each syllable separately, pairs of adjacent words come before all words.
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
    """Return the hash of a word's stem, or of the word itself if it is not in the vocabulary."""
    mask = len(language_vocabulary.keys) - 1
    slot = word & mask
    while language_vocabulary.keys[slot] not in (0, word):
        slot = (slot + 1) & mask
    return int(language_vocabulary.stems[slot]) if word and language_vocabulary.keys[slot] == word else word
