"""Sketches → candidate pairs: articles kept so far that share a band or enough salient terms with a new one.

In: a sketch and the index of those kept. Out: positions worth verifying, most shared first. Bands of the signature find
copies (Broder 1997; *Mining of Massive Datasets*, section 3.4), salient terms find rewrites, which live at similarities where
banding cannot tell them from unrelated articles. Both are *keys* of one index (`dedup.matching.inverted_index`), in whose
chains the latest article comes first, so that in a dated corpus a lookup stops where the window ends.
"""

from typing import Any, NamedTuple

import numpy as np

from dedup.jit import jit_leaf
from dedup.matching.evidence import MAX_NEIGHBOURS
from dedup.matching.inverted_index import (
    BLOCK_ARTICLES,
    BLOCK_LENGTH,
    BLOCK_NEXT,
    NO_BLOCK,
    SLOT_HEAD,
    Horizon,
    find_slot,
    get_chain_length,
    get_latest_block,
    insert_postings,
    make_band_key,
    make_index_for_articles,
    make_term_key,
)
from dedup.sketches.shingles import SEQUENCE_MULTIPLIER, update_sequence_hash

BAND_WEIGHT = 256
"""What a shared band counts beside a shared term: any band makes a candidate."""
MAX_OVERLAP = 8 * BAND_WEIGHT
INSERTION_SORT_LIMIT = 64
"""So many candidates are put in order by insertion; more are counted into place."""


MIN_ARTICLES_PER_UNDATED = 8
"""With more undated articles than one in so many it is not worth asking what those will look for."""


class LookupScratch(NamedTuple):
    """What a thread needs to look articles up; nothing of it is of use afterwards, but the candidates found."""

    keys: np.ndarray
    """uint64: the keys of the article looked up."""
    heads: np.ndarray
    """uint64: the heads of their chains."""
    candidates: np.ndarray
    """n, int32: its candidates."""
    sort_buffer: np.ndarray
    overlaps: np.ndarray
    """n, int32: what each article shares with it; all 0 between lookups."""
    bucket_counts: np.ndarray
    neighbours: np.ndarray
    """`MAX_NEIGHBOURS`, int64: the kept articles nearest to it."""


def make_lookup_scratch(articles: int, keys_each: int) -> LookupScratch:
    """Return a thread's scratch for so many articles of `keys_each` keys."""
    return LookupScratch(
        keys=np.empty(keys_each, np.uint64),
        heads=np.empty(keys_each, np.uint64),
        candidates=np.empty(articles, np.int32),
        sort_buffer=np.empty(articles, np.int32),
        overlaps=np.zeros(articles, np.int32),
        bucket_counts=np.empty(MAX_OVERLAP + 2, np.int64),
        neighbours=np.empty(MAX_NEIGHBOURS, np.int64),
    )


@jit_leaf
def fill_lookup_keys(s, a, out):
    """Write the keys (uint64) of sketch `a` into `out`, its terms first; return (terms, keys)."""
    n = 0
    for term in s.salient[a]:
        if term:
            out[n] = make_term_key(update_sequence_hash(SEQUENCE_MULTIPLIER, term))
            n += 1
    terms = n
    for band, value in enumerate(s.bands[a]):
        if value:
            out[n] = make_band_key(
                update_sequence_hash(
                    SEQUENCE_MULTIPLIER, np.uint64(band + 1) << np.uint64(40) | np.uint64(value)
                )
            )
            n += 1
    return terms, n


def build_horizon(s: Any, order: np.ndarray, params: Any, *, in_order: bool) -> Horizon:
    """Return what articles taken in `order` may still find; with `in_order`, which is by date, the undated are its last.

    Out of order, or where more than one in `MIN_ARTICLES_PER_UNDATED` has no date, all is in reach for ever.
    """
    undated = order[np.isnan(s.days[order])]
    ends = in_order and len(undated) * MIN_ARTICLES_PER_UNDATED <= len(order)
    each = s.salient.shape[1] + s.bands.shape[1]
    wanted = make_index_for_articles(len(undated) if ends else 0, each)
    if ends:
        index_articles(wanted, s, undated, np.empty(each, np.uint64))
    windows = (params.window_days, params.copy_window_days) if ends else (np.inf, np.inf)
    return Horizon(s.days, windows[0], windows[1], wanted)


@jit_leaf
def index_articles(index, s, articles, keys):
    """Put some articles into an index; `keys` is scratch."""
    for a in articles:
        _, n = fill_lookup_keys(s, a, keys)
        insert_postings(index, keys, 0, n, a)


@jit_leaf
def fill_candidates(index, days, terms, n, day, params, in_order, scratch):
    """Write the candidates of the article whose keys lie in the scratch into `scratch.candidates`, most shared first.

    Return (how many, how many of them share a band, whether `max_postings` was reached). `days` are those of the
    articles in the index; with `in_order` they came by rising date.
    """
    found, shares = scratch.candidates, scratch.overlaps
    window, most = params.window_days, params.max_postings
    touched, fewer = count_shared_keys(index, days, 0, terms, day, window, most, 1, in_order, scratch, 0)
    window = params.copy_window_days
    touched, cut = count_shared_keys(
        index, days, terms, n, day, window, most, BAND_WEIGHT, in_order, scratch, touched
    )
    n, banded = 0, 0
    for t in range(touched):
        other = found[t]
        if shares[other] >= params.shared_terms:
            found[n] = other
            n += 1
            banded += shares[other] >= BAND_WEIGHT
        else:
            shares[other] = 0
    sort_by_overlap(found, n, shares, scratch.sort_buffer, scratch.bucket_counts)
    for t in range(n):
        shares[found[t]] = 0
    return n, banded, fewer | cut


@jit_leaf
def count_shared_keys(
    index, days, begin, end, day, window, max_postings, weight, in_order, scratch, candidate_count
):
    """Count what articles within the window of a day share with one by `keys[begin:end]`; each key `counts` so much.

    At most so many postings (`most`) are looked at. Where there are more, the shortest chains go first: rare keys say more,
    and reach further. There are `touched` articles in `scratch.candidates` already; return (how many then, whether there were
    more).
    """
    found, shares, heads = scratch.candidates, scratch.overlaps, scratch.heads
    blocks = index.blocks
    dated, left, all_of_them = not np.isnan(day), max_postings, 0
    for k in range(begin, end):
        heads[k] = index.slots[find_slot(index, scratch.keys[k]), SLOT_HEAD]
        all_of_them += get_chain_length(heads[k])
    if all_of_them > left:
        sort_ascending(heads, begin, end)
    for k in range(begin, end):
        block = get_latest_block(heads[k])
        while block:
            place = block + BLOCK_ARTICLES + np.int64(blocks[block + BLOCK_LENGTH])
            first = block + BLOCK_ARTICLES
            block = np.int64(blocks[block + BLOCK_NEXT])
            while place > first:
                place -= 1
                other = blocks[place]
                if dated and abs(day - days[other]) > window:
                    if in_order:
                        block = NO_BLOCK
                        break
                    continue
                if left == 0:
                    return candidate_count, 1
                left -= 1
                if shares[other] == 0:
                    found[candidate_count] = other
                    candidate_count += 1
                shares[other] += weight
    return candidate_count, 0


@jit_leaf
def sort_ascending(values, begin, end):
    """Put `values[begin:end]`, which are few, in rising order."""
    for k in range(begin + 1, end):
        value, place = values[k], k
        while place > begin and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value


@jit_leaf
def sort_by_overlap(candidates, n, overlaps, sort_buffer, bucket_counts):
    """Put `found[:n]` in order of falling `shares`, equals as they stand; what is shared beyond `MAX_OVERLAP` is equal."""
    if n <= INSERTION_SORT_LIMIT:
        for t in range(1, n):
            other, place = candidates[t], t
            share = min(overlaps[other], MAX_OVERLAP)
            while place > 0 and min(overlaps[candidates[place - 1]], MAX_OVERLAP) < share:
                candidates[place] = candidates[place - 1]
                place -= 1
            candidates[place] = other
        return
    bucket_counts[:] = 0
    for t in range(n):
        bucket_counts[MAX_OVERLAP - min(overlaps[candidates[t]], MAX_OVERLAP) + 1] += 1
    for k in range(MAX_OVERLAP + 1):
        bucket_counts[k + 1] += bucket_counts[k]
    for t in range(n):
        place = MAX_OVERLAP - min(overlaps[candidates[t]], MAX_OVERLAP)
        sort_buffer[bucket_counts[place]] = candidates[t]
        bucket_counts[place] += 1
    for t in range(n):
        candidates[t] = sort_buffer[t]
