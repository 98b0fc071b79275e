"""Estimate the probability that two articles in different words have one origin.

A shared quotation shows little, because independent reporters quote the same speech and the same statement. The words around
the quotations say more: articles of one origin share some of them. So does a source: both name a third outlet
("told CNN"), or one names the outlet of the other. A logistic model of these two gives the probability. `dedup/data/origins.json`
has its coefficients; `python -m benchmarks.judged_origins --fit` fits them to judged stories.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dedup.origins.trace import StoryArticle

__all__ = ["MAX_WORDING", "OriginModel", "SharedEvidence", "find_shared_evidence", "load_origin_model"]

MAX_WORDING = 0.15
"""Larger shares say no more: nearly all judged pairs that share so much have one origin."""

MAX_PROBABILITY = 0.99
"""The judged stories show no more than this."""


@dataclass(frozen=True, slots=True)
class SharedEvidence:
    """What two articles share that may come from one origin."""

    wording: float
    """The share of the runs of six words outside quotations that the article with fewer of them shares with the other."""
    sources: tuple[str, ...] = ()
    """The sources that both have: named outlets and agencies, credited agencies, and the own outlet."""


@dataclass(frozen=True, slots=True)
class OriginModel:
    """A logistic model of `SharedEvidence`."""

    wording: float
    source: float
    intercept: float

    def estimate(self, evidence: SharedEvidence) -> float:
        """Return the probability that two articles with this evidence have one origin, in two digits."""
        log_odds = (
            self.intercept
            + self.wording * min(evidence.wording, MAX_WORDING)
            + self.source * bool(evidence.sources)
        )
        return min(round(1 / (1 + math.exp(-log_odds)), 2), MAX_PROBABILITY)


@cache
def load_origin_model() -> OriginModel:
    """Return the model of the package."""
    return OriginModel(**json.loads(files("dedup").joinpath("data/origins.json").read_text(encoding="utf-8")))


def find_shared_evidence(first: StoryArticle, second: StoryArticle) -> SharedEvidence:
    """Return what two articles share."""
    few, many = sorted((first.unquoted, second.unquoted), key=len)
    shared = np.count_nonzero(many.take(np.searchsorted(many, few), mode="clip") == few) if len(few) else 0
    return SharedEvidence(
        shared / len(few) if len(few) else 0.0, tuple(sorted(gather_sources(first) & gather_sources(second)))
    )


def gather_sources(article: StoryArticle) -> frozenset[str]:
    """Return the sources of an article: those that it names, the agencies that it credits, and its own outlet."""
    own = frozenset([article.publisher] if article.publisher else [])
    return article.named_sources | article.attribution.agencies | own
