"""Pack sketches into bytes and unpack them: the form in which an index stores them on disk.

Each article is one run of bytes that restores its sketch exactly, except date and keys, which are stored elsewhere.
Sorted sets are written as the gaps between their values in Golomb-Rice codes (Rice and Plaunt, 1971), which come within a
tenth of a bit of the entropy of random hashes. Counts, nearly all 0 or 1, are in Elias gamma codes (Elias, 1975). The
result is three fifths of the size of the arrays.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dedup.jit import jit, jit_inline
from dedup.parallel import run_on_threads, split_evenly
from dedup.sketches.sketch import Sketches
from dedup.sketches.term_norms import compute_term_norms
from dedup.sketches.terms import (
    FACT_BYTES,
    IN_45,
    IN_80,
    IN_220,
    IN_ALL,
    IN_TITLE,
    KIND,
    MAX_ARTICLE_TERMS,
    WEEKDAY,
    WEIGHT,
)

HEAD_BYTES = 24
"""Bytes before the codes: the hash of the text (8), its length, and the numbers of shingles, quotes and terms (4 each)."""
HASH_RANGE = np.int64(1) << 32
WINDOW_COLUMNS = (IN_45, IN_80, IN_220, IN_ALL)
"""Each window contains the one before it, so only the differences are written."""
MAX_KIND = WEEKDAY + 6
UINT64_BYTES = 8
SPARE_BYTES = 4 * UINT64_BYTES
"""Bytes after the codes, so that reading 64 bits at the end never leaves the array."""
MAX_SET_VALUE_BYTES, MAX_TERM_BYTES = 5, 19
"""The maximum bytes of a value of a set, and of a term (its gap and its facts)."""


class PackedSketches(NamedTuple):
    """The packed sketches of n articles, end to end."""

    data: np.ndarray
    offsets: np.ndarray
    """n + 1, int64: where each article begins and ends in `data`."""

    def to_byte_strings(self) -> list[bytes]:
        """Return the bytes of each article."""
        data, ends = self.data.tobytes(), self.offsets.tolist()
        return [data[ends[a] : ends[a + 1]] for a in range(len(ends) - 1)]


def pack_sketches(s: Sketches) -> PackedSketches:
    """Return the packed sketches of a batch: everything except days, keys and values computed from the rest."""
    articles = len(s.text_hashes)
    value_count = len(s.shingles) + len(s.quotes) + 3 * articles
    capacity = (
        articles * (HEAD_BYTES + 3)
        + value_count * MAX_SET_VALUE_BYTES
        + len(s.term_hashes) * MAX_TERM_BYTES
        + SPARE_BYTES
    )
    data = np.zeros(capacity // UINT64_BYTES + 1, np.uint64)
    offsets = np.zeros(articles + 1, np.int64)
    pack_into_buffer(s, np.zeros(max(len(s.shingles), 1), np.int64), data, offsets)
    return PackedSketches(data.view(np.uint8)[: offsets[-1]], offsets)


def unpack_sketches(
    parts: Sequence[bytes], days: np.ndarray, salient: np.ndarray, bands: np.ndarray, threads: int = 1
) -> Sketches:
    """Return the sketches of articles from their bytes, days and keys, in order.

    Raise `ValueError` if the bytes were not written by `pack_sketches`: too few, or with numbers that no sketch has.
    """
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    data = np.frombuffer(b"".join([*parts, bytes(SPARE_BYTES - offsets[-1] % UINT64_BYTES)]), np.uint8)
    if (np.diff(offsets) < HEAD_BYTES).any():
        raise ValueError("a packed sketch is cut short")
    heads = np.stack([data[start : start + HEAD_BYTES] for start in offsets[:-1].tolist()] or [data[:0]])
    counts = heads[:, 8:].copy().view(np.uint32).astype(np.int64) if parts else np.zeros((0, 4), np.int64)
    if (counts[:, 1:].sum(axis=1) > 8 * np.diff(offsets)).any() or (counts[:, 3] > MAX_ARTICLE_TERMS).any():
        raise ValueError("a packed sketch holds less than it says")
    ends = [np.concatenate([[0], np.cumsum(counts[:, column])]) for column in (1, 2, 3)]
    shingles, quotes, hashes = (np.zeros(end[-1], np.uint32) for end in ends)
    facts = np.zeros((ends[2][-1], FACT_BYTES), np.uint8)
    arrays = shingles, quotes, hashes, facts

    def unpack_share(share: slice) -> np.ndarray:
        """Unpack a share of the articles into the arrays, and return their norms."""
        bounds = slice(share.start, share.stop + 1)
        share_ends = [end[bounds] for end in ends]
        if not unpack_into_arrays(data.view(np.uint64), offsets[bounds], *share_ends, *arrays):
            raise ValueError("a packed sketch is damaged")
        return compute_term_norms(facts, share_ends[-1])

    norms = run_on_threads(unpack_share, split_evenly(len(parts), min(threads, len(parts))))
    text_hashes = heads[:, :8].copy().view(np.uint64).ravel() if parts else np.zeros(0, np.uint64)
    return Sketches(
        text_hashes=text_hashes,
        content_hashes=text_hashes,
        lengths=counts[:, 0].astype(np.int32),
        days=days,
        bands=bands,
        salient=salient,
        shingle_offsets=ends[0],
        shingles=shingles,
        quote_offsets=ends[1],
        quotes=quotes,
        term_offsets=ends[2],
        term_hashes=hashes,
        term_facts=facts,
        norms=np.concatenate(norms),
    )


@jit_inline
def write_bits(data, bit_offset, value, bits):
    """Write the low `bits` (at most 56) of `value` at `bit_offset`, lowest first; return the next bit offset."""
    first, shift = np.uint64(bit_offset) >> np.uint64(6), np.uint64(bit_offset) & np.uint64(63)
    data[first] |= np.uint64(value) << shift
    data[first + np.uint64(1)] |= (np.uint64(value) >> np.uint64(1)) >> (np.uint64(63) - shift)
    return bit_offset + bits


@jit_inline
def read_64_bits(data, bit_offset):
    """Return the 64 bits from `bit_offset` on, lowest first (uint64)."""
    first, shift = np.uint64(bit_offset) >> np.uint64(6), np.uint64(bit_offset) & np.uint64(63)
    after = data[first + np.uint64(1)]
    return (data[first] >> shift) | ((after << np.uint64(1)) << (np.uint64(63) - shift))


@jit_inline
def extract_low_bits(window, bits):
    """Return the lowest `bits` of `window` as a number."""
    return np.int64(window & ((np.uint64(1) << np.uint64(bits)) - np.uint64(1)))


@jit_inline
def compute_rice_parameter(n, upper_bound):
    """Return how many low bits of the gaps between `n` sorted values below `upper_bound` are written verbatim."""
    bits = 0
    while (n << (bits + 1)) <= upper_bound:
        bits += 1
    return bits


@jit
def write_set(data, bit_offset, values, upper_bound):
    """Write sorted distinct values below `upper_bound`; return the next bit offset."""
    bits = compute_rice_parameter(max(len(values), 1), upper_bound)
    previous = np.int64(-1)
    for value in values:
        gap = np.int64(value) - previous - 1
        previous = np.int64(value)
        bit_offset = write_bits(data, bit_offset + (gap >> bits), np.int64(1), 1)
        bit_offset = write_bits(data, bit_offset, gap & ((np.int64(1) << bits) - 1), bits)
    return bit_offset


@jit
def read_set(data, bit_offset, end, out, upper_bound):
    """Read sorted values below `upper_bound` into `out`; return the next bit offset, or -1 if the data is damaged."""
    bits = compute_rice_parameter(max(len(out), 1), upper_bound)
    previous = np.int64(-1)
    for i in range(len(out)):
        window = read_64_bits(data, bit_offset)
        while window & np.uint64(255) == 0 and bit_offset < end:  # a gap this long is rare
            previous += np.int64(8) << bits
            bit_offset += 8
            window = read_64_bits(data, bit_offset)
        while window & np.uint64(1) == 0 and bit_offset < end:
            previous += np.int64(1) << bits
            bit_offset += 1
            window >>= np.uint64(1)
        previous += extract_low_bits(window >> np.uint64(1), bits) + 1
        bit_offset += bits + 1
        if bit_offset > end or previous >= upper_bound:
            return np.int64(-1)
        out[i] = previous
    return bit_offset


@jit_inline
def write_count(data, bit_offset, count):
    """Write a count below 256; return the next bit offset."""
    value, bits = np.int64(count) + 1, 0
    while value >> (bits + 1):
        bits += 1
    return write_bits(data, bit_offset + bits, (value - (np.int64(1) << bits)) << 1 | 1, bits + 1)


@jit_inline
def decode_count(window):
    """Return (count, number of bits) of the code at the start of `window`; the count is 256 if the code is invalid."""
    bits = 0
    while bits < 9 and not (window >> np.uint64(bits)) & np.uint64(1):
        bits += 1
    if bits == 9:
        return np.int64(256), 9
    return (np.int64(1) << bits) + extract_low_bits(window >> np.uint64(bits + 1), bits) - 1, 2 * bits + 1


@jit
def write_terms(data, bit_offset, hashes, facts):
    """Write the terms of an article; return the next bit offset."""
    bit_offset = write_set(data, bit_offset, hashes, HASH_RANGE)
    for i in range(len(hashes)):
        bit_offset = write_bits(data, bit_offset, np.int64(facts[i, WEIGHT]), 8)
        bit_offset = write_count(data, bit_offset, facts[i, KIND])
        bit_offset = write_count(data, bit_offset, facts[i, IN_TITLE])
        previous = np.int64(0)
        for column in WINDOW_COLUMNS:
            count = np.int64(facts[i, column])
            bit_offset = write_count(data, bit_offset, count - previous)
            previous = count
    return bit_offset


@jit
def read_terms(data, bit_offset, end, hashes, facts):
    """Read the terms of an article; return the next bit offset, or -1 if they are damaged."""
    bit_offset = read_set(data, bit_offset, end, hashes, HASH_RANGE)
    for i in range(len(hashes)):
        if bit_offset < 0 or bit_offset + 8 > end:
            return np.int64(-1)
        window = read_64_bits(data, bit_offset)
        facts[i, WEIGHT] = extract_low_bits(window, 8)
        kind, kind_bits = decode_count(window >> np.uint64(8))
        title, bits = decode_count(read_64_bits(data, bit_offset + 8 + kind_bits))
        bit_offset += 8 + kind_bits + bits
        facts[i, KIND], facts[i, IN_TITLE] = kind, title
        total = np.int64(0)
        for column in WINDOW_COLUMNS:
            difference, bits = decode_count(read_64_bits(data, min(bit_offset, end)))
            total += difference
            bit_offset += bits
            facts[i, column] = min(total, 255)
        if kind > MAX_KIND or title > 255 or total > 255 or bit_offset > end:
            return np.int64(-1)
    return bit_offset


@jit
def pack_into_buffer(s, quote_positions, data, offsets):
    """Write all sketches into `data`, which holds 0s, and where each ends into `offsets`; `quote_positions` is scratch."""
    for a in range(len(s.text_hashes)):
        shingles = s.shingles[s.shingle_offsets[a] : s.shingle_offsets[a + 1]]
        quotes = s.quotes[s.quote_offsets[a] : s.quote_offsets[a + 1]]
        terms = slice(s.term_offsets[a], s.term_offsets[a + 1])
        bit_offset = 8 * offsets[a]
        text_hash = s.text_hashes[a]
        bit_offset = write_bits(data, bit_offset, np.int64(text_hash & np.uint64(0xFFFFFFFF)), 32)
        bit_offset = write_bits(data, bit_offset, np.int64(text_hash >> np.uint64(32)), 32)
        bit_offset = write_bits(data, bit_offset, np.int64(s.lengths[a]), 32)
        bit_offset = write_bits(data, bit_offset, np.int64(len(shingles)), 32)
        bit_offset = write_bits(data, bit_offset, np.int64(len(quotes)), 32)
        bit_offset = write_bits(data, bit_offset, np.int64(len(s.term_hashes[terms])), 32)
        bit_offset = write_set(data, bit_offset, shingles, HASH_RANGE)
        n = 0  # quotes are a subset of the shingles: write their positions
        for q in range(len(quotes)):
            while shingles[n] != quotes[q]:
                n += 1
            quote_positions[q] = n
        bit_offset = write_set(data, bit_offset, quote_positions[: len(quotes)], np.int64(len(shingles)))
        bit_offset = write_terms(data, bit_offset, s.term_hashes[terms], s.term_facts[terms])
        offsets[a + 1] = (bit_offset + 7) >> 3


@jit
def unpack_into_arrays(data, offsets, shingle_ends, quote_ends, term_ends, shingles, quotes, hashes, facts):
    """Read all sketches into the arrays; return whether they were undamaged."""
    for a in range(len(offsets) - 1):
        bit_offset, end = 8 * (offsets[a] + HEAD_BYTES), 8 * offsets[a + 1]
        own_shingles = shingles[shingle_ends[a] : shingle_ends[a + 1]]
        bit_offset = read_set(data, bit_offset, end, own_shingles, HASH_RANGE)
        own_quotes = quotes[quote_ends[a] : quote_ends[a + 1]]
        if bit_offset >= 0 and len(own_quotes) <= len(own_shingles):
            bit_offset = read_set(data, bit_offset, end, own_quotes, np.int64(len(own_shingles)))
        if bit_offset < 0 or len(own_quotes) > len(own_shingles):
            return False
        for q in range(len(own_quotes)):
            own_quotes[q] = own_shingles[own_quotes[q]]
        terms = slice(term_ends[a], term_ends[a + 1])
        if read_terms(data, bit_offset, end, hashes[terms], facts[terms]) < 0:
            return False
    return True
