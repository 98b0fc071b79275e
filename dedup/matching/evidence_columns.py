"""Name the columns of evidence: the measured similarities and differences of a pair of articles."""

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
    "new_title_found",  # share of the title's terms, weighted by their rarity in the storyline, that the kept article has
    "new_lead_found",  # the same of title + first 80 words
    "new_opening_found",  # the same of title + first 220 words
    "new_text_found",  # the same of all terms
    "nearer",  # ln(1 + kept articles nearer to the article than this one)
    "neighbours",  # ln(1 + other kept articles of the same storyline)
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
"""The columns from this one on depend on the neighbours of the article: other kept articles of its storyline."""
