"""Build shingle sets: the hashes of each run of words in the text of an article.

The distinct hashes of each article are sorted, in one flat array with offsets, so that two sets are compared by one
merge. The shingles inside quotation marks are also kept as a set of their own. A text shorter than a shingle is one
shingle; an empty one has none. After Broder, "On the resemblance and containment of documents" (1997), and *Mining of
Massive Datasets*, section 3.2.
"""

import numpy as np

from dedup.jit import jit, jit_inline
from dedup.sketches.radix_sort import make_bucket_counts, sort_distinct_hashes
from dedup.text.tokenizer import IN_QUOTES

SEQUENCE_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@jit_inline
def update_sequence_hash(state, word):
    """Return the 64-bit state of a word sequence after one more word."""
    state = (state ^ np.uint64(word)) * SEQUENCE_MULTIPLIER
    return state ^ (state >> np.uint64(29))


def build_shingle_sets(
    words: np.ndarray, flags: np.ndarray, offsets: np.ndarray, title_lengths: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (shingles, shingle offsets, quotes, quote offsets, text hashes) of a batch.

    The shingles of an article are the distinct hashes (uint32) of `size` consecutive words, sorted; its quotes are those
    entirely inside quotation marks. The title is not part of the text, unless there is no text. The text hash (uint64)
    covers the whole word sequence; it is 0 without words.
    """
    shingles, quotes = np.empty(len(words) + 1, np.uint32), np.empty(len(words) + 1, np.uint32)
    ends, quote_ends = np.zeros(len(offsets), np.int64), np.zeros(len(offsets), np.int64)
    text_hashes = np.zeros(len(offsets) - 1, np.uint64)
    buffer = np.empty(np.diff(offsets).max(initial=0) + 1, np.uint32)
    scratch = buffer, make_bucket_counts()
    fill_shingle_sets(
        words, flags, offsets, title_lengths, size, scratch, shingles, ends, quotes, quote_ends, text_hashes
    )
    return shingles[: ends[-1]].copy(), ends, quotes[: quote_ends[-1]].copy(), quote_ends, text_hashes


@jit
def fill_shingle_sets(
    words, flags, offsets, title_lengths, size, scratch, out, ends, out_quotes, quote_ends, text_hashes
):
    """Write the sets end to end, with the end of each; `scratch` is that of `sort_hashes`."""
    buffer, counts = scratch
    for a in range(len(offsets) - 1):
        begin, end = offsets[a] + title_lengths[a], offsets[a + 1]
        if begin == end:
            begin = offsets[a]
        width = min(size, end - begin)
        values, quotes = out[ends[a] :], out_quotes[quote_ends[a] :]
        n, quote_count, words_in_quotes = 0, 0, 0
        state = np.uint64(end - begin)
        # One shingle per word that ends one; it is a quote if all its words are in quotation marks.
        for i in range(begin, end):
            state = update_sequence_hash(state, words[i])
            words_in_quotes = words_in_quotes + 1 if flags[i] & IN_QUOTES else 0
            first = i - width + 1
            if first < begin:
                continue
            shingle = SEQUENCE_MULTIPLIER
            for k in range(first, i + 1):
                shingle = update_sequence_hash(shingle, words[k])
            values[n] = np.uint32(shingle >> np.uint64(32))
            if words_in_quotes >= size:
                quotes[quote_count] = values[n]
                quote_count += 1
            n += 1
        text_hashes[a] = state if end > begin else np.uint64(0)
        ends[a + 1] = ends[a] + sort_distinct_hashes(values, n, 32, buffer, counts)
        quote_ends[a + 1] = quote_ends[a] + sort_distinct_hashes(quotes, quote_count, 32, buffer, counts)


@jit
def count_shared_values(a, b):
    """Return the number of values that two sorted sets share."""
    i, j, n = 0, 0, 0
    while i < len(a) and j < len(b):
        x, y = a[i], b[j]
        n += x == y
        i += x <= y
        j += y <= x
    return n
