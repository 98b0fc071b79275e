"""Extract terms: the weighted stems, names and numbers that say what an article is about.

Each article keeps its heaviest terms, sorted by hash, with the facts of each (weight, kind, counts per window), and its
most salient terms, by which rewrites are looked up. In a language with a space after each syllable, two consecutive
syllables are also a term.

News is written as an inverted pyramid, with the main facts first. So counts are kept for the title and for nested windows
of the body: its first 45, 80 and 220 words, and all of it.
"""

from typing import NamedTuple

import numpy as np

from dedup.jit import jit, jit_inline, murmur3_fmix32
from dedup.sketches.radix_sort import sort_hashes
from dedup.text.tokenizer import (
    CAPITALIZED,
    CHARACTER_BIGRAM,
    MAX_HEADLINE_WORDS,
    NUMERIC,
    SENTENCE_START,
    SHORT_WORD,
    TITLE_WORD,
)
from dedup.text.vocabulary import (
    ALWAYS_NAME,
    MAX_WEIGHT,
    MONDAY,
    NAME_IF_CAPITALIZED,
    NEVER_NAME,
    RARE_WEIGHT,
    WEIGHT_SCALE,
)

WORD, NAME, FIGURE, WEEKDAY = 0, 1, 2, 3
"""Kinds of term; the days of the week count up from `WEEKDAY`, Monday first."""
IN_TITLE, IN_45, IN_80, IN_220, IN_ALL, WEIGHT, KIND = range(7)
"""Columns of the facts of a term: its counts in the title and in the windows of the body (each window contains those
before it, none contains the title), its weight × `WEIGHT_SCALE`, and its kind."""
FACT_BYTES = 8
"""Bytes of the facts of a term, one unused: a power of two."""
WORD_KEY, WORD_STEM, WORD_WEIGHT, WORD_NAME = range(4)
"""Columns of a lexicon: vocabularies end to end, with the facts of a word side by side."""
SHORT_UNKNOWN = WEIGHT_SCALE
"""The weight (1.0) of an unknown word of at most three letters without a capital: in an unknown language, a function
word."""
SALIENT_CAP = 3 * WEIGHT_SCALE
"""Salience stops growing at one article in a thousand: rarer terms are often misspellings."""
NAME_BOOST, TITLE_BOOST, EARLY_BOOST = np.float32(1.3), np.float32(1.5), np.float32(1.3)
MIN_TERM_WEIGHT = 30
"""Words in more than one article of four that are not names say nothing about a story: they are not terms."""
MAX_ARTICLE_TERMS = 160
"""The maximum number of terms of an article, the heaviest: the F1 of the story sets stays within .001 of that with all
terms; the recall on `roundups` falls from .741 to .723."""
SYLLABLES, SYLLABLE_WORDS = 3, 2
"""In running Vietnamese, `SYLLABLES` syllables make `SYLLABLE_WORDS` words: the windows of the body are counted in words.
The average precision on the pairs of `vietnamese` is .965 with this ratio, .960 if a syllable counts as a word."""
PAIR_FACTOR = 0x9E3779B1
"""An odd number near 2³² / golden ratio (Knuth), so that the hash of a pair depends on the order."""
PAIR_WEIGHT = round(0.7 * WEIGHT_SCALE)
"""Two consecutive syllables weigh as much as both, plus this. If they met by chance it would be 2.6 (log10 of 400 words);
most are words, and meet more often. From .5 to 1.0, F1 on `vietnamese` is .90 to .92; at 0 and at 1.3 it is below .90."""
NAME_PAIR = 3 * WEIGHT_SCALE
"""The minimum weight of two consecutive capitalised syllables: a name, or a part of one. The syllables of names are few
and common, the names are many. At 2.0, F1 on `vietnamese` falls by .02; at 4.0 by as much."""
LEAD_BONUS = WEIGHT_SCALE
SCORE_LEVELS = 2048
RARE_WEIGHT_BYTE, MAX_WEIGHT_BYTE = round(RARE_WEIGHT * WEIGHT_SCALE), round(MAX_WEIGHT * WEIGHT_SCALE)
LOG_FREQUENCY = (1.0 + np.log(np.maximum(np.arange(512), 1))).astype(np.float32)
LOG_FREQUENCY[0] = 0.0
"""1 + ln(count), by count: the factor of a repeated term."""
MID_CAPITAL, LOWER_CASE, EDGE_CAPITAL, POSITION_FLAGS = range(4)
"""Columns of `spellings`: how often a word was capitalised in mid-sentence, written without a capital, and capitalised
where every word is; then its positions."""
IN_FIRST_SENTENCE, IN_EARLY_WORDS = 1, 2
"""Bits of `POSITION_FLAGS`: in the first sentence of an article without a title; in the 45 words after the title or that
sentence."""
MIN_OPENING_WORDS = 4
"""A stop before this number of words ends a place, an agency or an initial, not the first sentence."""
MAX_SPELLING_COUNT = 60_000


class Lexicon(NamedTuple):
    """The vocabularies of v languages, end to end."""

    bases: np.ndarray
    """v, int64: the row where each vocabulary starts."""
    masks: np.ndarray
    """v, int64: its number of rows, a power of two, less one."""
    unknown_weights: np.ndarray
    """v, uint32: the weight of a word that it does not have."""
    unknown_names: np.ndarray
    """v, uint32: whether such a word may be a name."""
    is_syllabic: np.ndarray
    """v, bool: whether pairs of words are terms too."""
    rows: np.ndarray
    """Rows × 4, uint32: the words, with the columns `WORD_KEY` and following."""


class TermAccumulator(NamedTuple):
    """The scratch in which the terms of one article are collected, for up to n terms; clean between articles."""

    hashes: np.ndarray
    """n, uint32: the terms in order of first occurrence."""
    facts: np.ndarray
    """n × `FACT_BYTES`, uint8."""
    spellings: np.ndarray
    """n × 4, uint16: the spellings and positions of each term (`MID_CAPITAL` and following)."""
    slots: np.ndarray
    """An open-addressing table (int32) from terms to 1 + their index; 0 is free."""
    levels: np.ndarray
    packed: np.ndarray
    """`MAX_ARTICLE_TERMS`, uint64: hash and index of the heaviest terms."""
    buffer: np.ndarray
    counts: np.ndarray
    scores: np.ndarray


def build_term_sets(
    words: np.ndarray,
    flags: np.ndarray,
    offsets: np.ndarray,
    title_lengths: np.ndarray,
    vocabulary_ids: np.ndarray,
    lexicon: Lexicon,
    salient: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (hashes, facts, offsets, salient terms) of a batch.

    `vocabulary_ids` has the vocabulary of each article in `lexicon`. The facts are terms × `FACT_BYTES` (uint8; counts stop
    at 255). The salient terms are articles × `salient` (uint32), most salient first, 0 if there are fewer.
    """
    articles = len(offsets) - 1
    terms_per_word = np.where(lexicon.is_syllabic[vocabulary_ids], 2, 1)
    longest = int((np.diff(offsets) * terms_per_word).max(initial=1))
    capacity = min(2 * len(words), articles * MAX_ARTICLE_TERMS) + 1
    hashes, facts = np.empty(capacity, np.uint32), np.empty((capacity, FACT_BYTES), np.uint8)
    salient_terms, ends = np.zeros((articles, salient), np.uint32), np.zeros(articles + 1, np.int64)
    accumulator = make_term_accumulator(longest, salient)
    fill_term_sets(
        words,
        flags,
        offsets,
        title_lengths,
        vocabulary_ids,
        lexicon,
        accumulator,
        hashes,
        facts,
        ends,
        salient_terms,
    )
    return hashes[: ends[-1]].copy(), facts[: ends[-1]].copy(), ends, salient_terms


def make_term_accumulator(longest: int, salient: int) -> TermAccumulator:
    """Return the scratch for articles of at most `longest` terms, of which `salient` are chosen."""
    size = max(16, 1 << (2 * longest - 1).bit_length())
    return TermAccumulator(
        np.empty(longest, np.uint32),
        np.zeros((longest, FACT_BYTES), np.uint8),
        np.zeros((longest, 4), np.uint16),
        np.zeros(size, np.int32),
        np.empty(longest, np.int64),
        np.empty(MAX_ARTICLE_TERMS, np.uint64),
        np.empty(MAX_ARTICLE_TERMS, np.uint64),
        np.empty(max(SCORE_LEVELS, MAX_ARTICLE_TERMS), np.int64),
        np.empty(salient, np.float32),
    )


@jit
def fill_term_sets(
    words,
    flags,
    offsets,
    title_lengths,
    vocabulary_ids,
    lexicon,
    accumulator,
    hashes,
    facts,
    ends,
    salient_terms,
):
    """Write the terms of all articles end to end, the end of each, and their salient terms."""
    for a in range(len(offsets) - 1):
        article_words, language = slice(offsets[a], offsets[a + 1]), vocabulary_ids[a]
        unknown = lexicon.unknown_weights[language], lexicon.unknown_names[language]
        base = lexicon.bases[language]
        n = gather_terms(
            words[article_words],
            flags[article_words],
            title_lengths[a],
            lexicon.rows[base : base + lexicon.masks[language] + 1],
            unknown,
            lexicon.is_syllabic[language],
            accumulator,
        )
        fill_salient_terms(accumulator, n, salient_terms[a])
        ends[a + 1] = ends[a] + write_heaviest_terms(accumulator, n, hashes[ends[a] :], facts[ends[a] :])


@jit
def gather_terms(words, flags, title_length, vocabulary_rows, unknown, syllabic, accumulator):
    """Collect the distinct terms of an article in `accumulator`, in order of first occurrence; return their number.

    The first `title_length` words are the title. `vocabulary_rows` is the vocabulary of the language, `unknown` the
    (weight, name) of other words. With `syllabic`, each word is followed by the pair that it makes with the word before
    it.
    """
    hashes, facts, spellings, slots = (
        accumulator.hashes,
        accumulator.facts,
        accumulator.spellings,
        accumulator.slots,
    )
    vocabulary_mask, slot_mask = len(vocabulary_rows) - 1, len(slots) - 1
    is_syllabic, opening = np.int64(syllabic), count_opening_words(flags) if title_length == 0 else 0
    word_term, term_before = np.uint32(0), np.uint32(0)
    word_weight, weight_before = np.uint32(0), np.uint32(0)
    n = 0
    for step in range(len(words) << is_syllabic):
        i = step >> is_syllabic
        flag, position = flags[i], i - title_length
        # Find the term: a pair of syllables, or the stem of a word.
        if step & is_syllabic:
            if not is_sentence_continuation(flags, title_length, i):
                continue
            term, weight = hash_term_pair(term_before, word_term), weight_before + word_weight
            weight, name, flag = compute_pair_facts(weight, flag, flags[i - 1])
        else:
            word = words[i]
            slot = np.int64(word) & vocabulary_mask
            while vocabulary_rows[slot, WORD_KEY] != 0 and vocabulary_rows[slot, WORD_KEY] != word:
                slot = (slot + 1) & vocabulary_mask
            if vocabulary_rows[slot, WORD_KEY] == word:
                term, weight, name = (
                    vocabulary_rows[slot, WORD_STEM],
                    vocabulary_rows[slot, WORD_WEIGHT],
                    vocabulary_rows[slot, WORD_NAME],
                )
            elif flag & SHORT_WORD and not flag & (CAPITALIZED | NUMERIC | CHARACTER_BIGRAM):
                term, weight, name = word, np.uint32(SHORT_UNKNOWN), np.uint32(NEVER_NAME)
            else:
                term, weight, name = word, unknown[0], unknown[1]
            if is_syllabic:
                term_before, weight_before, word_term, word_weight = word_term, word_weight, term, weight
                if is_in_capitalized_run(flags, title_length, i):  # one syllable of a name is weak evidence
                    flag, name = flag & ~CAPITALIZED, np.uint32(NEVER_NAME)
        # Skip common words that are not names or numbers; then find or add the term.
        if weight < MIN_TERM_WEIGHT and name == NEVER_NAME and not flag & NUMERIC:
            continue
        slot = np.int64(term) & slot_mask
        while slots[slot] and hashes[slots[slot] - 1] != term:
            slot = (slot + 1) & slot_mask
        t = slots[slot] - 1
        if t < 0:
            t = n
            n += 1
            slots[slot], hashes[t], facts[t, WEIGHT] = n, term, weight
            facts[t, KIND] = FIGURE if flag & NUMERIC else WORD
            if name == ALWAYS_NAME and not flag & NUMERIC:
                facts[t, KIND] = NAME
            elif name >= MONDAY:
                facts[t, KIND] = WEEKDAY + name - MONDAY
            elif name != NAME_IF_CAPITALIZED:
                spellings[t, LOWER_CASE] = MAX_SPELLING_COUNT  # never a name
        # Count spelling and position.
        if flag & CAPITALIZED:
            spelling = EDGE_CAPITAL if flag & (SENTENCE_START | TITLE_WORD) else MID_CAPITAL
            spellings[t, spelling] += spellings[t, spelling] < MAX_SPELLING_COUNT
        elif not flag & (SENTENCE_START | TITLE_WORD):
            spellings[t, LOWER_CASE] += spellings[t, LOWER_CASE] < MAX_SPELLING_COUNT
        if position < 0:
            facts[t, IN_TITLE] += facts[t, IN_TITLE] < 255
            continue
        if is_syllabic:
            position = position * SYLLABLE_WORDS // SYLLABLES
        if position < opening + 45:
            spellings[t, POSITION_FLAGS] |= IN_FIRST_SENTENCE if position < opening else IN_EARLY_WORDS
        if position < 220:
            facts[t, IN_45] += position < 45
            facts[t, IN_80] += position < 80
            facts[t, IN_220] += 1
        facts[t, IN_ALL] += facts[t, IN_ALL] < 255
    # A word is a name if it is mostly capitalised.
    for t in range(n):
        if facts[t, KIND] == WORD and is_name(spellings[t], facts[t, WEIGHT]):
            facts[t, KIND] = NAME
    return n


@jit
def count_opening_words(flags):
    """Return the number of words of the first sentence, at most `MAX_HEADLINE_WORDS`."""
    for i in range(MIN_OPENING_WORDS, min(len(flags), MAX_HEADLINE_WORDS)):
        if flags[i] & SENTENCE_START:
            return i
    return min(len(flags), MAX_HEADLINE_WORDS)


@jit_inline
def is_sentence_continuation(flags, title_length, i):
    """Return whether word `i` and the one before it are in one sentence of title or body, and neither is a number."""
    if i == 0 or i == title_length or i == len(flags):
        return False
    return not flags[i] & (SENTENCE_START | NUMERIC) and not flags[i - 1] & NUMERIC


@jit_inline
def is_in_capitalized_run(flags, title_length, i):
    """Return whether word `i` and a word next to it in its sentence are capitalised."""
    if not flags[i] & CAPITALIZED:
        return False
    if is_sentence_continuation(flags, title_length, i) and flags[i - 1] & CAPITALIZED:
        return True
    return is_sentence_continuation(flags, title_length, i + 1) and flags[i + 1] & CAPITALIZED != 0


@jit_inline
def compute_pair_facts(weight, flag, flag_before):
    """Return (weight, name, flag) of two syllables with the sum `weight`; if both are capitalised, they may be a name."""
    weight = min(weight + np.uint32(PAIR_WEIGHT), np.uint32(MAX_WEIGHT_BYTE))
    if flag & flag_before & CAPITALIZED:
        return max(weight, np.uint32(NAME_PAIR)), np.uint32(NAME_IF_CAPITALIZED), flag
    return weight, np.uint32(NEVER_NAME), flag & ~CAPITALIZED


@jit_inline
def hash_term_pair(first, second):
    """Return the term (uint32) of two consecutive terms."""
    return max(murmur3_fmix32(np.uint32(np.uint32(first * np.uint32(PAIR_FACTOR)) ^ second)), np.uint32(1))


@jit_inline
def is_name(spellings, weight):
    """Return whether a word is a name, judged by its spellings.

    A word that occurs only where every word is capitalised counts as a name if it is rare.
    """
    if spellings[MID_CAPITAL] + spellings[LOWER_CASE] == 0:
        return spellings[EDGE_CAPITAL] > 0 and weight >= RARE_WEIGHT_BYTE
    return spellings[MID_CAPITAL] > spellings[LOWER_CASE]


@jit
def write_heaviest_terms(accumulator, n, hashes, facts):
    """Write the heaviest terms into `hashes` and `facts`, sorted by hash; clear the accumulator; return their number."""
    packed = accumulator.packed
    term_count = pack_heaviest_terms(accumulator, n)
    sort_hashes(packed, term_count, 64, accumulator.buffer, accumulator.counts)
    for k in range(term_count):
        t = int(packed[k] & np.uint64(0xFFFFFFFF))
        hashes[k] = accumulator.hashes[t]
        for column in range(FACT_BYTES):
            facts[k, column] = accumulator.facts[t, column]
    slot_mask = len(accumulator.slots) - 1
    for t in range(n):
        # From its first slot on, a term lies in a run of used slots: clearing each run to its end misses none.
        slot = int(accumulator.hashes[t]) & slot_mask
        while accumulator.slots[slot]:
            accumulator.slots[slot] = 0
            slot = (slot + 1) & slot_mask
    accumulator.facts[:n] = 0
    accumulator.spellings[:n] = 0
    return term_count


@jit
def pack_heaviest_terms(accumulator, n):
    """Pack hash and index of the `MAX_ARTICLE_TERMS` heaviest terms; return their number.

    A term scores weight × (1 + ln count), with a bonus in title or lead. Names in title or first 80 words come first:
    garbled words, which are rare, must not crowd them out, because the template guard needs them. Ties go to the first in
    the article.
    """
    hashes, levels, packed = accumulator.hashes, accumulator.levels, accumulator.packed
    if n <= MAX_ARTICLE_TERMS:
        for t in range(n):
            packed[t] = np.uint64(hashes[t]) << np.uint64(32) | np.uint64(t)
        return n
    histogram = accumulator.counts
    histogram[:SCORE_LEVELS] = 0
    for t in range(n):
        counts = accumulator.facts[t]
        count = np.int64(counts[IN_TITLE]) + np.int64(counts[IN_ALL])
        level = np.int64(np.float32(counts[WEIGHT]) * LOG_FREQUENCY[count])
        if counts[IN_TITLE] or counts[IN_220]:
            level += LEAD_BONUS
        if counts[KIND] == NAME and (counts[IN_TITLE] or counts[IN_80]):
            level = np.int64(SCORE_LEVELS)
        levels[t] = min(level, SCORE_LEVELS - 1)
        histogram[levels[t]] += 1
    cut_level, count_above = SCORE_LEVELS - 1, 0
    while count_above + histogram[cut_level] < MAX_ARTICLE_TERMS:
        count_above += histogram[cut_level]
        cut_level -= 1
    remaining_at_cut, term_count = MAX_ARTICLE_TERMS - count_above, 0
    for t in range(n):
        if levels[t] < cut_level or (levels[t] == cut_level and remaining_at_cut == 0):
            continue
        remaining_at_cut -= levels[t] == cut_level
        packed[term_count] = np.uint64(hashes[t]) << np.uint64(32) | np.uint64(t)
        term_count += 1
    return term_count


@jit
def fill_salient_terms(accumulator, n, row):
    """Write the most salient terms of title and lead into `row`, most salient first; ties go to the first in the article.

    Salience is weight × (1 + ln count), more for names, for the title and for the first sentence or two; the rule was
    chosen from a table (docs/decisions/0002-candidate-keys.md). Without a title, the first sentence counts as the title:
    without their titles, .860 of the pairs of `events` are then found, otherwise .846; of `claims`, .987 and .986.
    """
    hashes, facts, spellings, scores = (
        accumulator.hashes,
        accumulator.facts,
        accumulator.spellings,
        accumulator.scores,
    )
    filled = 0
    for t in range(n):
        counts = facts[t]
        count = np.int64(counts[IN_TITLE]) + np.int64(counts[IN_220])
        if count == 0:
            continue
        score = np.float32(min(counts[WEIGHT], SALIENT_CAP)) * LOG_FREQUENCY[count]
        score *= NAME_BOOST if counts[KIND] == NAME else np.float32(1.0)
        score *= (
            TITLE_BOOST
            if counts[IN_TITLE] or spellings[t, POSITION_FLAGS] & IN_FIRST_SENTENCE
            else np.float32(1.0)
        )
        score *= EARLY_BOOST if spellings[t, POSITION_FLAGS] & IN_EARLY_WORDS else np.float32(1.0)
        if filled == len(row) and score <= scores[filled - 1]:
            continue
        position = filled if filled < len(row) else filled - 1
        while position > 0 and scores[position - 1] < score:
            scores[position], row[position] = scores[position - 1], row[position - 1]
            position -= 1
        scores[position], row[position] = score, hashes[t]
        filled = min(filled + 1, len(row))
