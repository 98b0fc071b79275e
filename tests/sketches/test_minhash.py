import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from dedup.sketches.minhash import (
    EMPTY_SET_MINIMUM,
    compute_signatures,
    draw_permutations,
    from_minhash,
    to_minhash,
)

Hashes = list[int]
HASHES = st.lists(st.integers(0, 2**32 - 1), max_size=40, unique=True)


def signed(sets: list[Hashes], count: int = 64, seed: int = 1) -> np.ndarray:
    """Return the kernel's signatures of some sets of hashes."""
    flat = np.array([h for hashes in sets for h in sorted(hashes)], np.uint32)
    offsets = np.cumsum([0, *map(len, sets)]).astype(np.int64)
    return compute_signatures(flat, offsets, count, seed)


def theirs(hashes: Hashes, count: int = 64, seed: int = 1) -> MinHash:
    """Return datasketch's MinHash over the same hashes."""
    minhash = MinHash(num_perm=count, seed=seed, scheme="affine32", hashfunc=lambda value: value)
    for value in hashes:
        minhash.update(value)
    return minhash


@given(
    st.lists(HASHES, min_size=1, max_size=4), st.sampled_from([(1, 1), (64, 1), (64, 7), (128, 2**32 - 1)])
)
@examples(max_examples=40)
def test_signatures_are_those_of_datasketch(sets: list[Hashes], knobs: tuple[int, int]) -> None:
    count, seed = knobs

    found = signed(sets, count, seed)

    assert found.dtype == np.uint32
    assert found.tolist() == [theirs(hashes, count, seed).hashvalues.tolist() for hashes in sets]


def test_the_signature_of_nothing_is_that_of_datasketch() -> None:
    (found,) = signed([[]])

    assert set(found.tolist()) == {int(EMPTY_SET_MINIMUM)}
    assert found.tolist() == theirs([]).hashvalues.tolist()


def test_another_seed_gives_another_signature() -> None:
    assert not np.array_equal(signed([[1, 2, 3]], seed=1), signed([[1, 2, 3]], seed=2))
    assert not np.array_equal(draw_permutations(64, 1)[0], draw_permutations(64, 2)[0])


def test_signatures_estimate_jaccard() -> None:
    random = np.random.default_rng(5)
    hashes = random.choice(2**32, 900, replace=False).tolist()

    left, right = signed([hashes[:600], hashes[300:]], count=1024)

    assert np.mean(left == right) == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize("seed", [1, 42])
def test_a_signature_goes_to_datasketch_and_comes_back(seed: int) -> None:
    (signature,) = signed([[5, 6, 7, 2**32 - 1]], seed=seed)

    minhash = to_minhash(signature, seed)

    assert minhash == theirs([5, 6, 7, 2**32 - 1], seed=seed)
    assert from_minhash(minhash).tolist() == signature.tolist()


@pytest.mark.parametrize("seed", [1, 42])
def test_a_minhash_made_from_a_signature_can_be_updated(seed: int) -> None:
    (before, after) = signed([[5, 6], [5, 6, 7]], seed=seed)
    minhash = to_minhash(before, seed)
    minhash.hashfunc = lambda value: value

    minhash.update(7)

    assert from_minhash(minhash).tolist() == after.tolist()


def test_an_index_of_datasketch_finds_our_signatures() -> None:
    first, close, other = signed(
        [list(range(100)), list(range(5, 105)), list(range(1_000, 1_100))], count=128
    )
    index = MinHashLSH(threshold=0.5, num_perm=128)
    index.insert("first", theirs(list(range(100)), count=128))

    assert index.query(to_minhash(first)) == ["first"]
    assert index.query(to_minhash(close)) == ["first"]
    assert index.query(to_minhash(other)) == []


@pytest.mark.parametrize("scheme", ["affine64", "legacy"])
def test_a_minhash_of_another_scheme_is_refused(scheme: str) -> None:
    minhash = MinHash(num_perm=16, scheme=scheme)

    with pytest.raises(ValueError, match=f"affine32.*{scheme}"):
        from_minhash(minhash)
