"""Sketches → candidate pairs: articles kept so far that share a band or enough salient terms with a new one.

In: a sketch and the index of those kept. Out: positions worth verifying, most shared first. Bands of the signature find
copies (Broder 1997; *Mining of Massive Datasets*, section 3.4), salient terms find rewrites, which live at similarities where
banding cannot tell them from unrelated articles. Both are *keys* of one index (`dedup.matching.inverted_index`), in whose
chains the latest article comes first, so that in a dated corpus a lookup stops where the window ends.
"""

from typing import Any, NamedTuple

import numpy as np

from dedup.jit import leaf
from dedup.matching.evidence import MOST_NEIGHBOURS
from dedup.matching.inverted_index import (
    HEAD,
    LENGTH,
    NEXT,
    NOWHERE,
    OWNERS,
    Reach,
    insert,
    latest_of,
    length_of,
    of_band,
    of_term,
    postings_for,
    slot_of,
)
from dedup.sketches.shingles import MULTIPLIER, extended

BAND = 256
"""What a shared band counts beside a shared term: any band makes a candidate."""
MOST_SHARED = 8 * BAND
FEW = 64
"""So many candidates are put in order by insertion; more are counted into place."""


DATED = 8
"""With more undated articles than one in so many it is not worth asking what those will look for."""


class Scratch(NamedTuple):
    """What a thread needs to look articles up; nothing of it is of use afterwards, but the candidates found."""

    keys: np.ndarray
    """uint64: the keys of the article looked up."""
    heads: np.ndarray
    """uint64: the heads of their chains."""
    found: np.ndarray
    """n, int32: its candidates."""
    ordered: np.ndarray
    shares: np.ndarray
    """n, int32: what each article shares with it; all 0 between lookups."""
    counts: np.ndarray
    neighbours: np.ndarray
    """`MOST_NEIGHBOURS`, int64: the kept articles nearest to it."""


def scratch_for(articles: int, keys_each: int) -> Scratch:
    """Return a thread's scratch for so many articles of `keys_each` keys."""
    return Scratch(
        keys=np.empty(keys_each, np.uint64),
        heads=np.empty(keys_each, np.uint64),
        found=np.empty(articles, np.int32),
        ordered=np.empty(articles, np.int32),
        shares=np.zeros(articles, np.int32),
        counts=np.empty(MOST_SHARED + 2, np.int64),
        neighbours=np.empty(MOST_NEIGHBOURS, np.int64),
    )


@leaf
def keys_of(s, a, out):
    """Write the keys (uint64) of sketch `a` into `out`, its terms first; return (terms, keys)."""
    n = 0
    for term in s.salient[a]:
        if term:
            out[n] = of_term(extended(MULTIPLIER, term))
            n += 1
    terms = n
    for band, value in enumerate(s.bands[a]):
        if value:
            out[n] = of_band(extended(MULTIPLIER, np.uint64(band + 1) << np.uint64(40) | np.uint64(value)))
            n += 1
    return terms, n


def reach_of(s: Any, order: np.ndarray, rules: Any, *, in_order: bool) -> Reach:
    """Return what articles taken in `order` may still find; with `in_order`, which is by date, the undated are its last.

    Out of order, or where more than one in `DATED` has no date, all is in reach for ever.
    """
    undated = order[np.isnan(s.days[order])]
    ends = in_order and len(undated) * DATED <= len(order)
    each = s.salient.shape[1] + s.bands.shape[1]
    wanted = postings_for(len(undated) if ends else 0, each)
    if ends:
        insert_all(wanted, s, undated, np.empty(each, np.uint64))
    windows = (rules.window_days, rules.copy_window_days) if ends else (np.inf, np.inf)
    return Reach(s.days, windows[0], windows[1], wanted)


@leaf
def insert_all(index, s, articles, keys):
    """Put some articles into an index; `keys` is scratch."""
    for a in articles:
        _, n = keys_of(s, a, keys)
        insert(index, keys, 0, n, a)


@leaf
def fill_candidates(index, days, terms, n, day, rules, in_order, scratch):
    """Write the candidates of an article of some `day`, whose keys lie in the scratch, into `scratch.found`, most shared first.

    Return (how many, how many of them share a band, whether `max_postings` was reached). `days` are those of the
    articles in the index; with `in_order` they came by rising date.
    """
    found, shares = scratch.found, scratch.shares
    window, most = rules.window_days, rules.max_postings
    touched, fewer = touch(index, days, 0, terms, day, window, most, 1, in_order, scratch, 0)
    window = rules.copy_window_days
    touched, cut = touch(index, days, terms, n, day, window, most, BAND, in_order, scratch, touched)
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
    return n, banded, fewer | cut


@leaf
def touch(index, days, begin, end, day, window, most, counts, in_order, scratch, touched):
    """Count what articles within the window of a day share with one by `keys[begin:end]`; each key `counts` so much.

    At most so many postings (`most`) are looked at. Where there are more, the shortest chains go first: rare keys say more,
    and reach further. There are `touched` articles in `scratch.found` already; return (how many then, whether there were more).
    """
    found, shares, heads = scratch.found, scratch.shares, scratch.heads
    blocks = index.blocks
    dated, left, all_of_them = not np.isnan(day), most, 0
    for k in range(begin, end):
        heads[k] = index.slots[slot_of(index, scratch.keys[k]), HEAD]
        all_of_them += length_of(heads[k])
    if all_of_them > left:
        put_in_order(heads, begin, end)
    for k in range(begin, end):
        block = latest_of(heads[k])
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
                    return touched, 1
                left -= 1
                if shares[other] == 0:
                    found[touched] = other
                    touched += 1
                shares[other] += counts
    return touched, 0


@leaf
def put_in_order(values, begin, end):
    """Put `values[begin:end]`, which are few, in rising order."""
    for k in range(begin + 1, end):
        value, place = values[k], k
        while place > begin and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value


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
