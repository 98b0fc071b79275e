"""Shingles → MinHash signatures, equal to those of `datasketch.MinHash(scheme="affine32")`, and their bands.

In: the sorted shingle sets of a batch. Out: a matrix of `draw_permutations` 32-bit minima an article, and one of the hashes of
each few of them, which is all that is kept. The permutations are
datasketch's own for the seed (a_k h' + b_k mod 2^32 with a_k odd, h' the MurmurHash3 finalizer of h), so that a
signature can be handed to any datasketch index, and back (Broder 1997; datasketch 2.0, issue 212).
"""

from functools import cache

import numpy as np

from dedup.jit import jit, murmur3_fmix32
from dedup.sketches.shingles import SEQUENCE_MULTIPLIER, update_sequence_hash

EMPTY_SET_MINIMUM = np.uint32(0xFFFFFFFF)
"""Every minimum of the signature of an empty set, as in datasketch."""


@cache
def draw_permutations(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return datasketch's multipliers and increments (uint32 arrays of length `count`) for a seed.

    Drawn as `datasketch.MinHash` draws them, without importing it: that takes a third of a second. A test holds the two equal.
    """
    random = np.random.RandomState(seed)  # datasketch draws from the legacy generator
    multipliers = random.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return multipliers, random.randint(0, 1 << 32, count, dtype=np.uint32)


def compute_signatures(shingles: np.ndarray, offsets: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return the signatures (articles × count, uint32) of a batch of shingle sets."""
    return compute_minima(shingles, offsets, *draw_permutations(count, seed))


@jit
def compute_minima(shingles, offsets, multipliers, increments):
    """Return the minimum of each permutation over each set; `EMPTY_SET_MINIMUM` throughout for an empty one."""
    articles, count = len(offsets) - 1, len(multipliers)
    out = np.full((articles, count), EMPTY_SET_MINIMUM, np.uint32)
    for a in range(articles):
        row = out[a]
        for i in range(offsets[a], offsets[a + 1]):
            h = murmur3_fmix32(shingles[i])
            for k in range(count):
                row[k] = min(row[k], np.uint32(h * multipliers[k] + increments[k]))
    return out


@jit
def hash_bands(signatures, rows):
    """Return the hash (uint32, never 0) of each band of `rows` minima: articles × bands; 0s for an empty set."""
    articles, count = signatures.shape
    out = np.zeros((articles, count // rows), np.uint32)
    for a in range(articles):
        if (signatures[a] == EMPTY_SET_MINIMUM).all():
            continue
        for band in range(count // rows):
            key = SEQUENCE_MULTIPLIER
            for row in range(band * rows, (band + 1) * rows):
                key = update_sequence_hash(key, signatures[a, row])
            out[a, band] = max(np.uint32(key >> np.uint64(32)), np.uint32(1))
    return out


def to_minhash(signature: np.ndarray, seed: int = 1):
    """Return the datasketch MinHash (scheme affine32) that holds `signature`."""
    from datasketch import MinHash

    return MinHash(
        seed=seed,
        hashvalues=signature.astype(np.uint32),
        scheme="affine32",
        permutations=MinHash(num_perm=len(signature), seed=seed).permutations,
    )


def from_minhash(minhash) -> np.ndarray:
    """Return the signature (uint32) that a datasketch MinHash of scheme affine32 holds; another scheme is a ValueError."""
    if minhash.scheme != "affine32":
        message = f"a signature needs a MinHash of scheme 'affine32', not {minhash.scheme!r}"
        raise ValueError(message)
    return np.asarray(minhash.hashvalues, np.uint32)
