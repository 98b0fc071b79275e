"""Evidence → the reason for a verdict, as the end of a sentence.

In: what `dedup.matches` saw of a pair. Out: words. The order of the questions is that of `matches.judged`,
so the reason is the one that decided.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dedup.evidence import CONTAINED, CONTAINS, FIGURES_FOUND, JACCARD, NAMES_FOUND
from dedup.matches import TEMPLATE_NAMES, is_template
from dedup.phrases import counted, days, percent
from dedup.settings import Settings

__all__ = ["Pair", "why", "why_not"]


class Pair(NamedTuple):
    """What is known of two articles."""

    evidence: np.ndarray
    """The row of `dedup.evidence.EVIDENCE`, as seen from the article that ranks second."""
    probability: float
    """The story model's."""
    witnessed_probability: float
    """What is asked of an article for which an earlier rewrite of the kept one speaks too."""
    fewest_words: int
    """Words in the shorter text."""
    days_apart: float
    """NaN where either is undated."""
    besides: bool = False
    """Furniture was left out of the shorter text."""


def why(relation: str, score: float) -> str:
    """Return what a match rests on."""
    share = percent(score)
    return {
        "exact": "they have the same words in the same order",
        "copy": f"they share {share} of their 3-word shingles",
        "excerpt": f"{share} of its 3-word shingles are found in the other",
        "extension": f"it holds {share} of the other's 3-word shingles, and more",
        "rewrite": f"the probability that they tell the same story is {share}",
    }[relation]


def why_not(pair: Pair, settings: Settings) -> str:
    """Return why two articles do not match."""
    if pair.fewest_words < settings.min_words:
        words = counted(pair.fewest_words, "word") + (" besides its furniture" if pair.besides else "")
        return f"the shorter has {words}, and texts of fewer than {settings.min_words} never match"
    if is_template(pair.evidence):
        return template(pair.evidence)
    return copy_left_out(pair, settings) or rewrite_left_out(pair, settings)


def template(row: np.ndarray) -> str:
    """Return in which facts two articles differ that share a form of words."""
    overlap = percent(max(row[CONTAINED], row[CONTAINS]))
    by_names = row[NAMES_FOUND] < TEMPLATE_NAMES
    facts, found = ("names", row[NAMES_FOUND]) if by_names else ("numbers", row[FIGURES_FOUND])
    shared = f"{overlap} of the words in a row agree, but only {percent(found)} of the {facts}"
    return f"they look like one template with other facts in it: {shared}"


def copy_left_out(pair: Pair, settings: Settings) -> str:
    """Return why two articles with the same words are no copies; nothing where the words differ."""
    row = pair.evidence
    part = max(row[CONTAINED], row[CONTAINS])
    if row[JACCARD] < settings.copy_jaccard and part < settings.excerpt_containment:
        return ""
    shared = f"they share {percent(part)} of their 3-word shingles"
    if pair.days_apart > settings.copy_window_days:
        most = f"{days(settings.copy_window_days)} (copy_window_days)"
        return f"{shared}, but lie {days(pair.days_apart)} apart, and copies at most {most}"
    return f"{shared}, but no such relation was asked for, only {', '.join(settings.relations)}"


def rewrite_left_out(pair: Pair, settings: Settings) -> str:
    """Return why two articles are not told as rewrites of one story."""
    chance = f"the probability that they tell the same story is {percent(pair.probability)}"
    if pair.probability < settings.rewrite_probability:
        below = f"{chance}, below the {percent(settings.rewrite_probability)} asked for (rewrite_probability)"
        witnessed = pair.probability >= pair.witnessed_probability and pair.days_apart <= settings.window_days
        return (
            f"{below}; it would do if an earlier rewrite of the kept one spoke for it too"
            if witnessed
            else below
        )
    if pair.days_apart > settings.window_days:
        most = f"{days(settings.window_days)} (window_days)"
        return f"{chance}, but they lie {days(pair.days_apart)} apart, and rewrites at most {most}"
    return f"{chance}, but no rewrites were asked for, only {', '.join(settings.relations)}"
