"""Remove the learned boilerplate of a source from its texts, passage by passage.

The texts are already without the boilerplate that rules recognise (`dedup.text.boilerplate.rules`). A passage is a line,
or a sentence of one, because many exports run a notice into the story. Short sentences are joined with the next one: a
stop after "U.S." or "Corp." ends no sentence, and a short passage is a name rather than a notice.

One kernel reads the UTF-8 of a batch and gives each passage a key: the hash of its characters, with all spaces alike, and
of its source. Learning counts these keys and removing looks them up, so both see the same passages.
"""

from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.jit import jit, jit_inline
from dedup.text.boilerplate.byte_ranges import copy_bytes
from dedup.text.boilerplate.profile import MIN_LINE_BYTES, MIN_SENTENCE_BYTES, BoilerplateProfile
from dedup.text.boilerplate.rules import clean_texts
from dedup.text.tokenizer import get_utf8_buffers

FNV64_BASIS, FNV64_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
NEWLINE_BYTE, SPACE_BYTE = 10, 32


class Passages(NamedTuple):
    """The passages of a batch, in order."""

    rows: np.ndarray
    """n, int32: the row of its article."""
    spans: np.ndarray
    """n × 2, int64: its begin and end in the bytes of the batch."""
    keys: np.ndarray
    """n, uint64: the hash of the passage and its source."""


def find_passages(texts: pa.StringArray, sources: pa.StringArray) -> Passages:
    """Return the passages of texts, with keys that depend on their sources."""
    return split_into_passages(*get_utf8_buffers(texts), hash_strings(sources))


def hash_strings(strings: pa.StringArray) -> np.ndarray:
    """Return a hash (uint64) of each string."""
    hashes = np.empty(len(strings), np.uint64)
    hash_utf8_strings(*get_utf8_buffers(strings), hashes)
    return hashes


def remove_boilerplate(articles: pa.RecordBatch, profile: BoilerplateProfile | None) -> pa.StringArray:
    """Return the texts of articles without boilerplate, by the rules and the profile."""
    return remove_learned_passages(clean_texts(articles["text"]), articles["source"], profile)


def remove_learned_passages(
    texts: pa.StringArray, sources: pa.StringArray, profile: BoilerplateProfile | None
) -> pa.StringArray:
    """Return the texts without the learned passages of their sources.

    If any passage is removed, null becomes an empty text.
    """
    if profile is None or not profile.sources:
        return texts
    data, offsets = get_utf8_buffers(texts)
    passages = split_into_passages(data, offsets, hash_strings(sources))
    is_learned = is_in_sorted(passages.keys, compute_profile_keys(profile))
    if not is_learned.any():
        return texts
    remaining, ends = np.empty(offsets[-1] - offsets[0], np.uint8), np.zeros(len(offsets), np.int32)
    copy_without_spans(data, offsets, passages.rows[is_learned], passages.spans[is_learned], remaining, ends)
    return pa.StringArray.from_buffers(
        len(texts), pa.py_buffer(ends), pa.py_buffer(remaining[: ends[-1]].copy())
    )


def find_learned_passages(
    texts: pa.StringArray, sources: pa.StringArray, profile: BoilerplateProfile | None
) -> list[str]:
    """Return the learned passages of their sources that texts contain, as they are written there."""
    if profile is None:
        return []
    data, _ = get_utf8_buffers(texts)
    passages = find_passages(texts, sources)
    is_learned = is_in_sorted(passages.keys, compute_profile_keys(profile))
    return [data[start:end].tobytes().decode() for start, end in passages.spans[is_learned].tolist()]


@lru_cache(maxsize=4)
def compute_profile_keys(profile: BoilerplateProfile) -> np.ndarray:
    """Return the keys of all passages of a profile, sorted; edited passages are split as texts are."""
    sources = hash_strings(pa.array(list(profile.sources), pa.string()))
    counts = np.array([len(passages) for passages in profile.sources.values()], np.int64)
    passages = pa.array(list(chain.from_iterable(profile.sources.values())), pa.string())
    return np.unique(split_into_passages(*get_utf8_buffers(passages), np.repeat(sources, counts)).keys)


def is_in_sorted(keys: np.ndarray, sorted_keys: np.ndarray) -> np.ndarray:
    """Return (bool) whether each key is among `sorted_keys`."""
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
    """Return the number of bytes of the space at position `i`: 0 for none or a newline, 2 for a no-break space."""
    byte = data[i]
    if byte == SPACE_BYTE or byte == 9 or 11 <= byte <= 13:
        return 1
    return 2 if byte == 0xC2 and i + 1 < end and data[i + 1] == 0xA0 else 0


@jit_inline
def is_closing_byte(byte):
    """Return whether a byte may stand between a stop and the space after it: a quotation mark or a bracket."""
    return byte == 34 or byte == 39 or byte == 41 or byte == 93 or byte >= 0x80


@jit_inline
def is_after_unspaced_stop(data, i):
    """Return whether the character before position `i` is a stop that needs no space after it: 。 ！ ？."""
    if i < 3:
        return False
    first, second, third = data[i - 3], data[i - 2], data[i - 1]
    return (first == 0xE3 and second == 0x80 and third == 0x82) or (
        first == 0xEF and second == 0xBC and (third == 0x81 or third == 0x9F)
    )


@jit
def hash_utf8_strings(data, offsets, hashes):
    """Write the hash of each string of a batch into `hashes`."""
    for a in range(len(hashes)):
        h = FNV64_BASIS
        for i in range(offsets[a], offsets[a + 1]):
            h = update_fnv64(h, data[i])
        hashes[a] = murmur3_fmix64(h)


def split_into_passages(data: np.ndarray, offsets: np.ndarray, sources: np.ndarray) -> Passages:
    """Return the passages of a batch of texts, given as bytes and offsets, with the hashes of their sources."""
    max_passages = int(offsets[-1] - offsets[0]) // MIN_LINE_BYTES + 1
    rows, spans = np.empty(max_passages, np.int32), np.empty((max_passages, 2), np.int64)
    keys = np.empty(max_passages, np.uint64)
    n = fill_passages(data, offsets, sources, rows, spans, keys)
    return Passages(rows[:n].copy(), spans[:n].copy(), keys[:n].copy())


@jit
def fill_passages(data, offsets, sources, rows, spans, keys):
    """Write the passages of a batch; return their number."""
    n = 0
    for a in range(len(offsets) - 1):
        i, end = offsets[a], offsets[a + 1]
        at_line_start = True
        while i < end:
            space = count_space_bytes(data, i, end)
            if space or data[i] == NEWLINE_BYTE:
                at_line_start = at_line_start or data[i] == NEWLINE_BYTE
                i += max(space, 1)
                continue
            # Hash one passage: to the end of its line, or of a sentence that is long enough.
            start, passage_end, size = i, i, 0
            h = FNV64_BASIS
            after_stop = after_space = False
            while i < end and data[i] != NEWLINE_BYTE:
                byte = data[i]
                space = count_space_bytes(data, i, end)
                if space:
                    if after_stop and size >= MIN_SENTENCE_BYTES:
                        break
                    after_space = True
                    i += space
                    continue
                if after_space:
                    h = update_fnv64(h, SPACE_BYTE)
                    size += 1
                    after_space = False
                h = update_fnv64(h, byte)
                size += 1
                i += 1
                passage_end = i
                after_stop = byte == 33 or byte == 46 or byte == 63 or (after_stop and is_closing_byte(byte))
                if size >= MIN_SENTENCE_BYTES and is_after_unspaced_stop(data, i):
                    break
            # Keep the passage if it is long enough for a line or a sentence.
            while i < end and count_space_bytes(data, i, end):
                i += count_space_bytes(data, i, end)
            is_line = at_line_start and (i == end or data[i] == NEWLINE_BYTE)
            if size >= (MIN_LINE_BYTES if is_line else MIN_SENTENCE_BYTES):
                rows[n] = a
                spans[n, 0], spans[n, 1] = start, passage_end
                keys[n] = murmur3_fmix64(h ^ sources[a])
                n += 1
            at_line_start = False
    return n


@jit
def copy_without_spans(data, offsets, rows, spans, out, ends):
    """Copy the bytes of a batch without `spans`, which are in order, and write the end of each text."""
    k = n = 0
    for a in range(len(offsets) - 1):
        i = offsets[a]
        while k < len(rows) and rows[k] == a:
            n = copy_bytes(data, i, spans[k, 0], out, n)
            i = spans[k, 1]
            k += 1
        n = copy_bytes(data, i, offsets[a + 1], out, n)
        ends[a + 1] = n
