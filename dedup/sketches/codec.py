"""Sketches → a few bytes an article, and back: what an index keeps of them on the disk.

In: a batch of sketches. Out: for each article one run of bytes, from which all of its sketch but its date and its keys comes
back to the bit. Sorted sets are written as the gaps between their values, in Golomb-Rice codes (Rice and Plaunt, 1971), which
come within a tenth of a bit of what sets of random hashes need; counts, nearly all of them 0 or 1, in Elias gamma codes
(Elias, 1975). That is three fifths of the arrays' size.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dedup.jit import jit, jit_inline, jit_leaf
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
"""Bytes before the codes: the hash of the text (8), its length, and how many shingles, quotes and terms there are (4 each)."""
HASH_RANGE = np.int64(1) << 32
WINDOW_COLUMNS = (IN_45, IN_80, IN_220, IN_ALL)
"""Each holds those before it: what is written is by how much it is more."""
MAX_KIND = WEEKDAY + 6
UINT64_BYTES = 8
SPARE_BYTES = 4 * UINT64_BYTES
"""Bytes beyond the codes, so that a look at the end of them never leaves the array."""
MAX_SET_VALUE_BYTES, MAX_TERM_BYTES = 5, 19
"""No value of a set takes more, and no term: its gap and its facts."""


class PackedSketches(NamedTuple):
    """The sketches of n articles, packed end to end."""

    data: np.ndarray
    offsets: np.ndarray
    """n + 1, int64."""

    def to_byte_strings(self) -> list[bytes]:
        """Return the bytes of each article."""
        data, ends = self.data.tobytes(), self.offsets.tolist()
        return [data[ends[a] : ends[a + 1]] for a in range(len(ends) - 1)]


def pack_sketches(s: Sketches) -> PackedSketches:
    """Return the sketches of a batch, packed: all but days, keys and what follows from the rest."""
    articles = len(s.text_hashes)
    values = len(s.shingles) + len(s.quotes) + 3 * articles
    room = (
        articles * (HEAD_BYTES + 3)
        + values * MAX_SET_VALUE_BYTES
        + len(s.term_hashes) * MAX_TERM_BYTES
        + SPARE_BYTES
    )
    data = np.zeros(room // UINT64_BYTES + 1, np.uint64)
    offsets = pack_into_buffer(s, data)
    return PackedSketches(data.view(np.uint8)[: offsets[-1]], offsets)


def unpack_sketches(
    parts: Sequence[bytes], days: np.ndarray, salient: np.ndarray, bands: np.ndarray, threads: int = 1
) -> Sketches:
    """Return the sketches of some articles, in order, from their bytes, their days and their keys.

    ValueError where the bytes are none that `pack_sketches` made: too few, or numbers that no sketch has.
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
        """Read a share of the articles into their places in the arrays, and return their norms."""
        bounds = slice(share.start, share.stop + 1)
        own = [end[bounds] for end in ends]
        if not unpack_into_arrays(data.view(np.uint64), offsets[bounds], *own, *arrays):
            raise ValueError("a packed sketch is damaged")
        return compute_term_norms(facts, own[-1])

    norms = run_on_threads(unpack_share, split_evenly(len(parts), min(threads, len(parts))))
    texts = heads[:, :8].copy().view(np.uint64).ravel() if parts else np.zeros(0, np.uint64)
    return Sketches(
        text_hashes=texts,
        content_hashes=texts,
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
    """Write the low `bits` (at most 56) of `value` at bit `at`, lowest first; return the bit after them."""
    first, shift = np.uint64(bit_offset) >> np.uint64(6), np.uint64(bit_offset) & np.uint64(63)
    data[first] |= np.uint64(value) << shift
    data[first + np.uint64(1)] |= (np.uint64(value) >> np.uint64(1)) >> (np.uint64(63) - shift)
    return bit_offset + bits


@jit_inline
def read_64_bits(data, bit_offset):
    """Return the 64 bits from bit `at` on, the lowest first (uint64)."""
    first, shift = np.uint64(bit_offset) >> np.uint64(6), np.uint64(bit_offset) & np.uint64(63)
    after = data[first + np.uint64(1)]
    return (data[first] >> shift) | ((after << np.uint64(1)) << (np.uint64(63) - shift))


@jit_inline
def extract_low_bits(window, bits):
    """Return the lowest `bits` of what was seen, as a number."""
    return np.int64(window & ((np.uint64(1) << np.uint64(bits)) - np.uint64(1)))


@jit_inline
def compute_rice_parameter(n, upper_bound):
    """Return how many bits of the gaps between n sorted values below `most` are written as they are."""
    bits = 0
    while (n << (bits + 1)) <= upper_bound:
        bits += 1
    return bits


@jit_leaf
def write_set(data, bit_offset, values, upper_bound):
    """Write sorted distinct values below `most`; return the bit after them."""
    bits = compute_rice_parameter(max(len(values), 1), upper_bound)
    last = np.int64(-1)
    for value in values:
        gap = np.int64(value) - last - 1
        last = np.int64(value)
        bit_offset = write_bits(data, bit_offset + (gap >> bits), np.int64(1), 1)
        bit_offset = write_bits(data, bit_offset, gap & ((np.int64(1) << bits) - 1), bits)
    return bit_offset


@jit_leaf
def read_set(data, bit_offset, end, out, upper_bound):
    """Read sorted values below `most` into `out`; return the bit after them, or -1 where there are not so many."""
    bits = compute_rice_parameter(max(len(out), 1), upper_bound)
    last = np.int64(-1)
    for i in range(len(out)):
        seen = read_64_bits(data, bit_offset)
        while seen & np.uint64(255) == 0 and bit_offset < end:  # a gap this long is rare
            last += np.int64(8) << bits
            bit_offset += 8
            seen = read_64_bits(data, bit_offset)
        while seen & np.uint64(1) == 0 and bit_offset < end:
            last += np.int64(1) << bits
            bit_offset += 1
            seen >>= np.uint64(1)
        last += extract_low_bits(seen >> np.uint64(1), bits) + 1
        bit_offset += bits + 1
        if bit_offset > end or last >= upper_bound:
            return np.int64(-1)
        out[i] = last
    return bit_offset


@jit_inline
def write_count(data, bit_offset, count):
    """Write a count below 256; return the bit after it."""
    value, bits = np.int64(count) + 1, 0
    while value >> (bits + 1):
        bits += 1
    return write_bits(data, bit_offset + bits, (value - (np.int64(1) << bits)) << 1 | 1, bits + 1)


@jit_inline
def decode_count(window):
    """Return (the count that was seen first, its bits); the count is 256 where there is none."""
    bits = 0
    while bits < 9 and not (window >> np.uint64(bits)) & np.uint64(1):
        bits += 1
    if bits == 9:
        return np.int64(256), 9
    return (np.int64(1) << bits) + extract_low_bits(window >> np.uint64(bits + 1), bits) - 1, 2 * bits + 1


@jit_leaf
def write_terms(data, bit_offset, hashes, facts):
    """Write the terms of an article; return the bit after them."""
    bit_offset = write_set(data, bit_offset, hashes, HASH_RANGE)
    for i in range(len(hashes)):
        bit_offset = write_bits(data, bit_offset, np.int64(facts[i, WEIGHT]), 8)
        bit_offset = write_count(data, bit_offset, facts[i, KIND])
        bit_offset = write_count(data, bit_offset, facts[i, IN_TITLE])
        before = np.int64(0)
        for column in WINDOW_COLUMNS:
            count = np.int64(facts[i, column])
            bit_offset = write_count(data, bit_offset, count - before)
            before = count
    return bit_offset


@jit_leaf
def read_terms(data, bit_offset, end, hashes, facts):
    """Read the terms of an article; return the bit after them, or -1 where they are damaged."""
    bit_offset = read_set(data, bit_offset, end, hashes, HASH_RANGE)
    for i in range(len(hashes)):
        if bit_offset < 0 or bit_offset + 8 > end:
            return np.int64(-1)
        seen = read_64_bits(data, bit_offset)
        facts[i, WEIGHT] = extract_low_bits(seen, 8)
        kind, kind_bits = decode_count(seen >> np.uint64(8))
        title, bits = decode_count(read_64_bits(data, bit_offset + 8 + kind_bits))
        bit_offset += 8 + kind_bits + bits
        facts[i, KIND], facts[i, IN_TITLE] = kind, title
        total = np.int64(0)
        for column in WINDOW_COLUMNS:
            more, bits = decode_count(read_64_bits(data, min(bit_offset, end)))
            total += more
            bit_offset += bits
            facts[i, column] = min(total, 255)
        if kind > MAX_KIND or title > 255 or total > 255 or bit_offset > end:
            return np.int64(-1)
    return bit_offset


@jit
def pack_into_buffer(s, data):
    """Write all sketches into `data`, which holds 0s; return where each ends (n + 1, int64)."""
    articles = len(s.text_hashes)
    offsets = np.zeros(articles + 1, np.int64)
    places = np.zeros(max(len(s.shingles), 1), np.int64)
    for a in range(articles):
        shingles = s.shingles[s.shingle_offsets[a] : s.shingle_offsets[a + 1]]
        quotes = s.quotes[s.quote_offsets[a] : s.quote_offsets[a + 1]]
        terms = slice(s.term_offsets[a], s.term_offsets[a + 1])
        at = 8 * offsets[a]
        text = s.text_hashes[a]
        at = write_bits(data, at, np.int64(text & np.uint64(0xFFFFFFFF)), 32)
        at = write_bits(data, at, np.int64(text >> np.uint64(32)), 32)
        at = write_bits(data, at, np.int64(s.lengths[a]), 32)
        at = write_bits(data, at, np.int64(len(shingles)), 32)
        at = write_bits(data, at, np.int64(len(quotes)), 32)
        at = write_bits(data, at, np.int64(len(s.term_hashes[terms])), 32)
        at = write_set(data, at, shingles, HASH_RANGE)
        n = 0  # quotes are some of the shingles: their places are written
        for q in range(len(quotes)):
            while shingles[n] != quotes[q]:
                n += 1
            places[q] = n
        at = write_set(data, at, places[: len(quotes)], np.int64(len(shingles)))
        at = write_terms(data, at, s.term_hashes[terms], s.term_facts[terms])
        offsets[a + 1] = (at + 7) >> 3
    return offsets


@jit
def unpack_into_arrays(data, offsets, shingle_ends, quote_ends, term_ends, shingles, quotes, hashes, facts):
    """Read all sketches into the arrays; return whether they were whole."""
    for a in range(len(offsets) - 1):
        at, end = 8 * (offsets[a] + HEAD_BYTES), 8 * offsets[a + 1]
        own = shingles[shingle_ends[a] : shingle_ends[a + 1]]
        at = read_set(data, at, end, own, HASH_RANGE)
        quoted = quotes[quote_ends[a] : quote_ends[a + 1]]
        if at >= 0 and len(quoted) <= len(own):
            at = read_set(data, at, end, quoted, np.int64(len(own)))
        if at < 0 or len(quoted) > len(own):
            return False
        for q in range(len(quoted)):
            quoted[q] = own[quoted[q]]
        terms = slice(term_ends[a], term_ends[a + 1])
        if read_terms(data, at, end, hashes[terms], facts[terms]) < 0:
            return False
    return True
