"""Articles → words: one kernel reads the UTF-8 of a whole batch and writes 32-bit word hashes with flags.

In: the title and text columns of a batch, as Arrow holds them. Out: `Words`: flat arrays and the offsets of each article.
A word is a run of letters and digits; in scripts written without spaces (Han, kana, Thai, Hangul ...) the overlapping
pairs of characters stand for words, as in Lucene's CJK analysis, so that three words in a row are four characters.

The title comes first and is flagged. A headline that stands as the first line of an untitled text is its title; a text
whose first line repeats its title loses that line.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.jit import jit, jit_inline, jit_leaf, murmur3_fmix32
from dedup.text.unicode_tables import (
    CHARACTER_CLASS,
    CHARACTER_FOLD,
    CODE_POINT_BITS,
    DIGIT,
    LETTER,
    MARK,
    NEWLINE,
    POINT,
    QUOTE,
    STOP,
    TABLE_CODE_POINTS,
    UNSPACED,
    UPPER_CASE,
)

CAPITALIZED, SENTENCE_START, NUMERIC, IN_QUOTES, TITLE_WORD, CHARACTER_BIGRAM, SHORT_WORD = (
    1,
    2,
    4,
    8,
    16,
    32,
    64,
)
"""Flags of a word: begins with a capital; begins a sentence; begins with a digit; inside quotation marks; of the title;
a pair of characters; of three letters or fewer."""

MAX_HEADLINE_WORDS = 24
"""A first line longer than this is prose, not a headline."""
FNV32_BASIS, FNV32_PRIME = np.uint32(2166136261), np.uint32(16777619)
FIRST_CODE_POINT_MASK = np.uint32((1 << CODE_POINT_BITS) - 1)
"""The bits of a folded entry that hold its first code point."""
ASCII_FOLD = np.zeros(256, np.uint32)
ASCII_FOLD[:128] = np.where(np.isin(CHARACTER_CLASS[:128] & 0x7F, (LETTER, DIGIT)), CHARACTER_FOLD[:128], 0)
"""What each byte folds to that is a letter or a digit by itself; 0 for the others."""


class Words(NamedTuple):
    """The words of a batch: article i owns `hashes[offsets[i]:offsets[i + 1]]`, its title the first `titles[i]` of them."""

    hashes: np.ndarray
    flags: np.ndarray
    offsets: np.ndarray
    title_lengths: np.ndarray


def tokenize_articles(titles: pa.StringArray, texts: pa.StringArray) -> Words:
    """Return the words of each article (uint32 hashes, uint8 flags, int64 offsets, int32 title lengths)."""
    title_bytes, title_offsets = get_utf8_buffers(titles)
    text_bytes, text_offsets = get_utf8_buffers(texts)
    return Words(
        *tokenize_batch(title_bytes, title_offsets, text_bytes, text_offsets, CHARACTER_FOLD, CHARACTER_CLASS)
    )


def hash_words(words: list[str]) -> np.ndarray:
    """Return the hash (uint32) that the kernel gives to each of `words`; 0 for what is not exactly one word."""
    data, offsets = get_utf8_buffers(pa.array(words, pa.string()))
    nothing = np.zeros(len(words) + 1, np.int64)
    found = Words(*tokenize_batch(data[:0], nothing, data, offsets, CHARACTER_FOLD, CHARACTER_CLASS))
    single = np.diff(found.offsets) == 1
    hashes = np.zeros(len(words), np.uint32)
    hashes[single] = found.hashes[found.offsets[:-1][single]]
    return hashes


def get_utf8_buffers(column: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes (uint8) and the offsets (int64) of a string column, without copying its bytes; null is empty."""
    if column.null_count:
        column = column.fill_null("")
    wide = np.int64 if pa.types.is_large_string(column.type) else np.int32
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, wide)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    return np.frombuffer(data, np.uint8) if data and data.size else np.zeros(0, np.uint8), ends


@jit_inline
def update_fnv32(h, code):
    """Return the running FNV-1a hash (uint32) after one more character."""
    return np.uint32(np.uint32(h ^ code) * FNV32_PRIME)


@jit_inline
def complete_word_hash(h):
    """Return the hash of a whole word; never 0, which stands for "no word"."""
    return max(murmur3_fmix32(h), np.uint32(1))


@jit_inline
def decode_code_point(data, i, end):
    """Return (code point, next position); broken UTF-8 reads as U+FFFD, a byte at a time."""
    b = np.uint32(data[i])
    if b < 0x80:
        return b, i + 1
    if b < 0xE0 and i + 1 < end:
        return ((b & np.uint32(0x1F)) << np.uint32(6)) | (np.uint32(data[i + 1]) & np.uint32(0x3F)), i + 2
    if b < 0xF0 and i + 2 < end:
        return (
            ((b & np.uint32(0x0F)) << np.uint32(12))
            | ((np.uint32(data[i + 1]) & np.uint32(0x3F)) << np.uint32(6))
            | (np.uint32(data[i + 2]) & np.uint32(0x3F))
        ), i + 3
    if i + 3 < end:
        return (
            ((b & np.uint32(0x07)) << np.uint32(18))
            | ((np.uint32(data[i + 1]) & np.uint32(0x3F)) << np.uint32(12))
            | ((np.uint32(data[i + 2]) & np.uint32(0x3F)) << np.uint32(6))
            | (np.uint32(data[i + 3]) & np.uint32(0x3F))
        ), i + 4
    return np.uint32(0xFFFD), i + 1


@jit_inline
def hash_ascii_run(data, i, end, h):
    """Return (position, running hash) after the plain ASCII letters and digits from position `i` on."""
    while i < end:
        folded = ASCII_FOLD[data[i]]
        if folded == 0:
            break
        h = update_fnv32(h, folded)
        i += 1
    return i, h


@jit_inline
def is_digit(data, i, end):
    """Return whether position `i` holds an ASCII digit."""
    return i < end and 48 <= data[i] <= 57


@jit_inline
def build_word_flags(base_flags, capital, number, sentence_start, quoted):
    """Return the flags of a word as its first character tells them."""
    flag = base_flags
    if capital:
        flag |= CAPITALIZED
    if number:
        flag |= NUMERIC
    if sentence_start:
        flag |= SENTENCE_START
    if quoted:
        flag |= IN_QUOTES
    return flag


@jit_inline
def put_word(hashes, flags, n, h, flag, length):
    """Write a word of `length` letters at position `n`; return the next position."""
    hashes[n] = complete_word_hash(h)
    flags[n] = flag | SHORT_WORD if length <= 3 else flag
    return n + 1


@jit_leaf
def tokenize_field(data, start, end, base_flags, fold, classes, hashes, flags, n, first_line):
    """Write the words of one field from position `n` on; return the new `n`.

    `first_line[0]` becomes the number of words at the end of the first line that has any (-1: no second line),
    `first_line[1]` whether that line ends like a sentence.
    """
    hash_, length, flag = FNV32_BASIS, 0, np.uint8(0)
    sentence_start, quoted, ended = True, False, False
    previous = np.uint32(0)  # the dense character before this one
    run = 0  # dense characters in a row
    begin = n
    first_line[0], first_line[1] = -1, 0
    i = start
    while i <= end:
        # Most words are plain, and followed by a space.
        if length == 0 and run == 0 and i < end and ASCII_FOLD[data[i]]:
            flag = build_word_flags(base_flags, 65 <= data[i] <= 90, data[i] <= 57, sentence_start, quoted)
            first, ended = i, False
            i, hash_ = hash_ascii_run(data, i, end, FNV32_BASIS)
            length = i - first
            if i < end and data[i] == 32:
                n = put_word(hashes, flags, n, hash_, flag, length)
                length, sentence_start = 0, False
                i += 1
            continue
        if i < end:
            code, after = decode_code_point(data, i, end)
            if code < TABLE_CODE_POINTS:
                kind = classes[code]
                folded = fold[code]
            else:
                kind = np.uint8(UNSPACED if 0x20000 <= code < 0x40000 else 0)
                folded = code
        else:
            code, after, kind, folded = np.uint32(0), i + 1, np.uint8(NEWLINE), np.uint32(0)
        base = kind & np.uint8(0x7F)
        if base == MARK:
            i = after
            continue
        if base in (LETTER, DIGIT):
            if length == 0:
                if run == 1:
                    hashes[n] = complete_word_hash(update_fnv32(FNV32_BASIS, previous))
                    flags[n] = base_flags | CHARACTER_BIGRAM | (IN_QUOTES if quoted else 0)
                    n += 1
                run = 0
                hash_ = FNV32_BASIS
                flag = build_word_flags(base_flags, kind & UPPER_CASE, base == DIGIT, sentence_start, quoted)
            hash_ = update_fnv32(hash_, folded & FIRST_CODE_POINT_MASK)
            second = folded >> np.uint32(CODE_POINT_BITS)
            if second:
                hash_ = update_fnv32(hash_, second)
            ended = False
            i, hash_ = hash_ascii_run(data, after, end, hash_)
            length += 1 + i - after
            continue
        if base == POINT and length:
            if flag & NUMERIC and is_digit(data, after, end):
                thousands = (
                    is_digit(data, after + 1, end)
                    and is_digit(data, after + 2, end)
                    and not is_digit(data, after + 3, end)
                )
                if not thousands:
                    hash_ = update_fnv32(hash_, np.uint32(46))
                i = after
                continue
            if (
                length == 1
                and flag & CAPITALIZED
                and code == 46
                and after + 1 < end
                and 65 <= data[after] <= 90
                and data[after + 1] == 46
            ):
                length = 0  # U.S. reads as one word, us: keep the hash, take the next letter
                letter = np.uint32(data[after] + 32)
                hash_ = update_fnv32(hash_, letter)
                length = 1
                i = after + 1
                continue
        if length:
            n = put_word(hashes, flags, n, hash_, flag, length)
            length, sentence_start = 0, False
        if base == UNSPACED:
            run += 1
            if run > 1:
                hashes[n] = complete_word_hash(update_fnv32(update_fnv32(FNV32_BASIS, previous), folded))
                flags[n] = base_flags | CHARACTER_BIGRAM | (IN_QUOTES if quoted else 0)
                n += 1
            previous = folded
            ended = False
            i = after
            continue
        if run == 1:
            hashes[n] = complete_word_hash(update_fnv32(FNV32_BASIS, previous))
            flags[n] = base_flags | CHARACTER_BIGRAM | (IN_QUOTES if quoted else 0)
            n += 1
        run = 0
        if base == STOP or (base == POINT and code != 44):
            sentence_start = True
            ended = True
        elif base == QUOTE:
            quoted = not quoted
            if quoted:
                sentence_start = True
        elif base == NEWLINE:
            quoted = False
            sentence_start = True
            if first_line[0] < 0 and n > begin and i < end:
                first_line[0] = n
                first_line[1] = ended
        i = after
    return n


@jit
def tokenize_batch(title_data, title_offsets, data, offsets, fold, classes):
    """Return (hashes, flags, offsets, title lengths) of a batch; see `Words`."""
    articles = len(offsets) - 1
    size = (offsets[-1] - offsets[0]) + (title_offsets[-1] - title_offsets[0]) + 1
    hashes = np.empty(size, np.uint32)
    flags = np.empty(size, np.uint8)
    ends = np.zeros(articles + 1, np.int64)
    titles = np.zeros(articles, np.int32)
    line = np.zeros(2, np.int64)
    n = 0
    for a in range(articles):
        begin = n
        n = tokenize_field(
            title_data,
            title_offsets[a],
            title_offsets[a + 1],
            np.uint8(TITLE_WORD),
            fold,
            classes,
            hashes,
            flags,
            n,
            line,
        )
        titled = n - begin
        body = n
        n = tokenize_field(
            data, offsets[a], offsets[a + 1], np.uint8(0), fold, classes, hashes, flags, n, line
        )
        first = line[0] - body if line[0] >= 0 else 0
        if titled and first == titled:
            same = True
            for k in range(titled):
                if hashes[begin + k] != hashes[body + k]:
                    same = False
                    break
            if same:
                for k in range(body, n - titled):
                    hashes[k] = hashes[k + titled]
                    flags[k] = flags[k + titled]
                n -= titled
        elif titled == 0 and 0 < first <= MAX_HEADLINE_WORDS and first < n - body and not line[1]:
            for k in range(body, body + first):
                flags[k] |= TITLE_WORD
            titled = first
        titles[a] = titled
        ends[a + 1] = n
    return hashes[:n].copy(), flags[:n].copy(), ends, titles
