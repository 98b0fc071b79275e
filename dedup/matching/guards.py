"""Reject pairs that share words but not facts, even if they are very similar.

The template guard rejects the same words with other names or other numbers: a form filled in twice (weather, results, share
prices). Reports of figures need not share shingles (daily figures, earnings). Of two short articles on different firms or
places, neither has the terms of the title of the other.
"""

from dedup.jit import jit
from dedup.matching.evidence_columns import (
    CONTAINED,
    CONTAINS,
    FIGURE_SHARE,
    FIGURES,
    FIGURES_FOUND,
    NAMES,
    NAMES_FOUND,
    TERMS_OF_LONGER,
    TITLE_FOUND_MORE,
    WORDS_220,
)

TEMPLATE_OVERLAP = 0.35
"""From this containment on, shared words may be those of a template. Below it, two reports of one story that share a
paragraph of wire copy are more common: of the labelled pairs with a containment of .2 to .35 that the model would
match, the guard would reject 57 of 332 true ones (and 12 of 18 false ones)."""
TEMPLATE_NAMES = 0.6
"""A copy has at least this share of the names in the lead of the other (1 % of the pairs in real wire copy have less than
.68)."""
TEMPLATE_FIGURES = 0.4
"""A copy has at least this share of the numbers of the other, if both have `MIN_TEMPLATE_FIGURES` or more."""
MIN_TEMPLATE_FIGURES = 4
TEMPLATE_WORDS = 0.7
"""Two articles of one template have at least this cosine similarity in the words that are neither names nor numbers."""
REPORT_SHARE = 0.17
"""From this share of numbers among their terms on, articles are reports of figures, whose news is the figures: earnings,
incidences, auctions. From .15 on, the guard rejects six times as many true pairs of similar earthquakes and firings."""
REPORT_FIGURES = 0.55
"""Two copies of one report share at least this share of numbers, less if the other words differ too. Daily figures of
another day repeat .4 to .57 of the numbers (of the day before, the week before, the record); nearly all those of the
same day repeat .63 or more. At .55 the mean F1 of the story sets does not change; at .6 it falls by .0015."""
SHORT_ARTICLE_TERMS = 40
"""Articles of at most this number of distinct terms are short: they report one piece of news. At 60 the guard of titles
rejects 6 of 1,030 true pairs of `incidents`, at 40 none."""
MIN_SHORT_TITLE_SHARE = 0.4
"""Of two short articles on one subject, one has at least this share of the terms of the other's title. The guard rejects
1 of 3,767 labelled true pairs that the storyline model would match, and 15 of 54 false ones of `flashes`."""


@jit
def shares_only_template(row):
    """Return whether two articles share only a template, filled in with different facts.

    Reports of figures count even if they share few shingles. The thresholds fall with the similarity of the other words:
    in a garbled copy all words are damaged, in a template only the facts differ.
    """
    if is_different_report(row):
        return True
    word_similarity = min(row[WORDS_220] ** 2 / TEMPLATE_WORDS, 1.0)
    if max(row[CONTAINED], row[CONTAINS]) < TEMPLATE_OVERLAP:
        return False
    return (row[NAMES] > 0 and row[NAMES_FOUND] < TEMPLATE_NAMES * word_similarity) or (
        row[FIGURES] >= MIN_TEMPLATE_FIGURES and row[FIGURES_FOUND] < TEMPLATE_FIGURES * word_similarity
    )


@jit
def is_different_report(row):
    """Return whether two articles are reports of figures, most of which differ."""
    word_similarity = min(row[WORDS_220] ** 2 / TEMPLATE_WORDS, 1.0)
    return row[FIGURE_SHARE] >= REPORT_SHARE and row[FIGURES_FOUND] < REPORT_FIGURES * word_similarity**2


@jit
def has_different_subject(row):
    """Return whether two articles are short and neither has enough terms of the title of the other."""
    return row[TERMS_OF_LONGER] <= SHORT_ARTICLE_TERMS and row[TITLE_FOUND_MORE] < MIN_SHORT_TITLE_SHARE
