"""A pair of sketches → its evidence, exactly: what the two articles share, as a row of named numbers.

In: two positions in a batch of sketches. Out: `EVIDENCE`, float32, computed from the sketches alone (law 1). Similar
events share the *words* of an event and not its names; chapters of a saga share the *names* and not the words. So
cosines are taken for names and for other words apart and joined by their geometric mean, which asks for both.

What belongs to one article only (norms, sums of weights) is computed once an article, so that a pair costs one merge of
two sorted lists of terms and one of shingles.
"""

import numpy as np

from dedup.kernel import inlined, kernel
from dedup.shingles import shared
from dedup.terms import FIGURE, IN_45, IN_80, IN_220, IN_TITLE, NAME, WEEKDAY
from dedup.vocabulary import WEIGHT_SCALE

EVIDENCE = (
    "jaccard",  # of the 3-shingles
    "contained",  # share of the first article's shingles found in the second
    "contains",  # share of the second article's shingles found in the first
    "names",  # weight of the names in the title and lead of the article that has more of them
    "names_found",  # share of the names in one article's title and lead that the other has anywhere; the better way
    "figures_found",  # share of the numbers of the article with fewer that the other has
    "figures",  # distinct numbers in the article with fewer
    "story_45",  # √(cosine of names × cosine of other words), title + first 45 words
    "story_80",  # the same, title + first 80 words
    "story_220",  # the same, title + first 220 words
    "title_story",  # the same, titles
    "lead_cosine",  # cosine of the first 45 words
    "opening_cosine",  # cosine of title + first 80 words
    "text_cosine",  # cosine of all the words
    "names_cosine",  # cosine of all the names
    "names_jaccard",  # weighted Jaccard of the names in title + first 220 words
    "facts_jaccard",  # weighted Jaccard of names and numbers in title + first 220 words
    "heavy_terms",  # ln(1 + weight above `HEAVY` of the terms shared by title + first 220 words)
    "quotes",  # ln(1 + 3-shingles shared inside quotation marks)
    "overlap",  # √(share of the shorter article's shingles found in the other)
    "words_220",  # cosine of the words that are no names, title + first 220 words
    "figures_missed",  # (1 - figures_found) × ln(1 + figures)
    "weekdays_differ",  # 1 where both name weekdays in their first 80 words, and none in common
    "days",  # √(days apart / 30); 0 where undated
    "undated",  # 1 where either article has no date
)
"""The columns of evidence, in order; similarities are in [0, 1]."""
JACCARD, CONTAINED, CONTAINS, NAMES, NAMES_FOUND, FIGURES_FOUND, FIGURES, FEATURES = range(8)
"""The columns that decide copies and templates; from `FEATURES` on they are the story model's."""
COUNT = len(EVIDENCE)
QUOTES, OVERLAP = EVIDENCE.index("quotes"), EVIDENCE.index("overlap")
HEAVY = np.float32(2.0)
"""The weight of a term found in one article in a hundred."""
MONTH = 30.0
WINDOWS = 5
"""Windows of title and text together: first 45, 80, 220 words, all, none (the title alone)."""
(
    SQUARED_NAMES,
    SQUARED_WORDS,
    SQUARED_LEAD,
    NAMES_220,
    FACTS_220,
    FIGURES_ALL,
    FIGURES_COUNT,
    NAMES_80,
    WEEKDAYS_80,
) = 0, 5, 10, 11, 12, 13, 14, 15, 16
NORMS = 17
"""Columns of an article's norms: squared norms by window, of names and of the rest; then sums of weights;
then a set of weekdays, as bits."""
LOGS = (1.0 + np.log(np.maximum(np.arange(512), 1))).astype(np.float32)
LOGS[0] = 0.0
"""1 + ln(count): how much a repeated term counts."""


@inlined
def mass(counts, t, window):
    """Return 1 + ln(count) of term `t` in the title and a window of the body; 0 where it is absent."""
    return LOGS[
        np.int64(counts[t, IN_TITLE]) + (np.int64(counts[t, IN_45 + window]) if window < WINDOWS - 1 else 0)
    ]


@inlined
def cosine(dot, a, b):
    """Return the cosine in [0, 1] from a dot product and two squared norms; 0 where either is empty."""
    return min(dot / np.sqrt(a * b), np.float32(1.0)) if a > 0 and b > 0 else np.float32(0.0)


@kernel
def norms_of(weights, kinds, counts, offsets):
    """Return what the evidence needs to know of each article alone (articles × `NORMS`, float32)."""
    out = np.zeros((len(offsets) - 1, NORMS), np.float32)
    for a in range(len(offsets) - 1):
        row = out[a]
        for t in range(offsets[a], offsets[a + 1]):
            weight, name, figure = (
                np.float32(weights[t]) / np.float32(WEIGHT_SCALE),
                kinds[t] == NAME,
                kinds[t] == FIGURE,
            )
            base = SQUARED_NAMES if name else SQUARED_WORDS
            for window in range(WINDOWS):
                row[base + window] += (weight * mass(counts, t, window)) ** 2
            row[SQUARED_LEAD] += (weight * LOGS[counts[t, IN_45]]) ** 2
            if counts[t, IN_TITLE] or counts[t, IN_220]:
                row[NAMES_220] += weight if name else 0
                row[FACTS_220] += weight if name or figure else 0
            if name and (counts[t, IN_TITLE] or counts[t, IN_80]):
                row[NAMES_80] += weight
            if kinds[t] >= WEEKDAY and counts[t, IN_80]:
                row[WEEKDAYS_80] = np.int64(row[WEEKDAYS_80]) | (1 << (kinds[t] - WEEKDAY))
            row[FIGURES_ALL] += weight if figure else 0
            row[FIGURES_COUNT] += figure
    return out


@kernel
def fill_evidence(s, i, j, out):
    """Write the evidence for sketches `i` and `j` of `s` into `out` (float32, one value a column)."""
    fill_story_evidence(s, i, j, out)
    fill_text_evidence(s, i, j, out)


@kernel
def fill_text_evidence(s, i, j, out):
    """Write the columns that the shingles give: Jaccard, containment both ways, overlap."""
    a_set = s.shingles[s.shingle_offsets[i] : s.shingle_offsets[i + 1]]
    b_set = s.shingles[s.shingle_offsets[j] : s.shingle_offsets[j + 1]]
    both = shared(a_set, b_set)
    out[JACCARD] = both / max(len(a_set) + len(b_set) - both, 1)
    out[CONTAINED] = both / max(len(a_set), 1)
    out[CONTAINS] = both / max(len(b_set), 1)
    out[OVERLAP] = np.sqrt(max(out[CONTAINED], out[CONTAINS]))


@kernel
def fill_story_evidence(s, i, j, out):
    """Write the columns that the terms, the quotations and the dates give."""
    quotes = shared(
        s.quotes[s.quote_offsets[i] : s.quote_offsets[i + 1]],
        s.quotes[s.quote_offsets[j] : s.quote_offsets[j + 1]],
    )
    out[QUOTES] = np.log1p(np.float32(quotes))
    dots = np.zeros((2, WINDOWS), np.float32)
    counts = s.term_counts
    lead = names_both = facts_both = heavy = np.float32(0.0)
    a_names, b_names = np.float32(0.0), np.float32(0.0)
    figures_both = np.float32(0.0)
    p, q = s.term_offsets[i], s.term_offsets[j]
    p_end, q_end = s.term_offsets[i + 1], s.term_offsets[j + 1]
    while p < p_end and q < q_end:
        x, y = s.term_hashes[p], s.term_hashes[q]
        if x != y:
            p += x < y
            q += y < x
            continue
        weight = np.float32(max(s.term_weights[p], s.term_weights[q])) / np.float32(WEIGHT_SCALE)
        a_name, b_name = s.term_kinds[p] == NAME, s.term_kinds[q] == NAME
        name, figure = np.int64(a_name or b_name), s.term_kinds[p] == FIGURE
        for window in range(WINDOWS):
            dots[name, window] += weight * weight * mass(counts, p, window) * mass(counts, q, window)
        lead += weight * weight * LOGS[counts[p, IN_45]] * LOGS[counts[q, IN_45]]
        if (counts[p, IN_TITLE] or counts[p, IN_220]) and (counts[q, IN_TITLE] or counts[q, IN_220]):
            names_both += weight if name else np.float32(0.0)
            facts_both += weight if name or figure else np.float32(0.0)
            heavy += max(weight - HEAVY, np.float32(0.0))
        if a_name and (counts[p, IN_TITLE] or counts[p, IN_80]):
            a_names += weight
        if b_name and (counts[q, IN_TITLE] or counts[q, IN_80]):
            b_names += weight
        figures_both += weight if figure else np.float32(0.0)
        p += 1
        q += 1

    words, names = dots[0], dots[1]
    m, n = s.norms[i], s.norms[j]
    out[NAMES] = max(m[NAMES_80], n[NAMES_80])
    out[NAMES_FOUND] = max(portion(a_names, m[NAMES_80]), portion(b_names, n[NAMES_80]))
    out[FIGURES_FOUND] = portion(figures_both, min(m[FIGURES_ALL], n[FIGURES_ALL]))
    out[FIGURES] = min(m[FIGURES_COUNT], n[FIGURES_COUNT])
    column = FEATURES
    for window in (0, 1, 2, 4):
        out[column] = np.sqrt(
            cosine(names[window], m[SQUARED_NAMES + window], n[SQUARED_NAMES + window])
            * cosine(words[window], m[SQUARED_WORDS + window], n[SQUARED_WORDS + window])
        )
        column += 1
    out[column] = cosine(lead, m[SQUARED_LEAD], n[SQUARED_LEAD])
    for k, window in enumerate((1, 3)):
        out[column + 1 + k] = cosine(
            names[window] + words[window],
            m[SQUARED_NAMES + window] + m[SQUARED_WORDS + window],
            n[SQUARED_NAMES + window] + n[SQUARED_WORDS + window],
        )
    out[column + 3] = cosine(names[3], m[SQUARED_NAMES + 3], n[SQUARED_NAMES + 3])
    out[column + 4] = portion(names_both, m[NAMES_220] + n[NAMES_220] - names_both)
    out[column + 5] = portion(facts_both, m[FACTS_220] + n[FACTS_220] - facts_both)
    out[column + 6] = np.log1p(heavy)
    out[column + 9] = cosine(words[2], m[SQUARED_WORDS + 2], n[SQUARED_WORDS + 2])
    out[column + 10] = (np.float32(1.0) - out[FIGURES_FOUND]) * np.log1p(out[FIGURES])
    a_days, b_days = np.int64(m[WEEKDAYS_80]), np.int64(n[WEEKDAYS_80])
    out[column + 11] = a_days != 0 and b_days != 0 and a_days & b_days == 0
    undated = np.isnan(s.days[i]) or np.isnan(s.days[j])
    out[column + 12] = 0.0 if undated else np.sqrt(abs(s.days[i] - s.days[j]) / MONTH)
    out[column + 13] = undated


@inlined
def portion(part, total):
    """Return part / total, in [0, 1]; 0 where there is nothing."""
    return min(part / total, np.float32(1.0)) if total > 0 else np.float32(0.0)


@kernel
def evidence_of(s, left, right):
    """Return the evidence (pairs × columns, float32) for pairs of positions in `s`."""
    out = np.zeros((len(left), COUNT), np.float32)
    for k in range(len(left)):
        fill_evidence(s, left[k], right[k], out[k])
    return out
