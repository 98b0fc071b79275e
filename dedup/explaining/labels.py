"""Columns of evidence → what they are called where people read."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LABELS"]

LABELS: Mapping[str, str] = {
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
}
"""For each of `dedup.evidence.EVIDENCE`, in a few plain words."""
