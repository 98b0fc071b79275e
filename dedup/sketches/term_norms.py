"""The terms of an article → its norms: what evidence needs to know of each article alone, computed once.

In: the facts of all terms of a batch. Out: a row of sums an article: squared norms by window of its text, of names and of other
words, and sums of weights. A term has a mass in each window, 1 + ln of how often it stands there (sublinear TF), and counts
by its weight, a name by its weight squared.
"""

import numpy as np

from dedup.jit import inlined, kernel
from dedup.sketches.terms import FIGURE, IN_45, IN_80, IN_220, IN_TITLE, KIND, LOGS, NAME, WEEKDAY, WEIGHT
from dedup.text.vocabulary import WEIGHT_SCALE

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
    FIGURES_80,
    SQUARED_PLAIN,
    WEIGHT_TITLE,
    WEIGHT_220,
) = 0, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20
NORMS = 21
"""Columns of an article's norms: squared norms by window, of names and of the rest; then sums of weights;
then a set of weekdays, as bits."""
LEAD = WINDOWS
"""The column of masses after those of the windows: that of the first 45 words without the title."""
PLAIN = 2
"""The window in which words that are neither names nor numbers are compared: title and first 220 words."""


@inlined
def fill_masses(facts, out):
    """Write 1 + ln(count) of a term, 0 where it is absent: title with each window of the body, title alone, lead alone."""
    title = np.int64(facts[IN_TITLE])
    for window in range(WINDOWS - 1):
        out[window] = LOGS[title + np.int64(facts[IN_45 + window])]
    out[WINDOWS - 1] = LOGS[title]
    out[LEAD] = LOGS[facts[IN_45]]


@inlined
def counted(weight, name):
    """Return what a term of this weight counts in a dot product, as a name or as another word."""
    return weight * weight if name else weight


@inlined
def in_first_80(facts):
    """Return whether a term stands in the title or the first 80 words."""
    return facts[IN_TITLE] or facts[IN_80]


@inlined
def in_first_220(facts):
    """Return whether a term stands in the title or the first 220 words."""
    return facts[IN_TITLE] or facts[IN_220]


@kernel
def norms_of(facts, offsets):
    """Return what the evidence needs to know of each article alone (articles × `NORMS`, float32)."""
    out = np.zeros((len(offsets) - 1, NORMS), np.float32)
    masses = np.zeros(WINDOWS + 1, np.float32)
    for a in range(len(offsets) - 1):
        row = out[a]
        for t in range(offsets[a], offsets[a + 1]):
            term = facts[t]
            weight = np.float32(term[WEIGHT]) / np.float32(WEIGHT_SCALE)
            name, figure = term[KIND] == NAME, term[KIND] == FIGURE
            base = SQUARED_NAMES if name else SQUARED_WORDS
            told = counted(weight, name)
            fill_masses(term, masses)
            for window in range(WINDOWS):
                row[base + window] += told * masses[window] ** 2
            row[SQUARED_LEAD] += told * masses[LEAD] ** 2
            row[SQUARED_PLAIN] += 0 if name or figure else told * masses[PLAIN] ** 2
            if term[IN_TITLE]:
                row[WEIGHT_TITLE] += weight
            if in_first_220(term):
                row[WEIGHT_220] += weight
                row[NAMES_220] += weight if name else 0
                row[FACTS_220] += weight if name or figure else 0
            if name and in_first_80(term):
                row[NAMES_80] += weight
            if term[KIND] >= WEEKDAY and in_first_80(term):
                row[WEEKDAYS_80] = np.int64(row[WEEKDAYS_80]) | (1 << (term[KIND] - WEEKDAY))
            row[FIGURES_ALL] += weight if figure else 0
            row[FIGURES_COUNT] += figure
            row[FIGURES_80] += figure and in_first_80(term) > 0
    return out
