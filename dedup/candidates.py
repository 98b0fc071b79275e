"""Sketches → candidate pairs: articles kept so far that share a band or enough salient terms with a new one.

In: a sketch and the index of those kept. Out: positions worth verifying, most shared first. Bands of the signature find
copies (Broder 1997; *Mining of Massive Datasets*, section 3.4), salient terms find rewrites, which live at similarities where
banding cannot tell them from unrelated articles. Both are *keys* of one index: a hash table from keys to chains of
articles, the latest first, so that in a dated corpus a lookup stops where the window ends.
"""

from typing import NamedTuple

import numpy as np

from dedup.kernel import inlined, kernel
from dedup.shingles import MULTIPLIER, extended

BAND = 256
"""What a shared band counts beside a shared term: any band makes a candidate."""
MOST_SHARED = 8 * BAND


class Postings(NamedTuple):
    """The index in memory: slots of an open-addressing table lead to chains of postings."""

    keys: np.ndarray
    heads: np.ndarray
    following: np.ndarray
    owners: np.ndarray
    used: np.ndarray


def postings_for(articles: int, keys_each: int) -> Postings:
    """Return an empty index with room for `articles` of `keys_each` keys each."""
    room = max(1, articles * keys_each)
    size = 1 << (2 * room - 1).bit_length()
    return Postings(
        keys=np.zeros(size, np.uint64),
        heads=np.full(size, -1, np.int32 if room < 2**31 else np.int64),
        following=np.zeros(room, np.int32 if room < 2**31 else np.int64),
        owners=np.zeros(room, np.int32),
        used=np.zeros(1, np.int64),
    )


@inlined
def slot_of(index, key):
    """Return the slot that holds `key`, or the free one where it would go."""
    mask = np.uint64(len(index.keys) - 1)
    slot = (key ^ (key >> np.uint64(32))) & mask
    while index.keys[slot] != 0 and index.keys[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@kernel
def keys_of(s, a, bands, rows, out):
    """Write the keys (uint64) of sketch `a` into `out`, its terms first; return (terms, keys)."""
    n = 0
    for term in s.salient[a]:
        if term:
            out[n] = extended(MULTIPLIER, term)
            n += 1
    terms = n
    if s.shingle_offsets[a + 1] > s.shingle_offsets[a]:
        for band in range(bands):
            key = extended(MULTIPLIER, np.uint64(band + 1) << np.uint64(40))
            for row in range(rows):
                key = extended(key, s.signatures[a, band * rows + row])
            out[n] = key
            n += 1
    return terms, n


@kernel
def insert(index, keys, begin, end, a):
    """Put article `a` at the head of the chains of `keys[begin:end]`."""
    for k in range(begin, end):
        slot = slot_of(index, keys[k])
        index.keys[slot] = keys[k]
        posting = index.used[0]
        index.owners[posting], index.following[posting] = a, index.heads[slot]
        index.heads[slot] = posting
        index.used[0] += 1


@kernel
def fill_candidates(index, s, keys, terms, n, a, rules, in_order, shares, found):
    """Write the candidates of article `a` into `found`, most shared first.

    Return (how many, how many of them share a band, whether `max_postings` was reached).

    `shares` (int32, one an article, all 0) is scratch, left clean. With `in_order` the kept came by rising date.
    """
    touched, bounded = 0, 0
    dated = not np.isnan(s.days[a])
    for k in range(n):
        window = rules.window_days if k < terms else rules.copy_window_days
        posting = index.heads[slot_of(index, keys[k])]
        steps = 0
        while posting >= 0:
            other = index.owners[posting]
            posting = index.following[posting]
            if dated and abs(s.days[a] - s.days[other]) > window:
                if in_order:
                    break
                continue
            steps += 1
            if steps > rules.max_postings:
                bounded = 1
                break
            if shares[other] == 0:
                found[touched] = other
                touched += 1
            shares[other] += 1 if k < terms else BAND
    chosen, banded = most_shared(found, touched, shares, rules)
    return chosen, banded, bounded


@kernel
def most_shared(found, touched, shares, rules):
    """Move the candidates among `found` to its front, most shared first, and clean `shares`.

    Return (how many, how many share a band).
    """
    counts = np.zeros(MOST_SHARED + 2, np.int64)
    n, banded = 0, 0
    for t in range(touched):
        other = found[t]
        share = shares[other]
        if share >= rules.shared_terms:
            counts[MOST_SHARED - min(share, MOST_SHARED) + 1] += 1
            found[n] = other
            n += 1
            banded += share >= BAND
        else:
            shares[other] = 0
    ordered = np.empty(n, found.dtype)
    if n > 1:
        for k in range(MOST_SHARED + 1):
            counts[k + 1] += counts[k]
    else:
        counts[:] = 0
    for t in range(n):
        place = MOST_SHARED - min(shares[found[t]], MOST_SHARED)
        ordered[counts[place]] = found[t]
        counts[place] += 1
        shares[found[t]] = 0
    found[:n] = ordered
    return n, banded
