"""Texts → texts without the boilerplate that was learned of their sources.

In: texts without the boilerplate that rules recognise (`dedup.text.boilerplate.rules`), and their sources. Out: the same texts
without the passages that are known of their source. A passage is a line; or a sentence of one, since many exports
run a notice into the story. Short sentences go with the next one: a stop after "U.S." or "Corp." ends nothing, and
what is short is a name rather than a notice.

One kernel reads the UTF-8 of a batch and gives each passage a key, the hash of its characters and its source; space is as
good as any other. Learning counts keys, and applying looks them up, so both see the same passages.
"""

from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.jit import jit, jit_inline
from dedup.text.boilerplate.profile import MIN_LINE_BYTES, MIN_SENTENCE_BYTES, BoilerplateProfile
from dedup.text.boilerplate.rules import clean_texts
from dedup.text.tokenizer import get_utf8_buffers

FNV64_BASIS, FNV64_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
NEWLINE_BYTE, SPACE_BYTE = 10, 32


class Passages(NamedTuple):
    """The passages of a batch, in order."""

    rows: np.ndarray
    """int32: whose it is."""
    spans: np.ndarray
    """n × 2, int64: where it begins and ends in the bytes of the batch."""
    keys: np.ndarray
    """uint64."""


def find_passages(texts: pa.StringArray, sources: pa.StringArray) -> Passages:
    """Return the passages of texts, keyed with their sources."""
    return Passages(*split_into_passages(*get_utf8_buffers(texts), hash_strings(sources)))


def hash_strings(strings: pa.StringArray) -> np.ndarray:
    """Return a hash (uint64) of each string."""
    return hash_utf8_strings(*get_utf8_buffers(strings))


def remove_boilerplate(articles: pa.RecordBatch, profile: BoilerplateProfile | None) -> pa.StringArray:
    """Return the texts of articles without their boilerplate, by the rules and as learned."""
    return remove_learned_passages(clean_texts(articles["text"]), articles["source"], profile)


def remove_learned_passages(
    texts: pa.StringArray, sources: pa.StringArray, profile: BoilerplateProfile | None
) -> pa.StringArray:
    """Return the texts without what was learned of their sources.

    Where anything is left out, null becomes empty.
    """
    if profile is None or not profile.sources:
        return texts
    data, offsets = get_utf8_buffers(texts)
    found = Passages(*split_into_passages(data, offsets, hash_strings(sources)))
    known = is_in_sorted(found.keys, compute_profile_keys(profile))
    if not known.any():
        return texts
    left, ends = remove_spans(data, offsets, found.rows[known], found.spans[known])
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(left))


def find_learned_passages(
    texts: pa.StringArray, sources: pa.StringArray, profile: BoilerplateProfile | None
) -> list[str]:
    """Return the passages of texts that were learned of their sources, as they stand there."""
    if profile is None:
        return []
    data, _ = get_utf8_buffers(texts)
    found = find_passages(texts, sources)
    known = is_in_sorted(found.keys, compute_profile_keys(profile))
    return [data[start:end].tobytes().decode() for start, end in found.spans[known].tolist()]


@lru_cache(maxsize=4)
def compute_profile_keys(profile: BoilerplateProfile) -> np.ndarray:
    """Return the keys of all that was learned, sorted; a passage that a person wrote is cut as a text is."""
    sources = hash_strings(pa.array(list(profile.sources), pa.string()))
    counts = np.array([len(passages) for passages in profile.sources.values()], np.int64)
    passages = pa.array(list(chain.from_iterable(profile.sources.values())), pa.string())
    return np.unique(
        Passages(*split_into_passages(*get_utf8_buffers(passages), np.repeat(sources, counts))).keys
    )


def is_in_sorted(keys: np.ndarray, sorted_keys: np.ndarray) -> np.ndarray:
    """Return for each key whether it is among the known ones, which are sorted."""
    if not len(sorted_keys):
        return np.zeros(len(keys), bool)
    return sorted_keys[np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)] == keys


@jit_inline
def update_fnv64(h, byte):
    """Return the running FNV-1a hash (uint64) after one more byte."""
    return (h ^ np.uint64(byte)) * FNV64_PRIME


@jit_inline
def murmur3_fmix64(h):
    """Return the MurmurHash3 finalizer of a uint64."""
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


@jit_inline
def count_space_bytes(data, i, end):
    """Return how many bytes of space within a line stand at position `i`: 0, 1, or 2 for a no-break space."""
    byte = data[i]
    if byte == SPACE_BYTE or byte == 9 or 11 <= byte <= 13:
        return 1
    return 2 if byte == 0xC2 and i + 1 < end and data[i + 1] == 0xA0 else 0


@jit_inline
def is_closing_byte(byte):
    """Return whether a byte may stand between a stop and the space after it: a quotation mark, a bracket."""
    return byte == 34 or byte == 39 or byte == 41 or byte == 93 or byte >= 0x80


@jit_inline
def is_after_unspaced_stop(data, i):
    """Return whether the character that ends before position `i` is a stop that needs no space after it: 。 ！ ？."""
    if i < 3:
        return False
    first, second, third = data[i - 3], data[i - 2], data[i - 1]
    return (first == 0xE3 and second == 0x80 and third == 0x82) or (
        first == 0xEF and second == 0xBC and (third == 0x81 or third == 0x9F)
    )


@jit
def hash_utf8_strings(data, offsets):
    """Return the hash of each string of a batch."""
    found = np.empty(len(offsets) - 1, np.uint64)
    for a in range(len(found)):
        h = FNV64_BASIS
        for i in range(offsets[a], offsets[a + 1]):
            h = update_fnv64(h, data[i])
        found[a] = murmur3_fmix64(h)
    return found


@jit
def split_into_passages(data, offsets, sources):
    """Return (rows, spans, keys) of the passages of a batch; see `Passages`."""
    most = (offsets[-1] - offsets[0]) // MIN_LINE_BYTES + 1
    rows = np.empty(most, np.int32)
    spans = np.empty((most, 2), np.int64)
    keys = np.empty(most, np.uint64)
    n = 0
    for a in range(len(offsets) - 1):
        i, end = offsets[a], offsets[a + 1]
        fresh = True  # nothing of this line has been read
        while i < end:
            space = count_space_bytes(data, i, end)
            if space or data[i] == NEWLINE_BYTE:
                fresh = fresh or data[i] == NEWLINE_BYTE
                i += max(space, 1)
                continue
            start, last, size = i, i, 0
            h = FNV64_BASIS
            stopped = gap = False
            while i < end and data[i] != NEWLINE_BYTE:
                byte = data[i]
                space = count_space_bytes(data, i, end)
                if space:
                    if stopped and size >= MIN_SENTENCE_BYTES:
                        break
                    gap = True
                    i += space
                    continue
                if gap:
                    h = update_fnv64(h, SPACE_BYTE)
                    size += 1
                    gap = False
                h = update_fnv64(h, byte)
                size += 1
                i += 1
                last = i
                stopped = byte == 33 or byte == 46 or byte == 63 or (stopped and is_closing_byte(byte))
                if size >= MIN_SENTENCE_BYTES and is_after_unspaced_stop(data, i):
                    break
            while i < end and count_space_bytes(data, i, end):
                i += count_space_bytes(data, i, end)
            whole = fresh and (i == end or data[i] == NEWLINE_BYTE)
            if size >= (MIN_LINE_BYTES if whole else MIN_SENTENCE_BYTES):
                rows[n] = a
                spans[n, 0], spans[n, 1] = start, last
                keys[n] = murmur3_fmix64(h ^ sources[a])
                n += 1
            fresh = False
    return rows[:n].copy(), spans[:n].copy(), keys[:n].copy()


@jit
def remove_spans(data, offsets, rows, spans):
    """Return the bytes of a batch and its offsets (int32) without some spans, which are in order."""
    out = np.empty(offsets[-1] - offsets[0], np.uint8)
    ends = np.zeros(len(offsets), np.int32)
    k = n = 0
    for a in range(len(offsets) - 1):
        i = offsets[a]
        while k < len(rows) and rows[k] == a:
            size = spans[k, 0] - i
            out[n : n + size] = data[i : i + size]
            n += size
            i = spans[k, 1]
            k += 1
        size = offsets[a + 1] - i
        out[n : n + size] = data[i : i + size]
        n += size
        ends[a + 1] = n
    return out[:n].copy(), ends
