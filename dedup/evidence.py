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
from dedup.terms import FIGURE, IN_45, IN_80, IN_220, IN_ALL, IN_TITLE, NAME
from dedup.vocabulary import WEIGHT_SCALE, stemmed
from dedup.words import word_hashes

EVIDENCE = (
    "jaccard",  # of the 3-shingles
    "contained",  # share of the first article's shingles found in the second
    "contains",  # share of the second article's shingles found in the first
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
JACCARD, CONTAINED, CONTAINS, NAMES_FOUND, FIGURES_FOUND, FIGURES, FEATURES = range(7)
"""The columns that decide copies and templates; from `FEATURES` on they are the story model's."""
COUNT = len(EVIDENCE)
HEAVY = np.float32(2.0)
"""The weight of a term found in one article in a hundred."""
MONTH = 30.0
WINDOWS = 5
"""Windows of title and text together: first 45, 80, 220 words, all, none (the title alone)."""
SQUARED_NAMES, SQUARED_WORDS, SQUARED_LEAD, NAMES_220, FACTS_220, FIGURES_ALL, FIGURES_COUNT, NAMES_80, WEEKDAYS_80 = 0, 5, 10, 11, 12, 13, 14, 15, 16
NORMS = 17
"""Columns of an article's norms: squared norms by window, of names and of the rest; then sums of weights; then a set of weekdays, as bits."""
WEEKDAYS = {
    "en": "monday tuesday wednesday thursday friday saturday sunday",
    "de": "montag dienstag mittwoch donnerstag freitag samstag sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "pt": "segunda terça quarta quinta sexta sábado domingo",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    "pl": "poniedziałek wtorek środa czwartek piątek sobota niedziela",
    "ru": "понедельник вторник среда четверг пятница суббота воскресенье",
    "ar": "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
    "tr": "pazartesi salı çarşamba perşembe cuma cumartesi pazar",
}
"""The days of the week, Monday first; where one word is also an ordinary word, it is rare enough there to do no harm."""
WEEKDAY_SLOTS = 256
LOGS = (1.0 + np.log(np.maximum(np.arange(512), 1))).astype(np.float32)
LOGS[0] = 0.0
"""1 + ln(count): how much a repeated term counts."""


@inlined
def mass(counts, window):
    """Return 1 + ln(count) of a term in the title and a window of the body; 0 where it is absent."""
    return LOGS[np.int64(counts[IN_TITLE]) + (np.int64(counts[IN_45 + window]) if window < WINDOWS - 1 else 0)]


@inlined
def cosine(dot, a, b):
    """Return the cosine in [0, 1] from a dot product and two squared norms; 0 where either is empty."""
    return min(dot / np.sqrt(a * b), np.float32(1.0)) if a > 0 and b > 0 else np.float32(0.0)


def weekday_table() -> tuple[np.ndarray, np.ndarray]:
    """Return (keys, bits): an open-addressing table from the stems of weekdays to a bit for each day."""
    keys, bits = np.zeros(WEEKDAY_SLOTS, np.uint32), np.zeros(WEEKDAY_SLOTS, np.uint8)
    for language, names in WEEKDAYS.items():
        for day, stem in enumerate(word_hashes(stemmed(names.split(), language))):
            slot = int(stem) % WEEKDAY_SLOTS
            while keys[slot] not in (0, stem):
                slot = (slot + 1) % WEEKDAY_SLOTS
            keys[slot], bits[slot] = stem, 1 << day
    return keys, bits


WEEKDAY_KEYS, WEEKDAY_BITS = weekday_table()


@inlined
def weekday_of(term):
    """Return the bit of the weekday that a term names; 0 for any other term."""
    slot = np.int64(term) % WEEKDAY_SLOTS
    while WEEKDAY_KEYS[slot] != 0 and WEEKDAY_KEYS[slot] != term:
        slot = (slot + 1) % WEEKDAY_SLOTS
    return WEEKDAY_BITS[slot] if WEEKDAY_KEYS[slot] == term else np.uint8(0)


@kernel
def norms_of(hashes, weights, kinds, counts, offsets):
    """Return what the evidence needs to know of each article alone (articles × `NORMS`, float32)."""
    out = np.zeros((len(offsets) - 1, NORMS), np.float32)
    for a in range(len(offsets) - 1):
        row = out[a]
        for t in range(offsets[a], offsets[a + 1]):
            weight, name, figure = np.float32(weights[t]) / np.float32(WEIGHT_SCALE), kinds[t] == NAME, kinds[t] == FIGURE
            base = SQUARED_NAMES if name else SQUARED_WORDS
            for window in range(WINDOWS):
                row[base + window] += (weight * mass(counts[t], window)) ** 2
            row[SQUARED_LEAD] += (weight * LOGS[counts[t, IN_45]]) ** 2
            if counts[t, IN_TITLE] or counts[t, IN_220]:
                row[NAMES_220] += weight if name else 0
                row[FACTS_220] += weight if name or figure else 0
            if name and (counts[t, IN_TITLE] or counts[t, IN_80]):
                row[NAMES_80] += weight
            if counts[t, IN_80]:
                day = weekday_of(hashes[t])
                if day:
                    row[WEEKDAYS_80] = np.int64(row[WEEKDAYS_80]) | day
            row[FIGURES_ALL] += weight if figure else 0
            row[FIGURES_COUNT] += figure
    return out


@kernel
def fill_evidence(s, i, j, out):
    """Write the evidence for sketches `i` and `j` of `s` into `out` (float32, one value a column)."""
    a_set = s.shingles[s.shingle_offsets[i] : s.shingle_offsets[i + 1]]
    b_set = s.shingles[s.shingle_offsets[j] : s.shingle_offsets[j + 1]]
    both = shared(a_set, b_set)
    out[JACCARD] = both / max(len(a_set) + len(b_set) - both, 1)
    out[CONTAINED] = both / max(len(a_set), 1)
    out[CONTAINS] = both / max(len(b_set), 1)

    names = np.zeros(WINDOWS, np.float32)
    words = np.zeros(WINDOWS, np.float32)
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
        a, b = s.term_counts[p], s.term_counts[q]
        a_name, b_name = s.term_kinds[p] == NAME, s.term_kinds[q] == NAME
        name, figure = a_name or b_name, s.term_kinds[p] == FIGURE
        dots = names if name else words
        for window in range(WINDOWS):
            dots[window] += weight * weight * mass(a, window) * mass(b, window)
        lead += weight * weight * LOGS[a[IN_45]] * LOGS[b[IN_45]]
        if (a[IN_TITLE] or a[IN_220]) and (b[IN_TITLE] or b[IN_220]):
            names_both += weight if name else np.float32(0.0)
            facts_both += weight if name or figure else np.float32(0.0)
            heavy += max(weight - HEAVY, np.float32(0.0))
        if a_name and (a[IN_TITLE] or a[IN_80]):
            a_names += weight
        if b_name and (b[IN_TITLE] or b[IN_80]):
            b_names += weight
        figures_both += weight if figure else np.float32(0.0)
        p += 1
        q += 1

    m, n = s.norms[i], s.norms[j]
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
    quotes = shared(
        s.quotes[s.quote_offsets[i] : s.quote_offsets[i + 1]], s.quotes[s.quote_offsets[j] : s.quote_offsets[j + 1]]
    )
    out[column + 7] = np.log1p(np.float32(quotes))
    out[column + 8] = np.sqrt(max(out[CONTAINED], out[CONTAINS]))
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
