"""Load the models and compute their scores: logistic regressions over the evidence of a pair.

The story model says whether two articles report the same event at the same moment (`rewrite`), the storyline model whether
they belong to one storyline (`followup`). Their coefficients are in `data/story.json` and `data/storyline.json`, fitted by
`benchmarks/fit_story.py` and `benchmarks/fit.py`. The settings may replace one of them.
"""

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from dedup.jit import jit, jit_inline
from dedup.matching.evidence_columns import CONTEXT_START, EVIDENCE_COUNT, EVIDENCE_NAMES, UNDATED
from dedup.settings.settings import LEVEL_MODELS, Settings


class LinearModel(NamedTuple):
    """A logistic regression: the log-odds are the evidence times the coefficients, plus the intercept."""

    coefficients: np.ndarray
    """2 × columns: the first row is for pairs of dated articles, the second for pairs with an undated one."""
    intercept: float

    def select_coefficients(self, row: np.ndarray) -> np.ndarray:
        """Return the coefficients for a row of evidence: those for dated or for undated pairs."""
        return self.coefficients[int(row[UNDATED])]

    def compute_log_odds(self, evidence: np.ndarray) -> np.ndarray:
        """Return the log-odds (float64) of rows of evidence."""
        coefficients = self.coefficients[evidence[:, UNDATED].astype(np.int64)]
        return (evidence.astype(np.float64) * coefficients).sum(axis=1) + self.intercept


@cache
def read_shipped_model(name: str) -> LinearModel:
    """Return a model that the package ships: "story" or "storyline".

    The storyline model has separate coefficients for undated pairs, whose follow-ups differ in other evidence.
    """
    document = json.loads((files("dedup") / "data" / f"{name}.json").read_text("utf-8"))
    dated = document["coefficients"]
    rows = [
        [part.get(column, 0.0) for column in EVIDENCE_NAMES]
        for part in (dated, document.get("undated", dated))
    ]
    return LinearModel(np.array(rows), float(document["intercept"]))


def choose_model(settings: Settings, name: str) -> LinearModel:
    """Return the model named "story" or "storyline": the one of the settings if there is one, else the shipped one."""
    model = settings.model
    if model is None or model.level != name:
        return read_shipped_model(name)
    row = [model.coefficients.get(column, 0.0) for column in EVIDENCE_NAMES]
    return LinearModel(np.array([row, row]), model.intercept)


def choose_level_model(settings: Settings) -> LinearModel:
    """Return the model that decides at the level of the settings."""
    return choose_model(settings, LEVEL_MODELS[settings.level])


@jit
def compute_story_odds(row, params):
    """Return the log-odds that two articles tell the same story, without the context columns."""
    return add_weighted_evidence(row, params.story_coefficients, 0, CONTEXT_START, params.story_intercept)


@jit
def compute_context_odds(row, params):
    """Return the log-odds that the columns from `CONTEXT_START` on add to the score of the story model."""
    return add_weighted_evidence(row, params.story_coefficients, CONTEXT_START, EVIDENCE_COUNT, 0.0)


@jit
def compute_storyline_odds(row, params):
    """Return the log-odds that two articles belong to one storyline."""
    return add_weighted_evidence(
        row, params.storyline_coefficients, 0, CONTEXT_START, params.storyline_intercept
    )


@jit
def add_weighted_evidence(row, coefficients, begin, end, total):
    """Return `total` plus the weighted sum of the columns `begin:end`; `coefficients` is 2 × columns."""
    weights = coefficients[np.int64(row[UNDATED])]
    for k in range(begin, end):
        total += weights[k] * row[k]
    return total


@jit_inline
def compute_probability(odds):
    """Return the probability of log-odds."""
    return 1.0 / (1.0 + np.exp(-odds))
