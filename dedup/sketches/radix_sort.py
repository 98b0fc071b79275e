"""Sort hashes: one counting pass over their highest bits, then insertion sort.

Hashes are evenly distributed, so with as many buckets as values little is left to do after the one pass. If they are not
(an adversarial input), insertion sort becomes Shellsort, whose worst case stays far from quadratic.
"""

import numpy as np

from dedup.jit import jit_leaf

MAX_BUCKET_BITS = 16
MAX_INSERTION_BUCKET = 16
"""If a bucket holds more values than this, Shellsort is used."""


def make_bucket_counts() -> np.ndarray:
    """Return the `counts` scratch for `sort_hashes`."""
    return np.zeros(1 << MAX_BUCKET_BITS, np.int64)


@jit_leaf
def sort_hashes(values, n, width, spare, counts):
    """Sort `values[:n]`, unsigned numbers of `width` bits, in place; `spare` (as long) and `counts` are scratch."""
    bits = 1
    while bits < MAX_BUCKET_BITS and (1 << bits) < n:
        bits += 1
    shift = width - bits
    # Count the values of each bucket, and move them there.
    for b in range(1 << bits):
        counts[b] = 0
    for i in range(n):
        counts[np.int64(values[i] >> shift)] += 1
    total = fullest = np.int64(0)
    for b in range(1 << bits):
        count = counts[b]
        counts[b] = total
        total += count
        fullest = max(fullest, count)
    for i in range(n):
        bucket = np.int64(values[i] >> shift)
        spare[counts[bucket]] = values[i]
        counts[bucket] += 1
    # Sort by insertion; with a full bucket, by Shellsort steps.
    step = 1 if fullest <= MAX_INSERTION_BUCKET else int(fullest) // 2
    while step:
        for i in range(step, n):
            value, slot = spare[i], i
            while slot >= step and spare[slot - step] > value:
                spare[slot] = spare[slot - step]
                slot -= step
            spare[slot] = value
        step = max(step * 4 // 9, 1) if step > 1 else 0
    for i in range(n):
        values[i] = spare[i]


@jit_leaf
def sort_distinct_hashes(values, n, width, spare, counts):
    """Sort `values[:n]` in place, drop repeats, and return the number of distinct values."""
    sort_hashes(values, n, width, spare, counts)
    distinct = 0
    for i in range(n):
        if i == 0 or values[i] != values[distinct - 1]:
            values[distinct] = values[i]
            distinct += 1
    return distinct
