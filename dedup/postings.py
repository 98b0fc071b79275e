"""Keys → chains of the articles that have them: the index in memory, from which what no later article can find is taken out.

In: the keys of articles as they are kept. Out: `Postings`, an open-addressing table that leads from a key to a chain of
articles, the latest first. A chain is made of blocks, each twice as long as the one before it: a lookup waits for memory once
a block and not once an article. Where articles come by rising date an index has room for those in reach only: when it is
full, those that lie before the windows of all articles to come are left behind. So it stays as large as a window of news
is, however long the news goes on, and nearer to the processor; what is found stays the same.
"""

from typing import NamedTuple

import numpy as np

from dedup.kernel import inlined, leaf

KEY, HEAD = 0, 1
"""A slot of the table: a key, 0 where it is free, and the head of its chain, which `length_of` and `latest_of` tell apart."""
PLACE_BITS = np.uint64(40)
"""The low bits of a head are the place of the latest block of a chain, the others how many articles are on it."""
PLACES = (np.uint64(1) << PLACE_BITS) - np.uint64(1)
MOST_COUNTED = (1 << 24) - 1
NEXT, LENGTH, ROOM, OWNERS = range(4)
"""A block of postings: the place of the block before it, how many articles it holds and could hold, and the articles."""
MOST_ROOM = 29
"""The longest block is two lines of a processor's cache."""
NOWHERE = np.int64(0)
CELLS_EACH = 5
"""No number of postings takes more cells than this for each: the worst is a chain of two, in nine cells."""
CELLS, KEYS = 0, 1
"""What of an index is in use: cells of its blocks, and slots of its table."""
BAND_BIT = np.uint64(1)
"""The lowest bit of a key says whether it is of a band or of a term, which reach back differently far."""
GROWING, STEADY = 2.0, 1.5
"""A new index has room for so many times what is in reach: where nearly all is it grows, else it stays as large as it is."""
STEADY_BELOW = 0.75


class Postings(NamedTuple):
    """The index in memory: slots of an open-addressing table lead to chains of postings."""

    slots: np.ndarray
    """An open-addressing table in the order of its keys, but for collisions: `KEY` and `HEAD` side by side."""
    blocks: np.ndarray
    """Blocks of postings end to end, the first of them from 1 on."""
    used: np.ndarray
    """`CELLS` and `KEYS`: how many are taken."""


class Reach(NamedTuple):
    """Which postings later articles may find, beside those within their windows."""

    days: np.ndarray
    """n, float64: the dates of the articles; NaN where unknown: such an article is in every reach."""
    window_days: float
    copy_window_days: float
    wanted: Postings
    """The keys of articles without a date still to come: they find whatever has one of these keys."""


def postings_for(articles: int, keys_each: int) -> Postings:
    """Return an empty index with room for `articles` of `keys_each` keys each."""
    return room_for(articles * keys_each, articles * keys_each)


def room_for(keys: int, postings: int) -> Postings:
    """Return an empty index with room for so many postings of so many keys."""
    size = 2 + keys + keys // 2
    cells = 1 + CELLS_EACH * max(1, postings)
    place = np.int32 if cells < 2**31 else np.int64
    return Postings(
        slots=np.zeros((size, 2), np.uint64),
        blocks=np.zeros(cells, place),
        used=np.array([1, 0]),
    )


def with_room(index: Postings, more: int, today: float, reach: Reach) -> Postings:
    """Return an index with room for so many `more` postings: the same, or a new one of what is in reach from `today` on.

    All articles to come are dated `today` or later, or not dated at all. With -inf for `today` all is in reach.
    """
    slots, cells = len(index.slots), len(index.blocks)
    if index.used[KEYS] + more <= 2 * slots // 3 and index.used[CELLS] + CELLS_EACH * more <= cells:
        return index
    spare = np.empty(len(reach.days), np.int64)
    keys, postings = count_in_reach(index, today, reach, spare)
    roomy = GROWING if keys > STEADY_BELOW * index.used[KEYS] else STEADY
    found = room_for(int(roomy * keys) + more, int(roomy * postings) + more)
    move(index, found, today, reach, spare)
    return found


@leaf
def empty(index):
    """Take everything out of an index."""
    index.slots[:] = 0
    index.blocks[: index.used[CELLS]] = 0
    index.used[CELLS] = 1
    index.used[KEYS] = 0


@inlined
def of_term(key):
    """Return the key (uint64) as one of a term."""
    return key & ~BAND_BIT


@inlined
def of_band(key):
    """Return the key (uint64) as one of a band."""
    return key | BAND_BIT


@inlined
def length_of(head):
    """Return how many articles are on a chain, up to sixteen million."""
    return np.int64(head >> PLACE_BITS)


@inlined
def latest_of(head):
    """Return the place of the latest block of a chain; `NOWHERE` for an empty one."""
    return np.int64(head & PLACES)


@inlined
def slot_of(index, key):
    """Return the slot that holds `key`, or the free one where it would go."""
    size = np.uint64(len(index.slots))
    # A key is a product: its high bits are the well-mixed ones.
    slot = ((key >> np.uint64(32)) * size) >> np.uint64(32)
    while index.slots[slot, KEY] != 0 and index.slots[slot, KEY] != key:
        slot += np.uint64(1)
        if slot == size:
            slot = np.uint64(0)
    return slot


@leaf
def insert(index, keys, begin, end, a):
    """Put article `a` at the head of the chains of `keys[begin:end]`."""
    for k in range(begin, end):
        put(index, keys[k], a)


@inlined
def put(index, key, a):
    """Put article `a` at the head of the chain of a key."""
    blocks = index.blocks
    slot = slot_of(index, key)
    index.used[KEYS] += index.slots[slot, KEY] == 0
    index.slots[slot, KEY] = key
    head = index.slots[slot, HEAD]
    latest = latest_of(head)
    if latest == NOWHERE or blocks[latest + LENGTH] == blocks[latest + ROOM]:
        block = index.used[CELLS]
        blocks[block + NEXT] = latest
        blocks[block + ROOM] = min(2 * np.int64(blocks[latest + ROOM]), MOST_ROOM) if latest else 1
        index.used[CELLS] += OWNERS + np.int64(blocks[block + ROOM])
        latest = block
    blocks[latest + OWNERS + np.int64(blocks[latest + LENGTH])] = a
    blocks[latest + LENGTH] += 1
    length = min(length_of(head) + 1, MOST_COUNTED)
    index.slots[slot, HEAD] = np.uint64(length) << PLACE_BITS | np.uint64(latest)


@inlined
def window_of(key, reach):
    """Return how many days back the articles to come find postings of a key."""
    if reach.wanted.slots[slot_of(reach.wanted, key), KEY] == key:
        return np.inf
    return reach.copy_window_days if key & BAND_BIT else reach.window_days


@leaf
def fill_in_reach(index, slot, today, reach, out):
    """Write those of a slot's chain that are in reach into `out`, the latest first; return how many there are."""
    blocks, days, window = index.blocks, reach.days, window_of(index.slots[slot, KEY], reach)
    block, n = latest_of(index.slots[slot, HEAD]), 0
    while block:
        for k in range(np.int64(blocks[block + LENGTH]) - 1, -1, -1):
            owner = blocks[block + OWNERS + k]
            if not today - days[owner] > window:
                out[n] = owner
                n += 1
        block = np.int64(blocks[block + NEXT])
    return n


@leaf
def count_in_reach(index, today, reach, spare):
    """Return how many (keys, postings) are in reach; `spare` is scratch for a chain."""
    keys, postings = 0, 0
    for slot in range(len(index.slots)):
        if index.slots[slot, KEY]:
            n = fill_in_reach(index, slot, today, reach, spare)
            keys += n > 0
            postings += n
    return keys, postings


@leaf
def move(index, other, today, reach, spare):
    """Put what is in reach into another index, the order of each chain kept; `spare` is scratch for a chain."""
    for slot in range(len(index.slots)):
        if index.slots[slot, KEY]:
            for k in range(fill_in_reach(index, slot, today, reach, spare) - 1, -1, -1):
                put(other, index.slots[slot, KEY], spare[k])
