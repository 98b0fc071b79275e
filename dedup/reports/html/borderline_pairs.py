"""Select the pairs nearest the threshold, on both sides of it, each with its reason."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from dedup.evaluation.near_threshold import NearMisses
from dedup.formatting import format_percent, to_probability
from dedup.matching.evidence_columns import CONTAINED, CONTAINS, JACCARD
from dedup.matching.guards import has_different_subject, shares_only_template
from dedup.matching.match_params import MatchParams, get_level_threshold, make_match_params
from dedup.pipeline.results import Result
from dedup.reports import reasons
from dedup.reports.html.statistics import compute_clipped_log_odds, get_level_relation

__all__ = ["NEAR_LOG_ODDS", "BorderlinePair", "BorderlinePairs", "find_borderline_pairs"]

MAX_PAIRS_PER_KIND = 25
"""The most pairs of each kind, enough to choose a threshold."""
LIMIT_REACHED_REASON = (
    "it would match, but a limit was reached before it was compared (max_candidates, max_postings)"
)
NEAR_LOG_ODDS = 4.0
"""A pair is near the threshold within this many log-odds."""
WITNESSED_REASON = "scored below the threshold, but also matched another article in the cluster"
PROBABILITY_CLAUSE = re.compile(
    r"\Athe probability that they (?:tell the same story|belong to one storyline) is [\d.]+%, but "
)
"""The part of a reason that a table shows in a column of its own."""


class BorderlinePair(NamedTuple):
    """Two articles by position; `first` ranks higher."""

    first: int
    later: int
    log_odds: float
    evidence: np.ndarray
    reason: str

    @property
    def probability(self) -> float:
        """Return the story model's probability that they tell the same story."""
        return to_probability(self.log_odds)


class BorderlinePairs(NamedTuple):
    """The pairs nearest the threshold."""

    matched: list[BorderlinePair]
    """Rewrites just above the threshold, lowest probability first."""
    witnessed: list[BorderlinePair]
    """Rewrites below the threshold that also matched another article in the cluster, lowest probability first."""
    apart: list[BorderlinePair]
    """Pairs just below the threshold, highest probability first."""
    blocked: list[BorderlinePair]
    """Pairs above the threshold that another rule rejects, highest probability first."""


def find_borderline_pairs(result: Result, near_misses: NearMisses) -> BorderlinePairs:
    """Return the pairs nearest the threshold."""
    rules = make_match_params(result.settings)
    order = np.argsort(-near_misses.log_odds, kind="stable")
    odds = near_misses.log_odds[order]
    below, near = odds < get_level_threshold(rules), odds >= get_level_threshold(rules) - NEAR_LOG_ODDS
    return BorderlinePairs(
        *find_just_matched(result, rules),
        [
            make_unmatched_pair(result, near_misses, n, rules)
            for n in order[below & near][:MAX_PAIRS_PER_KIND].tolist()
        ],
        [
            make_unmatched_pair(result, near_misses, n, rules)
            for n in order[~below][:MAX_PAIRS_PER_KIND].tolist()
        ],
    )


def find_just_matched(
    result: Result, rules: MatchParams
) -> tuple[list[BorderlinePair], list[BorderlinePair]]:
    """Return the matches of the model with the lowest probabilities, both those above the threshold and those with a witness."""
    assignments = result.assignments
    matches = np.flatnonzero(
        (assignments.relations == get_level_relation(result.settings)) & (result.duplicate_of_input < 0)
    )
    odds = compute_clipped_log_odds(assignments.scores[matches])
    order = np.argsort(odds, kind="stable")
    alone, near = (
        odds[order] >= get_level_threshold(rules),
        odds[order] <= get_level_threshold(rules) + NEAR_LOG_ODDS,
    )

    def make_matched_pair(n: int, reason: str) -> BorderlinePair:
        a = int(matches[n])
        return BorderlinePair(
            int(assignments.leaders[a]), a, float(odds[n]), assignments.get_evidence_rows(a), reason
        )

    return (
        [make_matched_pair(n, "") for n in order[alone & near][:MAX_PAIRS_PER_KIND].tolist()],
        [make_matched_pair(n, WITNESSED_REASON) for n in order[~alone][:MAX_PAIRS_PER_KIND].tolist()],
    )


def make_unmatched_pair(
    result: Result, near_misses: NearMisses, n: int, rules: MatchParams
) -> BorderlinePair:
    """Return a pair that does not match, with the reason."""
    seen = reasons.PairEvidence(
        evidence=near_misses.evidence[n],
        probability=to_probability(float(near_misses.log_odds[n])),
        witnessed_probability=1.0,
        fewest_words=int(near_misses.words[n]),
        days_apart=float(near_misses.days[n]),
        has_digest=bool(near_misses.has_digest[n]),
    )
    return BorderlinePair(
        int(near_misses.first[n]),
        int(near_misses.later[n]),
        float(near_misses.log_odds[n]),
        near_misses.evidence[n],
        explain_followup(result, near_misses, n)
        or (LIMIT_REACHED_REASON if should_match(seen, rules) else explain_unmatched(seen, result, rules)),
    )


def explain_followup(result: Result, near_misses: NearMisses, n: int) -> str:
    """Return why a pair is kept as a follow-up; empty if the later article does not follow the first."""
    first, later = int(near_misses.first[n]), int(near_misses.later[n])
    assignments = result.assignments
    if assignments.storylines[later] != first:
        return ""
    return (
        f"it is kept as a follow-up: the probability that they belong to one storyline is "
        f"{format_percent(float(assignments.scores[later]))}"
    )


def explain_unmatched(pair_evidence: reasons.PairEvidence, result: Result, rules: MatchParams) -> str:
    """Return why a pair does not match; empty if its probability is the reason."""
    words = reasons.explain_mismatch(pair_evidence, result.settings)
    if words.startswith("the probability that") and pair_evidence.probability < to_probability(
        get_level_threshold(rules)
    ):
        return ""
    return PROBABILITY_CLAUSE.sub("", words)


def should_match(pair_evidence: reasons.PairEvidence, rules: MatchParams) -> bool:
    """Return whether no rule rejects a pair, although it does not match."""
    exact, copy, excerpt, extension, rewrite, _ = rules.allowed.tolist()
    row, near = pair_evidence.evidence, not pair_evidence.days_apart > rules.copy_window_days
    part = max(row[CONTAINED] if excerpt else 0.0, row[CONTAINS] if extension else 0.0)
    is_same = (
        rewrite
        and not has_different_subject(row)
        and pair_evidence.probability >= to_probability(get_level_threshold(rules))
        and not pair_evidence.days_apart > rules.window_days
    )
    copied = near and ((copy or exact) and row[JACCARD] >= rules.copy_jaccard)
    cut = near and part >= rules.excerpt_containment
    if cut and pair_evidence.has_digest:
        return False
    return bool(
        pair_evidence.fewest_words >= rules.min_words
        and not shares_only_template(row)
        and (is_same or copied or cut)
    )
