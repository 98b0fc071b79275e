"""Give the reason for a verdict on two articles, as the end of a sentence.

The checks are in the same order as in `dedup.matching.classifier.classify_pair`, so the reason is the one
that decided.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.formatting import format_count, format_days, format_percent
from dedup.matching.evidence_columns import (
    CONTAINED,
    CONTAINS,
    FIGURES_FOUND,
    JACCARD,
    NAMES_FOUND,
    TITLE_FOUND_MORE,
)
from dedup.matching.guards import (
    TEMPLATE_NAMES,
    has_different_subject,
    is_different_report,
    shares_only_template,
)
from dedup.settings.settings import THRESHOLD_SETTINGS, Settings

__all__ = ["PairEvidence", "explain_match", "explain_mismatch"]


class PairEvidence(NamedTuple):
    """The facts about two articles that decide whether they match."""

    evidence: np.ndarray
    """The columns of `dedup.matching.evidence_columns.EVIDENCE_NAMES`, for the lower-ranked article."""
    probability: float
    """The probability of the level's model."""
    witnessed_probability: float
    """The threshold for an article that also matches another article in the cluster."""
    fewest_words: int
    """Words in the shorter text."""
    days_apart: float
    """NaN if either is undated."""
    boilerplate_removed: bool = False
    """Whether boilerplate was left out of the shorter text."""
    has_digest: bool = False
    """Whether the longer one, if it holds the text of the other, tells other stories as well."""


def explain_match(relation: str, score: float) -> str:
    """Return the reason for a match."""
    share = format_percent(score)
    return {
        "exact": "they have the same words in the same order",
        "copy": f"they share {share} of their 3-word shingles",
        "excerpt": f"{share} of its 3-word shingles are found in the other",
        "extension": f"it holds {share} of the other's 3-word shingles, and more",
        "rewrite": f"the probability that they tell the same story is {share}",
        "followup": f"they are two chapters of one storyline, with a probability of {share}",
    }[relation]


def explain_other_subject(pair: PairEvidence, settings: Settings) -> str:
    """Return why two short articles have different subjects; empty if they do not, or are copies."""
    row = pair.evidence
    if not has_different_subject(row) or explain_missed_copy(pair, settings):
        return ""
    share = format_percent(row[TITLE_FOUND_MORE])
    return (
        f"they are short, and at most {share} of one title is in the other: one form about different subjects"
    )


def explain_mismatch(pair: PairEvidence, settings: Settings) -> str:
    """Return why two articles do not match."""
    if pair.fewest_words < settings.min_words:
        words = format_count(pair.fewest_words, "word") + (
            " besides its boilerplate" if pair.boilerplate_removed else ""
        )
        return f"the shorter has {words}, and texts of fewer than {settings.min_words} never match"
    if shares_only_template(pair.evidence):
        return explain_template(pair.evidence)
    return (
        explain_missed_copy(pair, settings)
        or explain_other_subject(pair, settings)
        or explain_missed_rewrite(pair, settings)
    )


def explain_template(row: np.ndarray) -> str:
    """Return the facts that differ between two articles of one template."""
    if is_different_report(row):
        share = format_percent(row[FIGURES_FOUND])
        return f"they are reports of figures, and only {share} of the numbers agree: one form with other facts in it"
    overlap = format_percent(max(row[CONTAINED], row[CONTAINS]))
    by_names = row[NAMES_FOUND] < TEMPLATE_NAMES
    facts, share = ("names", row[NAMES_FOUND]) if by_names else ("numbers", row[FIGURES_FOUND])
    shared = f"{overlap} of the 3-word shingles agree, but only {format_percent(share)} of the {facts}"
    return f"they look like one template with other facts in it: {shared}"


def explain_missed_copy(pair: PairEvidence, settings: Settings) -> str:
    """Return why two articles with the same words are not copies; empty if the words differ."""
    row = pair.evidence
    part = max(row[CONTAINED], row[CONTAINS])
    if row[JACCARD] < settings.copy_jaccard and part < settings.excerpt_containment:
        return ""
    shared = f"they share {format_percent(part)} of their 3-word shingles"
    if pair.days_apart > settings.copy_window_days:
        limit = f"{format_days(settings.copy_window_days)} (copy_window_days)"
        return f"{shared}, but are {format_days(pair.days_apart)} apart, and copies at most {limit}"
    if pair.has_digest:
        return f"{shared}, but the rest of the longer one is about other stories: a digest matches none of its stories"
    return f"{shared}, but the setting relations has only {', '.join(settings.relations)}"


def explain_missed_rewrite(pair: PairEvidence, settings: Settings) -> str:
    """Return why the level's model does not join two articles."""
    by_storyline = settings.level == "storyline"
    claim, matches = (
        ("belong to one storyline", "follow-ups") if by_storyline else ("tell the same story", "rewrites")
    )
    name = THRESHOLD_SETTINGS[settings.level]
    threshold = getattr(settings, name)
    probability = f"the probability that they {claim} is {format_percent(pair.probability)}"
    if pair.probability < threshold:
        below = f"{probability}, below the threshold of {format_percent(threshold)} ({name})"
        witnessed = (
            pair.probability >= pair.witnessed_probability and not pair.days_apart > settings.window_days
        )
        if by_storyline and witnessed:
            return f"{below}; it would be enough if it also matched another article of the cluster"
        return below
    if pair.days_apart > settings.window_days:
        limit = f"{format_days(settings.window_days)} (window_days)"
        return (
            f"{probability}, but they are {format_days(pair.days_apart)} apart, and {matches} at most {limit}"
        )
    return f"{probability}, but the setting relations has only {', '.join(settings.relations)}"
