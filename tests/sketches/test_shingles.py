from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import oracle
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from dedup.sketches.shingles import SEQUENCE_MULTIPLIER, build_shingle_sets, count_shared_values
from dedup.text.tokenizer import hash_words, tokenize_articles

WORD64 = 0xFFFF_FFFF_FFFF_FFFF


def hash_of(words: Iterable[int]) -> int:
    """Return the 32-bit hash of a shingle, from the hashes of its words."""
    state = int(SEQUENCE_MULTIPLIER)
    for word in words:
        state = (state ^ word) * int(SEQUENCE_MULTIPLIER) & WORD64
        state ^= state >> 29
    return state >> 32


def shingles_of(
    texts: list[str], titles: list[str] | None = None, *, size: int = 3, quoted: bool = False
) -> list[list[int]]:
    """Return the kernel's shingles of each text, in its order."""
    words = tokenize_articles(pa.array(titles or [""] * len(texts)), pa.array(texts))
    sets = build_shingle_sets(*words, size)
    values, offsets = sets[2:4] if quoted else sets[:2]
    return [values[a:b].tolist() for a, b in pairwise(offsets.tolist())]


def text_hashes(texts: list[str], titles: list[str] | None = None) -> list[int]:
    """Return the kernel's hash of each whole text."""
    words = tokenize_articles(pa.array(titles or [""] * len(texts)), pa.array(texts))
    return list(map(int, build_shingle_sets(*words, 3)[-1]))


def single_words(values: list[int]) -> list[int]:
    """Return the kernel's shingles of one word each over a text of the given word hashes."""
    words = np.array(values, np.uint32)
    offsets, titles = np.array([0, len(words)], np.int64), np.zeros(1, np.int32)
    shingles = build_shingle_sets(words, np.zeros(len(words), np.uint8), offsets, titles, 1)[0]
    return list(map(int, shingles))


FEW_WORDS = st.lists(
    st.sampled_from(["rain", "fell", "on", "the", "old", "mill", "and", "people", "slept"])
).map(" ".join)


@given(st.lists(FEW_WORDS, min_size=1, max_size=4), st.integers(1, 5))
@examples(max_examples=50)
def test_the_kernel_makes_the_shingles_that_python_sets_hold(texts: list[str], size: int) -> None:
    found = shingles_of(texts, size=size)

    for text, values in zip(texts, found, strict=True):
        expected = {hash_of(hash_words(list(shingle)).tolist()) for shingle in oracle.shingles(text, size)}
        assert values == sorted(expected)


@pytest.mark.parametrize("n", [0, 1, 2, 47, 1_000, 5_000])
def test_shingles_are_sorted_and_distinct_in_sets_of_any_size(n: int) -> None:
    random = np.random.default_rng(n)
    values = random.integers(0, 2**32, n, np.uint32)
    with_repeats = np.concatenate([values, values[: n // 3]])

    found = [single_words(with_repeats[:k].tolist()) for k in (n, len(with_repeats))]

    expected = sorted({hash_of([value]) for value in values.tolist()})
    assert found == [expected, expected]


def test_a_text_shorter_than_a_shingle_is_one_shingle() -> None:
    two_words, one_word, none = shingles_of(["rain fell", "rain", ""])

    assert two_words == [hash_of(hash_words(["rain", "fell"]).tolist())]
    assert one_word == [hash_of(hash_words(["rain"]).tolist())]
    assert none == []


def test_the_title_is_no_part_of_the_text() -> None:
    with_title, without = shingles_of(["rain fell all night"] * 2, ["The dam holds firm", ""])

    assert with_title == without


def test_a_title_with_no_text_stands_for_it() -> None:
    only_title, only_text = shingles_of(["", "the dam holds firm"], ["The dam holds firm", ""])

    assert only_title == only_text


def test_only_what_lies_wholly_inside_quotation_marks_is_a_quoted_shingle() -> None:
    text = "The mayor said “the dam will hold” and left in “great haste” at once"

    (found,) = shingles_of([text], quoted=True)

    quoted = [hash_words(triple.split()).tolist() for triple in ("the dam will", "dam will hold")]
    assert found == sorted(map(hash_of, quoted))


def test_a_quotation_of_two_words_has_no_quoted_shingle() -> None:
    assert shingles_of(["“great haste”"], quoted=True) == [[]]


def test_texts_hash_alike_only_if_their_words_are_the_same_in_order() -> None:
    texts = [
        "Rain fell, all night.",
        "rain fell all NIGHT",
        "all night rain fell",
        "rain fell all",
        "rain fell all night all",
    ]

    first, same, *others = text_hashes(texts)

    assert first == same
    assert first not in others
    assert len(set(others)) == 3


def test_an_empty_text_has_the_hash_0() -> None:
    assert text_hashes(["", "?!"]) == [0, 0]


def test_scripts_without_spaces_have_shingles_of_four_characters() -> None:
    (found,) = shingles_of(["青凪市長が"])

    assert found == sorted(
        hash_of(hash_words(pairs).tolist()) for pairs in (["青凪", "凪市", "市長"], ["凪市", "市長", "長が"])
    )


SETS = st.sets(st.integers(0, 80))


@given(SETS, SETS)
@examples(max_examples=100)
def test_what_is_shared_is_what_python_sets_share(a: set[int], b: set[int]) -> None:
    left, right = (np.array(sorted(s), np.uint32) for s in (a, b))

    assert count_shared_values(left, right) == len(a & b)
