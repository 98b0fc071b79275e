"""Compute MinHash signatures and the hashes of their bands.

A signature has `count` 32-bit minima, equal to those of `datasketch.MinHash(scheme="affine32")`, so it can be exchanged
with any datasketch index. The permutations are those of datasketch for the seed: a_k h' + b_k mod 2^32, with a_k odd and
h' the MurmurHash3 finalizer of h (Broder 1997; datasketch 2.0, issue 212). Sketches keep only one hash per band.
"""

from functools import cache

import numpy as np

from dedup.jit import jit, murmur3_fmix32
from dedup.sketches.shingles import SEQUENCE_MULTIPLIER, update_sequence_hash

EMPTY_SET_MINIMUM = np.uint32(0xFFFFFFFF)
"""Every minimum in the signature of an empty set, as in datasketch."""


@cache
def draw_permutations(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the multipliers and increments (uint32, length `count`) that datasketch uses for a seed.

    They are drawn as in `datasketch.MinHash`, without importing it, which takes a third of a second. A test checks that
    they are equal.
    """
    random = np.random.RandomState(seed)  # datasketch draws from the legacy generator
    multipliers = random.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return multipliers, random.randint(0, 1 << 32, count, dtype=np.uint32)


def compute_signatures(shingles: np.ndarray, offsets: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return the signatures (articles × count, uint32) of a batch of shingle sets."""
    signatures = np.full((len(offsets) - 1, count), EMPTY_SET_MINIMUM, np.uint32)
    fill_minima(shingles, offsets, *draw_permutations(count, seed), signatures)
    return signatures


@jit
def fill_minima(shingles, offsets, multipliers, increments, out):
    """Write the minimum of each permutation over each set into `out`, which holds `EMPTY_SET_MINIMUM`."""
    count = len(multipliers)
    for a in range(len(offsets) - 1):
        row = out[a]
        for i in range(offsets[a], offsets[a + 1]):
            h = murmur3_fmix32(shingles[i])
            for k in range(count):
                row[k] = min(row[k], np.uint32(h * multipliers[k] + increments[k]))


def hash_bands(signatures: np.ndarray, rows: int) -> np.ndarray:
    """Return the hash (articles × bands, uint32) of each band of `rows` minima: never 0, except for empty sets."""
    articles, count = signatures.shape
    hashes = np.zeros((articles, count // rows), np.uint32)
    fill_band_hashes(signatures, rows, hashes)
    return hashes


@jit
def fill_band_hashes(signatures, rows, out):
    """Write the hash of each band into `out`, which holds 0s, except for empty sets."""
    for a in range(len(signatures)):
        is_empty = True
        for minimum in signatures[a]:
            is_empty &= minimum == EMPTY_SET_MINIMUM
        if is_empty:
            continue
        for band in range(out.shape[1]):
            key = SEQUENCE_MULTIPLIER
            for row in range(band * rows, (band + 1) * rows):
                key = update_sequence_hash(key, signatures[a, row])
            out[a, band] = max(np.uint32(key >> np.uint64(32)), np.uint32(1))


def to_minhash(signature: np.ndarray, seed: int = 1):
    """Return a datasketch MinHash (scheme affine32) with this signature."""
    from datasketch import MinHash

    return MinHash(
        seed=seed,
        hashvalues=signature.astype(np.uint32),
        scheme="affine32",
        permutations=MinHash(num_perm=len(signature), seed=seed).permutations,
    )


def from_minhash(minhash) -> np.ndarray:
    """Return the signature (uint32) of a datasketch MinHash; `ValueError` if its scheme is not affine32."""
    if minhash.scheme != "affine32":
        message = f"a signature needs a MinHash of scheme 'affine32', not {minhash.scheme!r}"
        raise ValueError(message)
    return np.asarray(minhash.hashvalues, np.uint32)
