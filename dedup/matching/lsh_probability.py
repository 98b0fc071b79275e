"""Compute the probability that a pair becomes a candidate for a copy, by its Jaccard similarity.

Two signatures agree in a band of r rows with probability J^r, and in at least one of b bands with 1 - (1 - J^r)^b
(*Mining of Massive Datasets*, section 3.4.2). Rewrites are looked up by salient terms instead, regardless of their Jaccard
similarity.
"""

from __future__ import annotations

from dedup.settings.settings import Settings

__all__ = ["compute_candidate_probabilities"]

JACCARD_STEPS = 10


def compute_candidate_probabilities(settings: Settings) -> dict[float, float]:
    """Return the probability that a pair shares a band, for Jaccard similarities from 0.1 to 1.

    >>> compute_candidate_probabilities(Settings(bands=1, rows=2))[0.5]
    0.25
    """
    similarities = [step / JACCARD_STEPS for step in range(1, JACCARD_STEPS + 1)]
    return {j: 1 - (1 - j**settings.rows) ** settings.bands for j in similarities}
