"""Words → terms: the story channel. What an article is about, as weighted stems with names and numbers told apart.

In: the words of articles, and the vocabularies of their languages. Out: for each article its heaviest terms sorted by
hash, with the facts of each (weight, kind, counts per window), and its most salient terms, by which rewrites are looked up.
In a language that writes its words a syllable at a time, two syllables in a row are a term beside each of them.

News is written as an inverted pyramid: who, what and where stand first. So counts are kept for nested windows of the
body (its first 45, 80 and 220 words, all of it) beside those of the title.
"""

from typing import NamedTuple

import numpy as np

from dedup.jit import jit, jit_inline, jit_leaf, murmur3_fmix32
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
"""Kinds of term; the days of the week follow on `WEEKDAY`, Monday first."""
IN_TITLE, IN_45, IN_80, IN_220, IN_ALL, WEIGHT, KIND = range(7)
"""Columns of a term's facts: how often it stands in the title and in the windows of the body (each window holds those before
it, and none holds the title), then its weight × `WEIGHT_SCALE` and its kind."""
FACT_BYTES = 8
"""Bytes of a term's facts, one of them spare: a power of two."""
WORD_KEY, WORD_STEM, WORD_WEIGHT, WORD_NAME = range(4)
"""Columns of a lexicon: vocabularies laid end to end, all that is known of a word side by side."""
SHORT_UNKNOWN = WEIGHT_SCALE
"""The weight (1.0) of an unknown word of three letters without a capital: in an unknown language, a function word."""
SALIENT_CAP = 3 * WEIGHT_SCALE
"""Salience stops growing at one article in a thousand: rarer terms are often misspellings."""
NAME_BOOST, TITLE_BOOST, EARLY_BOOST = np.float32(1.3), np.float32(1.5), np.float32(1.3)
MIN_TERM_WEIGHT = 30
"""Words that stand in more than one article of four, and are no names, tell nothing of a story: they are no terms."""
MAX_ARTICLE_TERMS = 160
"""An article's heaviest terms carry its cosines: the F1 of the story sets stays within .001 of that
with all terms, the recall on `roundups` falls from .741 to .723."""
SYLLABLES, SYLLABLE_WORDS = 3, 2
"""So many syllables make so many words of running Vietnamese: the windows of the body are counted in words. The average precision
of the pairs of `vietnamese` is .965 with them, .960 where a syllable counts as a word."""
PAIR_FACTOR = 0x9E3779B1
"""An odd number near 2³² / golden ratio (Knuth), so that the order of the two tells."""
PAIR_WEIGHT = round(0.7 * WEIGHT_SCALE)
"""Two syllables in a row weigh as much as both, and this. If they met by chance it would be 2.6, the weight of ln 400 words; most
are words, and meet more often. From .5 to 1.0 F1 on `vietnamese` is .90 to .92, at 0 and at 1.3 below .90."""
NAME_PAIR = 3 * WEIGHT_SCALE
"""The least weight of two capitalised syllables in a row, a name or a part of one. The syllables of names are few and common,
the names are many: at 2.0 F1 on `vietnamese` falls by .02, at 4.0 as much."""
LEAD_BONUS = WEIGHT_SCALE
SCORE_LEVELS = 2048
RARE_WEIGHT_BYTE, MAX_WEIGHT_BYTE = round(RARE_WEIGHT * WEIGHT_SCALE), round(MAX_WEIGHT * WEIGHT_SCALE)
LOG_FREQUENCY = (1.0 + np.log(np.maximum(np.arange(512), 1))).astype(np.float32)
LOG_FREQUENCY[0] = 0.0
"""1 + ln(count): how much a repeated term counts."""
MID_CAPITAL, LOWER_CASE, EDGE_CAPITAL, POSITION_FLAGS = range(4)
"""How a word was written: with a capital in mid-sentence, without one, with one where any word has it; and where it stands."""
IN_FIRST_SENTENCE, IN_EARLY_WORDS = 1, 2
"""Where a term stands, as bits: in the first sentence of an article without a title; in the 45 words that come after title or
first sentence."""
MIN_OPENING_WORDS = 4
"""What ends before so many words is a place, an agency or an initial, not a first sentence."""
MAX_SPELLING_COUNT = 60_000


class TermAccumulator(NamedTuple):
    """Where the terms of one article are put together: scratch, left clean, for articles of up to n terms."""

    hashes: np.ndarray
    """n, uint32: its terms in order of first occurrence."""
    facts: np.ndarray
    """n × `FACT_BYTES`, uint8."""
    seen: np.ndarray
    """n × 4, uint16: how often a term was written how; where it stands."""
    slots: np.ndarray
    """A hash table (int32) from terms to their places, 1 and up; 0 is free."""
    levels: np.ndarray
    packed: np.ndarray
    """`MAX_ARTICLE_TERMS`, uint64: hash and place of the heaviest, side by side."""
    spare: np.ndarray
    counts: np.ndarray
    scores: np.ndarray


@jit
def build_term_sets(
    words,
    flags,
    offsets,
    titles,
    vocabulary_ids,
    bases,
    masks,
    unknown_weights,
    unknown_names,
    syllabic,
    lexicon,
    salient,
):
    """Return (hashes, facts, offsets, salient terms) of a batch.

    `which` says for each article which of the vocabularies in `lexicon` is its own; where that is `syllabic`, pairs of words
    are terms too. `facts` is terms × `FACT_BYTES` (uint8,
    counts full at 255), its columns as named above; `salient` terms of title and lead, heaviest first, fill a row
    of the last array (uint32, 0 where there are fewer).
    """
    articles = len(offsets) - 1
    longest = 1
    for a in range(articles):
        longest = max(longest, (offsets[a + 1] - offsets[a]) * (2 if syllabic[vocabulary_ids[a]] else 1))
    size = 16
    while size < 2 * longest:
        size *= 2
    bench = TermAccumulator(
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
    room = min(2 * len(words), articles * MAX_ARTICLE_TERMS) + 1
    hashes, facts = np.empty(room, np.uint32), np.empty((room, FACT_BYTES), np.uint8)
    top, ends = np.zeros((articles, salient), np.uint32), np.zeros(articles + 1, np.int64)
    for a in range(articles):
        own, language = slice(offsets[a], offsets[a + 1]), vocabulary_ids[a]
        unknown = unknown_weights[language], unknown_names[language]
        known = lexicon[bases[language] : bases[language] + masks[language] + 1]
        n = gather_terms(words[own], flags[own], titles[a], known, unknown, syllabic[language], bench)
        fill_salient_terms(bench, n, top[a])
        ends[a + 1] = ends[a] + write_heaviest_terms(bench, n, hashes[ends[a] :], facts[ends[a] :])
    return hashes[: ends[-1]].copy(), facts[: ends[-1]].copy(), ends, top


@jit_leaf
def gather_terms(words, flags, title_length, vocabulary_rows, unknown, syllabic, accumulator):
    """Put the distinct terms of an article on the bench, in order of first occurrence; return how many there are.

    Its first `titled` words are its title; `known` is the vocabulary of its language, `unknown` the (weight, name) of
    words that are not in it. Where words are written a syllable at a time (`syllabic`), each is followed by the pair that it
    makes with the one before.
    """
    hashes, facts, seen, places = accumulator.hashes, accumulator.facts, accumulator.seen, accumulator.slots
    mask, last = len(vocabulary_rows) - 1, len(places) - 1
    paired, opening = np.int64(syllabic), count_opening_words(flags) if title_length == 0 else 0
    word_term, before = np.uint32(0), np.uint32(0)
    word_weight, weight_before = np.uint32(0), np.uint32(0)
    n = 0
    for step in range(len(words) << paired):
        i = step >> paired
        flag, position = flags[i], i - title_length
        if step & paired:
            if not is_sentence_continuation(flags, title_length, i):
                continue
            term, weight = hash_term_pair(before, word_term), weight_before + word_weight
            weight, name, flag = compute_pair_facts(weight, flag, flags[i - 1])
        else:
            word = words[i]
            slot = np.int64(word) & mask
            while vocabulary_rows[slot, WORD_KEY] != 0 and vocabulary_rows[slot, WORD_KEY] != word:
                slot = (slot + 1) & mask
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
            if paired:
                before, weight_before, word_term, word_weight = word_term, word_weight, term, weight
                if is_in_capitalized_run(flags, title_length, i):  # one syllable of a name says little
                    flag, name = flag & ~CAPITALIZED, np.uint32(NEVER_NAME)
        if weight < MIN_TERM_WEIGHT and name == NEVER_NAME and not flag & NUMERIC:
            continue
        slot = np.int64(term) & last
        while places[slot] and hashes[places[slot] - 1] != term:
            slot = (slot + 1) & last
        t = places[slot] - 1
        if t < 0:
            t = n
            n += 1
            places[slot], hashes[t], facts[t, WEIGHT] = n, term, weight
            facts[t, KIND] = FIGURE if flag & NUMERIC else WORD
            if name == ALWAYS_NAME and not flag & NUMERIC:
                facts[t, KIND] = NAME
            elif name >= MONDAY:
                facts[t, KIND] = WEEKDAY + name - MONDAY
            elif name != NAME_IF_CAPITALIZED:
                seen[t, LOWER_CASE] = MAX_SPELLING_COUNT  # never a name
        if flag & CAPITALIZED:
            how = EDGE_CAPITAL if flag & (SENTENCE_START | TITLE_WORD) else MID_CAPITAL
            seen[t, how] += seen[t, how] < MAX_SPELLING_COUNT
        elif not flag & (SENTENCE_START | TITLE_WORD):
            seen[t, LOWER_CASE] += seen[t, LOWER_CASE] < MAX_SPELLING_COUNT
        if position < 0:
            facts[t, IN_TITLE] += facts[t, IN_TITLE] < 255
            continue
        if paired:
            position = position * SYLLABLE_WORDS // SYLLABLES
        if position < opening + 45:
            seen[t, POSITION_FLAGS] |= IN_FIRST_SENTENCE if position < opening else IN_EARLY_WORDS
        if position < 220:
            facts[t, IN_45] += position < 45
            facts[t, IN_80] += position < 80
            facts[t, IN_220] += 1
        facts[t, IN_ALL] += facts[t, IN_ALL] < 255
    for t in range(n):
        if facts[t, KIND] == WORD and is_name(seen[t], facts[t, WEIGHT]):
            facts[t, KIND] = NAME
    return n


@jit_leaf
def count_opening_words(flags):
    """Return how many words make the first sentence, of the length of a headline at most."""
    for i in range(MIN_OPENING_WORDS, min(len(flags), MAX_HEADLINE_WORDS)):
        if flags[i] & SENTENCE_START:
            return i
    return min(len(flags), MAX_HEADLINE_WORDS)


@jit_inline
def is_sentence_continuation(flags, title_length, i):
    """Return whether word `i` goes on from the one before: in one sentence of the title or the body, and neither a number."""
    if i == 0 or i == title_length or i == len(flags):
        return False
    return not flags[i] & (SENTENCE_START | NUMERIC) and not flags[i - 1] & NUMERIC


@jit_inline
def is_in_capitalized_run(flags, title_length, i):
    """Return whether word `i` has a capital, and the word before it or after it in its sentence has one too."""
    if not flags[i] & CAPITALIZED:
        return False
    if is_sentence_continuation(flags, title_length, i) and flags[i - 1] & CAPITALIZED:
        return True
    return is_sentence_continuation(flags, title_length, i + 1) and flags[i + 1] & CAPITALIZED != 0


@jit_inline
def compute_pair_facts(weight, flag, flag_before):
    """Return (weight, name, flag) of two syllables that weigh so much together: a name where both have a capital."""
    weight = min(weight + np.uint32(PAIR_WEIGHT), np.uint32(MAX_WEIGHT_BYTE))
    if flag & flag_before & CAPITALIZED:
        return max(weight, np.uint32(NAME_PAIR)), np.uint32(NAME_IF_CAPITALIZED), flag
    return weight, np.uint32(NEVER_NAME), flag & ~CAPITALIZED


@jit_inline
def hash_term_pair(first, second):
    """Return the term (uint32) that two terms in a row make."""
    return max(murmur3_fmix32(np.uint32(np.uint32(first * np.uint32(PAIR_FACTOR)) ^ second)), np.uint32(1))


@jit_inline
def is_name(seen, weight):
    """Return whether a word is a name, by how it was written; one seen only where any word has a capital, if it is rare."""
    if seen[MID_CAPITAL] + seen[LOWER_CASE] == 0:
        return seen[EDGE_CAPITAL] > 0 and weight >= RARE_WEIGHT_BYTE
    return seen[MID_CAPITAL] > seen[LOWER_CASE]


@jit_leaf
def write_heaviest_terms(accumulator, n, hashes, facts):
    """Write the heaviest of the terms on the bench into `hashes` and `facts`, sorted by hash; clear the bench.

    Return how many there are.
    """
    packed = accumulator.packed
    kept = pack_heaviest_terms(accumulator, n)
    sort_hashes(packed, kept, 64, accumulator.spare, accumulator.counts)
    for k in range(kept):
        t = int(packed[k] & np.uint64(0xFFFFFFFF))
        hashes[k] = accumulator.hashes[t]
        for column in range(FACT_BYTES):
            facts[k, column] = accumulator.facts[t, column]
    last = len(accumulator.slots) - 1
    for t in range(n):
        # From its first slot on a term lies in a run of taken slots, which is cleared to its end: none is missed.
        slot = int(accumulator.hashes[t]) & last
        while accumulator.slots[slot]:
            accumulator.slots[slot] = 0
            slot = (slot + 1) & last
    accumulator.facts[:n] = 0
    accumulator.seen[:n] = 0
    return kept


@jit_leaf
def pack_heaviest_terms(accumulator, n):
    """Pack hash and place of the `MAX_ARTICLE_TERMS` terms with the greatest weight × (1 + ln count), lead first.

    The names of title and first sentences go before all else: garbled words, which are rare, must not crowd them out, for
    the template guard asks for them. Return how many there are. Of equals the first in the article are taken.
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
    cut, above = SCORE_LEVELS - 1, 0
    while above + histogram[cut] < MAX_ARTICLE_TERMS:
        above += histogram[cut]
        cut -= 1
    left_at_cut, kept = MAX_ARTICLE_TERMS - above, 0
    for t in range(n):
        if levels[t] < cut or (levels[t] == cut and left_at_cut == 0):
            continue
        left_at_cut -= levels[t] == cut
        packed[kept] = np.uint64(hashes[t]) << np.uint64(32) | np.uint64(t)
        kept += 1
    return kept


@jit_leaf
def fill_salient_terms(accumulator, n, row):
    """Write into `row` the most salient terms of title and lead, most salient first, of equals the first in the article.

    Salience is weight × (1 + ln count), more for names, for the title and for the first sentence or two; which terms
    make good keys was chosen from a table (docs/decisions/0002-candidate-keys.md). Where there is no title, the first sentence
    stands for it: .860 of the pairs of `events` are then found without their titles, else .846; of `claims`, .987 and .986.
    """
    hashes, facts, seen, scores = accumulator.hashes, accumulator.facts, accumulator.seen, accumulator.scores
    held = 0
    for t in range(n):
        counts = facts[t]
        count = np.int64(counts[IN_TITLE]) + np.int64(counts[IN_220])
        if count == 0:
            continue
        score = np.float32(min(counts[WEIGHT], SALIENT_CAP)) * LOG_FREQUENCY[count]
        score *= NAME_BOOST if counts[KIND] == NAME else np.float32(1.0)
        score *= (
            TITLE_BOOST
            if counts[IN_TITLE] or seen[t, POSITION_FLAGS] & IN_FIRST_SENTENCE
            else np.float32(1.0)
        )
        score *= EARLY_BOOST if seen[t, POSITION_FLAGS] & IN_EARLY_WORDS else np.float32(1.0)
        if held == len(row) and score <= scores[held - 1]:
            continue
        place = held if held < len(row) else held - 1
        while place > 0 and scores[place - 1] < score:
            scores[place], row[place] = scores[place - 1], row[place - 1]
            place -= 1
        scores[place], row[place] = score, hashes[t]
        held = min(held + 1, len(row))
