"""Sketches → a few bytes an article, and back: what an index keeps of them on the disk.

In: a batch of sketches. Out: for each article one run of bytes, from which all of its sketch but its date and its keys comes
back to the bit. Sorted sets are written as the gaps between their values, in Golomb-Rice codes (Rice and Plaunt, 1971), which
come within a tenth of a bit of what sets of random hashes need; counts, nearly all of them 0 or 1, in Elias gamma codes
(Elias, 1975). That is three fifths of the arrays' size.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dedup.jit import inlined, kernel, leaf
from dedup.parallel import even_shares, on_threads
from dedup.sketches.sketch import Sketches
from dedup.sketches.term_norms import norms_of
from dedup.sketches.terms import (
    FACTS,
    IN_45,
    IN_80,
    IN_220,
    IN_ALL,
    IN_TITLE,
    KIND,
    MOST_TERMS,
    WEEKDAY,
    WEIGHT,
)

HEAD = 24
"""Bytes before the codes: the hash of the text (8), its length, and how many shingles, quotes and terms there are (4 each)."""
HASHES = np.int64(1) << 32
WINDOWS = (IN_45, IN_80, IN_220, IN_ALL)
"""Each holds those before it: what is written is by how much it is more."""
MOST_KIND = WEEKDAY + 6
WORD = 8
SPARE = 4 * WORD
"""Bytes beyond the codes, so that a look at the end of them never leaves the array."""
MOST_SET_BYTES, MOST_TERM_BYTES = 5, 19
"""No value of a set takes more, and no term: its gap and its facts."""


class Packed(NamedTuple):
    """The sketches of n articles, packed end to end."""

    data: np.ndarray
    offsets: np.ndarray
    """n + 1, int64."""

    def each(self) -> list[bytes]:
        """Return the bytes of each article."""
        data, ends = self.data.tobytes(), self.offsets.tolist()
        return [data[ends[a] : ends[a + 1]] for a in range(len(ends) - 1)]


def packed(s: Sketches) -> Packed:
    """Return the sketches of a batch, packed: all but days, keys and what follows from the rest."""
    articles = len(s.texts)
    values = len(s.shingles) + len(s.quotes) + 3 * articles
    room = articles * (HEAD + 3) + values * MOST_SET_BYTES + len(s.term_hashes) * MOST_TERM_BYTES + SPARE
    data = np.zeros(room // WORD + 1, np.uint64)
    offsets = pack_all(s, data)
    return Packed(data.view(np.uint8)[: offsets[-1]], offsets)


def unpacked(
    parts: Sequence[bytes], days: np.ndarray, salient: np.ndarray, bands: np.ndarray, threads: int = 1
) -> Sketches:
    """Return the sketches of some articles, in order, from their bytes, their days and their keys.

    ValueError where the bytes are none that `packed` made: too few, or numbers that no sketch has.
    """
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    data = np.frombuffer(b"".join([*parts, bytes(SPARE - offsets[-1] % WORD)]), np.uint8)
    if (np.diff(offsets) < HEAD).any():
        raise ValueError("a packed sketch is cut short")
    heads = np.stack([data[start : start + HEAD] for start in offsets[:-1].tolist()] or [data[:0]])
    counts = heads[:, 8:].copy().view(np.uint32).astype(np.int64) if parts else np.zeros((0, 4), np.int64)
    if (counts[:, 1:].sum(axis=1) > 8 * np.diff(offsets)).any() or (counts[:, 3] > MOST_TERMS).any():
        raise ValueError("a packed sketch holds less than it says")
    ends = [np.concatenate([[0], np.cumsum(counts[:, column])]) for column in (1, 2, 3)]
    shingles, quotes, hashes = (np.zeros(end[-1], np.uint32) for end in ends)
    facts = np.zeros((ends[2][-1], FACTS), np.uint8)
    arrays = shingles, quotes, hashes, facts

    def unpack(share: slice) -> np.ndarray:
        """Read a share of the articles into their places in the arrays, and return their norms."""
        bounds = slice(share.start, share.stop + 1)
        own = [end[bounds] for end in ends]
        if not unpack_all(data.view(np.uint64), offsets[bounds], *own, *arrays):
            raise ValueError("a packed sketch is damaged")
        return norms_of(facts, own[-1])

    norms = on_threads(unpack, even_shares(len(parts), min(threads, len(parts))))
    texts = heads[:, :8].copy().view(np.uint64).ravel() if parts else np.zeros(0, np.uint64)
    return Sketches(
        texts=texts,
        tellings=texts,
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


@inlined
def put(data, at, value, bits):
    """Write the low `bits` (at most 56) of `value` at bit `at`, lowest first; return the bit after them."""
    first, shift = np.uint64(at) >> np.uint64(6), np.uint64(at) & np.uint64(63)
    data[first] |= np.uint64(value) << shift
    data[first + np.uint64(1)] |= (np.uint64(value) >> np.uint64(1)) >> (np.uint64(63) - shift)
    return at + bits


@inlined
def look(data, at):
    """Return the 64 bits from bit `at` on, the lowest first (uint64)."""
    first, shift = np.uint64(at) >> np.uint64(6), np.uint64(at) & np.uint64(63)
    after = data[first + np.uint64(1)]
    return (data[first] >> shift) | ((after << np.uint64(1)) << (np.uint64(63) - shift))


@inlined
def taken(seen, bits):
    """Return the lowest `bits` of what was seen, as a number."""
    return np.int64(seen & ((np.uint64(1) << np.uint64(bits)) - np.uint64(1)))


@inlined
def low_bits(n, most):
    """Return how many bits of the gaps between n sorted values below `most` are written as they are."""
    bits = 0
    while (n << (bits + 1)) <= most:
        bits += 1
    return bits


@leaf
def put_set(data, at, values, most):
    """Write sorted distinct values below `most`; return the bit after them."""
    bits = low_bits(max(len(values), 1), most)
    last = np.int64(-1)
    for value in values:
        gap = np.int64(value) - last - 1
        last = np.int64(value)
        at = put(data, at + (gap >> bits), np.int64(1), 1)
        at = put(data, at, gap & ((np.int64(1) << bits) - 1), bits)
    return at


@leaf
def take_set(data, at, end, out, most):
    """Read sorted values below `most` into `out`; return the bit after them, or -1 where there are not so many."""
    bits = low_bits(max(len(out), 1), most)
    last = np.int64(-1)
    for i in range(len(out)):
        seen = look(data, at)
        while seen & np.uint64(255) == 0 and at < end:  # a gap this long is rare
            last += np.int64(8) << bits
            at += 8
            seen = look(data, at)
        while seen & np.uint64(1) == 0 and at < end:
            last += np.int64(1) << bits
            at += 1
            seen >>= np.uint64(1)
        last += taken(seen >> np.uint64(1), bits) + 1
        at += bits + 1
        if at > end or last >= most:
            return np.int64(-1)
        out[i] = last
    return at


@inlined
def put_count(data, at, count):
    """Write a count below 256; return the bit after it."""
    value, bits = np.int64(count) + 1, 0
    while value >> (bits + 1):
        bits += 1
    return put(data, at + bits, (value - (np.int64(1) << bits)) << 1 | 1, bits + 1)


@inlined
def take_count(seen):
    """Return (the count that was seen first, its bits); the count is 256 where there is none."""
    bits = 0
    while bits < 9 and not (seen >> np.uint64(bits)) & np.uint64(1):
        bits += 1
    if bits == 9:
        return np.int64(256), 9
    return (np.int64(1) << bits) + taken(seen >> np.uint64(bits + 1), bits) - 1, 2 * bits + 1


@leaf
def put_terms(data, at, hashes, facts):
    """Write the terms of an article; return the bit after them."""
    at = put_set(data, at, hashes, HASHES)
    for i in range(len(hashes)):
        at = put(data, at, np.int64(facts[i, WEIGHT]), 8)
        at = put_count(data, at, facts[i, KIND])
        at = put_count(data, at, facts[i, IN_TITLE])
        before = np.int64(0)
        for column in WINDOWS:
            count = np.int64(facts[i, column])
            at = put_count(data, at, count - before)
            before = count
    return at


@leaf
def take_terms(data, at, end, hashes, facts):
    """Read the terms of an article; return the bit after them, or -1 where they are damaged."""
    at = take_set(data, at, end, hashes, HASHES)
    for i in range(len(hashes)):
        if at < 0 or at + 8 > end:
            return np.int64(-1)
        seen = look(data, at)
        facts[i, WEIGHT] = taken(seen, 8)
        kind, kind_bits = take_count(seen >> np.uint64(8))
        title, bits = take_count(look(data, at + 8 + kind_bits))
        at += 8 + kind_bits + bits
        facts[i, KIND], facts[i, IN_TITLE] = kind, title
        total = np.int64(0)
        for column in WINDOWS:
            more, bits = take_count(look(data, min(at, end)))
            total += more
            at += bits
            facts[i, column] = min(total, 255)
        if kind > MOST_KIND or title > 255 or total > 255 or at > end:
            return np.int64(-1)
    return at


@kernel
def pack_all(s, data):
    """Write all sketches into `data`, which holds 0s; return where each ends (n + 1, int64)."""
    articles = len(s.texts)
    offsets = np.zeros(articles + 1, np.int64)
    places = np.zeros(max(len(s.shingles), 1), np.int64)
    for a in range(articles):
        shingles = s.shingles[s.shingle_offsets[a] : s.shingle_offsets[a + 1]]
        quotes = s.quotes[s.quote_offsets[a] : s.quote_offsets[a + 1]]
        terms = slice(s.term_offsets[a], s.term_offsets[a + 1])
        at = 8 * offsets[a]
        text = s.texts[a]
        at = put(data, at, np.int64(text & np.uint64(0xFFFFFFFF)), 32)
        at = put(data, at, np.int64(text >> np.uint64(32)), 32)
        at = put(data, at, np.int64(s.lengths[a]), 32)
        at = put(data, at, np.int64(len(shingles)), 32)
        at = put(data, at, np.int64(len(quotes)), 32)
        at = put(data, at, np.int64(len(s.term_hashes[terms])), 32)
        at = put_set(data, at, shingles, HASHES)
        n = 0  # quotes are some of the shingles: their places are written
        for q in range(len(quotes)):
            while shingles[n] != quotes[q]:
                n += 1
            places[q] = n
        at = put_set(data, at, places[: len(quotes)], np.int64(len(shingles)))
        at = put_terms(data, at, s.term_hashes[terms], s.term_facts[terms])
        offsets[a + 1] = (at + 7) >> 3
    return offsets


@kernel
def unpack_all(data, offsets, shingle_ends, quote_ends, term_ends, shingles, quotes, hashes, facts):
    """Read all sketches into the arrays; return whether they were whole."""
    for a in range(len(offsets) - 1):
        at, end = 8 * (offsets[a] + HEAD), 8 * offsets[a + 1]
        own = shingles[shingle_ends[a] : shingle_ends[a + 1]]
        at = take_set(data, at, end, own, HASHES)
        quoted = quotes[quote_ends[a] : quote_ends[a + 1]]
        if at >= 0 and len(quoted) <= len(own):
            at = take_set(data, at, end, quoted, np.int64(len(own)))
        if at < 0 or len(quoted) > len(own):
            return False
        for q in range(len(quoted)):
            quoted[q] = own[quoted[q]]
        terms = slice(term_ends[a], term_ends[a + 1])
        if take_terms(data, at, end, hashes[terms], facts[terms]) < 0:
            return False
    return True
