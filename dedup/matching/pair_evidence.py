"""Compute the evidence that depends on the two articles of a pair alone.

Similar events share the *words* of an event but not its names; articles of one storyline share the *names* but not the words.
So cosines are taken separately for names and for other words, and combined by their geometric mean, which is high only if
both are. Rare names say more than rare words: a name counts by its weight squared, as in TF-IDF, a word by its weight. The
columns hold square roots of cosines, which are closer to what readers call similarity
(docs/decisions/0001-story-model.md). The sums over one article are computed once per article (`dedup.sketches.term_norms`).
"""

import numpy as np

from dedup.jit import jit, jit_inline
from dedup.matching.evidence_columns import (
    CHANGED_FACTS,
    CONTAINED,
    CONTAINS,
    DAYS,
    EVENT_DAY_SHARED,
    EVENT_DAYS_DIFFER,
    FACTS_JACCARD,
    FIGURE_SHARE,
    FIGURES,
    FIGURES_FOUND,
    FIGURES_MISSED,
    FIRST_DAY,
    HEAVY_TERMS,
    JACCARD,
    LEAD_COSINE,
    NAMES,
    NAMES_COSINE,
    NAMES_FOUND,
    NAMES_JACCARD,
    OPENING_COSINE,
    OPENING_FOUND_LESS,
    OVERLAP,
    QUOTES,
    REST_OVER_LEAD,
    REST_OVER_OPENING,
    SECOND_DAY,
    STORY_45,
    STORY_80,
    STORY_220,
    TERMS_OF_LONGER,
    TEXT_COSINE,
    THIRD_DAY,
    TITLE_FOUND_LESS,
    TITLE_FOUND_MORE,
    TITLE_JACCARD,
    TITLE_STORY,
    UNDATED,
    WEEKDAYS_DIFFER,
    WEEKDAYS_SHARED,
    WORDS_220,
)
from dedup.matching.pair_workspace import WORKSPACE_SLOTS
from dedup.sketches.shingles import count_shared_values
from dedup.sketches.term_norms import (
    FACTS_220,
    FIGURES_80,
    FIGURES_ALL,
    FIGURES_COUNT,
    LEAD_COLUMN,
    NAMES_80,
    NAMES_220,
    PLAIN_WINDOW,
    SQUARED_LEAD,
    SQUARED_NAMES,
    SQUARED_PLAIN,
    SQUARED_WORDS,
    WEEKDAYS_80,
    WEIGHT_220,
    WEIGHT_TITLE,
    WINDOW_COUNT,
    compute_dot_weight,
    fill_term_log_counts,
    is_in_first_80,
    is_in_first_220,
)
from dedup.sketches.terms import (
    FIGURE,
    IN_TITLE,
    KIND,
    NAME,
    WEIGHT,
)
from dedup.text.vocabulary import WEIGHT_SCALE

HEAVY_WEIGHT = np.float32(2.0)
"""The weight of a term found in one article in a hundred."""
DAYS_PER_MONTH = 30.0
EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday, with Monday as 0."""


@jit
def fill_pair_evidence(s, i, j, workspace):
    """Write the columns before `CONTEXT_START` for the loaded sketch `i` and sketch `j` into `workspace.row`."""
    fill_story_evidence(s, i, j, workspace)
    fill_quote_evidence(s, i, j, workspace.row)
    fill_text_evidence(s, i, j, workspace.row)


@jit
def fill_quote_evidence(s, i, j, out):
    """Write the column of quotations."""
    shared = count_shared_values(
        s.quotes[s.quote_offsets[i] : s.quote_offsets[i + 1]],
        s.quotes[s.quote_offsets[j] : s.quote_offsets[j + 1]],
    )
    out[QUOTES] = np.log1p(np.float32(shared))


@jit
def fill_text_evidence(s, i, j, out):
    """Write the columns of shingles: Jaccard, containment both ways, overlap."""
    i_set = s.shingles[s.shingle_offsets[i] : s.shingle_offsets[i + 1]]
    j_set = s.shingles[s.shingle_offsets[j] : s.shingle_offsets[j + 1]]
    shared = count_shared_values(i_set, j_set)
    out[JACCARD] = shared / max(len(i_set) + len(j_set) - shared, 1)
    out[CONTAINED] = shared / max(len(i_set), 1)
    out[CONTAINS] = shared / max(len(j_set), 1)
    out[OVERLAP] = np.sqrt(max(out[CONTAINED], out[CONTAINS]))


@jit
def fill_story_evidence(s, i, j, workspace):
    """Write the columns of terms and dates; sketch `i` is loaded in the workspace.

    Terms are added in the order of their hashes, so the sums do not depend on which of the two is loaded, to the last
    bit.
    """
    out, dot_products = workspace.row, workspace.dot_products
    dot_products[:] = 0.0
    shared_names = shared_facts = heavy_weight = shared_figures = plain_dot = np.float32(0.0)
    i_names, j_names, i_figures, j_figures = np.float32(0.0), np.float32(0.0), 0, 0
    shared_titles = i_title = j_title = i_opening = j_opening = np.float32(0.0)
    hashes, facts, slots = s.term_hashes, s.term_facts, workspace.term_slots
    offset = s.term_offsets[i] - 1
    # Find each term of `j` in the table of `i`, and add the shared ones to the sums.
    for t in range(s.term_offsets[j], s.term_offsets[j + 1]):
        term = hashes[t]
        slot = np.int64(term) & (WORKSPACE_SLOTS - 1)
        k = np.int64(slots[slot])
        while k and hashes[offset + k] != term:
            slot = (slot + 1) & (WORKSPACE_SLOTS - 1)
            k = np.int64(slots[slot])
        if k == 0:
            continue
        i_facts, j_facts = facts[offset + k], facts[t]
        i_frequencies, j_frequencies = workspace.log_frequencies[k - 1], workspace.other_log_frequencies
        weight = np.float32(max(i_facts[WEIGHT], j_facts[WEIGHT])) / np.float32(WEIGHT_SCALE)
        i_name, j_name = i_facts[KIND] == NAME, j_facts[KIND] == NAME
        name, figure = np.int64(i_name or j_name), i_facts[KIND] == FIGURE
        dot_weight = compute_dot_weight(weight, name)
        fill_term_log_counts(j_facts, j_frequencies)
        for window in range(WINDOW_COUNT + 1):
            dot_products[name, window] += dot_weight * (i_frequencies[window] * j_frequencies[window])
        # Names, facts and heavy terms of title + first 220 words.
        if is_in_first_220(i_facts) and is_in_first_220(j_facts):
            shared_names += weight if name else np.float32(0.0)
            shared_facts += weight if name or figure else np.float32(0.0)
            heavy_weight += max(weight - HEAVY_WEIGHT, np.float32(0.0))
        i_weight = np.float32(i_facts[WEIGHT]) / np.float32(WEIGHT_SCALE)
        j_weight = np.float32(j_facts[WEIGHT]) / np.float32(WEIGHT_SCALE)
        # Weights of the shared terms, by where each article has them.
        if i_facts[IN_TITLE]:
            i_title += i_weight
            shared_titles += min(i_weight, j_weight) if j_facts[IN_TITLE] else np.float32(0.0)
        if j_facts[IN_TITLE]:
            j_title += j_weight
        i_opening += i_weight if is_in_first_220(i_facts) else np.float32(0.0)
        j_opening += j_weight if is_in_first_220(j_facts) else np.float32(0.0)
        if i_name and is_in_first_80(i_facts):
            i_names += weight
        if j_name and is_in_first_80(j_facts):
            j_names += weight
        if not name and not figure:
            plain_dot += dot_weight * (i_frequencies[PLAIN_WINDOW] * j_frequencies[PLAIN_WINDOW])
        i_figures += figure and is_in_first_80(i_facts) > 0
        j_figures += figure and is_in_first_80(j_facts) > 0
        shared_figures += weight if figure else np.float32(0.0)

    # Turn the sums into columns. Columns before `FEATURES_START`: names and numbers.
    words, names = dot_products[0], dot_products[1]
    i_norms, j_norms = s.norms[i], s.norms[j]
    out[NAMES] = max(i_norms[NAMES_80], j_norms[NAMES_80])
    out[NAMES_FOUND] = max(
        compute_share(i_names, i_norms[NAMES_80]), compute_share(j_names, j_norms[NAMES_80])
    )
    out[FIGURES_FOUND] = compute_share(shared_figures, min(i_norms[FIGURES_ALL], j_norms[FIGURES_ALL]))
    out[FIGURES] = min(i_norms[FIGURES_COUNT], j_norms[FIGURES_COUNT])
    # Similarities by window.
    for column, window in ((STORY_45, 0), (STORY_80, 1), (STORY_220, 2), (TITLE_STORY, 4)):
        names_cosine = compute_root_cosine(
            names[window], i_norms[SQUARED_NAMES + window], j_norms[SQUARED_NAMES + window]
        )
        words_cosine = compute_root_cosine(
            words[window], i_norms[SQUARED_WORDS + window], j_norms[SQUARED_WORDS + window]
        )
        out[column] = names_cosine * words_cosine
    out[LEAD_COSINE] = compute_root_cosine(
        words[LEAD_COLUMN] + names[LEAD_COLUMN], i_norms[SQUARED_LEAD], j_norms[SQUARED_LEAD]
    )
    for column, window in ((OPENING_COSINE, 1), (TEXT_COSINE, 3)):
        out[column] = compute_root_cosine(
            names[window] + words[window],
            i_norms[SQUARED_NAMES + window] + i_norms[SQUARED_WORDS + window],
            j_norms[SQUARED_NAMES + window] + j_norms[SQUARED_WORDS + window],
        )
    out[NAMES_COSINE] = compute_root_cosine(names[3], i_norms[SQUARED_NAMES + 3], j_norms[SQUARED_NAMES + 3])
    out[NAMES_JACCARD] = compute_share(shared_names, i_norms[NAMES_220] + j_norms[NAMES_220] - shared_names)
    out[FACTS_JACCARD] = compute_share(shared_facts, i_norms[FACTS_220] + j_norms[FACTS_220] - shared_facts)
    out[HEAVY_TERMS] = np.log1p(heavy_weight)
    out[WORDS_220] = compute_root_cosine(plain_dot, i_norms[SQUARED_PLAIN], j_norms[SQUARED_PLAIN])
    # Numbers and weekdays that differ.
    i_terms, j_terms = count_terms(s, i), count_terms(s, j)
    i_figure_share, j_figure_share = (
        compute_share(i_norms[FIGURES_COUNT], i_terms),
        compute_share(j_norms[FIGURES_COUNT], j_terms),
    )
    out[FIGURE_SHARE] = np.float32(0.5) * (i_figure_share + j_figure_share)
    out[TERMS_OF_LONGER] = max(i_terms, j_terms)
    out[FIGURES_MISSED] = (np.float32(1.0) - out[FIGURES_FOUND]) * np.log1p(out[FIGURES])
    out[CHANGED_FACTS] = min(i_norms[FIGURES_80] - i_figures, j_norms[FIGURES_80] - j_figures)
    j_days, i_days = np.int64(j_norms[WEEKDAYS_80]), np.int64(i_norms[WEEKDAYS_80])
    out[WEEKDAYS_SHARED] = j_days & i_days != 0
    out[WEEKDAYS_DIFFER] = j_days != 0 and i_days != 0 and j_days & i_days == 0
    # Dates, and how much of title and opening the other article has.
    undated = np.isnan(s.days[i]) or np.isnan(s.days[j])
    gap = np.float32(0.0) if undated else np.float32(abs(s.days[i] - s.days[j]))
    out[DAYS] = np.sqrt(gap / np.float32(DAYS_PER_MONTH))
    out[UNDATED] = undated
    i_found, j_found = (
        compute_share_or_half(i_title, i_norms[WEIGHT_TITLE]),
        compute_share_or_half(j_title, j_norms[WEIGHT_TITLE]),
    )
    out[TITLE_FOUND_MORE], out[TITLE_FOUND_LESS] = max(i_found, j_found), min(i_found, j_found)
    i_found, j_found = (
        compute_share_or_half(i_opening, i_norms[WEIGHT_220]),
        compute_share_or_half(j_opening, j_norms[WEIGHT_220]),
    )
    out[OPENING_FOUND_LESS] = min(i_found, j_found)
    out[TITLE_JACCARD] = compute_share(
        shared_titles, i_norms[WEIGHT_TITLE] + j_norms[WEIGHT_TITLE] - shared_titles
    )
    out[REST_OVER_LEAD] = max(out[TEXT_COSINE] - out[LEAD_COSINE], np.float32(0.0))
    out[REST_OVER_OPENING] = max(out[TEXT_COSINE] - out[OPENING_COSINE], np.float32(0.0))
    out[FIRST_DAY] = min(gap, np.float32(1.0))
    out[SECOND_DAY] = min(max(gap - np.float32(1.0), np.float32(0.0)), np.float32(1.0))
    out[THIRD_DAY] = min(max(gap - np.float32(2.0), np.float32(0.0)), np.float32(1.0))
    out[EVENT_DAY_SHARED] = out[EVENT_DAYS_DIFFER] = 0.0
    if j_days and i_days and not undated:
        same_day = has_common_event_day(i_days, s.days[i], j_days, s.days[j])
        out[EVENT_DAY_SHARED], out[EVENT_DAYS_DIFFER] = same_day, not same_day


@jit_inline
def count_terms(s, i):
    """Return the number of terms of sketch `i`."""
    return np.float32(s.term_offsets[i + 1] - s.term_offsets[i])


@jit
def has_common_event_day(weekdays, day, other_weekdays, other_day):
    """Return whether two articles name the same day.

    `weekdays` has a bit per weekday, Monday first; each stands for its last date up to the date of the article.
    """
    today, other_today = np.int64(np.floor(day)), np.int64(np.floor(other_day))
    for days_back in range(7):
        event_day = today - days_back
        if not weekdays >> ((event_day + EPOCH_WEEKDAY) % 7) & 1:
            continue
        other_days_back = other_today - event_day
        if 0 <= other_days_back < 7 and other_weekdays >> ((event_day + EPOCH_WEEKDAY) % 7) & 1:
            return True
    return False


@jit_inline
def compute_root_cosine(dot, a, b):
    """Return the square root of a cosine from a dot product and two squared norms, in [0, 1]; 0 if a norm is 0."""
    return np.sqrt(min(dot / np.sqrt(a * b), np.float32(1.0))) if a > 0 and b > 0 else np.float32(0.0)


@jit_inline
def compute_share(part, total):
    """Return part / total, in [0, 1]; 0 if the total is 0."""
    return min(part / total, np.float32(1.0)) if total > 0 else np.float32(0.0)


@jit_inline
def compute_share_or_half(part, total):
    """Return part / total, in [0, 1]; a neutral 0.5 if the total is 0."""
    return min(part / total, np.float32(1.0)) if total > 0 else np.float32(0.5)
