"""Find candidates: indexed articles that share a MinHash band or enough salient terms with a new article.

Bands find copies (Broder 1997; *Mining of Massive Datasets*, section 3.4). Salient terms find rewrites, whose similarity
is too low for bands to tell them from unrelated articles. Both are *keys* of one inverted index
(`dedup.matching.inverted_index`). Its chains begin with the latest article, so in a corpus in date order a lookup stops
at the end of the window.
"""

from typing import Any, NamedTuple

import numpy as np

from dedup.jit import jit
from dedup.matching.context_evidence import MAX_NEIGHBOURS
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
"""The weight of a shared band; a shared term has 1. One shared band makes a candidate."""
MAX_OVERLAP = 8 * BAND_WEIGHT
INSERTION_SORT_LIMIT = 64
"""Up to this number of candidates, insertion sort is used; beyond it, counting sort."""


MIN_ARTICLES_PER_UNDATED = 8
"""With more than one undated article in this number, the index keeps all postings: tracking the keys of the undated
articles would not pay."""


class LookupScratch(NamedTuple):
    """The buffers of one thread for lookups. Between lookups, only `overlaps` must be clean."""

    keys: np.ndarray
    """uint64: the keys of the new article."""
    heads: np.ndarray
    """uint64: the heads of the chains of these keys."""
    candidates: np.ndarray
    """n, int32: the positions of the candidates."""
    sort_buffer: np.ndarray
    overlaps: np.ndarray
    """n, int32: by article, the weight of the keys shared with the new article; all 0 between lookups."""
    bucket_counts: np.ndarray
    neighbours: np.ndarray
    """`MAX_NEIGHBOURS`, int64: the positions of the nearest kept articles."""


def make_lookup_scratch(articles: int, keys_each: int) -> LookupScratch:
    """Return the buffers of a thread for `articles` articles of `keys_each` keys."""
    return LookupScratch(
        keys=np.empty(keys_each, np.uint64),
        heads=np.empty(keys_each, np.uint64),
        candidates=np.empty(articles, np.int32),
        sort_buffer=np.empty(articles, np.int32),
        overlaps=np.zeros(articles, np.int32),
        bucket_counts=np.empty(MAX_OVERLAP + 2, np.int64),
        neighbours=np.empty(MAX_NEIGHBOURS, np.int64),
    )


@jit
def fill_lookup_keys(s, a, out):
    """Write the keys (uint64) of article `a` into `out`, terms before bands; return (number of terms, number of keys)."""
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
    """Return the horizon of the articles in `order`: which postings later articles may still find.

    `in_order` means that the dates rise and undated articles come last. Without it, or with more than one undated article
    in `MIN_ARTICLES_PER_UNDATED`, all postings stay in reach.
    """
    undated = order[np.isnan(s.days[order])]
    is_bounded = in_order and len(undated) * MIN_ARTICLES_PER_UNDATED <= len(order)
    keys_each = s.salient.shape[1] + s.bands.shape[1]
    undated_index = make_index_for_articles(len(undated) if is_bounded else 0, keys_each)
    if is_bounded:
        index_articles(undated_index, s, undated, np.empty(keys_each, np.uint64))
    windows = (params.window_days, params.copy_window_days) if is_bounded else (np.inf, np.inf)
    return Horizon(s.days, windows[0], windows[1], undated_index)


@jit
def index_articles(index, s, articles, keys):
    """Insert articles into an index; `keys` is scratch."""
    for a in articles:
        _, n = fill_lookup_keys(s, a, keys)
        insert_postings(index, keys, 0, n, a)


@jit
def fill_candidates(index, days, terms, n, day, params, in_order, scratch):
    """Write the candidates of an article into `scratch.candidates`, largest overlap first.

    The keys of the article are the first `n` of `scratch.keys`, the first `terms` of them terms. `day` is its date,
    `days` has the dates of the indexed articles; `in_order` means that these were inserted by rising date. Return (number
    of candidates, number of candidates that share a band, whether `max_postings` was reached).
    """
    window, max_postings = params.window_days, params.max_postings
    candidate_count, terms_limited = count_shared_keys(
        index, days, 0, terms, day, window, max_postings, 1, in_order, scratch, 0
    )
    window = params.copy_window_days
    candidate_count, bands_limited = count_shared_keys(
        index, days, terms, n, day, window, max_postings, BAND_WEIGHT, in_order, scratch, candidate_count
    )
    n, banded_count = select_candidates(candidate_count, params, scratch)
    return n, banded_count, terms_limited | bands_limited


@jit
def select_candidates(candidate_count, params, scratch):
    """Move the candidates that share enough to the front, largest overlap first, and set all overlaps back to 0.

    Return (their number, the number of those that share a band).
    """
    candidates, overlaps = scratch.candidates, scratch.overlaps
    n, banded_count = 0, 0
    for t in range(candidate_count):
        other = candidates[t]
        if overlaps[other] >= params.shared_terms:
            candidates[n] = other
            n += 1
            banded_count += overlaps[other] >= BAND_WEIGHT
        else:
            overlaps[other] = 0
    sort_by_overlap(candidates, n, overlaps, scratch.sort_buffer, scratch.bucket_counts)
    for t in range(n):
        overlaps[candidates[t]] = 0
    return n, banded_count


@jit
def count_shared_keys(
    index, days, begin, end, day, window, max_postings, weight, in_order, scratch, candidate_count
):
    """Add `weight` to the overlap of each article within `window` days of `day`, for each of `keys[begin:end]` that it has.

    At most `max_postings` postings are read. If there are more, the shortest chains are read first: rare keys are
    stronger evidence. `scratch.candidates` already holds `candidate_count` articles. Return (new number of candidates, 1
    if the limit was reached, else 0).
    """
    candidates, overlaps, heads = scratch.candidates, scratch.overlaps, scratch.heads
    blocks = index.blocks
    has_date, remaining, posting_count = not np.isnan(day), max_postings, 0
    # Read the head of each chain; sort the chains by length only if not all can be read.
    for k in range(begin, end):
        heads[k] = index.slots[find_slot(index, scratch.keys[k]), SLOT_HEAD]
        posting_count += get_chain_length(heads[k])
    if posting_count > remaining:
        sort_ascending(heads, begin, end)
    for k in range(begin, end):
        # Walk the chain from the latest article back, and add the weight of the key.
        block = get_latest_block(heads[k])
        while block:
            cell = block + BLOCK_ARTICLES + np.int64(blocks[block + BLOCK_LENGTH])
            first_cell = block + BLOCK_ARTICLES
            block = np.int64(blocks[block + BLOCK_NEXT])
            while cell > first_cell:
                cell -= 1
                other = blocks[cell]
                if has_date and abs(day - days[other]) > window:
                    if in_order:
                        block = NO_BLOCK
                        break
                    continue
                if remaining == 0:
                    return candidate_count, 1
                remaining -= 1
                if overlaps[other] == 0:
                    candidates[candidate_count] = other
                    candidate_count += 1
                overlaps[other] += weight
    return candidate_count, 0


@jit
def sort_ascending(values, begin, end):
    """Sort `values[begin:end]` in place by insertion; meant for few values."""
    for k in range(begin + 1, end):
        value, slot = values[k], k
        while slot > begin and values[slot - 1] > value:
            values[slot] = values[slot - 1]
            slot -= 1
        values[slot] = value


@jit
def sort_by_overlap(candidates, n, overlaps, sort_buffer, bucket_counts):
    """Sort `candidates[:n]` by falling overlap, stably; overlaps above `MAX_OVERLAP` count as equal."""
    if n <= INSERTION_SORT_LIMIT:
        for t in range(1, n):
            other, slot = candidates[t], t
            overlap = min(overlaps[other], MAX_OVERLAP)
            while slot > 0 and min(overlaps[candidates[slot - 1]], MAX_OVERLAP) < overlap:
                candidates[slot] = candidates[slot - 1]
                slot -= 1
            candidates[slot] = other
        return
    # Counting sort, one bucket per overlap, the largest overlap first.
    bucket_counts[:] = 0
    for t in range(n):
        bucket_counts[MAX_OVERLAP - min(overlaps[candidates[t]], MAX_OVERLAP) + 1] += 1
    for k in range(MAX_OVERLAP + 1):
        bucket_counts[k + 1] += bucket_counts[k]
    for t in range(n):
        slot = MAX_OVERLAP - min(overlaps[candidates[t]], MAX_OVERLAP)
        sort_buffer[bucket_counts[slot]] = candidates[t]
        bucket_counts[slot] += 1
    for t in range(n):
        candidates[t] = sort_buffer[t]
