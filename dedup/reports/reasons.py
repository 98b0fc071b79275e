"""Evidence → the reason for a verdict, as the end of a sentence.

In: what `dedup.matching.classifier` saw of a pair. Out: words. The order of the questions is that of `matches.judged`,
so the reason is the one that decided.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.formatting import format_count, format_days, format_percent
from dedup.matching.classifier import TEMPLATE_NAMES, has_different_subject, is_different_report, is_template
from dedup.matching.evidence import CONTAINED, CONTAINS, FIGURES_FOUND, JACCARD, NAMES_FOUND, TITLE_FOUND_MORE
from dedup.settings.settings import THRESHOLD_SETTINGS, Settings

__all__ = ["PairEvidence", "explain_match", "explain_mismatch"]


class PairEvidence(NamedTuple):
    """What is known of two articles."""

    evidence: np.ndarray
    """The row of `dedup.matching.evidence.EVIDENCE_NAMES`, as seen from the article that ranks second."""
    probability: float
    """That of the model that decides at the level in force."""
    witnessed_probability: float
    """What is asked of an article for which another member of the cluster speaks too."""
    fewest_words: int
    """Words in the shorter text."""
    days_apart: float
    """NaN where either is undated."""
    boilerplate_removed: bool = False
    """Boilerplate was left out of the shorter text."""


def explain_match(relation: str, score: float) -> str:
    """Return what a match rests on."""
    share = format_percent(score)
    return {
        "exact": "they have the same words in the same order",
        "copy": f"they share {share} of their 3-word shingles",
        "excerpt": f"{share} of its 3-word shingles are found in the other",
        "extension": f"it holds {share} of the other's 3-word shingles, and more",
        "rewrite": f"the probability that they tell the same story is {share}",
        "followup": f"the same affair, another chapter; the probability that they belong to one storyline is {share}",
    }[relation]


def explain_other_subject(pair: PairEvidence, settings: Settings) -> str:
    """Return in which way two short articles are about other subjects; nothing where they are not, or are copies."""
    row = pair.evidence
    if not has_different_subject(row) or explain_missed_copy(pair, settings):
        return ""
    found = format_percent(row[TITLE_FOUND_MORE])
    return f"they are short, and have at most {found} of each other's title: a form about another subject"


def explain_mismatch(pair: PairEvidence, settings: Settings) -> str:
    """Return why two articles do not match."""
    if pair.fewest_words < settings.min_words:
        words = format_count(pair.fewest_words, "word") + (
            " besides its boilerplate" if pair.boilerplate_removed else ""
        )
        return f"the shorter has {words}, and texts of fewer than {settings.min_words} never match"
    if is_template(pair.evidence):
        return explain_template(pair.evidence)
    return (
        explain_missed_copy(pair, settings)
        or explain_other_subject(pair, settings)
        or explain_missed_rewrite(pair, settings)
    )


def explain_template(row: np.ndarray) -> str:
    """Return in which facts two articles differ that share a form of words."""
    if is_different_report(row):
        found = format_percent(row[FIGURES_FOUND])
        return f"they are reports of figures, and only {found} of the numbers agree: one form with other facts in it"
    overlap = format_percent(max(row[CONTAINED], row[CONTAINS]))
    by_names = row[NAMES_FOUND] < TEMPLATE_NAMES
    facts, found = ("names", row[NAMES_FOUND]) if by_names else ("numbers", row[FIGURES_FOUND])
    shared = f"{overlap} of the words in a row agree, but only {format_percent(found)} of the {facts}"
    return f"they look like one template with other facts in it: {shared}"


def explain_missed_copy(pair: PairEvidence, settings: Settings) -> str:
    """Return why two articles with the same words are no copies; nothing where the words differ."""
    row = pair.evidence
    part = max(row[CONTAINED], row[CONTAINS])
    if row[JACCARD] < settings.copy_jaccard and part < settings.excerpt_containment:
        return ""
    shared = f"they share {format_percent(part)} of their 3-word shingles"
    if pair.days_apart > settings.copy_window_days:
        most = f"{format_days(settings.copy_window_days)} (copy_window_days)"
        return f"{shared}, but lie {format_days(pair.days_apart)} apart, and copies at most {most}"
    return f"{shared}, but no such relation was asked for, only {', '.join(settings.relations)}"


def explain_missed_rewrite(pair: PairEvidence, settings: Settings) -> str:
    """Return why no model joins two articles, at the level in force."""
    by_storyline = settings.level == "storyline"
    what, noun = (
        ("belong to one storyline", "follow-ups") if by_storyline else ("tell the same story", "rewrites")
    )
    name = THRESHOLD_SETTINGS[settings.level]
    least = getattr(settings, name)
    chance = f"the probability that they {what} is {format_percent(pair.probability)}"
    if pair.probability < least:
        below = f"{chance}, below the {format_percent(least)} asked for ({name})"
        witnessed = (
            pair.probability >= pair.witnessed_probability and not pair.days_apart > settings.window_days
        )
        if by_storyline and witnessed:
            return f"{below}; it would do if it also matched another article of the cluster"
        return below
    if pair.days_apart > settings.window_days:
        most = f"{format_days(settings.window_days)} (window_days)"
        return f"{chance}, but they lie {format_days(pair.days_apart)} apart, and {noun} at most {most}"
    return f"{chance}, but no {noun} were asked for, only {', '.join(settings.relations)}"
