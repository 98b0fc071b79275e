"""Keys → chains of the articles that have them: the index in memory, from which what no later article can find is taken out.

In: the keys of articles as they are kept. Out: `Postings`, an open-addressing table that leads from a key to a chain of
articles, the latest first. A chain is made of blocks, each twice as long as the one before it: a lookup waits for memory once
a block and not once an article. Where articles come by rising date an index has room for those in reach only: when it is
full, those that lie before the windows of all articles to come are left behind. So it stays as large as a window of news
is, however long the news goes on, and nearer to the processor; what is found stays the same.
"""

from typing import NamedTuple

import numpy as np

from dedup.jit import inlined, leaf

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
"""Put into an empty index, no number of postings takes more cells than this for each: the worst is a chain of two, in nine."""
MOST_CELLS = OWNERS + MOST_ROOM
"""One more posting takes no more cells than this: those of a new block of a long chain."""
CELLS, KEYS = 0, 1
"""What of an index is in use: cells of its blocks, and slots of its table."""
BAND_BIT = np.uint64(1)
"""The lowest bit of a key says whether it is of a band or of a term, which reach back differently far."""
GROWING = 2
"""One that grows makes room for so many times as much."""
TIGHT = 0.75
"""An index of which more than this part is in reach has to grow: it would soon be full again."""
FEW = 1 << 15
"""So few articles have room at first whatever their dates."""
MOST_AT_FIRST = 1 << 23
"""A new index has room for so many postings at most, some hundred megabytes, of which the system gives what is used."""


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


def room_at_first(
    days: np.ndarray, reach: Reach, keys_each: tuple[int, int], chunk: int, known: int = 0
) -> Postings:
    """Return an empty index with room for `known` articles, and what will be in reach at once of articles of some days.

    The days rise, and each article has so many keys of terms and of bands. There is room for a chunk more, and for all of a
    few articles, but of very many in reach for the first only.
    """
    windows = reach.window_days, reach.copy_window_days
    crowds = [min(max(crowd(days, window) + chunk, FEW), len(days)) for window in windows]
    keys = min(sum(articles * each for articles, each in zip(crowds, keys_each, strict=True)), MOST_AT_FIRST)
    keys += known * sum(keys_each)
    spare = MOST_CELLS * min(chunk, len(days)) * sum(keys_each)
    return of_size(slots_for(keys), 1 + CELLS_EACH * keys + spare)


def crowd(days: np.ndarray, window: float) -> int:
    """Return how many of some days, which rise, lie within a window at most; the unknown, which come last, all the time.

    >>> crowd(np.array([1.0, 2.0, 3.0, 9.0, np.nan]), 2.0)
    4
    """
    if np.isinf(window) or not len(days):
        return len(days)
    dated = days[~np.isnan(days)]
    within = np.arange(1, len(dated) + 1) - np.searchsorted(dated, dated - window)
    return int(within.max(initial=0)) + len(days) - len(dated)


def room_for(keys: int, postings: int) -> Postings:
    """Return an empty index with room for so many postings of so many keys."""
    return of_size(slots_for(keys), 1 + CELLS_EACH * max(1, postings))


def slots_for(keys: int) -> int:
    """Return how many slots keep a third free beside so many keys: then a key is found within a few steps."""
    return 2 + keys + keys // 2


def of_size(slots: int, cells: int) -> Postings:
    """Return an empty index of so many slots and cells."""
    place = np.int32 if cells < 2**31 else np.int64
    return Postings(np.zeros((slots, 2), np.uint64), np.zeros(cells, place), np.array([1, 0]))


def has_room(index: Postings, more: int) -> bool:
    """Return whether an index has room for so many `more` postings."""
    slots, cells = len(index.slots), len(index.blocks)
    return bool(index.used[KEYS] + more <= 2 * slots // 3 and index.used[CELLS] + MOST_CELLS * more <= cells)


def with_room(index: Postings, more: int, today: float, reach: Reach) -> Postings:
    """Return an index with room for so many `more` postings: the same, or a new one of what is in reach from `today` on.

    All articles to come are dated `today` or later, or not dated at all. With -inf for `today` all is in reach.
    """
    if has_room(index, more):
        return index
    spare = np.empty(len(reach.days), np.int64)
    if np.isfinite(today - reach.copy_window_days):
        found = of_size(len(index.slots), len(index.blocks))
        move(index, found, today, reach, spare)
        if found.used[KEYS] <= TIGHT * index.used[KEYS] and has_room(found, more):
            return found
        index = found
    keys, cells = (GROWING * int(index.used[kind]) for kind in (KEYS, CELLS))
    found = of_size(slots_for(keys + more), cells + MOST_CELLS * more)
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
def move(index, other, today, reach, spare):
    """Put what is in reach into another index, the order of each chain kept; `spare` is scratch for a chain."""
    for slot in range(len(index.slots)):
        if index.slots[slot, KEY]:
            for k in range(fill_in_reach(index, slot, today, reach, spare) - 1, -1, -1):
                put(other, index.slots[slot, KEY], spare[k])
