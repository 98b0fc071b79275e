"""A pair of sketches → its evidence, exactly: what the two articles share, as a row of named numbers.

In: two positions in a batch of sketches. Out: `EVIDENCE_NAMES`, float32, computed from the sketches alone (law 1). Similar
events share the *words* of an event and not its names; chapters of a saga share the *names* and not the words. So
cosines are taken for names and for other words apart and joined by their geometric mean, which asks for both. Rare names
tell more than rare words: a name counts by its weight squared, as in TF-IDF, a word by its weight. The columns hold
square roots of cosines, which are closer to what readers call likeness (docs/decisions/0001-story-model.md).

What belongs to one article only is computed once an article (`dedup.sketches.term_norms`). An article that is compared with many
lies open on a `PairWorkspace`, its terms in a small hash table, so that a pair costs one look at each term of the other.
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
    "names",  # weight of the names in the title and lead of the article that has more of them
    "names_found",  # share of the names in one article's title and lead that the other has anywhere; the better way
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
    "changed_facts",  # numbers in title and first 80 words that the other has nowhere, of the article with fewer of them
    "weekdays_shared",  # 1 where both name a weekday in title or first 80 words, and it is the same
    "weekdays_differ",  # 1 where both name weekdays there, and none in common
    "days",  # √(days apart / 30); 0 where undated
    "undated",  # 1 where either article has no date
    "title_found_more",  # share of one title's terms that the other article has anywhere; the better way
    "title_found_less",  # the same, the worse way
    "opening_found_less",  # share of the terms of title + first 220 words that the other has anywhere; the worse way
    "title_jaccard",  # weighted Jaccard of the titles' terms
    "rest_over_lead",  # how much more alike the whole texts are than the first 45 words (√cosines); 0 where less
    "rest_over_opening",  # how much more alike the whole texts are than title + first 80 words
    "first_day",  # days apart, up to 1; 0 where undated
    "second_day",  # days apart beyond the first, up to 1
    "third_day",  # days apart beyond the second, up to 1
    "event_day_shared",  # 1 where both name the same day: weekdays in title or first 80 words, counted back from the date
    "event_days_differ",  # 1 where both name days there, and none in common
    "figure_share",  # share of numbers among the terms, mean of the two articles
    "terms_of_longer",  # distinct terms of the article with more of them
    "new_title_found",  # share of the title's terms, weighted by their rarity in the affair, that the kept article has
    "new_lead_found",  # the same of title + first 80 words
    "new_opening_found",  # the same of title + first 220 words
    "new_text_found",  # the same of all terms
    "nearer",  # ln(1 + kept articles that are nearer to the article than this one)
    "neighbours",  # ln(1 + kept articles of the same affair beside this one)
    "same_day_neighbour",  # 1 where the article has no date, and a neighbour of it is dated within a day of the kept article
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
"""The columns before it decide copies and templates; from here on they are for the models."""
CONTEXT_START = NEW_TITLE_FOUND
"""From this column on the evidence depends on the neighbours of the article: other kept articles of its affair."""
MAX_NEIGHBOURS = 5
"""The nearest ones tell as much of an affair as forty do (docs/decisions/0009-levels.md)."""
HEAVY_WEIGHT = np.float32(2.0)
"""The weight of a term found in one article in a hundred."""
DAYS_PER_MONTH = 30.0
EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday, with Monday as 0."""
WORKSPACE_SLOTS = 1 << 12
"""Slots of the table on a desk: twenty-five times `MOST_TERMS`, so that most looks end at a free slot."""


class PairWorkspace(NamedTuple):
    """Where an article lies open, to be compared with others: scratch of the kernels."""

    log_frequencies: np.ndarray
    """The masses of its terms (terms × windows and lead, float32)."""
    other_log_frequencies: np.ndarray
    """The masses of one term of the other."""
    term_slots: np.ndarray
    """`WORKSPACE_SLOTS` slots (uint8): 1 + the place of a term whose hash leads here; 0 is free."""
    dot_products: np.ndarray
    """2 × windows and lead, float32: a pair's dot products, of words and of names."""
    row: np.ndarray
    """The evidence of the latest pair (float32)."""
    neighbour_counts: np.ndarray
    """In how many neighbours each of its terms stands (terms, float32)."""
    is_shared: np.ndarray
    """1 where the other has a term, 0 elsewhere (terms, float32)."""


def make_pair_workspace() -> PairWorkspace:
    """Return an empty desk."""
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
    """Return the square root of a cosine, in [0, 1], from a dot product and two squared norms; 0 where either is empty."""
    return np.sqrt(min(dot / np.sqrt(a * b), np.float32(1.0))) if a > 0 and b > 0 else np.float32(0.0)


@jit_leaf
def load_article(s, i, workspace):
    """Lay sketch `i` open on the desk, in place of what lay there."""
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
    """Write the evidence for sketch `i`, which lies open on the desk, and sketch `j` into the desk's row, without neighbours."""
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
    """Write the column that the quotations give."""
    both = count_shared_values(
        s.quotes[s.quote_offsets[i] : s.quote_offsets[i + 1]],
        s.quotes[s.quote_offsets[j] : s.quote_offsets[j + 1]],
    )
    out[QUOTES] = np.log1p(np.float32(both))


@jit_leaf
def fill_text_evidence(s, i, j, out):
    """Write the columns that the shingles give: Jaccard, containment both ways, overlap."""
    a_set = s.shingles[s.shingle_offsets[i] : s.shingle_offsets[i + 1]]
    b_set = s.shingles[s.shingle_offsets[j] : s.shingle_offsets[j + 1]]
    both = count_shared_values(a_set, b_set)
    out[JACCARD] = both / max(len(a_set) + len(b_set) - both, 1)
    out[CONTAINED] = both / max(len(a_set), 1)
    out[CONTAINS] = both / max(len(b_set), 1)
    out[OVERLAP] = np.sqrt(max(out[CONTAINED], out[CONTAINS]))


@jit_leaf
def fill_story_evidence(s, i, j, workspace):
    """Write the columns that the terms and the dates give; sketch `i` lies open on the desk.

    The terms are taken in the order of their hashes, whichever of the two lies open: the sums are the same to the last bit.
    """
    out, dots = workspace.row, workspace.dot_products
    dots[:] = 0.0
    names_both = facts_both = heavy = figures_both = plain = np.float32(0.0)
    i_names, j_names, i_figures, j_figures = np.float32(0.0), np.float32(0.0), 0, 0
    titles_both = i_title = j_title = i_opening = j_opening = np.float32(0.0)
    hashes, facts, places = s.term_hashes, s.term_facts, workspace.term_slots
    before = s.term_offsets[i] - 1
    for t in range(s.term_offsets[j], s.term_offsets[j + 1]):
        term = hashes[t]
        slot = np.int64(term) & (WORKSPACE_SLOTS - 1)
        place = np.int64(places[slot])
        while place and hashes[before + place] != term:
            slot = (slot + 1) & (WORKSPACE_SLOTS - 1)
            place = np.int64(places[slot])
        if place == 0:
            continue
        mine, its = facts[before + place], facts[t]
        my_mass, its_mass = workspace.log_frequencies[place - 1], workspace.other_log_frequencies
        weight = np.float32(max(mine[WEIGHT], its[WEIGHT])) / np.float32(WEIGHT_SCALE)
        i_name, j_name = mine[KIND] == NAME, its[KIND] == NAME
        name, figure = np.int64(i_name or j_name), mine[KIND] == FIGURE
        told = compute_dot_weight(weight, name)
        fill_log_frequencies(its, its_mass)
        for window in range(WINDOW_COUNT + 1):
            dots[name, window] += told * (my_mass[window] * its_mass[window])
        if is_in_first_220(mine) and is_in_first_220(its):
            names_both += weight if name else np.float32(0.0)
            facts_both += weight if name or figure else np.float32(0.0)
            heavy += max(weight - HEAVY_WEIGHT, np.float32(0.0))
        my_weight = np.float32(mine[WEIGHT]) / np.float32(WEIGHT_SCALE)
        its_weight = np.float32(its[WEIGHT]) / np.float32(WEIGHT_SCALE)
        if mine[IN_TITLE]:
            i_title += my_weight
            titles_both += min(my_weight, its_weight) if its[IN_TITLE] else np.float32(0.0)
        if its[IN_TITLE]:
            j_title += its_weight
        i_opening += my_weight if is_in_first_220(mine) else np.float32(0.0)
        j_opening += its_weight if is_in_first_220(its) else np.float32(0.0)
        if i_name and is_in_first_80(mine):
            i_names += weight
        if j_name and is_in_first_80(its):
            j_names += weight
        if not name and not figure:
            plain += told * (my_mass[PLAIN_WINDOW] * its_mass[PLAIN_WINDOW])
        i_figures += figure and is_in_first_80(mine) > 0
        j_figures += figure and is_in_first_80(its) > 0
        figures_both += weight if figure else np.float32(0.0)

    words, names = dots[0], dots[1]
    m, n = s.norms[i], s.norms[j]
    out[NAMES] = max(m[NAMES_80], n[NAMES_80])
    out[NAMES_FOUND] = max(compute_share(i_names, m[NAMES_80]), compute_share(j_names, n[NAMES_80]))
    out[FIGURES_FOUND] = compute_share(figures_both, min(m[FIGURES_ALL], n[FIGURES_ALL]))
    out[FIGURES] = min(m[FIGURES_COUNT], n[FIGURES_COUNT])
    for column, window in ((STORY_45, 0), (STORY_80, 1), (STORY_220, 2), (TITLE_STORY, 4)):
        of_names = compute_root_cosine(names[window], m[SQUARED_NAMES + window], n[SQUARED_NAMES + window])
        of_words = compute_root_cosine(words[window], m[SQUARED_WORDS + window], n[SQUARED_WORDS + window])
        out[column] = of_names * of_words
    out[LEAD_COSINE] = compute_root_cosine(
        words[LEAD_COLUMN] + names[LEAD_COLUMN], m[SQUARED_LEAD], n[SQUARED_LEAD]
    )
    for column, window in ((OPENING_COSINE, 1), (TEXT_COSINE, 3)):
        out[column] = compute_root_cosine(
            names[window] + words[window],
            m[SQUARED_NAMES + window] + m[SQUARED_WORDS + window],
            n[SQUARED_NAMES + window] + n[SQUARED_WORDS + window],
        )
    out[NAMES_COSINE] = compute_root_cosine(names[3], m[SQUARED_NAMES + 3], n[SQUARED_NAMES + 3])
    out[NAMES_JACCARD] = compute_share(names_both, m[NAMES_220] + n[NAMES_220] - names_both)
    out[FACTS_JACCARD] = compute_share(facts_both, m[FACTS_220] + n[FACTS_220] - facts_both)
    out[HEAVY_TERMS] = np.log1p(heavy)
    out[WORDS_220] = compute_root_cosine(plain, m[SQUARED_PLAIN], n[SQUARED_PLAIN])
    my_terms, its_terms = count_terms(s, i), count_terms(s, j)
    my_figures, its_figures = (
        compute_share(m[FIGURES_COUNT], my_terms),
        compute_share(n[FIGURES_COUNT], its_terms),
    )
    out[FIGURE_SHARE] = np.float32(0.5) * (my_figures + its_figures)
    out[TERMS_OF_LONGER] = max(my_terms, its_terms)
    out[FIGURES_MISSED] = (np.float32(1.0) - out[FIGURES_FOUND]) * np.log1p(out[FIGURES])
    out[CHANGED_FACTS] = min(m[FIGURES_80] - i_figures, n[FIGURES_80] - j_figures)
    its_days, my_days = np.int64(n[WEEKDAYS_80]), np.int64(m[WEEKDAYS_80])
    out[WEEKDAYS_SHARED] = its_days & my_days != 0
    out[WEEKDAYS_DIFFER] = its_days != 0 and my_days != 0 and its_days & my_days == 0
    undated = np.isnan(s.days[i]) or np.isnan(s.days[j])
    gap = np.float32(0.0) if undated else np.float32(abs(s.days[i] - s.days[j]))
    out[DAYS] = np.sqrt(gap / np.float32(DAYS_PER_MONTH))
    out[UNDATED] = undated
    mine_found, its_found = (
        compute_share_or_half(i_title, m[WEIGHT_TITLE]),
        compute_share_or_half(j_title, n[WEIGHT_TITLE]),
    )
    out[TITLE_FOUND_MORE], out[TITLE_FOUND_LESS] = max(mine_found, its_found), min(mine_found, its_found)
    mine_found, its_found = (
        compute_share_or_half(i_opening, m[WEIGHT_220]),
        compute_share_or_half(j_opening, n[WEIGHT_220]),
    )
    out[OPENING_FOUND_LESS] = min(mine_found, its_found)
    out[TITLE_JACCARD] = compute_share(titles_both, m[WEIGHT_TITLE] + n[WEIGHT_TITLE] - titles_both)
    out[REST_OVER_LEAD] = max(out[TEXT_COSINE] - out[LEAD_COSINE], np.float32(0.0))
    out[REST_OVER_OPENING] = max(out[TEXT_COSINE] - out[OPENING_COSINE], np.float32(0.0))
    out[FIRST_DAY] = min(gap, np.float32(1.0))
    out[SECOND_DAY] = min(max(gap - np.float32(1.0), np.float32(0.0)), np.float32(1.0))
    out[THIRD_DAY] = min(max(gap - np.float32(2.0), np.float32(0.0)), np.float32(1.0))
    out[EVENT_DAY_SHARED] = out[EVENT_DAYS_DIFFER] = 0.0
    if its_days and my_days and not undated:
        same_day = has_common_event_day(my_days, s.days[i], its_days, s.days[j])
        out[EVENT_DAY_SHARED], out[EVENT_DAYS_DIFFER] = same_day, not same_day


@jit_inline
def count_terms(s, i):
    """Return the number of terms of sketch `i`."""
    return np.float32(s.term_offsets[i + 1] - s.term_offsets[i])


@jit_inline
def compute_share_or_half(part, total):
    """Return part / total, in [0, 1]; a half, which says nothing, where there is nothing to be found."""
    return min(part / total, np.float32(1.0)) if total > 0 else np.float32(0.5)


@jit_leaf
def has_common_event_day(weekdays, day, other_weekdays, other_day):
    """Return whether two articles name the same day; each weekday (a bit, Monday first) is the last one up to the date."""
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
    """Count for each term of the loaded sketch `i` how many of the first `n` of `neighbours` have it."""
    workspace.neighbour_counts[: s.term_offsets[i + 1] - s.term_offsets[i]] = 0.0
    for k in range(n):
        mark_shared_terms(s, i, neighbours[k], workspace)
        for t in range(s.term_offsets[i + 1] - s.term_offsets[i]):
            workspace.neighbour_counts[t] += workspace.is_shared[t]


@jit_leaf
def mark_shared_terms(s, i, j, workspace):
    """Mark in `desk.shared` which terms of sketch `i`, which lies open on the desk, sketch `j` has."""
    hashes, places, before = s.term_hashes, workspace.term_slots, s.term_offsets[i] - 1
    workspace.is_shared[: s.term_offsets[i + 1] - s.term_offsets[i]] = 0.0
    for t in range(s.term_offsets[j], s.term_offsets[j + 1]):
        slot = np.int64(hashes[t]) & (WORKSPACE_SLOTS - 1)
        place = np.int64(places[slot])
        while place and hashes[before + place] != hashes[t]:
            slot = (slot + 1) & (WORKSPACE_SLOTS - 1)
            place = np.int64(places[slot])
        if place:
            workspace.is_shared[place - 1] = 1.0


@jit_leaf
def fill_context_evidence(s, i, j, neighbours, n, nearer, beside, workspace):
    """Write the columns from `CONTEXT_START` on: what the loaded sketch `i` says beyond its affair, and whether `j` has it.

    The first `n` of `neighbours` stand for the affair; `j` may be among them, and then does not count. A term weighs the more
    the fewer of them have it: the affair's common words cancel, as they do for a reader who knows it. `nearer` and `beside`
    are counts of kept articles: those nearer to `i` than `j` is, and those of the affair but `j`. Without neighbours a term
    has its usual weight. An article without a date is most likely of the day of its neighbours.
    """
    count_in_neighbours(s, i, neighbours, n, workspace)
    mark_shared_terms(s, i, j, workspace)
    others, among = n, np.float32(0.0)
    for k in range(n):
        if neighbours[k] == j:
            others, among = n - 1, np.float32(1.0)
    total_title = total_lead = total_opening = total = np.float32(0.0)
    title = lead = opening = text = np.float32(0.0)
    for t in range(s.term_offsets[i], s.term_offsets[i + 1]):
        term, k = s.term_facts[t], t - s.term_offsets[i]
        has = workspace.is_shared[k]
        rarity = np.log(
            np.float32(others + 2) / (workspace.neighbour_counts[k] - among * has + np.float32(1.0))
        )
        weight = rarity * np.float32(term[WEIGHT]) / np.float32(WEIGHT_SCALE)
        total += weight
        text += weight * has
        if is_in_first_220(term):
            total_opening += weight
            opening += weight * has
        if is_in_first_80(term):
            total_lead += weight
            lead += weight * has
        if term[IN_TITLE]:
            total_title += weight
            title += weight * has
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
    """Return whether one of the first `n` of `neighbours`, `j` not among them, is dated within a day of `j`."""
    found = False
    for k in range(n):
        found |= (
            neighbours[k] != j and abs(s.days[neighbours[k]] - s.days[j]) <= 1
        )  # NaN, and so false: undated
    return found


@jit_inline
def compute_share(part, total):
    """Return part / total, in [0, 1]; 0 where there is nothing."""
    return min(part / total, np.float32(1.0)) if total > 0 else np.float32(0.0)


def compute_evidence(s: Any, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the evidence (pairs × columns, float32) for pairs of positions in `s`."""
    return compute_evidence_rows(s, left, right, make_pair_workspace())


@jit
def compute_evidence_rows(s, left, right, workspace):
    """Return the evidence for pairs of positions in `s`, using a desk."""
    out = np.zeros((len(left), EVIDENCE_COUNT), np.float32)
    for k in range(len(left)):
        if k == 0 or left[k] != left[k - 1]:
            load_article(s, left[k], workspace)
        fill_evidence(s, left[k], right[k], workspace)
        out[k] = workspace.row
    return out
