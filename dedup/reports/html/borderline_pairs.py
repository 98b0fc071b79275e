"""Matches and near misses → the pairs nearest the threshold, on both sides of it, each with its reason.

In: a result, and the best candidates that were not matched. Out: `Pair`s by position.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from dedup.formatting import chance, percent
from dedup.matching.classifier import Rules, has_other_subject, is_template, level_threshold, rules_of
from dedup.matching.evidence import CONTAINED, CONTAINS, JACCARD
from dedup.pipeline.results import Result
from dedup.reports import reasons
from dedup.reports.html.near_misses import Missed
from dedup.reports.html.statistics import level_relation, log_odds

__all__ = ["NEAR", "Pair", "Pairs", "pairs_of"]

MOST = 25
"""Pairs of a kind, at most: who reads so many knows where to put the threshold."""
BOUNDED = (
    "it would match, but was not looked at: a bound on the work was reached (max_candidates, max_postings)"
)
NEAR = 4.0
"""Log-odds from the threshold within which a pair is near it."""
WITNESSED = "an earlier member of the cluster speaks for it too"
MODEL = re.compile(
    r"\Athe probability that they (?:tell the same story|belong to one storyline) is [\d.]+%, but "
)
"""What a table says in a column of its own."""


class Pair(NamedTuple):
    """Two articles by position, the first of which ranks first."""

    first: int
    later: int
    log_odds: float
    evidence: np.ndarray
    reason: str

    @property
    def probability(self) -> float:
        """Return the story model's probability that they tell the same story."""
        return chance(self.log_odds)


class Pairs(NamedTuple):
    """The pairs nearest the threshold."""

    matched: list[Pair]
    """Rewrites that the model is least sure of, the least likely first."""
    helped: list[Pair]
    """Rewrites that it would not take for one story if an earlier one did not speak for them, the least likely first."""
    apart: list[Pair]
    """What the model takes for two stories, the most likely first."""
    held: list[Pair]
    """What the model takes for one story, and something else keeps apart, the most likely first."""


def pairs_of(result: Result, missed: Missed) -> Pairs:
    """Return the pairs nearest the threshold."""
    rules = rules_of(result.settings)
    order = np.argsort(-missed.log_odds, kind="stable")
    odds = missed.log_odds[order]
    below, near = odds < level_threshold(rules), odds >= level_threshold(rules) - NEAR
    return Pairs(
        *just_matched(result, rules),
        [unmatched(result, missed, n, rules) for n in order[below & near][:MOST].tolist()],
        [unmatched(result, missed, n, rules) for n in order[~below][:MOST].tolist()],
    )


def just_matched(result: Result, rules: Rules) -> tuple[list[Pair], list[Pair]]:
    """Return the matches of the model with the lowest probabilities, those that needed no help and those that did."""
    made = result.assignments
    matches = np.flatnonzero((made.relations == level_relation(result.settings)) & (result.repeats < 0))
    odds = log_odds(made.scores[matches])
    order = np.argsort(odds, kind="stable")
    alone, near = odds[order] >= level_threshold(rules), odds[order] <= level_threshold(rules) + NEAR

    def matched(n: int, reason: str) -> Pair:
        a = int(matches[n])
        return Pair(int(made.leaders[a]), a, float(odds[n]), made.against(a), reason)

    return (
        [matched(n, "") for n in order[alone & near][:MOST].tolist()],
        [matched(n, WITNESSED) for n in order[~alone][:MOST].tolist()],
    )


def unmatched(result: Result, missed: Missed, n: int, rules: Rules) -> Pair:
    """Return a pair that was not matched, with the reason."""
    seen = reasons.Pair(
        evidence=missed.evidence[n],
        probability=chance(float(missed.log_odds[n])),
        witnessed_probability=1.0,
        fewest_words=int(missed.words[n]),
        days_apart=float(missed.days[n]),
    )
    return Pair(
        int(missed.first[n]),
        int(missed.later[n]),
        float(missed.log_odds[n]),
        missed.evidence[n],
        follows_lead(result, missed, n)
        or (BOUNDED if would_match(seen, rules) else reason(seen, result, rules)),
    )


def follows_lead(result: Result, missed: Missed, n: int) -> str:
    """Return of the later of a missed pair that it is kept as a follow-up, where it follows the other."""
    first, later = int(missed.first[n]), int(missed.later[n])
    made = result.assignments
    if made.storylines[later] != first:
        return ""
    return f"it is kept as a follow-up: the probability that they belong to one storyline is {percent(float(made.scores[later]))}"


def reason(seen: reasons.Pair, result: Result, rules: Rules) -> str:
    """Return why a pair was not matched; nothing where its probability says it."""
    words = reasons.why_not(seen, result.settings)
    if words.startswith("the probability that") and seen.probability < chance(level_threshold(rules)):
        return ""
    return MODEL.sub("", words)


def would_match(seen: reasons.Pair, rules: Rules) -> bool:
    """Return whether nothing is said against a pair, but that it is not matched."""
    exact, copy, excerpt, extension, rewrite, _ = rules.allowed.tolist()
    row, near = seen.evidence, not seen.days_apart > rules.copy_window_days
    part = max(row[CONTAINED] if excerpt else 0.0, row[CONTAINS] if extension else 0.0)
    told = (
        rewrite
        and not has_other_subject(row)
        and seen.probability >= chance(level_threshold(rules))
        and not seen.days_apart > rules.window_days
    )
    copied = near and ((copy or exact) and row[JACCARD] >= rules.copy_jaccard)
    cut = near and part >= rules.excerpt_containment
    return bool(seen.fewest_words >= rules.min_words and not is_template(row) and (told or copied or cut))
