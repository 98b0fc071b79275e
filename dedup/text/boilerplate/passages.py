"""Texts → texts without the furniture that was learned of their sources.

In: texts without the furniture that rules recognise (`dedup.text.boilerplate.rules`), and their sources. Out: the same texts
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

from dedup.jit import inlined, kernel
from dedup.text.boilerplate.profile import LINE, SENTENCE, Learned
from dedup.text.boilerplate.rules import cleaned
from dedup.text.tokenizer import utf8

FNV_BASIS, FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
NEWLINE, SPACE = 10, 32


class Passages(NamedTuple):
    """The passages of a batch, in order."""

    rows: np.ndarray
    """int32: whose it is."""
    spans: np.ndarray
    """n × 2, int64: where it begins and ends in the bytes of the batch."""
    keys: np.ndarray
    """uint64."""


def passages_of(texts: pa.StringArray, sources: pa.StringArray) -> Passages:
    """Return the passages of texts, keyed with their sources."""
    return Passages(*cut(*utf8(texts), marks_of(sources)))


def marks_of(strings: pa.StringArray) -> np.ndarray:
    """Return a hash (uint64) of each string."""
    return marks(*utf8(strings))


def plain(articles: pa.RecordBatch, learned: Learned | None) -> pa.StringArray:
    """Return the texts of articles without their furniture, by the rules and as learned."""
    return without(cleaned(articles["text"]), articles["source"], learned)


def without(texts: pa.StringArray, sources: pa.StringArray, learned: Learned | None) -> pa.StringArray:
    """Return the texts without what was learned of their sources.

    Where anything is left out, null becomes empty.
    """
    if learned is None or not learned.sources:
        return texts
    data, offsets = utf8(texts)
    found = Passages(*cut(data, offsets, marks_of(sources)))
    known = is_known(found.keys, keys_of(learned))
    if not known.any():
        return texts
    left, ends = spared(data, offsets, found.rows[known], found.spans[known])
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(left))


def learned_in(texts: pa.StringArray, sources: pa.StringArray, learned: Learned | None) -> list[str]:
    """Return the passages of texts that were learned of their sources, as they stand there."""
    if learned is None:
        return []
    data, _ = utf8(texts)
    found = passages_of(texts, sources)
    known = is_known(found.keys, keys_of(learned))
    return [data[start:end].tobytes().decode() for start, end in found.spans[known].tolist()]


@lru_cache(maxsize=4)
def keys_of(learned: Learned) -> np.ndarray:
    """Return the keys of all that was learned, sorted; a passage that a person wrote is cut as a text is."""
    sources = marks_of(pa.array(list(learned.sources), pa.string()))
    counts = np.array([len(passages) for passages in learned.sources.values()], np.int64)
    passages = pa.array(list(chain.from_iterable(learned.sources.values())), pa.string())
    return np.unique(Passages(*cut(*utf8(passages), np.repeat(sources, counts))).keys)


def is_known(keys: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return for each key whether it is among the known ones, which are sorted."""
    if not len(known):
        return np.zeros(len(keys), bool)
    return known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] == keys


@inlined
def stirred(h, byte):
    """Return the running FNV-1a hash (uint64) after one more byte."""
    return (h ^ np.uint64(byte)) * FNV_PRIME


@inlined
def scattered(h):
    """Return the MurmurHash3 finalizer of a uint64."""
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


@inlined
def space_at(data, i, end):
    """Return how many bytes of space within a line stand at position `i`: 0, 1, or 2 for a no-break space."""
    byte = data[i]
    if byte == SPACE or byte == 9 or 11 <= byte <= 13:
        return 1
    return 2 if byte == 0xC2 and i + 1 < end and data[i + 1] == 0xA0 else 0


@inlined
def is_closing(byte):
    """Return whether a byte may stand between a stop and the space after it: a quotation mark, a bracket."""
    return byte == 34 or byte == 39 or byte == 41 or byte == 93 or byte >= 0x80


@inlined
def ends_dense(data, i):
    """Return whether the character that ends before position `i` is a stop that needs no space after it: 。 ！ ？."""
    if i < 3:
        return False
    first, second, third = data[i - 3], data[i - 2], data[i - 1]
    return (first == 0xE3 and second == 0x80 and third == 0x82) or (
        first == 0xEF and second == 0xBC and (third == 0x81 or third == 0x9F)
    )


@kernel
def marks(data, offsets):
    """Return the hash of each string of a batch."""
    found = np.empty(len(offsets) - 1, np.uint64)
    for a in range(len(found)):
        h = FNV_BASIS
        for i in range(offsets[a], offsets[a + 1]):
            h = stirred(h, data[i])
        found[a] = scattered(h)
    return found


@kernel
def cut(data, offsets, sources):
    """Return (rows, spans, keys) of the passages of a batch; see `Passages`."""
    most = (offsets[-1] - offsets[0]) // LINE + 1
    rows = np.empty(most, np.int32)
    spans = np.empty((most, 2), np.int64)
    keys = np.empty(most, np.uint64)
    n = 0
    for a in range(len(offsets) - 1):
        i, end = offsets[a], offsets[a + 1]
        fresh = True  # nothing of this line has been read
        while i < end:
            space = space_at(data, i, end)
            if space or data[i] == NEWLINE:
                fresh = fresh or data[i] == NEWLINE
                i += max(space, 1)
                continue
            start, last, size = i, i, 0
            h = FNV_BASIS
            stopped = gap = False
            while i < end and data[i] != NEWLINE:
                byte = data[i]
                space = space_at(data, i, end)
                if space:
                    if stopped and size >= SENTENCE:
                        break
                    gap = True
                    i += space
                    continue
                if gap:
                    h = stirred(h, SPACE)
                    size += 1
                    gap = False
                h = stirred(h, byte)
                size += 1
                i += 1
                last = i
                stopped = byte == 33 or byte == 46 or byte == 63 or (stopped and is_closing(byte))
                if size >= SENTENCE and ends_dense(data, i):
                    break
            while i < end and space_at(data, i, end):
                i += space_at(data, i, end)
            whole = fresh and (i == end or data[i] == NEWLINE)
            if size >= (LINE if whole else SENTENCE):
                rows[n] = a
                spans[n, 0], spans[n, 1] = start, last
                keys[n] = scattered(h ^ sources[a])
                n += 1
            fresh = False
    return rows[:n].copy(), spans[:n].copy(), keys[:n].copy()


@kernel
def spared(data, offsets, rows, spans):
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
