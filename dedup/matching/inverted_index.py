"""Store which articles have which keys: an inverted index in memory that drops postings no later article can find.

An open-addressing table leads from a key to a chain of articles, the latest first. A chain consists of blocks, each twice
as long as the one before it, so a lookup waits for memory once per block and not once per article. If articles come by
rising date, a full index is first copied without the postings that lie before the windows of all later articles. So it
stays as large as one window of news, for a corpus of any length, and closer to the processor; lookups find the same
articles.
"""

import secrets
from typing import NamedTuple

import numpy as np

from dedup.jit import jit, jit_inline

SLOT_KEY, SLOT_HEAD = 0, 1
"""Columns of the table: the key (0 if the slot is free) and the packed head of its chain."""
BLOCK_BITS = np.uint64(40)
"""The low bits of a head hold the offset of the latest block of the chain; the high bits hold the length of the chain."""
BLOCK_MASK = (np.uint64(1) << BLOCK_BITS) - np.uint64(1)
MAX_CHAIN_LENGTH = (1 << 24) - 1
BLOCK_NEXT, BLOCK_LENGTH, BLOCK_CAPACITY, BLOCK_ARTICLES = range(4)
"""Cells of a block: the offset of the older block, the number of articles in it, its capacity, and then the articles."""
MAX_BLOCK_CAPACITY = 29
"""The longest block fills two cache lines."""
NO_BLOCK = np.int64(0)
CELLS_PER_POSTING = 5
"""The maximum number of cells per posting in an index filled from empty: the worst case is a chain of two articles, in
nine cells."""
MAX_CELLS_PER_POSTING = BLOCK_ARTICLES + MAX_BLOCK_CAPACITY
"""The maximum number of cells that one more posting takes: a new block of a long chain."""
USED_CELLS, USED_KEYS, SLOT_FACTOR = 0, 1, 2
"""Positions in `InvertedIndex.used`: cells of the blocks, slots of the table, and the secret factor of its slots."""
PROCESS_FACTOR = secrets.randbits(63) | 1
"""The secret factor of all tables of this process, odd. It decides where a key stands, and no answer: without it, words that were
crafted for their hashes would all stand in one place, and a lookup would take time in proportion to their number."""
BAND_BIT = np.uint64(1)
"""The lowest bit of a key tells bands from terms, which have different windows."""
GROWTH_FACTOR = 2
"""An index that grows gets room for this many times as much."""
MAX_REACHABLE_SHARE = 0.75
"""An index grows if more than this share of its keys is still in reach; otherwise it would soon be full again."""
MIN_INITIAL_ARTICLES = 1 << 15
"""A new index has room for at least this number of articles (or all, if there are fewer), regardless of their dates."""
MAX_INITIAL_POSTINGS = 1 << 23
"""A new index has room for at most this number of postings: some hundred megabytes, which the system provides as they are
used."""


class InvertedIndex(NamedTuple):
    """An inverted index in memory: a table of keys, and chains of postings in blocks."""

    slots: np.ndarray
    """Slots × 2, uint64: `SLOT_KEY` and `SLOT_HEAD`, in the order of the mixed keys except for collisions."""
    blocks: np.ndarray
    """Cells (int32 or int64): the blocks of postings end to end, from cell 1 on."""
    used: np.ndarray
    """`USED_CELLS`, `USED_KEYS` and `SLOT_FACTOR`: the cells and slots in use, and the factor of the slots."""


class Horizon(NamedTuple):
    """The postings that later articles may find: those within a window, and those with a key of an undated article."""

    days: np.ndarray
    """n, float64: the dates of the articles; NaN if unknown. Undated articles are always in reach."""
    window_days: float
    copy_window_days: float
    undated_index: InvertedIndex
    """The keys of the undated articles still to come, whose lookups have no window."""


def make_index_for_articles(articles: int, keys_each: int) -> InvertedIndex:
    """Return an empty index with room for `articles` articles of `keys_each` keys each."""
    return make_index_for_postings(articles * keys_each, articles * keys_each)


def make_initial_index(
    days: np.ndarray, horizon: Horizon, keys_each: tuple[int, int], chunk: int, prior_count: int = 0
) -> InvertedIndex:
    """Return an empty index with room for the prior articles and the most articles that are in reach at one time.

    `days` rise, undated last. `keys_each` is (terms, bands) per article. There is room for one more chunk. A small corpus
    fits as a whole; the room for a very large one is limited to `MAX_INITIAL_POSTINGS`.
    """
    windows = horizon.window_days, horizon.copy_window_days
    article_counts = [
        min(max(count_max_in_window(days, window) + chunk, MIN_INITIAL_ARTICLES), len(days))
        for window in windows
    ]
    keys = min(
        sum(articles * count for articles, count in zip(article_counts, keys_each, strict=True)),
        MAX_INITIAL_POSTINGS,
    )
    keys += prior_count * sum(keys_each)
    spare_cells = MAX_CELLS_PER_POSTING * min(chunk, len(days)) * sum(keys_each)
    return make_empty_index(compute_slot_count(keys), 1 + CELLS_PER_POSTING * keys + spare_cells)


def count_max_in_window(days: np.ndarray, window: float) -> int:
    """Return the maximum number of articles within any window of `window` days; undated articles always count.

    `days` rise, with NaN last.

    >>> count_max_in_window(np.array([1.0, 2.0, 3.0, 9.0, np.nan]), 2.0)
    4
    """
    if np.isinf(window) or not len(days):
        return len(days)
    dated = days[~np.isnan(days)]
    counts = np.arange(1, len(dated) + 1) - np.searchsorted(dated, dated - window)
    return int(counts.max(initial=0)) + len(days) - len(dated)


def make_index_for_postings(keys: int, postings: int) -> InvertedIndex:
    """Return an empty index with room for `postings` postings of `keys` keys."""
    return make_empty_index(compute_slot_count(keys), 1 + CELLS_PER_POSTING * max(1, postings))


def compute_slot_count(keys: int) -> int:
    """Return the number of slots for `keys` keys: a third stay free, so that a key is found within a few steps."""
    return 2 + keys + keys // 2


def make_empty_index(slots: int, cells: int) -> InvertedIndex:
    """Return an empty index of `slots` slots and `cells` cells."""
    dtype = np.int32 if cells < 2**31 else np.int64
    return InvertedIndex(
        np.zeros((slots, 2), np.uint64), np.zeros(cells, dtype), np.array([1, 0, PROCESS_FACTOR])
    )


def has_room(index: InvertedIndex, posting_count: int) -> bool:
    """Return whether an index has room for `posting_count` more postings."""
    slots, cells = len(index.slots), len(index.blocks)
    return bool(
        index.used[USED_KEYS] + posting_count <= 2 * slots // 3
        and index.used[USED_CELLS] + MAX_CELLS_PER_POSTING * posting_count <= cells
    )


def ensure_room(index: InvertedIndex, posting_count: int, today: float, horizon: Horizon) -> InvertedIndex:
    """Return an index with room for more postings: the same one, or a copy of the postings still in reach at `today`.

    All later articles are dated `today` or later, or undated. If `today` is -inf, all postings are in reach.
    """
    if has_room(index, posting_count):
        return index
    scratch = np.empty(len(horizon.days), np.int64)
    if np.isfinite(today - horizon.copy_window_days):
        copy = make_empty_index(len(index.slots), len(index.blocks))
        copy_reachable(index, copy, today, horizon, scratch)
        if copy.used[USED_KEYS] <= MAX_REACHABLE_SHARE * index.used[USED_KEYS] and has_room(
            copy, posting_count
        ):
            return copy
        index = copy
    key_count, cell_count = (GROWTH_FACTOR * int(index.used[kind]) for kind in (USED_KEYS, USED_CELLS))
    copy = make_empty_index(
        compute_slot_count(key_count + posting_count), cell_count + MAX_CELLS_PER_POSTING * posting_count
    )
    copy_reachable(index, copy, today, horizon, scratch)
    return copy


@jit
def clear_index(index):
    """Remove all postings from an index."""
    index.slots[:] = 0
    index.blocks[: index.used[USED_CELLS]] = 0
    index.used[USED_CELLS] = 1
    index.used[USED_KEYS] = 0


@jit_inline
def make_term_key(key):
    """Mark a key (uint64) as a term."""
    return key & ~BAND_BIT


@jit_inline
def make_band_key(key):
    """Mark a key (uint64) as a band."""
    return key | BAND_BIT


@jit_inline
def get_chain_length(head):
    """Return the number of articles on a chain, at most `MAX_CHAIN_LENGTH`."""
    return np.int64(head >> BLOCK_BITS)


@jit_inline
def get_latest_block(head):
    """Return the offset of the latest block of a chain; `NO_BLOCK` for an empty chain."""
    return np.int64(head & BLOCK_MASK)


@jit_inline
def find_slot(index, key):
    """Return the slot of `key`, or the free slot where it belongs."""
    size = np.uint64(len(index.slots))
    # The high bits of a product are mixed best; nobody outside the process knows the factor.
    mixed = (key * np.uint64(index.used[SLOT_FACTOR])) >> np.uint64(32)
    slot = (mixed * size) >> np.uint64(32)
    while index.slots[slot, SLOT_KEY] != 0 and index.slots[slot, SLOT_KEY] != key:
        slot += np.uint64(1)
        if slot == size:
            slot = np.uint64(0)
    return slot


@jit
def insert_postings(index, keys, begin, end, a):
    """Add article `a` to the chains of `keys[begin:end]`."""
    for k in range(begin, end):
        add_posting(index, keys[k], a)


@jit_inline
def add_posting(index, key, a):
    """Add article `a` to the chain of a key."""
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
    """Return how many days back later articles find postings of a key; infinity if an undated article has it."""
    if horizon.undated_index.slots[find_slot(horizon.undated_index, key), SLOT_KEY] == key:
        return np.inf
    return horizon.copy_window_days if key & BAND_BIT else horizon.window_days


@jit
def fill_reachable(index, slot, today, horizon, out):
    """Write the articles of a chain that are in reach into `out`, latest first; return their number."""
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


@jit
def copy_reachable(index, target, today, horizon, scratch):
    """Copy the postings in reach into the index `target`, keeping the order of each chain; `scratch` holds one chain."""
    for slot in range(len(index.slots)):
        if index.slots[slot, SLOT_KEY]:
            for k in range(fill_reachable(index, slot, today, horizon, scratch) - 1, -1, -1):
                add_posting(target, index.slots[slot, SLOT_KEY], scratch[k])
