"""Words → shingles: the text channel's sets of hashed word n-grams.

In: the word hashes of a batch. Out: for each article its distinct shingle hashes, sorted, in one flat array with
offsets, so that two sets are compared by one merge; those inside quotation marks once more, by themselves. After Broder,
"On the resemblance and containment of documents" (1997), and *Mining of Massive Datasets*, section 3.2. A body shorter than
a shingle is one shingle; an empty one has none.
"""

import numpy as np

from dedup.jit import jit, jit_inline, jit_leaf
from dedup.sketches.radix_sort import make_bucket_counts, sort_distinct_hashes
from dedup.text.tokenizer import IN_QUOTES

SEQUENCE_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@jit_inline
def update_sequence_hash(state, word):
    """Return the 64-bit state of a word sequence after one more word."""
    state = (state ^ np.uint64(word)) * SEQUENCE_MULTIPLIER
    return state ^ (state >> np.uint64(29))


def build_shingle_sets(
    words: np.ndarray, flags: np.ndarray, offsets: np.ndarray, titles: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (shingles, offsets, quotes, quote offsets, text hashes) of a batch.

    An article's shingles are the distinct hashes of `size` words in a row, sorted; its quotes are those that lie wholly
    inside quotation marks. The title is no part of the text, unless there is nothing else. The text hash
    (uint64) is that of the whole word sequence; 0 where there are no words.
    """
    return fill_shingle_sets(words, flags, offsets, titles, size, make_bucket_counts())


@jit
def fill_shingle_sets(words, flags, offsets, titles, size, counts):
    """See `build_shingle_sets`; `counts` is scratch."""
    articles = len(offsets) - 1
    out, out_quotes = np.empty(len(words) + 1, np.uint32), np.empty(len(words) + 1, np.uint32)
    ends, quote_ends = np.zeros(articles + 1, np.int64), np.zeros(articles + 1, np.int64)
    texts = np.zeros(articles, np.uint64)
    longest = 0
    for a in range(articles):
        longest = max(longest, offsets[a + 1] - offsets[a])
    spare = np.empty(longest + 1, np.uint32)
    for a in range(articles):
        begin, end = offsets[a] + titles[a], offsets[a + 1]
        if begin == end:
            begin = offsets[a]
        width = min(size, end - begin)
        values, quotes = out[ends[a] :], out_quotes[quote_ends[a] :]
        n, quoted, inside = 0, 0, 0
        state = np.uint64(end - begin)
        for i in range(begin, end):
            state = update_sequence_hash(state, words[i])
            inside = inside + 1 if flags[i] & IN_QUOTES else 0
            first = i - width + 1
            if first < begin:
                continue
            shingle = SEQUENCE_MULTIPLIER
            for k in range(first, i + 1):
                shingle = update_sequence_hash(shingle, words[k])
            values[n] = np.uint32(shingle >> np.uint64(32))
            if inside >= size:
                quotes[quoted] = values[n]
                quoted += 1
            n += 1
        texts[a] = state if end > begin else np.uint64(0)
        ends[a + 1] = ends[a] + sort_distinct_hashes(values, n, 32, spare, counts)
        quote_ends[a + 1] = quote_ends[a] + sort_distinct_hashes(quotes, quoted, 32, spare, counts)
    return out[: ends[-1]].copy(), ends, out_quotes[: quote_ends[-1]].copy(), quote_ends, texts


@jit_leaf
def count_shared_values(a, b):
    """Return how many values two sorted sets have in common."""
    i, j, n = 0, 0, 0
    while i < len(a) and j < len(b):
        x, y = a[i], b[j]
        n += x == y
        i += x <= y
        j += y <= x
    return n
