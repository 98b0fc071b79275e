"""Sketches → candidate pairs: articles kept so far that share a band or enough salient terms with a new one.

In: a sketch and the index of those kept. Out: positions worth verifying, most shared first. Bands of the signature find
copies (Broder 1997; *Mining of Massive Datasets*, section 3.4), salient terms find rewrites, which live at similarities where
banding cannot tell them from unrelated articles. Both are *keys* of one index: a hash table from keys to chains of
articles, the latest first, so that in a dated corpus a lookup stops where the window ends. A chain is made of blocks, each
twice as long as the one before it: a lookup waits for memory once a block and not once an article.
"""

from typing import NamedTuple

import numpy as np

from dedup.kernel import inlined, leaf
from dedup.shingles import MULTIPLIER, extended

BAND = 256
"""What a shared band counts beside a shared term: any band makes a candidate."""
MOST_SHARED = 8 * BAND
KEY, HEAD = 0, 1
"""A slot of the table: a key, 0 where it is free, and the place of the latest block of its chain."""
NEXT, LENGTH, ROOM, OWNERS = range(4)
"""A block of postings: the place of the block before it, how many articles it holds and could hold, and the articles."""
MOST_ROOM = 29
"""The longest block is two lines of a processor's cache."""
NOWHERE = np.int64(0)
CELLS_EACH = 5
"""No number of postings takes more cells than this for each: the worst is a chain of two, in nine cells."""
FEW = 64
"""So many candidates are put in order by insertion; more are counted into place."""


class Postings(NamedTuple):
    """The index in memory: slots of an open-addressing table lead to chains of postings."""

    slots: np.ndarray
    """An open-addressing table, its size a power of two: `KEY` and `HEAD` side by side."""
    blocks: np.ndarray
    """Blocks of postings end to end, the first of them from 1 on."""
    used: np.ndarray
    """How many cells of `blocks` are taken."""


class Scratch(NamedTuple):
    """What a thread needs to look articles up; nothing of it is of use afterwards, but the candidates found."""

    keys: np.ndarray
    """uint64: the keys of the article looked up."""
    found: np.ndarray
    """n, int32: its candidates."""
    ordered: np.ndarray
    shares: np.ndarray
    """n, int32: what each article shares with it; all 0 between lookups."""
    counts: np.ndarray


def scratch_for(articles: int, keys_each: int) -> Scratch:
    """Return a thread's scratch for so many articles of `keys_each` keys."""
    return Scratch(
        keys=np.empty(keys_each, np.uint64),
        found=np.empty(articles, np.int32),
        ordered=np.empty(articles, np.int32),
        shares=np.zeros(articles, np.int32),
        counts=np.empty(MOST_SHARED + 2, np.int64),
    )


def postings_for(articles: int, keys_each: int) -> Postings:
    """Return an empty index with room for `articles` of `keys_each` keys each."""
    room = max(1, articles * keys_each)
    size = 1 << (room + room // 2).bit_length()
    cells = 1 + CELLS_EACH * room
    place = np.int32 if cells < 2**31 else np.int64
    return Postings(
        slots=np.zeros((size, 2), np.uint64),
        blocks=np.zeros(cells, place),
        used=np.ones(1, np.int64),
    )


@leaf
def empty(index):
    """Take everything out of an index."""
    index.slots[:] = 0
    index.blocks[: index.used[0]] = 0
    index.used[0] = 1


@inlined
def slot_of(index, key):
    """Return the slot that holds `key`, or the free one where it would go."""
    mask = np.uint64(len(index.slots) - 1)
    slot = (key >> np.uint64(32)) & mask  # a product: its high bits are the well-mixed ones
    while index.slots[slot, KEY] != 0 and index.slots[slot, KEY] != key:
        slot = (slot + np.uint64(1)) & mask
    return slot


@leaf
def keys_of(s, a, out):
    """Write the keys (uint64) of sketch `a` into `out`, its terms first; return (terms, keys)."""
    n = 0
    for term in s.salient[a]:
        if term:
            out[n] = extended(MULTIPLIER, term)
            n += 1
    terms = n
    for band, value in enumerate(s.bands[a]):
        if value:
            out[n] = extended(MULTIPLIER, np.uint64(band + 1) << np.uint64(40) | np.uint64(value))
            n += 1
    return terms, n


@leaf
def insert(index, keys, begin, end, a):
    """Put article `a` at the head of the chains of `keys[begin:end]`."""
    blocks = index.blocks
    for k in range(begin, end):
        slot = slot_of(index, keys[k])
        index.slots[slot, KEY] = keys[k]
        head = np.int64(index.slots[slot, HEAD])
        if head == 0 or blocks[head + LENGTH] == blocks[head + ROOM]:
            block = index.used[0]
            blocks[block + NEXT] = head
            blocks[block + ROOM] = min(2 * np.int64(blocks[head + ROOM]), MOST_ROOM) if head else 1
            index.used[0] += OWNERS + np.int64(blocks[block + ROOM])
            index.slots[slot, HEAD] = block
            head = block
        blocks[head + OWNERS + np.int64(blocks[head + LENGTH])] = a
        blocks[head + LENGTH] += 1


@leaf
def fill_candidates(index, days, terms, n, day, rules, in_order, scratch):
    """Write the candidates of an article of some `day`, whose keys lie in the scratch, into `scratch.found`, most shared first.

    Return (how many, how many of them share a band, whether `max_postings` was reached). `days` are those of the
    articles in the index; with `in_order` they came by rising date.
    """
    keys, found, shares = scratch.keys, scratch.found, scratch.shares
    blocks = index.blocks
    touched, bounded = 0, 0
    dated = not np.isnan(day)
    for k in range(n):
        window = rules.window_days if k < terms else rules.copy_window_days
        counts = 1 if k < terms else BAND
        left = rules.max_postings
        block = np.int64(index.slots[slot_of(index, keys[k]), HEAD])
        while block:
            place = block + OWNERS + np.int64(blocks[block + LENGTH])
            first = block + OWNERS
            block = np.int64(blocks[block + NEXT])
            while place > first:
                place -= 1
                other = blocks[place]
                if dated and abs(day - days[other]) > window:
                    if in_order:
                        block = NOWHERE
                        break
                    continue
                if left == 0:
                    block, bounded = NOWHERE, 1
                    break
                left -= 1
                if shares[other] == 0:
                    found[touched] = other
                    touched += 1
                shares[other] += counts
    n, banded = 0, 0
    for t in range(touched):
        other = found[t]
        if shares[other] >= rules.shared_terms:
            found[n] = other
            n += 1
            banded += shares[other] >= BAND
        else:
            shares[other] = 0
    put_most_shared_first(found, n, shares, scratch.ordered, scratch.counts)
    for t in range(n):
        shares[found[t]] = 0
    return n, banded, bounded


@leaf
def put_most_shared_first(found, n, shares, ordered, counts):
    """Put `found[:n]` in order of falling `shares`, equals as they stand; what is shared beyond `MOST_SHARED` is equal."""
    if n <= FEW:
        for t in range(1, n):
            other, place = found[t], t
            share = min(shares[other], MOST_SHARED)
            while place > 0 and min(shares[found[place - 1]], MOST_SHARED) < share:
                found[place] = found[place - 1]
                place -= 1
            found[place] = other
        return
    counts[:] = 0
    for t in range(n):
        counts[MOST_SHARED - min(shares[found[t]], MOST_SHARED) + 1] += 1
    for k in range(MOST_SHARED + 1):
        counts[k + 1] += counts[k]
    for t in range(n):
        place = MOST_SHARED - min(shares[found[t]], MOST_SHARED)
        ordered[counts[place]] = found[t]
        counts[place] += 1
    for t in range(n):
        found[t] = ordered[t]
