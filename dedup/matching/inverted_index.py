"""Keys → chains of the articles that have them: the index in memory, from which what no later article can find is taken out.

In: the keys of articles as they are kept. Out: `InvertedIndex`, an open-addressing table that leads from a key to a chain of
articles, the latest first. A chain is made of blocks, each twice as long as the one before it: a lookup waits for memory once
a block and not once an article. Where articles come by rising date an index has room for those in reach only: when it is
full, those that lie before the windows of all articles to come are left behind. So it stays as large as a window of news
is, however long the news goes on, and nearer to the processor; what is found stays the same.
"""

from typing import NamedTuple

import numpy as np

from dedup.jit import jit_inline, jit_leaf

SLOT_KEY, SLOT_HEAD = 0, 1
"""A slot of the table: a key, 0 where it is free, and the packed head of its chain."""
BLOCK_BITS = np.uint64(40)
"""The low bits of a head are the place of the latest block of a chain, the others how many articles are on it."""
BLOCK_MASK = (np.uint64(1) << BLOCK_BITS) - np.uint64(1)
MAX_CHAIN_LENGTH = (1 << 24) - 1
BLOCK_NEXT, BLOCK_LENGTH, BLOCK_CAPACITY, BLOCK_ARTICLES = range(4)
"""A block of postings: the place of the block before it, how many articles it holds and could hold, and the articles."""
MAX_BLOCK_CAPACITY = 29
"""The longest block is two lines of a processor's cache."""
NO_BLOCK = np.int64(0)
CELLS_PER_POSTING = 5
"""Put into an empty index, no number of postings takes more cells than this for each: the worst is a chain of two, in nine."""
MAX_CELLS_PER_POSTING = BLOCK_ARTICLES + MAX_BLOCK_CAPACITY
"""One more posting takes no more cells than this: those of a new block of a long chain."""
USED_CELLS, USED_KEYS = 0, 1
"""What of an index is in use: cells of its blocks, and slots of its table."""
BAND_BIT = np.uint64(1)
"""The lowest bit of a key says whether it is of a band or of a term, which reach back differently far."""
GROWTH_FACTOR = 2
"""One that grows makes room for so many times as much."""
MAX_REACHABLE_SHARE = 0.75
"""An index of which more than this part is in reach has to grow: it would soon be full again."""
MIN_INITIAL_ARTICLES = 1 << 15
"""So few articles have room at first whatever their dates."""
MAX_INITIAL_POSTINGS = 1 << 23
"""A new index has room for so many postings at most, some hundred megabytes, of which the system gives what is used."""


class InvertedIndex(NamedTuple):
    """The index in memory: slots of an open-addressing table lead to chains of postings."""

    slots: np.ndarray
    """An open-addressing table in the order of its keys, but for collisions: `SLOT_KEY` and `SLOT_HEAD` side by side."""
    blocks: np.ndarray
    """Blocks of postings end to end, the first of them from 1 on."""
    used: np.ndarray
    """`USED_CELLS` and `USED_KEYS`: how many are taken."""


class Horizon(NamedTuple):
    """Which postings later articles may find, beside those within their windows."""

    days: np.ndarray
    """n, float64: the dates of the articles; NaN where unknown: such an article is in every reach."""
    window_days: float
    copy_window_days: float
    undated_index: InvertedIndex
    """The keys of articles without a date still to come: they find whatever has one of these keys."""


def make_index_for_articles(articles: int, keys_each: int) -> InvertedIndex:
    """Return an empty index with room for `articles` of `keys_each` keys each."""
    return make_index_for_postings(articles * keys_each, articles * keys_each)


def make_initial_index(
    days: np.ndarray, horizon: Horizon, keys_each: tuple[int, int], chunk: int, prior_count: int = 0
) -> InvertedIndex:
    """Return an empty index with room for `known` articles, and what will be in reach at once of articles of some days.

    The days rise, and each article has so many keys of terms and of bands. There is room for a chunk more, and for all of a
    few articles, but of very many in reach for the first only.
    """
    windows = horizon.window_days, horizon.copy_window_days
    crowds = [
        min(max(count_max_in_window(days, window) + chunk, MIN_INITIAL_ARTICLES), len(days))
        for window in windows
    ]
    keys = min(
        sum(articles * each for articles, each in zip(crowds, keys_each, strict=True)), MAX_INITIAL_POSTINGS
    )
    keys += prior_count * sum(keys_each)
    spare = MAX_CELLS_PER_POSTING * min(chunk, len(days)) * sum(keys_each)
    return make_empty_index(compute_slot_count(keys), 1 + CELLS_PER_POSTING * keys + spare)


def count_max_in_window(days: np.ndarray, window: float) -> int:
    """Return how many of some days, which rise, lie within a window at most; the unknown, which come last, all the time.

    >>> count_max_in_window(np.array([1.0, 2.0, 3.0, 9.0, np.nan]), 2.0)
    4
    """
    if np.isinf(window) or not len(days):
        return len(days)
    dated = days[~np.isnan(days)]
    within = np.arange(1, len(dated) + 1) - np.searchsorted(dated, dated - window)
    return int(within.max(initial=0)) + len(days) - len(dated)


def make_index_for_postings(keys: int, postings: int) -> InvertedIndex:
    """Return an empty index with room for so many postings of so many keys."""
    return make_empty_index(compute_slot_count(keys), 1 + CELLS_PER_POSTING * max(1, postings))


def compute_slot_count(keys: int) -> int:
    """Return how many slots keep a third free beside so many keys: then a key is found within a few steps."""
    return 2 + keys + keys // 2


def make_empty_index(slots: int, cells: int) -> InvertedIndex:
    """Return an empty index of so many slots and cells."""
    place = np.int32 if cells < 2**31 else np.int64
    return InvertedIndex(np.zeros((slots, 2), np.uint64), np.zeros(cells, place), np.array([1, 0]))


def has_room(index: InvertedIndex, more: int) -> bool:
    """Return whether an index has room for so many `more` postings."""
    slots, cells = len(index.slots), len(index.blocks)
    return bool(
        index.used[USED_KEYS] + more <= 2 * slots // 3
        and index.used[USED_CELLS] + MAX_CELLS_PER_POSTING * more <= cells
    )


def ensure_room(index: InvertedIndex, more: int, today: float, horizon: Horizon) -> InvertedIndex:
    """Return an index with room for so many `more` postings: the same, or a new one of what is in reach from `today` on.

    All articles to come are dated `today` or later, or not dated at all. With -inf for `today` all is in reach.
    """
    if has_room(index, more):
        return index
    spare = np.empty(len(horizon.days), np.int64)
    if np.isfinite(today - horizon.copy_window_days):
        found = make_empty_index(len(index.slots), len(index.blocks))
        copy_reachable(index, found, today, horizon, spare)
        if found.used[USED_KEYS] <= MAX_REACHABLE_SHARE * index.used[USED_KEYS] and has_room(found, more):
            return found
        index = found
    keys, cells = (GROWTH_FACTOR * int(index.used[kind]) for kind in (USED_KEYS, USED_CELLS))
    found = make_empty_index(compute_slot_count(keys + more), cells + MAX_CELLS_PER_POSTING * more)
    copy_reachable(index, found, today, horizon, spare)
    return found


@jit_leaf
def clear_index(index):
    """Take everything out of an index."""
    index.slots[:] = 0
    index.blocks[: index.used[USED_CELLS]] = 0
    index.used[USED_CELLS] = 1
    index.used[USED_KEYS] = 0


@jit_inline
def make_term_key(key):
    """Return the key (uint64) as one of a term."""
    return key & ~BAND_BIT


@jit_inline
def make_band_key(key):
    """Return the key (uint64) as one of a band."""
    return key | BAND_BIT


@jit_inline
def get_chain_length(head):
    """Return how many articles are on a chain, up to sixteen million."""
    return np.int64(head >> BLOCK_BITS)


@jit_inline
def get_latest_block(head):
    """Return the place of the latest block of a chain; `NO_BLOCK` for an empty one."""
    return np.int64(head & BLOCK_MASK)


@jit_inline
def find_slot(index, key):
    """Return the slot that holds `key`, or the free one where it would go."""
    size = np.uint64(len(index.slots))
    # A key is a product: its high bits are the well-mixed ones.
    slot = ((key >> np.uint64(32)) * size) >> np.uint64(32)
    while index.slots[slot, SLOT_KEY] != 0 and index.slots[slot, SLOT_KEY] != key:
        slot += np.uint64(1)
        if slot == size:
            slot = np.uint64(0)
    return slot


@jit_leaf
def insert_postings(index, keys, begin, end, a):
    """Put article `a` at the head of the chains of `keys[begin:end]`."""
    for k in range(begin, end):
        add_posting(index, keys[k], a)


@jit_inline
def add_posting(index, key, a):
    """Put article `a` at the head of the chain of a key."""
    blocks = index.blocks
    slot = find_slot(index, key)
    index.used[USED_KEYS] += index.slots[slot, SLOT_KEY] == 0
    index.slots[slot, SLOT_KEY] = key
    head = index.slots[slot, SLOT_HEAD]
    latest = get_latest_block(head)
    if latest == NO_BLOCK or blocks[latest + BLOCK_LENGTH] == blocks[latest + BLOCK_CAPACITY]:
        block = index.used[USED_CELLS]
        blocks[block + BLOCK_NEXT] = latest
        blocks[block + BLOCK_CAPACITY] = (
            min(2 * np.int64(blocks[latest + BLOCK_CAPACITY]), MAX_BLOCK_CAPACITY) if latest else 1
        )
        index.used[USED_CELLS] += BLOCK_ARTICLES + np.int64(blocks[block + BLOCK_CAPACITY])
        latest = block
    blocks[latest + BLOCK_ARTICLES + np.int64(blocks[latest + BLOCK_LENGTH])] = a
    blocks[latest + BLOCK_LENGTH] += 1
    length = min(get_chain_length(head) + 1, MAX_CHAIN_LENGTH)
    index.slots[slot, SLOT_HEAD] = np.uint64(length) << BLOCK_BITS | np.uint64(latest)


@jit_inline
def get_key_window(key, horizon):
    """Return how many days back the articles to come find postings of a key."""
    if horizon.undated_index.slots[find_slot(horizon.undated_index, key), SLOT_KEY] == key:
        return np.inf
    return horizon.copy_window_days if key & BAND_BIT else horizon.window_days


@jit_leaf
def fill_reachable(index, slot, today, horizon, out):
    """Write those of a slot's chain that are in reach into `out`, the latest first; return how many there are."""
    blocks, days, window = index.blocks, horizon.days, get_key_window(index.slots[slot, SLOT_KEY], horizon)
    block, n = get_latest_block(index.slots[slot, SLOT_HEAD]), 0
    while block:
        for k in range(np.int64(blocks[block + BLOCK_LENGTH]) - 1, -1, -1):
            owner = blocks[block + BLOCK_ARTICLES + k]
            if not today - days[owner] > window:
                out[n] = owner
                n += 1
        block = np.int64(blocks[block + BLOCK_NEXT])
    return n


@jit_leaf
def copy_reachable(index, target, today, horizon, scratch):
    """Put what is in reach into another index, the order of each chain kept; `spare` is scratch for a chain."""
    for slot in range(len(index.slots)):
        if index.slots[slot, SLOT_KEY]:
            for k in range(fill_reachable(index, slot, today, horizon, scratch) - 1, -1, -1):
                add_posting(target, index.slots[slot, SLOT_KEY], scratch[k])
