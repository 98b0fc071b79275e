"""Compute the norms of articles: the sums over the terms of one article that evidence needs, once per article.

Evidence uses cosines over windows of the text, so there are squared norms per window, of names and of other words, and
sums of weights. In a window, a term counts 1 + ln of its count there (sublinear TF) times its weight; a name, times its
weight squared.
"""

import numpy as np

from dedup.jit import jit, jit_inline
from dedup.sketches.terms import (
    FIGURE,
    IN_45,
    IN_80,
    IN_220,
    IN_TITLE,
    KIND,
    LOG_FREQUENCY,
    NAME,
    WEEKDAY,
    WEIGHT,
)
from dedup.text.vocabulary import WEIGHT_SCALE

WINDOW_COUNT = 5
"""Windows of title and text together: the first 45, 80 and 220 words, the whole text, and no text (the title alone)."""
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
NORM_COLUMNS = 21
"""The columns of the norms: squared norms by window, of names and of other words; sums of weights; the weekdays, as bits."""
LEAD_COLUMN = WINDOW_COUNT
"""The column of log frequencies after those of the windows: the first 45 words without the title."""
PLAIN_WINDOW = 2
"""The window in which words that are neither names nor numbers are compared: title + first 220 words."""


@jit_inline
def fill_term_log_counts(facts, out):
    """Write 1 + ln(count) of a term (0 if absent) for title + each window of the text, the title alone, the lead alone."""
    title = np.int64(facts[IN_TITLE])
    for window in range(WINDOW_COUNT - 1):
        out[window] = LOG_FREQUENCY[title + np.int64(facts[IN_45 + window])]
    out[WINDOW_COUNT - 1] = LOG_FREQUENCY[title]
    out[LEAD_COLUMN] = LOG_FREQUENCY[facts[IN_45]]


@jit_inline
def compute_dot_weight(weight, name):
    """Return the weight of a term in a dot product: the square for a name."""
    return weight * weight if name else weight


@jit_inline
def is_in_first_80(facts):
    """Return whether a term is in the title or the first 80 words."""
    return facts[IN_TITLE] or facts[IN_80]


@jit_inline
def is_in_first_220(facts):
    """Return whether a term is in the title or the first 220 words."""
    return facts[IN_TITLE] or facts[IN_220]


def compute_term_norms(facts: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the norms of each article (articles × `NORM_COLUMNS`, float32)."""
    norms = np.zeros((len(offsets) - 1, NORM_COLUMNS), np.float32)
    fill_term_norms(facts, offsets, np.zeros(WINDOW_COUNT + 1, np.float32), norms)
    return norms


@jit
def fill_term_norms(facts, offsets, log_frequencies, out):
    """Write the norms of each article into `out`, which holds 0s; `log_frequencies` is scratch for a term."""
    for a in range(len(offsets) - 1):
        row = out[a]
        for t in range(offsets[a], offsets[a + 1]):
            term = facts[t]
            weight = np.float32(term[WEIGHT]) / np.float32(WEIGHT_SCALE)
            name, figure = term[KIND] == NAME, term[KIND] == FIGURE
            first_column = SQUARED_NAMES if name else SQUARED_WORDS
            dot_weight = compute_dot_weight(weight, name)
            fill_term_log_counts(term, log_frequencies)
            for window in range(WINDOW_COUNT):
                row[first_column + window] += dot_weight * log_frequencies[window] ** 2
            row[SQUARED_LEAD] += dot_weight * log_frequencies[LEAD_COLUMN] ** 2
            row[SQUARED_PLAIN] += 0 if name or figure else dot_weight * log_frequencies[PLAIN_WINDOW] ** 2
            if term[IN_TITLE]:
                row[WEIGHT_TITLE] += weight
            if is_in_first_220(term):
                row[WEIGHT_220] += weight
                row[NAMES_220] += weight if name else 0
                row[FACTS_220] += weight if name or figure else 0
            if name and is_in_first_80(term):
                row[NAMES_80] += weight
            if term[KIND] >= WEEKDAY and is_in_first_80(term):
                row[WEEKDAYS_80] = np.int64(row[WEEKDAYS_80]) | (1 << (term[KIND] - WEEKDAY))
            row[FIGURES_ALL] += weight if figure else 0
            row[FIGURES_COUNT] += figure
            row[FIGURES_80] += figure and is_in_first_80(term) > 0
