"""Words → terms: the story channel. What an article is about, as weighted stems with names and numbers told apart.

In: the words of articles of one language, and its vocabulary. Out: for each article its distinct terms sorted by hash,
with weight, kind and counts per window, and its most salient terms, by which rewrites are looked up.

News is written as an inverted pyramid: who, what and where stand first. So counts are kept for nested windows of the
body (its first 45, 80 and 220 words, all of it) beside those of the title.
"""

import numpy as np

from dedup.kernel import kernel
from dedup.vocabulary import ALWAYS, BY_CAPITAL, MONDAY, NEVER, RARE, WEIGHT_SCALE
from dedup.words import CAPITAL, GRAM, NUMBER, SHORT, START, TITLE

WORD, NAME, FIGURE, WEEKDAY = 0, 1, 2, 3
"""Kinds of term; the days of the week follow on `WEEKDAY`, Monday first."""
IN_TITLE, IN_45, IN_80, IN_220, IN_ALL = range(5)
"""Columns of counts; each window of the body holds those before it, and none holds the title."""
WINDOWS = 5
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
LEAD_BONUS = WEIGHT_SCALE
LEVELS = 2048
RARE_BYTE = round(RARE * WEIGHT_SCALE)


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
    keys,
    stems,
    weights,
    names,
    salient,
):
    """Return (hashes, weights, kinds, counts, offsets, salient terms) of a batch.

    `which` says for each article which of the vocabularies, laid end to end in `keys` and beside it, is its own.
    `counts` is terms × 5 (uint8, full at 255), its columns as named above; `salient` terms of title and lead, heaviest
    first, fill a row of the last array (uint32, 0 where there are fewer).
    """
    articles = len(offsets) - 1
    size = 16
    for a in range(articles):
        while size < 2 * (offsets[a + 1] - offsets[a]):
            size *= 2
    table = np.zeros(size, np.int32)  # place of a term among this article's, where stamped
    stamps = np.full(size, -1, np.int32)
    out_hash = np.empty(len(words) + 1, np.uint32)
    out_weight = np.empty(len(words) + 1, np.uint8)
    out_kind = np.empty(len(words) + 1, np.uint8)
    out_count = np.zeros((len(words) + 1, WINDOWS), np.uint8)
    # How often with a capital in mid-sentence, without one, with one elsewhere.
    seen = np.zeros((len(words) + 1, 3), np.uint16)
    top = np.zeros((articles, salient), np.uint32)
    ends = np.zeros(articles + 1, np.int64)
    packed, spare = np.empty(size, np.uint64), np.empty(size, np.uint64)
    levels = np.empty(size, np.int64)
    total = 0
    for a in range(articles):
        begin, n = total, 0
        base, mask = bases[which[a]], masks[which[a]]
        unknown_weight, unknown_name = unknown_weights[which[a]], unknown_names[which[a]]
        for i in range(offsets[a], offsets[a + 1]):
            word, flag = words[i], flags[i]
            slot = np.int64(word) & mask
            while keys[base + slot] != 0 and keys[base + slot] != word:
                slot = (slot + 1) & mask
            if keys[base + slot] == word:
                term, heft, name = stems[base + slot], weights[base + slot], names[base + slot]
            else:
                term, heft, name = word, unknown_weight, unknown_name
                if flag & SHORT and not flag & (CAPITAL | NUMBER | GRAM):
                    heft, name = np.uint8(SHORT_UNKNOWN), np.uint8(0)
            if heft < LIGHTEST and name == NEVER and not flag & NUMBER:
                continue
            place = np.int64(term) & (size - 1)
            while stamps[place] == a and out_hash[begin + table[place]] != term:
                place = (place + 1) & (size - 1)
            if stamps[place] != a:
                stamps[place], table[place] = a, n
                out_hash[begin + n], out_weight[begin + n] = term, heft
                out_kind[begin + n] = FIGURE if flag & NUMBER else WORD
                if name == ALWAYS and not flag & NUMBER:
                    out_kind[begin + n] = NAME
                elif name >= MONDAY:
                    out_kind[begin + n] = WEEKDAY + name - MONDAY
                elif name != BY_CAPITAL:
                    seen[begin + n, 1] = 60000  # never a name
                n += 1
            t = begin + table[place]
            if flag & (START | TITLE):
                seen[t, 2] += 1 if flag & CAPITAL and seen[t, 2] < 60000 else 0
            elif flag & CAPITAL:
                seen[t, 0] += 1 if seen[t, 0] < 60000 else 0
            else:
                seen[t, 1] += 1 if seen[t, 1] < 60000 else 0
            counts = out_count[t]
            if flag & TITLE:
                counts[IN_TITLE] += 1 if counts[IN_TITLE] < 255 else 0
                continue
            position = i - offsets[a] - titles[a]
            if position < 45:
                counts[IN_45] += 1
            if position < 80:
                counts[IN_80] += 1
            if position < 220:
                counts[IN_220] += 1
            counts[IN_ALL] += 1 if counts[IN_ALL] < 255 else 0
        for t in range(begin, begin + n):
            capital, small, edge = seen[t, 0], seen[t, 1], seen[t, 2]
            if out_kind[t] == WORD and (
                capital > small or (capital + small == 0 and edge > 0 and out_weight[t] >= RARE_BYTE)
            ):
                out_kind[t] = NAME
        order = sorted_order(out_hash, begin, n, packed, spare)
        out_hash[begin : begin + n] = out_hash[begin : begin + n][order]
        out_weight[begin : begin + n] = out_weight[begin : begin + n][order]
        out_kind[begin : begin + n] = out_kind[begin : begin + n][order]
        out_count[begin : begin + n] = out_count[begin : begin + n][order]
        seen[begin : begin + n] = 0
        fill_salient(out_hash, out_weight, out_kind, out_count, begin, n, top[a])
        if n > MOST_TERMS:
            n = heaviest(out_hash, out_weight, out_kind, out_count, begin, n, levels)
        total += n
        ends[a + 1] = total
    return (
        out_hash[:total].copy(),
        out_weight[:total].copy(),
        out_kind[:total].copy(),
        out_count[:total].copy(),
        ends,
        top,
    )


@kernel
def heaviest(hashes, weights, kinds, counts, begin, n, levels):
    """Leave only the `MOST_TERMS` terms with the greatest weight × (1 + ln count), lead first; return how many are left."""
    histogram = np.zeros(LEVELS, np.int64)
    for t in range(n):
        row = begin + t
        count = np.int64(counts[row, IN_TITLE]) + np.int64(counts[row, IN_ALL])
        level = np.int64(weights[row] * (1.0 + np.log(np.maximum(count, 1))))
        if counts[row, IN_TITLE] or counts[row, IN_220]:
            level += LEAD_BONUS
        levels[t] = min(level, LEVELS - 1)
        histogram[levels[t]] += 1
    cut, above = LEVELS - 1, 0
    while above + histogram[cut] < MOST_TERMS:
        above += histogram[cut]
        cut -= 1
    left_at_cut, kept = MOST_TERMS - above, begin
    for t in range(n):
        if levels[t] < cut or (levels[t] == cut and left_at_cut == 0):
            continue
        left_at_cut -= levels[t] == cut
        row = begin + t
        hashes[kept], weights[kept], kinds[kept] = hashes[row], weights[row], kinds[row]
        counts[kept] = counts[row]
        kept += 1
    for row in range(kept, begin + n):
        counts[row] = 0
    return kept - begin


@kernel
def sorted_order(hashes, begin, n, packed, spare):
    """Return the order (int64, n) that sorts `hashes[begin:begin + n]`: four counting passes over eight bits each."""
    counts = np.zeros((4, 256), np.int64)
    for t in range(n):
        value = hashes[begin + t]
        packed[t] = np.uint64(value) << np.uint64(32) | np.uint64(t)
        for digit in range(4):
            counts[digit, (value >> np.uint32(8 * digit)) & np.uint32(255)] += 1
    for digit in range(4):
        total = 0
        for b in range(256):
            total, counts[digit, b] = total + counts[digit, b], total
        shift = np.uint64(32 + 8 * digit)
        for t in range(n):
            b = (packed[t] >> shift) & np.uint64(255)
            spare[counts[digit, b]] = packed[t]
            counts[digit, b] += 1
        packed, spare = spare, packed
    order = np.empty(n, np.int64)
    for t in range(n):
        order[t] = np.int64(packed[t] & np.uint64(0xFFFFFFFF))
    return order


@kernel
def fill_salient(hashes, weights, kinds, counts, begin, n, row):
    """Write into `row` the most salient terms of title and lead, most salient first.

    Salience is weight × (1 + ln count), more for names, for the title and for the first sentence or two; which terms
    make good keys was chosen from a table (docs/decisions/0002-candidate-keys.md).
    """
    scores = np.zeros(len(row), np.float32)
    held = 0
    for t in range(begin, begin + n):
        count = np.int64(counts[t, IN_TITLE]) + np.int64(counts[t, IN_220])
        if count == 0:
            continue
        score = np.float32(min(weights[t], SALIENT_CAP) * (1.0 + np.log(count)))
        score *= NAME_BOOST if kinds[t] == NAME else np.float32(1.0)
        score *= TITLE_BOOST if counts[t, IN_TITLE] else np.float32(1.0)
        score *= EARLY_BOOST if counts[t, IN_45] else np.float32(1.0)
        if held == len(row) and score <= scores[held - 1]:
            continue
        place = held if held < len(row) else held - 1
        while place > 0 and scores[place - 1] < score:
            scores[place], row[place] = scores[place - 1], row[place - 1]
            place -= 1
        scores[place], row[place] = score, hashes[t]
        held = min(held + 1, len(row))
