"""Compute the evidence of a pair: a row of named numbers that says what two articles share.

Similar events share the *words* of an event but not its names; articles of one affair share the *names* but not the
words. So cosines are taken separately for names and for other words, and combined by their geometric mean, which is high
only if both are. Rare names say more than rare words: a name counts by its weight squared, as in TF-IDF, a word by its
weight. The columns hold square roots of cosines, which are closer to what readers call similarity
(docs/decisions/0001-story-model.md). The evidence is computed from the sketches alone (law 1).

The sums over one article are computed once per article (`dedup.sketches.term_norms`). An article to be compared with many
is loaded into a `PairWorkspace`, with its terms in a small hash table, so that a pair costs one lookup per term of the
other article.
"""

from typing import Any, NamedTuple

import numpy as np

from dedup.jit import jit, jit_inline, jit_leaf
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
    fill_log_frequencies,
    is_in_first_80,
    is_in_first_220,
)
from dedup.sketches.terms import (
    FIGURE,
    IN_TITLE,
    KIND,
    MAX_ARTICLE_TERMS,
    NAME,
    WEIGHT,
)
from dedup.text.vocabulary import WEIGHT_SCALE

EVIDENCE_NAMES = (
    "jaccard",  # of the 3-shingles
    "contained",  # share of the first article's shingles found in the second
    "contains",  # share of the second article's shingles found in the first
    "names",  # weight of the names in title + first 80 words, of the article with more
    "names_found",  # share of the names in title + first 80 words that the other has anywhere; the larger of both directions
    "figures_found",  # share of the numbers of the article with fewer that the other has
    "figures",  # distinct numbers in the article with fewer
    "story_45",  # √(cosine of names × cosine of other words) of title + first 45 words
    "story_80",  # the same, title + first 80 words
    "story_220",  # the same, title + first 220 words
    "title_story",  # the same, titles
    "lead_cosine",  # √cosine of the first 45 words
    "opening_cosine",  # √cosine of title + first 80 words
    "text_cosine",  # √cosine of all the words
    "names_cosine",  # √cosine of all the names
    "names_jaccard",  # weighted Jaccard of the names in title + first 220 words
    "facts_jaccard",  # weighted Jaccard of names and numbers in title + first 220 words
    "heavy_terms",  # ln(1 + weight above `HEAVY_WEIGHT` of the terms shared by title + first 220 words)
    "quotes",  # ln(1 + 3-shingles shared inside quotation marks)
    "overlap",  # √(share of the shorter article's shingles found in the other)
    "words_220",  # √cosine of the words that are neither names nor numbers, title + first 220 words
    "figures_missed",  # (1 - figures_found) × ln(1 + figures)
    "changed_facts",  # numbers in title + first 80 words that the other does not have; the smaller of both directions
    "weekdays_shared",  # 1 if title + first 80 words of both name the same weekday
    "weekdays_differ",  # 1 if both name weekdays there, and none in common
    "days",  # √(days apart / 30); 0 if undated
    "undated",  # 1 if either article has no date
    "title_found_more",  # share of the terms of a title that the other article has anywhere; the larger of both directions
    "title_found_less",  # the same, the smaller
    "opening_found_less",  # share of the terms of title + first 220 words that the other has anywhere; the smaller
    "title_jaccard",  # weighted Jaccard of the titles' terms
    "rest_over_lead",  # √cosine of the whole texts minus that of the first 45 words; at least 0
    "rest_over_opening",  # the same, minus that of title + first 80 words
    "first_day",  # days apart, up to 1; 0 if undated
    "second_day",  # days apart beyond the first, up to 1
    "third_day",  # days apart beyond the second, up to 1
    "event_day_shared",  # 1 if both name the same day: weekdays in title + first 80 words, counted back from the date
    "event_days_differ",  # 1 if both name days there, and none in common
    "figure_share",  # share of numbers among the terms, mean of the two articles
    "terms_of_longer",  # distinct terms of the article with more of them
    "new_title_found",  # share of the title's terms, weighted by their rarity in the affair, that the kept article has
    "new_lead_found",  # the same of title + first 80 words
    "new_opening_found",  # the same of title + first 220 words
    "new_text_found",  # the same of all terms
    "nearer",  # ln(1 + kept articles nearer to the article than this one)
    "neighbours",  # ln(1 + other kept articles of the same affair)
    "same_day_neighbour",  # 1 if the article is undated and a neighbour is dated within a day of the kept article
)
"""The columns of evidence, in order; similarities are in [0, 1]."""
EVIDENCE_COUNT = len(EVIDENCE_NAMES)
(
    JACCARD,
    CONTAINED,
    CONTAINS,
    NAMES,
    NAMES_FOUND,
    FIGURES_FOUND,
    FIGURES,
    STORY_45,
    STORY_80,
    STORY_220,
    TITLE_STORY,
    LEAD_COSINE,
    OPENING_COSINE,
    TEXT_COSINE,
    NAMES_COSINE,
    NAMES_JACCARD,
    FACTS_JACCARD,
    HEAVY_TERMS,
    QUOTES,
    OVERLAP,
    WORDS_220,
    FIGURES_MISSED,
    CHANGED_FACTS,
    WEEKDAYS_SHARED,
    WEEKDAYS_DIFFER,
    DAYS,
    UNDATED,
    TITLE_FOUND_MORE,
    TITLE_FOUND_LESS,
    OPENING_FOUND_LESS,
    TITLE_JACCARD,
    REST_OVER_LEAD,
    REST_OVER_OPENING,
    FIRST_DAY,
    SECOND_DAY,
    THIRD_DAY,
    EVENT_DAY_SHARED,
    EVENT_DAYS_DIFFER,
    FIGURE_SHARE,
    TERMS_OF_LONGER,
    NEW_TITLE_FOUND,
    NEW_LEAD_FOUND,
    NEW_OPENING_FOUND,
    NEW_TEXT_FOUND,
    NEARER,
    NEIGHBOURS,
    SAME_DAY_NEIGHBOUR,
) = range(EVIDENCE_COUNT)
FEATURES_START = STORY_45
"""The columns before this one decide copies and templates; the models use it and those after it."""
CONTEXT_START = NEW_TITLE_FOUND
"""The columns from this one on depend on the neighbours of the article: other kept articles of its affair."""
MAX_NEIGHBOURS = 5
"""The number of neighbours used; five describe an affair as well as forty do (docs/decisions/0009-levels.md)."""
HEAVY_WEIGHT = np.float32(2.0)
"""The weight of a term found in one article in a hundred."""
DAYS_PER_MONTH = 30.0
EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday, with Monday as 0."""
WORKSPACE_SLOTS = 1 << 12
"""Slots of the hash table: twenty-five times `MAX_ARTICLE_TERMS`, so that most lookups end at a free slot."""


class PairWorkspace(NamedTuple):
    """The buffers for comparing one loaded article with others."""

    log_frequencies: np.ndarray
    """Terms × (windows and lead), float32: 1 + ln(count) of each term of the loaded article."""
    other_log_frequencies: np.ndarray
    """The same for one term of the other article."""
    term_slots: np.ndarray
    """`WORKSPACE_SLOTS`, uint8: an open-addressing table from term hashes to 1 + the index of the term; 0 is free."""
    dot_products: np.ndarray
    """2 × (windows and lead), float32: the dot products of a pair, of words and of names."""
    row: np.ndarray
    """The evidence of the latest pair (float32)."""
    neighbour_counts: np.ndarray
    """Terms, float32: the number of neighbours that have each term of the loaded article."""
    is_shared: np.ndarray
    """Terms, float32: 1 if the other article has the term, else 0."""


def make_pair_workspace() -> PairWorkspace:
    """Return an empty workspace."""
    return PairWorkspace(
        log_frequencies=np.zeros((MAX_ARTICLE_TERMS, WINDOW_COUNT + 1), np.float32),
        other_log_frequencies=np.zeros(WINDOW_COUNT + 1, np.float32),
        term_slots=np.zeros(WORKSPACE_SLOTS, np.uint8),
        dot_products=np.zeros((2, WINDOW_COUNT + 1), np.float32),
        row=np.zeros(EVIDENCE_COUNT, np.float32),
        neighbour_counts=np.zeros(MAX_ARTICLE_TERMS, np.float32),
        is_shared=np.zeros(MAX_ARTICLE_TERMS, np.float32),
    )


@jit_inline
def compute_root_cosine(dot, a, b):
    """Return the square root of a cosine from a dot product and two squared norms, in [0, 1]; 0 if a norm is 0."""
    return np.sqrt(min(dot / np.sqrt(a * b), np.float32(1.0))) if a > 0 and b > 0 else np.float32(0.0)


@jit_leaf
def load_article(s, i, workspace):
    """Load sketch `i` into the workspace."""
    begin, end = s.term_offsets[i], s.term_offsets[i + 1]
    workspace.term_slots[:] = 0
    for t in range(begin, end):
        k = t - begin
        fill_log_frequencies(s.term_facts[t], workspace.log_frequencies[k])
        slot = np.int64(s.term_hashes[t]) & (WORKSPACE_SLOTS - 1)
        while workspace.term_slots[slot]:
            slot = (slot + 1) & (WORKSPACE_SLOTS - 1)
        workspace.term_slots[slot] = k + 1


@jit_leaf
def fill_evidence(s, i, j, workspace):
    """Write the evidence of the loaded sketch `i` and sketch `j` into `workspace.row`, without neighbours."""
    fill_pair_evidence(s, i, j, workspace)
    fill_context_evidence(s, i, j, s.term_offsets, 0, 0, 0, workspace)


@jit_leaf
def fill_pair_evidence(s, i, j, workspace):
    """Write the columns before `CONTEXT_START` for the loaded sketch `i` and sketch `j` into `workspace.row`."""
    fill_story_evidence(s, i, j, workspace)
    fill_quote_evidence(s, i, j, workspace.row)
    fill_text_evidence(s, i, j, workspace.row)


@jit_leaf
def fill_quote_evidence(s, i, j, out):
    """Write the column of quotations."""
    shared = count_shared_values(
        s.quotes[s.quote_offsets[i] : s.quote_offsets[i + 1]],
        s.quotes[s.quote_offsets[j] : s.quote_offsets[j + 1]],
    )
    out[QUOTES] = np.log1p(np.float32(shared))


@jit_leaf
def fill_text_evidence(s, i, j, out):
    """Write the columns of shingles: Jaccard, containment both ways, overlap."""
    i_set = s.shingles[s.shingle_offsets[i] : s.shingle_offsets[i + 1]]
    j_set = s.shingles[s.shingle_offsets[j] : s.shingle_offsets[j + 1]]
    shared = count_shared_values(i_set, j_set)
    out[JACCARD] = shared / max(len(i_set) + len(j_set) - shared, 1)
    out[CONTAINED] = shared / max(len(i_set), 1)
    out[CONTAINS] = shared / max(len(j_set), 1)
    out[OVERLAP] = np.sqrt(max(out[CONTAINED], out[CONTAINS]))


@jit_leaf
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
        fill_log_frequencies(j_facts, j_frequencies)
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


@jit_inline
def compute_share_or_half(part, total):
    """Return part / total, in [0, 1]; a neutral 0.5 if the total is 0."""
    return min(part / total, np.float32(1.0)) if total > 0 else np.float32(0.5)


@jit_leaf
def has_common_event_day(weekdays, day, other_weekdays, other_day):
    """Return whether two articles name the same day.

    `weekdays` has a bit per weekday, Monday first; each stands for its last date up to the date of the article.
    """
    today, other_today = np.int64(np.floor(day)), np.int64(np.floor(other_day))
    for back in range(7):
        named = today - back
        if not weekdays >> ((named + EPOCH_WEEKDAY) % 7) & 1:
            continue
        other_back = other_today - named
        if 0 <= other_back < 7 and other_weekdays >> ((named + EPOCH_WEEKDAY) % 7) & 1:
            return True
    return False


@jit_leaf
def count_in_neighbours(s, i, neighbours, n, workspace):
    """Count, for each term of the loaded sketch `i`, how many of `neighbours[:n]` have it."""
    workspace.neighbour_counts[: s.term_offsets[i + 1] - s.term_offsets[i]] = 0.0
    for k in range(n):
        mark_shared_terms(s, i, neighbours[k], workspace)
        for t in range(s.term_offsets[i + 1] - s.term_offsets[i]):
            workspace.neighbour_counts[t] += workspace.is_shared[t]


@jit_leaf
def mark_shared_terms(s, i, j, workspace):
    """Mark in `workspace.is_shared` the terms of the loaded sketch `i` that sketch `j` has."""
    hashes, slots, offset = s.term_hashes, workspace.term_slots, s.term_offsets[i] - 1
    workspace.is_shared[: s.term_offsets[i + 1] - s.term_offsets[i]] = 0.0
    for t in range(s.term_offsets[j], s.term_offsets[j + 1]):
        slot = np.int64(hashes[t]) & (WORKSPACE_SLOTS - 1)
        k = np.int64(slots[slot])
        while k and hashes[offset + k] != hashes[t]:
            slot = (slot + 1) & (WORKSPACE_SLOTS - 1)
            k = np.int64(slots[slot])
        if k:
            workspace.is_shared[k - 1] = 1.0


@jit_leaf
def fill_context_evidence(s, i, j, neighbours, n, nearer, beside, workspace):
    """Write the columns from `CONTEXT_START` on: the share of what is new in the loaded sketch `i` that `j` has.

    `neighbours[:n]` represent the affair; `j` itself does not count among them. The fewer of them have a term, the more
    it weighs, so the common words of the affair cancel out. Without neighbours a term has its usual weight. `nearer` and
    `beside` are numbers of kept articles: those nearer to `i` than `j` is, and those of the affair other than `j`. An
    undated article is most likely of the same day as its neighbours.
    """
    count_in_neighbours(s, i, neighbours, n, workspace)
    mark_shared_terms(s, i, j, workspace)
    other_neighbours, is_neighbour = n, np.float32(0.0)
    for k in range(n):
        if neighbours[k] == j:
            other_neighbours, is_neighbour = n - 1, np.float32(1.0)
    # Weigh each term of `i` by its rarity among the neighbours: all of them, and those that `j` has.
    total_title = total_lead = total_opening = total = np.float32(0.0)
    title = lead = opening = text = np.float32(0.0)
    for t in range(s.term_offsets[i], s.term_offsets[i + 1]):
        term, k = s.term_facts[t], t - s.term_offsets[i]
        is_shared = workspace.is_shared[k]
        rarity = np.log(
            np.float32(other_neighbours + 2)
            / (workspace.neighbour_counts[k] - is_neighbour * is_shared + np.float32(1.0))
        )
        weight = rarity * np.float32(term[WEIGHT]) / np.float32(WEIGHT_SCALE)
        total += weight
        text += weight * is_shared
        if is_in_first_220(term):
            total_opening += weight
            opening += weight * is_shared
        if is_in_first_80(term):
            total_lead += weight
            lead += weight * is_shared
        if term[IN_TITLE]:
            total_title += weight
            title += weight * is_shared
    row = workspace.row
    row[NEW_TITLE_FOUND] = compute_share_or_half(title, total_title)
    row[NEW_LEAD_FOUND] = compute_share_or_half(lead, total_lead)
    row[NEW_OPENING_FOUND] = compute_share_or_half(opening, total_opening)
    row[NEW_TEXT_FOUND] = compute_share_or_half(text, total)
    row[NEARER] = np.log1p(np.float32(nearer))
    row[NEIGHBOURS] = np.log1p(np.float32(beside))
    row[SAME_DAY_NEIGHBOUR] = np.isnan(s.days[i]) and has_same_day(s, j, neighbours, n)


@jit_leaf
def has_same_day(s, j, neighbours, n):
    """Return whether one of `neighbours[:n]` other than `j` is dated within a day of `j`."""
    same_day = False
    for k in range(n):
        same_day |= (
            neighbours[k] != j and abs(s.days[neighbours[k]] - s.days[j]) <= 1
        )  # NaN, and so False, if undated
    return same_day


@jit_inline
def compute_share(part, total):
    """Return part / total, in [0, 1]; 0 if the total is 0."""
    return min(part / total, np.float32(1.0)) if total > 0 else np.float32(0.0)


def compute_evidence(s: Any, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the evidence (pairs × columns, float32) of pairs of positions in `s`, without neighbours."""
    return compute_evidence_rows(s, left, right, make_pair_workspace())


@jit
def compute_evidence_rows(s, left, right, workspace):
    """Return the evidence of pairs of positions in `s`; `workspace` is scratch."""
    out = np.zeros((len(left), EVIDENCE_COUNT), np.float32)
    for k in range(len(left)):
        if k == 0 or left[k] != left[k - 1]:
            load_article(s, left[k], workspace)
        fill_evidence(s, left[k], right[k], workspace)
        out[k] = workspace.row
    return out
