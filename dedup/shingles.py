"""Words → shingles: the text channel's sets of hashed word n-grams, and their exact Jaccard and containment.

In: the word hashes of a batch. Out: for each article its distinct shingle hashes, sorted, in one flat array with
offsets, so that two sets are compared by one merge. After Broder, "On the resemblance and containment of documents"
(1997), and *Mining of Massive Datasets*, section 3.2. A body shorter than a shingle is one shingle; an empty one has none.
"""

import numpy as np

from dedup.kernel import inlined, kernel
from dedup.words import QUOTED

MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
RADIX_BITS = 11
RADIX = 1 << RADIX_BITS
SMALL = 48
"""Below this many values insertion sort is faster than counting."""


@inlined
def extended(state, word):
    """Return the 64-bit state of a word sequence after one more word."""
    state = (state ^ np.uint64(word)) * MULTIPLIER
    return state ^ (state >> np.uint64(29))


@kernel
def sorted_distinct(values, n, spare):
    """Sort `values[:n]` (uint32) in place, drop repeats, and return how many are left. `spare` is scratch of the same length."""
    if n <= SMALL:
        for i in range(1, n):
            v, j = values[i], i - 1
            while j >= 0 and values[j] > v:
                values[j + 1] = values[j]
                j -= 1
            values[j + 1] = v
    else:
        counts = np.zeros((3, RADIX), np.int64)
        for i in range(n):
            v = values[i]
            counts[0, v & np.uint32(RADIX - 1)] += 1
            counts[1, (v >> np.uint32(RADIX_BITS)) & np.uint32(RADIX - 1)] += 1
            counts[2, v >> np.uint32(2 * RADIX_BITS)] += 1
        for digit in range(3):
            total = 0
            for b in range(RADIX):
                c = counts[digit, b]
                counts[digit, b] = total
                total += c
        for i in range(n):
            b = values[i] & np.uint32(RADIX - 1)
            spare[counts[0, b]] = values[i]
            counts[0, b] += 1
        for i in range(n):
            b = (spare[i] >> np.uint32(RADIX_BITS)) & np.uint32(RADIX - 1)
            values[counts[1, b]] = spare[i]
            counts[1, b] += 1
        for i in range(n):
            b = values[i] >> np.uint32(2 * RADIX_BITS)
            spare[counts[2, b]] = values[i]
            counts[2, b] += 1
        values[:n] = spare[:n]
    distinct = 0
    for i in range(n):
        if i == 0 or values[i] != values[distinct - 1]:
            values[distinct] = values[i]
            distinct += 1
    return distinct


@kernel
def shingle_sets(words, flags, offsets, titles, size, quoted):
    """Return (shingles, offsets, text hashes) of a batch: each article's distinct sorted shingles of `size` words.

    The title is no part of the text, unless there is nothing else. With `quoted`, only shingles that lie wholly inside
    quotation marks count. The text hash (uint64) is that of the whole word sequence; 0 where there are no words.
    """
    articles = len(offsets) - 1
    out = np.empty(len(words) + 1, np.uint32)
    ends = np.zeros(articles + 1, np.int64)
    texts = np.zeros(articles, np.uint64)
    longest = 0
    for a in range(articles):
        longest = max(longest, offsets[a + 1] - offsets[a])
    values = np.empty(longest + 1, np.uint32)
    spare = np.empty(longest + 1, np.uint32)
    total = 0
    for a in range(articles):
        begin, end = offsets[a] + titles[a], offsets[a + 1]
        if begin == end:
            begin = offsets[a]
        n = 0
        width = min(size, end - begin)
        state = np.uint64(end - begin)
        for i in range(begin, end):
            state = extended(state, words[i])
            if i + width > end:
                continue
            if quoted:
                inside = width == size
                for k in range(i, i + width):
                    inside = inside and flags[k] & QUOTED
                if not inside:
                    continue
            shingle = MULTIPLIER
            for k in range(i, i + width):
                shingle = extended(shingle, words[k])
            values[n] = np.uint32(shingle >> np.uint64(32))
            n += 1
        texts[a] = state if end > begin else np.uint64(0)
        n = sorted_distinct(values, n, spare)
        out[total : total + n] = values[:n]
        total += n
        ends[a + 1] = total
    return out[:total].copy(), ends, texts


@kernel
def shared(a, b):
    """Return how many values two sorted sets have in common."""
    i, j, n = 0, 0, 0
    while i < len(a) and j < len(b):
        x, y = a[i], b[j]
        n += x == y
        i += x <= y
        j += y <= x
    return n


@kernel
def jaccard(a, b):
    """Return the Jaccard similarity of two sorted sets, in [0, 1]; 0 when both are empty."""
    both = shared(a, b)
    either = len(a) + len(b) - both
    return both / either if either else 0.0


@kernel
def containment(a, b):
    """Return the share of the sorted set `a` that is found in `b`, in [0, 1]; 0 when `a` is empty."""
    return shared(a, b) / len(a) if len(a) else 0.0
