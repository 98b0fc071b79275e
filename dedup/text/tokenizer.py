"""Split articles into words: 32-bit hashes with flags, read from the UTF-8 of a whole batch by one kernel.

A word is a run of letters and digits. In scripts without spaces (Han, kana, Thai, Hangul ...) the overlapping pairs of
characters are the words, as in Lucene's CJK analysis, so that three consecutive words are four characters.

The title comes first and is flagged. If a text without a title begins with a headline on its own line, that line is the
title; if the first line of a text repeats the title, it is dropped.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.jit import jit, jit_inline, murmur3_fmix32
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
"""Flags of a word: begins with a capital; begins a sentence; begins with a digit; inside quotation marks; in the title; a
pair of characters; at most three letters."""

MAX_HEADLINE_WORDS = 24
"""A first line longer than this is prose, not a headline."""
FNV32_BASIS, FNV32_PRIME = np.uint32(2166136261), np.uint32(16777619)
FIRST_CODE_POINT_MASK = np.uint32((1 << CODE_POINT_BITS) - 1)
"""The bits of an entry of `CHARACTER_FOLD` that hold its first code point."""
ASCII_FOLD = np.zeros(256, np.uint32)
ASCII_FOLD[:128] = np.where(np.isin(CHARACTER_CLASS[:128] & 0x7F, (LETTER, DIGIT)), CHARACTER_FOLD[:128], 0)
"""By byte: the folded ASCII letter or digit; 0 for other bytes."""


class Words(NamedTuple):
    """The words of a batch; those of article i are `hashes[offsets[i]:offsets[i + 1]]`, the title first."""

    hashes: np.ndarray
    flags: np.ndarray
    offsets: np.ndarray
    title_lengths: np.ndarray


def tokenize_articles(titles: pa.StringArray, texts: pa.StringArray) -> Words:
    """Return the words of each article (uint32 hashes, uint8 flags, int64 offsets, int32 title lengths)."""
    return tokenize_batch(*get_utf8_buffers(titles), *get_utf8_buffers(texts))


def hash_words(words: list[str]) -> np.ndarray:
    """Return the hash (uint32) of each word; 0 for a string that is not exactly one word."""
    data, offsets = get_utf8_buffers(pa.array(words, pa.string()))
    empty_offsets = np.zeros(len(words) + 1, np.int64)
    tokens = tokenize_batch(data[:0], empty_offsets, data, offsets)
    single = np.diff(tokens.offsets) == 1
    hashes = np.zeros(len(words), np.uint32)
    hashes[single] = tokens.hashes[tokens.offsets[:-1][single]]
    return hashes


def get_utf8_buffers(column: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes (uint8) and the offsets (int64) of a string column without copying the bytes; null is empty."""
    if column.null_count:
        column = column.fill_null("")
    offset_type = np.int64 if pa.types.is_large_string(column.type) else np.int32
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, offset_type)[column.offset : column.offset + len(column) + 1].astype(
        np.int64
    )
    return np.frombuffer(data, np.uint8) if data and data.size else np.zeros(0, np.uint8), ends


@jit_inline
def update_fnv32(h, code):
    """Return the running FNV-1a hash (uint32) after one more character."""
    return np.uint32(np.uint32(h ^ code) * FNV32_PRIME)


@jit_inline
def complete_word_hash(h):
    """Return the hash of a whole word; never 0, which means "no word"."""
    return max(murmur3_fmix32(h), np.uint32(1))


@jit_inline
def decode_code_point(data, i, end):
    """Return (code point, next position); invalid UTF-8 reads as U+FFFD, one byte at a time."""
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
    """Return (position, running hash) after the ASCII letters and digits from position `i` on."""
    position, stop = np.uint64(i), np.uint64(end)
    while position < stop:
        folded = ASCII_FOLD[data[position]]
        if folded == 0:
            break
        h = update_fnv32(h, folded)
        position += np.uint64(1)
    return np.int64(position), h


@jit_inline
def is_digit(data, i, end):
    """Return whether position `i` holds an ASCII digit."""
    return i < end and 48 <= data[i] <= 57


@jit_inline
def build_word_flags(base_flags, is_capital, is_number, sentence_start, in_quotes):
    """Return the flags of a word from its first character."""
    flag = base_flags
    if is_capital:
        flag |= CAPITALIZED
    if is_number:
        flag |= NUMERIC
    if sentence_start:
        flag |= SENTENCE_START
    if in_quotes:
        flag |= IN_QUOTES
    return flag


@jit_inline
def put_word(hashes, flags, n, h, flag, length):
    """Write a word of `length` letters at position `n`; return the next position."""
    hashes[n] = complete_word_hash(h)
    flags[n] = flag | SHORT_WORD if length <= 3 else flag
    return n + 1


@jit
def tokenize_field(data, start, end, base_flags, fold, classes, hashes, flags, n, first_line):
    """Write the words of one field from position `n` on; return the new `n`.

    Set `first_line[0]` to the position after the last word of the first line with words, or to -1 if no other line
    follows. Set `first_line[1]` to whether that line ends like a sentence.
    """
    hash_, length, flag = FNV32_BASIS, 0, np.uint8(0)
    sentence_start, in_quotes, ends_sentence = True, False, False
    previous = np.uint32(0)  # the unspaced character before this one
    run = 0  # unspaced characters in a row
    begin = n
    first_line[0], first_line[1] = -1, 0
    i = start
    while i <= end:
        # Fast path: most words are ASCII and followed by a space.
        if length == 0 and run == 0 and i < end and ASCII_FOLD[data[i]]:
            flag = build_word_flags(base_flags, 65 <= data[i] <= 90, data[i] <= 57, sentence_start, in_quotes)
            first, ends_sentence = i, False
            i, hash_ = hash_ascii_run(data, i, end, FNV32_BASIS)
            length = i - first
            if i < end and data[i] == 32:
                n = put_word(hashes, flags, n, hash_, flag, length)
                length, sentence_start = 0, False
                i += 1
            continue
        # Decode the next character and look up its class; the end of the field counts as a newline.
        if i < end:
            code, after = decode_code_point(data, i, end)
            if code < TABLE_CODE_POINTS:
                class_entry = classes[code]
                folded = fold[code]
            else:
                class_entry = np.uint8(UNSPACED if 0x20000 <= code < 0x40000 else 0)
                folded = code
        else:
            code, after, class_entry, folded = np.uint32(0), i + 1, np.uint8(NEWLINE), np.uint32(0)
        character_class = class_entry & np.uint8(0x7F)
        if character_class == MARK:
            i = after
            continue
        # A letter or digit: begin or continue a word.
        if character_class in (LETTER, DIGIT):
            if length == 0:
                if run == 1:
                    hashes[n] = complete_word_hash(update_fnv32(FNV32_BASIS, previous))
                    flags[n] = base_flags | CHARACTER_BIGRAM | (IN_QUOTES if in_quotes else 0)
                    n += 1
                run = 0
                hash_ = FNV32_BASIS
                flag = build_word_flags(
                    base_flags, class_entry & UPPER_CASE, character_class == DIGIT, sentence_start, in_quotes
                )
            hash_ = update_fnv32(hash_, folded & FIRST_CODE_POINT_MASK)
            second = folded >> np.uint32(CODE_POINT_BITS)
            if second:
                hash_ = update_fnv32(hash_, second)
            ends_sentence = False
            i, hash_ = hash_ascii_run(data, after, end, hash_)
            length += 1 + i - after
            continue
        # A point or comma inside a word: a number, or initials.
        if character_class == POINT and length:
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
                length = 0  # U.S. is one word, us: keep the hash, add the next letter
                letter = np.uint32(data[after] + 32)
                hash_ = update_fnv32(hash_, letter)
                length = 1
                i = after + 1
                continue
        # Any other character ends the word.
        if length:
            n = put_word(hashes, flags, n, hash_, flag, length)
            length, sentence_start = 0, False
        # A character of a script without spaces: write its pair with the one before.
        if character_class == UNSPACED:
            run += 1
            if run > 1:
                hashes[n] = complete_word_hash(update_fnv32(update_fnv32(FNV32_BASIS, previous), folded))
                flags[n] = base_flags | CHARACTER_BIGRAM | (IN_QUOTES if in_quotes else 0)
                n += 1
            previous = folded
            ends_sentence = False
            i = after
            continue
        if run == 1:
            hashes[n] = complete_word_hash(update_fnv32(FNV32_BASIS, previous))
            flags[n] = base_flags | CHARACTER_BIGRAM | (IN_QUOTES if in_quotes else 0)
            n += 1
        run = 0
        # Punctuation and newlines: track sentences, quotation marks and the first line.
        if character_class == STOP or (character_class == POINT and code != 44):
            sentence_start = True
            ends_sentence = True
        elif character_class == QUOTE:
            in_quotes = not in_quotes
            if in_quotes:
                sentence_start = True
        elif character_class == NEWLINE:
            in_quotes = False
            sentence_start = True
            if first_line[0] < 0 and n > begin and i < end:
                first_line[0] = n
                first_line[1] = ends_sentence
        i = after
    return n


def tokenize_batch(
    title_data: np.ndarray, title_offsets: np.ndarray, data: np.ndarray, offsets: np.ndarray
) -> Words:
    """Return the words of titles and texts, given as bytes and offsets."""
    # There are no more words than bytes.
    size = (offsets[-1] - offsets[0]) + (title_offsets[-1] - title_offsets[0]) + 1
    hashes, flags = np.empty(size, np.uint32), np.empty(size, np.uint8)
    words = Words(hashes, flags, np.zeros(len(offsets), np.int64), np.zeros(len(offsets) - 1, np.int32))
    line = np.zeros(2, np.int64)
    n = fill_words(title_data, title_offsets, data, offsets, CHARACTER_FOLD, CHARACTER_CLASS, line, *words)
    return words._replace(hashes=hashes[:n].copy(), flags=flags[:n].copy())


@jit
def fill_words(title_data, title_offsets, data, offsets, fold, classes, line, hashes, flags, ends, titles):
    """Write the words of a batch; return their number. `line` is scratch for `tokenize_field`."""
    n = 0
    for a in range(len(offsets) - 1):
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
        title_length = n - begin
        body_begin = n
        n = tokenize_field(
            data, offsets[a], offsets[a + 1], np.uint8(0), fold, classes, hashes, flags, n, line
        )
        first_line_length = line[0] - body_begin if line[0] >= 0 else 0
        # Drop a first line that repeats the title; take a headline as the title if there is none.
        if title_length and first_line_length == title_length:
            repeats_title = True
            for k in range(title_length):
                if hashes[begin + k] != hashes[body_begin + k]:
                    repeats_title = False
                    break
            if repeats_title:
                for k in range(body_begin, n - title_length):
                    hashes[k] = hashes[k + title_length]
                    flags[k] = flags[k + title_length]
                n -= title_length
        elif (
            title_length == 0
            and 0 < first_line_length <= MAX_HEADLINE_WORDS
            and first_line_length < n - body_begin
            and not line[1]
        ):
            for k in range(body_begin, body_begin + first_line_length):
                flags[k] |= TITLE_WORD
            title_length = first_line_length
        titles[a] = title_length
        ends[a + 1] = n
    return n
