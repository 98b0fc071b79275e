"""Keep the keys of a range of articles as sorted arrays: a third of the room of a hash table, and bytes that can be stored.

A `KeyRun` never changes once it is built. Its keys stand in rising order, each with the articles that have it, the latest last.
A directory over the high bits of the keys leads to a few keys, among which a binary search finds one: keys that were crafted to
lie in one place of the directory cost a logarithm, not a scan. Everything in a run follows from the rows of its articles.
"""

from typing import NamedTuple

import numpy as np

from dedup.jit import jit, jit_inline
from dedup.matching.candidates import BAND_WEIGHT, fill_lookup_keys, select_candidates, sort_ascending
from dedup.matching.inverted_index import BLOCK_BITS, get_chain_length, get_latest_block

LEVEL_NONE, LEVEL_BANDS, LEVEL_ALL = 0, 1, 2
"""The ways to look an article up: not at all, by its bands, or by its terms too."""
RUN_ARTICLES = 1 << 15
"""The number of articles in a run. An article of a run fits 16 bits."""
DIGIT_BITS = 11
DIGITS = 1 << DIGIT_BITS
HEADER = np.dtype([("keys", "<u8"), ("postings", "<u8")])


class LookupKeys(NamedTuple):
    """The keys of n articles: the part of a sketch that `fill_lookup_keys` reads."""

    salient: np.ndarray
    """n × salient terms, uint32."""
    bands: np.ndarray
    """n × bands, uint32."""


class KeyRun(NamedTuple):
    """The k keys of up to `RUN_ARTICLES` articles, with p postings."""

    directory: np.ndarray
    """k + 1 (at least 2), int32: for each of k equal ranges of keys, where its keys start, and the end."""
    keys: np.ndarray
    """k, uint64: rising."""
    starts: np.ndarray
    """k + 1, int32: where the articles of each key start, and the end."""
    articles: np.ndarray
    """p, uint16: the place of each article in the run, rising within a key."""


def build_key_run(keys: LookupKeys, places: np.ndarray, levels: np.ndarray) -> KeyRun:
    """Return the run of the articles at `places` (n, rising, below `RUN_ARTICLES`), by their keys and levels."""
    most = len(places) * (keys.salient.shape[1] + keys.bands.shape[1])
    found, articles = np.empty(most, np.uint64), np.empty(most, np.uint16)
    scratch = np.empty(keys.salient.shape[1] + keys.bands.shape[1], np.uint64)
    n = list_postings(keys, places, levels, scratch, found, articles)
    found, articles = found[:n].copy(), articles[:n].copy()
    sort_postings(found, articles, np.empty_like(found), np.empty_like(articles), np.empty(DIGITS, np.int64))
    starts = np.flatnonzero(np.concatenate([[True], found[1:] != found[:-1]])) if n else np.zeros(0, np.int64)
    return freeze_run(found[starts], np.append(starts, n).astype(np.int32), articles)


def freeze_run(keys: np.ndarray, starts: np.ndarray, articles: np.ndarray) -> KeyRun:
    """Return a run with its directory; nothing can be written to its arrays."""
    size = max(len(keys), 1)
    ranges = ((keys >> np.uint64(32)) * np.uint64(size)) >> np.uint64(32)
    counts = np.bincount(ranges.astype(np.int64), minlength=size)
    run = KeyRun(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32), keys, starts, articles)
    for array in run:
        array.flags.writeable = False
    return run


def pack_key_run(run: KeyRun) -> bytes:
    """Return a run as bytes; the directory is left out, as it follows from the keys."""
    head = np.array((len(run.keys), len(run.articles)), HEADER)
    return b"".join(part.tobytes() for part in (head, run.keys, run.starts, run.articles))


def unpack_key_run(data: memoryview, articles: int) -> KeyRun:
    """Return the run of `articles` articles that `pack_key_run` packed into these bytes; ValueError if it did not pack them."""
    if len(data) < HEADER.itemsize:
        raise ValueError("the keys of articles are cut short")
    keys, postings = np.frombuffer(data, HEADER, 1)[0].tolist()
    if len(data) != HEADER.itemsize + 12 * keys + 4 + 2 * postings:
        raise ValueError("the keys of articles are cut short")
    found = np.frombuffer(data, "<u8", keys, HEADER.itemsize)
    starts = np.frombuffer(data, "<i4", keys + 1, HEADER.itemsize + 8 * keys)
    places = np.frombuffer(data, "<u2", postings, HEADER.itemsize + 12 * keys + 4)
    if (
        (found[1:] <= found[:-1]).any()
        or (starts[0], starts[-1]) != (0, postings)
        or (starts[1:] <= starts[:-1]).any()
        or (places >= articles).any()
    ):
        raise ValueError("the keys of articles are out of order")
    return freeze_run(found, starts, places)


@jit
def list_postings(keys, places, levels, scratch, found, articles):
    """Write the keys of all articles into `found`, with the place of each; return their number."""
    n = 0
    for k in range(len(places)):
        terms, end = fill_lookup_keys(keys, k, scratch)
        for i in range(0 if levels[k] == LEVEL_ALL else terms, end):
            found[n], articles[n] = scratch[i], places[k]
            n += 1
    return n


@jit
def sort_postings(keys, articles, spare_keys, spare_articles, counts):
    """Sort postings by their keys, stably, with a radix sort: its time does not depend on the keys."""
    for shift in range(0, 64, 2 * DIGIT_BITS):
        sort_by_digit(keys, articles, spare_keys, spare_articles, np.uint64(shift), counts)
        sort_by_digit(spare_keys, spare_articles, keys, articles, np.uint64(shift + DIGIT_BITS), counts)


@jit
def sort_by_digit(keys, articles, out_keys, out_articles, shift, counts):
    """Write postings in order of one digit of their keys."""
    last = np.uint64(DIGITS - 1)
    counts[:] = 0
    for key in keys:
        counts[(key >> shift) & last] += 1
    start = np.int64(0)
    for digit in range(DIGITS):
        count = counts[digit]
        counts[digit] = start
        start += count
    for i in range(len(keys)):
        digit = (keys[i] >> shift) & last
        out_keys[counts[digit]], out_articles[counts[digit]] = keys[i], articles[i]
        counts[digit] += 1


@jit_inline
def find_chain(run, key):
    """Return the start and the number of the articles of a key, packed like the head of a chain; 0 for an unknown key."""
    place = ((key >> np.uint64(32)) * np.uint64(len(run.directory) - 1)) >> np.uint64(32)
    low, high = np.int64(run.directory[place]), np.int64(run.directory[place + np.uint64(1)])
    while low < high:
        middle = (low + high) >> 1
        if run.keys[middle] < key:
            low = middle + 1
        elif run.keys[middle] > key:
            high = middle
        else:
            start = np.int64(run.starts[middle])
            return np.uint64(run.starts[middle + 1] - start) << BLOCK_BITS | np.uint64(start)
    return np.uint64(0)


@jit
def count_run_keys(run, first, days, begin, end, day, window, max_postings, weight, in_order, scratch, count):
    """Count the keys `scratch.keys[begin:end]` that articles of a run share, as `candidates.count_shared_keys` does.

    The articles of the run stand at the slots from `first` on.
    """
    candidates, overlaps, heads = scratch.candidates, scratch.overlaps, scratch.heads
    is_dated, left, postings = not np.isnan(day), max_postings, 0
    for k in range(begin, end):
        heads[k] = find_chain(run, scratch.keys[k])
        postings += get_chain_length(heads[k])
    if postings > left:
        sort_ascending(heads, begin, end)
    for k in range(begin, end):
        start = get_latest_block(heads[k])
        for place in range(start + get_chain_length(heads[k]) - 1, start - 1, -1):
            other = first + np.int64(run.articles[place])
            if is_dated and abs(day - days[other]) > window:
                if in_order:
                    break
                continue
            if left == 0:
                return count, 1
            left -= 1
            if overlaps[other] == 0:
                candidates[count] = other
                count += 1
            overlaps[other] += weight
    return count, 0


@jit
def mark_near_in_run(
    s,
    members,
    rules,
    run,
    first,
    latest,
    days,
    leaders,
    storylines,
    marks,
    in_order,
    scratch,
    wanted,
    bounded,
):
    """Mark in `wanted` the candidates of all members in a run, as `lookup.mark_near_articles` does for a table.

    `latest` is the latest day of the run, infinite where one is unknown: terms that are out of reach are not looked up.
    """
    for i, a in enumerate(members):
        day = s.days[a]
        if s.lengths[a] < rules.min_words or day - latest > max(rules.copy_window_days, rules.window_days):
            continue
        terms, end = fill_lookup_keys(s, a, scratch.keys)
        count, terms_limited, bands_limited = 0, 0, 0
        if not day - latest > rules.window_days:
            count, terms_limited = count_run_keys(
                run,
                first,
                days,
                0,
                terms,
                day,
                rules.window_days,
                rules.max_postings,
                1,
                in_order,
                scratch,
                0,
            )
        if not day - latest > rules.copy_window_days:
            count, bands_limited = count_run_keys(
                run,
                first,
                days,
                terms,
                end,
                day,
                rules.copy_window_days,
                rules.max_postings,
                BAND_WEIGHT,
                in_order,
                scratch,
                count,
            )
        bounded[i] |= (terms_limited | bands_limited) != 0
        n, _ = select_candidates(count, rules, scratch)
        mark_candidates(n, rules, leaders, storylines, marks, scratch, wanted, bounded, i)


@jit
def mark_candidates(n, rules, leaders, storylines, marks, scratch, wanted, bounded, i):
    """Mark the first n candidates of member `i`, as many as a lookup may return, with their leaders and storylines."""
    kept, dropped = 0, 0
    for k in range(n):
        member = scratch.candidates[k]
        if marks[member] == LEVEL_NONE:
            continue
        is_kept = leaders[member] == member
        kept += is_kept
        dropped += not is_kept
        if (kept if is_kept else dropped) <= rules.max_candidates:
            wanted[member] = True
            wanted[leaders[member]] = True
            wanted[storylines[member]] = True
        else:
            bounded[i] = True
