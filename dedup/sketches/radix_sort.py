"""Sort hashes: one counting pass over their highest bits, then insertion sort.

Hashes are evenly distributed, so with as many buckets as values little is left to do after the one pass. If they are not
(an adversarial input), insertion sort becomes Shellsort, whose worst case stays far from quadratic.
"""

import numpy as np

from dedup.jit import jit

MAX_BUCKET_BITS = 16
MAX_INSERTION_BUCKET = 16
"""If a bucket holds more values than this, Shellsort is used."""


def make_bucket_counts() -> np.ndarray:
    """Return the scratch array of bucket counts for `sort_hashes`."""
    return np.zeros(1 << MAX_BUCKET_BITS, np.int64)


@jit
def sort_hashes(values, n, width, buffer, counts):
    """Sort `values[:n]`, unsigned numbers of `width` bits, in place; `buffer` (as long) and `counts` are scratch."""
    bits = 1
    while bits < MAX_BUCKET_BITS and (1 << bits) < n:
        bits += 1
    shift = width - bits
    # Count the values of each bucket, and move them there.
    for b in range(1 << bits):
        counts[b] = 0
    for i in range(n):
        counts[np.int64(values[i] >> shift)] += 1
    total = largest_count = np.int64(0)
    for b in range(1 << bits):
        count = counts[b]
        counts[b] = total
        total += count
        largest_count = max(largest_count, count)
    for i in range(n):
        bucket = np.int64(values[i] >> shift)
        buffer[counts[bucket]] = values[i]
        counts[bucket] += 1
    # Sort by insertion; with a full bucket, by Shellsort steps.
    step = 1 if largest_count <= MAX_INSERTION_BUCKET else int(largest_count) // 2
    while step:
        for i in range(step, n):
            value, slot = buffer[i], i
            while slot >= step and buffer[slot - step] > value:
                buffer[slot] = buffer[slot - step]
                slot -= step
            buffer[slot] = value
        step = max(step * 4 // 9, 1) if step > 1 else 0
    for i in range(n):
        values[i] = buffer[i]


@jit
def sort_distinct_hashes(values, n, width, buffer, counts):
    """Sort `values[:n]` in place, drop repeats, and return the number of distinct values."""
    sort_hashes(values, n, width, buffer, counts)
    distinct_count = 0
    for i in range(n):
        if i == 0 or values[i] != values[distinct_count - 1]:
            values[distinct_count] = values[i]
            distinct_count += 1
    return distinct_count
