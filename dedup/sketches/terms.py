"""Words → terms: the story channel. What an article is about, as weighted stems with names and numbers told apart.

In: the words of articles, and the vocabularies of their languages. Out: for each article its heaviest terms sorted by
hash, with the facts of each (weight, kind, counts per window), and its most salient terms, by which rewrites are looked up.
In a language that writes its words a syllable at a time, two syllables in a row are a term beside each of them.

News is written as an inverted pyramid: who, what and where stand first. So counts are kept for nested windows of the
body (its first 45, 80 and 220 words, all of it) beside those of the title.
"""

from typing import NamedTuple

import numpy as np

from dedup.jit import inlined, kernel, leaf, scrambled
from dedup.sketches.radix_sort import sort
from dedup.text.tokenizer import CAPITAL, GRAM, HEADLINE_WORDS, NUMBER, SHORT, START, TITLE
from dedup.text.vocabulary import ALWAYS, BY_CAPITAL, HEAVIEST, MONDAY, NEVER, RARE, WEIGHT_SCALE

WORD, NAME, FIGURE, WEEKDAY = 0, 1, 2, 3
"""Kinds of term; the days of the week follow on `WEEKDAY`, Monday first."""
IN_TITLE, IN_45, IN_80, IN_220, IN_ALL, WEIGHT, KIND = range(7)
"""Columns of a term's facts: how often it stands in the title and in the windows of the body (each window holds those before
it, and none holds the title), then its weight × `WEIGHT_SCALE` and its kind."""
FACTS = 8
"""Bytes of a term's facts, one of them spare: a power of two."""
WORD_KEY, WORD_STEM, WORD_WEIGHT, WORD_NAME = range(4)
"""Columns of a lexicon: vocabularies laid end to end, all that is known of a word side by side."""
SHORT_UNKNOWN = WEIGHT_SCALE
"""The weight (1.0) of an unknown word of three letters without a capital: in an unknown language, a function word."""
SALIENT_CAP = 3 * WEIGHT_SCALE
"""Salience stops growing at one article in a thousand: rarer terms are often misspellings."""
NAME_BOOST, TITLE_BOOST, EARLY_BOOST = np.float32(1.3), np.float32(1.5), np.float32(1.3)
LIGHTEST = 30
"""Words that stand in more than one article of four, and are no names, tell nothing of a story: they are no terms."""
MOST_TERMS = 160
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
LEVELS = 2048
RARE_BYTE, HEAVIEST_BYTE = round(RARE * WEIGHT_SCALE), round(HEAVIEST * WEIGHT_SCALE)
LOGS = (1.0 + np.log(np.maximum(np.arange(512), 1))).astype(np.float32)
LOGS[0] = 0.0
"""1 + ln(count): how much a repeated term counts."""
MID_CAPITAL, SMALL, EDGE_CAPITAL, WHERE = range(4)
"""How a word was written: with a capital in mid-sentence, without one, with one where any word has it; and where it stands."""
FIRST, EARLY = 1, 2
"""Where a term stands, as bits: in the first sentence of an article without a title; in the 45 words that come after title or
first sentence."""
SHORTEST_OPENING = 4
"""What ends before so many words is a place, an agency or an initial, not a first sentence."""
MOST_SEEN = 60_000


class Bench(NamedTuple):
    """Where the terms of one article are put together: scratch, left clean, for articles of up to n terms."""

    hashes: np.ndarray
    """n, uint32: its terms in order of first occurrence."""
    facts: np.ndarray
    """n × `FACTS`, uint8."""
    seen: np.ndarray
    """n × 4, uint16: how often a term was written how; where it stands."""
    places: np.ndarray
    """A hash table (int32) from terms to their places, 1 and up; 0 is free."""
    levels: np.ndarray
    packed: np.ndarray
    """`MOST_TERMS`, uint64: hash and place of the heaviest, side by side."""
    spare: np.ndarray
    counts: np.ndarray
    scores: np.ndarray


@kernel
def term_sets(
    words,
    flags,
    offsets,
    titles,
    which,
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
    are terms too. `facts` is terms × `FACTS` (uint8,
    counts full at 255), its columns as named above; `salient` terms of title and lead, heaviest first, fill a row
    of the last array (uint32, 0 where there are fewer).
    """
    articles = len(offsets) - 1
    longest = 1
    for a in range(articles):
        longest = max(longest, (offsets[a + 1] - offsets[a]) * (2 if syllabic[which[a]] else 1))
    size = 16
    while size < 2 * longest:
        size *= 2
    bench = Bench(
        np.empty(longest, np.uint32),
        np.zeros((longest, FACTS), np.uint8),
        np.zeros((longest, 4), np.uint16),
        np.zeros(size, np.int32),
        np.empty(longest, np.int64),
        np.empty(MOST_TERMS, np.uint64),
        np.empty(MOST_TERMS, np.uint64),
        np.empty(max(LEVELS, MOST_TERMS), np.int64),
        np.empty(salient, np.float32),
    )
    room = min(2 * len(words), articles * MOST_TERMS) + 1
    hashes, facts = np.empty(room, np.uint32), np.empty((room, FACTS), np.uint8)
    top, ends = np.zeros((articles, salient), np.uint32), np.zeros(articles + 1, np.int64)
    for a in range(articles):
        own, language = slice(offsets[a], offsets[a + 1]), which[a]
        unknown = unknown_weights[language], unknown_names[language]
        known = lexicon[bases[language] : bases[language] + masks[language] + 1]
        n = gather(words[own], flags[own], titles[a], known, unknown, syllabic[language], bench)
        fill_salient(bench, n, top[a])
        ends[a + 1] = ends[a] + put_heaviest(bench, n, hashes[ends[a] :], facts[ends[a] :])
    return hashes[: ends[-1]].copy(), facts[: ends[-1]].copy(), ends, top


@leaf
def gather(words, flags, titled, known, unknown, syllabic, bench):
    """Put the distinct terms of an article on the bench, in order of first occurrence; return how many there are.

    Its first `titled` words are its title; `known` is the vocabulary of its language, `unknown` the (weight, name) of
    words that are not in it. Where words are written a syllable at a time (`syllabic`), each is followed by the pair that it
    makes with the one before.
    """
    hashes, facts, seen, places = bench.hashes, bench.facts, bench.seen, bench.places
    mask, last = len(known) - 1, len(places) - 1
    paired, opening = np.int64(syllabic), opening_words(flags) if titled == 0 else 0
    word_term, before = np.uint32(0), np.uint32(0)
    word_weight, weight_before = np.uint32(0), np.uint32(0)
    n = 0
    for step in range(len(words) << paired):
        i = step >> paired
        flag, position = flags[i], i - titled
        if step & paired:
            if not goes_on(flags, titled, i):
                continue
            term, weight = pair_term(before, word_term), weight_before + word_weight
            weight, name, flag = pair_facts(weight, flag, flags[i - 1])
        else:
            word = words[i]
            slot = np.int64(word) & mask
            while known[slot, WORD_KEY] != 0 and known[slot, WORD_KEY] != word:
                slot = (slot + 1) & mask
            if known[slot, WORD_KEY] == word:
                term, weight, name = known[slot, WORD_STEM], known[slot, WORD_WEIGHT], known[slot, WORD_NAME]
            elif flag & SHORT and not flag & (CAPITAL | NUMBER | GRAM):
                term, weight, name = word, np.uint32(SHORT_UNKNOWN), np.uint32(NEVER)
            else:
                term, weight, name = word, unknown[0], unknown[1]
            if paired:
                before, weight_before, word_term, word_weight = word_term, word_weight, term, weight
                if is_in_run(flags, titled, i):  # one syllable of a name says little
                    flag, name = flag & ~CAPITAL, np.uint32(NEVER)
        if weight < LIGHTEST and name == NEVER and not flag & NUMBER:
            continue
        slot = np.int64(term) & last
        while places[slot] and hashes[places[slot] - 1] != term:
            slot = (slot + 1) & last
        t = places[slot] - 1
        if t < 0:
            t = n
            n += 1
            places[slot], hashes[t], facts[t, WEIGHT] = n, term, weight
            facts[t, KIND] = FIGURE if flag & NUMBER else WORD
            if name == ALWAYS and not flag & NUMBER:
                facts[t, KIND] = NAME
            elif name >= MONDAY:
                facts[t, KIND] = WEEKDAY + name - MONDAY
            elif name != BY_CAPITAL:
                seen[t, SMALL] = MOST_SEEN  # never a name
        if flag & CAPITAL:
            how = EDGE_CAPITAL if flag & (START | TITLE) else MID_CAPITAL
            seen[t, how] += seen[t, how] < MOST_SEEN
        elif not flag & (START | TITLE):
            seen[t, SMALL] += seen[t, SMALL] < MOST_SEEN
        if position < 0:
            facts[t, IN_TITLE] += facts[t, IN_TITLE] < 255
            continue
        if paired:
            position = position * SYLLABLE_WORDS // SYLLABLES
        if position < opening + 45:
            seen[t, WHERE] |= FIRST if position < opening else EARLY
        if position < 220:
            facts[t, IN_45] += position < 45
            facts[t, IN_80] += position < 80
            facts[t, IN_220] += 1
        facts[t, IN_ALL] += facts[t, IN_ALL] < 255
    for t in range(n):
        if facts[t, KIND] == WORD and is_name(seen[t], facts[t, WEIGHT]):
            facts[t, KIND] = NAME
    return n


@leaf
def opening_words(flags):
    """Return how many words make the first sentence, of the length of a headline at most."""
    for i in range(SHORTEST_OPENING, min(len(flags), HEADLINE_WORDS)):
        if flags[i] & START:
            return i
    return min(len(flags), HEADLINE_WORDS)


@inlined
def goes_on(flags, titled, i):
    """Return whether word `i` goes on from the one before: in one sentence of the title or the body, and neither a number."""
    if i == 0 or i == titled or i == len(flags):
        return False
    return not flags[i] & (START | NUMBER) and not flags[i - 1] & NUMBER


@inlined
def is_in_run(flags, titled, i):
    """Return whether word `i` has a capital, and the word before it or after it in its sentence has one too."""
    if not flags[i] & CAPITAL:
        return False
    if goes_on(flags, titled, i) and flags[i - 1] & CAPITAL:
        return True
    return goes_on(flags, titled, i + 1) and flags[i + 1] & CAPITAL != 0


@inlined
def pair_facts(weight, flag, flag_before):
    """Return (weight, name, flag) of two syllables that weigh so much together: a name where both have a capital."""
    weight = min(weight + np.uint32(PAIR_WEIGHT), np.uint32(HEAVIEST_BYTE))
    if flag & flag_before & CAPITAL:
        return max(weight, np.uint32(NAME_PAIR)), np.uint32(BY_CAPITAL), flag
    return weight, np.uint32(NEVER), flag & ~CAPITAL


@inlined
def pair_term(first, second):
    """Return the term (uint32) that two terms in a row make."""
    return max(scrambled(np.uint32(np.uint32(first * np.uint32(PAIR_FACTOR)) ^ second)), np.uint32(1))


@inlined
def is_name(seen, weight):
    """Return whether a word is a name, by how it was written; one seen only where any word has a capital, if it is rare."""
    if seen[MID_CAPITAL] + seen[SMALL] == 0:
        return seen[EDGE_CAPITAL] > 0 and weight >= RARE_BYTE
    return seen[MID_CAPITAL] > seen[SMALL]


@leaf
def put_heaviest(bench, n, hashes, facts):
    """Write the heaviest of the terms on the bench into `hashes` and `facts`, sorted by hash; clear the bench.

    Return how many there are.
    """
    packed = bench.packed
    kept = pack_heaviest(bench, n)
    sort(packed, kept, 64, bench.spare, bench.counts)
    for k in range(kept):
        t = int(packed[k] & np.uint64(0xFFFFFFFF))
        hashes[k] = bench.hashes[t]
        for column in range(FACTS):
            facts[k, column] = bench.facts[t, column]
    last = len(bench.places) - 1
    for t in range(n):
        # From its first slot on a term lies in a run of taken slots, which is cleared to its end: none is missed.
        slot = int(bench.hashes[t]) & last
        while bench.places[slot]:
            bench.places[slot] = 0
            slot = (slot + 1) & last
    bench.facts[:n] = 0
    bench.seen[:n] = 0
    return kept


@leaf
def pack_heaviest(bench, n):
    """Pack hash and place of the `MOST_TERMS` terms with the greatest weight × (1 + ln count), lead first.

    The names of title and first sentences go before all else: garbled words, which are rare, must not crowd them out, for
    the template guard asks for them. Return how many there are. Of equals the first in the article are taken.
    """
    hashes, levels, packed = bench.hashes, bench.levels, bench.packed
    if n <= MOST_TERMS:
        for t in range(n):
            packed[t] = np.uint64(hashes[t]) << np.uint64(32) | np.uint64(t)
        return n
    histogram = bench.counts
    histogram[:LEVELS] = 0
    for t in range(n):
        counts = bench.facts[t]
        count = np.int64(counts[IN_TITLE]) + np.int64(counts[IN_ALL])
        level = np.int64(np.float32(counts[WEIGHT]) * LOGS[count])
        if counts[IN_TITLE] or counts[IN_220]:
            level += LEAD_BONUS
        if counts[KIND] == NAME and (counts[IN_TITLE] or counts[IN_80]):
            level = np.int64(LEVELS)
        levels[t] = min(level, LEVELS - 1)
        histogram[levels[t]] += 1
    cut, above = LEVELS - 1, 0
    while above + histogram[cut] < MOST_TERMS:
        above += histogram[cut]
        cut -= 1
    left_at_cut, kept = MOST_TERMS - above, 0
    for t in range(n):
        if levels[t] < cut or (levels[t] == cut and left_at_cut == 0):
            continue
        left_at_cut -= levels[t] == cut
        packed[kept] = np.uint64(hashes[t]) << np.uint64(32) | np.uint64(t)
        kept += 1
    return kept


@leaf
def fill_salient(bench, n, row):
    """Write into `row` the most salient terms of title and lead, most salient first, of equals the first in the article.

    Salience is weight × (1 + ln count), more for names, for the title and for the first sentence or two; which terms
    make good keys was chosen from a table (docs/decisions/0002-candidate-keys.md). Where there is no title, the first sentence
    stands for it: .860 of the pairs of `events` are then found without their titles, else .846; of `claims`, .987 and .986.
    """
    hashes, facts, seen, scores = bench.hashes, bench.facts, bench.seen, bench.scores
    held = 0
    for t in range(n):
        counts = facts[t]
        count = np.int64(counts[IN_TITLE]) + np.int64(counts[IN_220])
        if count == 0:
            continue
        score = np.float32(min(counts[WEIGHT], SALIENT_CAP)) * LOGS[count]
        score *= NAME_BOOST if counts[KIND] == NAME else np.float32(1.0)
        score *= TITLE_BOOST if counts[IN_TITLE] or seen[t, WHERE] & FIRST else np.float32(1.0)
        score *= EARLY_BOOST if seen[t, WHERE] & EARLY else np.float32(1.0)
        if held == len(row) and score <= scores[held - 1]:
            continue
        place = held if held < len(row) else held - 1
        while place > 0 and scores[place - 1] < score:
            scores[place], row[place] = scores[place - 1], row[place - 1]
            place -= 1
        scores[place], row[place] = score, hashes[t]
        held = min(held + 1, len(row))
