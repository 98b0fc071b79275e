"""Describe the evidence columns in a few words for people."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["EVIDENCE_LABELS"]

EVIDENCE_LABELS: Mapping[str, str] = {
    "jaccard": "same runs of three words, of all",
    "contained": "its runs of three words found in the other",
    "contains": "the other's runs of three words found in it",
    "names": "weight of the names at the beginning",
    "names_found": "names at the beginning found in the other",
    "figures_found": "numbers found in the other",
    "figures": "numbers to compare",
    "story_45": "names and words of title + 45 words",
    "story_80": "names and words of title + 80 words",
    "story_220": "names and words of title + 220 words",
    "title_story": "names and words of the titles",
    "lead_cosine": "likeness of the first 45 words",
    "opening_cosine": "likeness of title + 80 words",
    "text_cosine": "likeness of the whole texts",
    "names_cosine": "likeness of all names",
    "names_jaccard": "names in title + 220 words, in both",
    "facts_jaccard": "names and numbers in both",
    "heavy_terms": "rare words in both",
    "quotes": "same words in quotation marks",
    "overlap": "same runs of three words, of the shorter",
    "words_220": "words other than names and numbers",
    "figures_missed": "numbers missing in the other",
    "changed_facts": "other numbers at the beginning",
    "weekdays_shared": "same weekday",
    "weekdays_differ": "another weekday",
    "days": "days apart",
    "undated": "a date is missing",
    "title_found_more": "terms of a title found in the other article (higher)",
    "title_found_less": "terms of a title found in the other article (lower)",
    "opening_found_less": "terms of title + 220 words found in the other (lower)",
    "title_jaccard": "terms of the titles, in both",
    "rest_over_lead": "whole texts more alike than their first 45 words",
    "rest_over_opening": "whole texts more alike than title + 80 words",
    "first_day": "less or more than a day apart",
    "second_day": "the second day apart",
    "third_day": "the third day apart",
    "event_day_shared": "same day of the event",
    "event_days_differ": "another day of the event",
    "figure_share": "share of numbers among the terms",
    "terms_of_longer": "distinct terms of the longer",
    "new_title_found": "new terms of its title, found in the other",
    "new_lead_found": "new terms of title + 80 words, found in the other",
    "new_opening_found": "new terms of title + 220 words, found in the other",
    "new_text_found": "new terms of its text, found in the other",
    "nearer": "articles of the storyline that are nearer to it",
    "neighbours": "articles of the storyline beside the other",
    "same_day_neighbour": "undated, and an article near to it is of the other's day",
}
"""A short description of each of `EVIDENCE_NAMES`. "New" means missing from the other kept articles of the storyline."""
