"""Fit a logistic regression to labelled pairs, pulled toward the current model.

A ridge penalty around the current coefficients keeps a few labels from moving them much. Coefficients keep
their sign, and a storyline model ignores the evidence of neighbouring articles. scikit-learn can pull only
toward zero, so this module uses `scipy.optimize` directly. `dedup.evaluation.model_refit` chooses the
strength of the pull, and tests whether the model is better.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from dedup.matching.evidence_columns import EVIDENCE_NAMES
from dedup.settings.model_file import (
    CONTEXT_EVIDENCE,
    MAX_COEFFICIENT,
    NEGATIVE_EVIDENCE,
    POSITIVE_EVIDENCE,
    Model,
)

__all__ = ["ModelWeights", "TrainingPairs", "compute_log_losses", "fit_toward_base", "to_model"]

STORY_COLUMNS = [
    k for k, name in enumerate(EVIDENCE_NAMES) if name in (*POSITIVE_EVIDENCE, *NEGATIVE_EVIDENCE)
]
MODEL_COLUMNS = {
    "story": np.array(STORY_COLUMNS),
    "storyline": np.array([k for k in STORY_COLUMNS if EVIDENCE_NAMES[k] not in CONTEXT_EVIDENCE]),
}
"""By level of the model: the evidence columns that it may use."""
EVIDENCE_SIGNS = np.array([1.0 if name in POSITIVE_EVIDENCE else -1.0 for name in EVIDENCE_NAMES])
"""By evidence column: 1 if it may only count for a match, -1 if only against it."""


class TrainingPairs(NamedTuple):
    """Labelled pairs for fitting a model."""

    evidence: np.ndarray
    """n × len(EVIDENCE)."""
    same: np.ndarray
    """n, bool: whether the two articles belong together at the level of the model."""
    stories: np.ndarray
    """n × 2, int64: the stories (or storylines) of the two articles."""
    cross_story_weight: float = 1.0
    """The weight of a pair of two stories relative to a pair of one. Leaving out stories removes more of the
    former, so a weight above 1 restores the original odds."""

    def select(self, mask: np.ndarray) -> TrainingPairs:
        """Return the pairs selected by a mask."""
        return self._replace(evidence=self.evidence[mask], same=self.same[mask], stories=self.stories[mask])

    @property
    def weight(self) -> np.ndarray:
        """Return the weight of each pair."""
        return np.where(self.stories[:, 0] == self.stories[:, 1], 1.0, self.cross_story_weight)


class ModelWeights(NamedTuple):
    """A model as arrays: a coefficient for each evidence column, and the intercept."""

    coefficients: np.ndarray
    intercept: float
    level: str = "story"
    """The level of the model: story or storyline."""

    def log_odds(self, evidence: np.ndarray) -> np.ndarray:
        """Return the log-odds of pairs; a pair matches from 0 on."""
        return evidence @ self.coefficients + self.intercept


def compute_log_losses(odds: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Return the log loss of each pair."""
    return np.logaddexp(0, np.where(same, -odds, odds))


def fit_toward_base(labelled: TrainingPairs, base: ModelWeights, pull: float) -> ModelWeights:
    """Return the logistic regression over labelled pairs, pulled toward `base` by a ridge penalty, with signs kept.

    Evidence that does not vary among the pairs keeps its coefficient.
    """
    if not len(labelled.same):
        return base
    columns = MODEL_COLUMNS[base.level]
    signs = EVIDENCE_SIGNS[columns]
    rows = labelled.evidence[:, columns].astype(np.float64)
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(scale > 1e-6, scale, 1.0)  # noqa: PLR2004 - smaller is constant
    x = (rows - mean) / scale
    start = base.log_odds(labelled.evidence)
    sides, weight = np.where(labelled.same, 1.0, -1.0), labelled.weight

    def compute_penalized_loss(moves: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the penalised loss and its gradient for moves of the coefficients and, last, the intercept."""
        margins = sides * (start + x @ moves[:-1] + moves[-1])
        slopes = -sides * weight * np.exp(-np.logaddexp(0, margins))
        gradient = np.append(x.T @ slopes, slopes.sum())
        return (
            float(weight @ np.logaddexp(0, -margins) + 0.5 * pull * moves @ moves),
            gradient + pull * moves,
        )

    limits = signs * base.coefficients[columns] * scale
    bounds = [
        (-limit, None) if sign > 0 else (None, limit) for limit, sign in zip(limits, signs, strict=True)
    ]
    moves = minimize(
        compute_penalized_loss,
        np.zeros(len(columns) + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[*bounds, (None, None)],
    ).x
    steps = moves[:-1] / scale
    coefficients = base.coefficients.copy()
    coefficients[columns] = signs * np.maximum(signs * (coefficients[columns] + steps), 0)
    return ModelWeights(coefficients, float(base.intercept + moves[-1] - steps @ mean), base.level)


def to_model(weights: ModelWeights) -> Model:
    """Return weights as a model for the settings, rounded as in a model file."""
    limited = np.clip(weights.coefficients, -MAX_COEFFICIENT, MAX_COEFFICIENT)
    rounded = {EVIDENCE_NAMES[k]: round(float(limited[k]), 6) for k in MODEL_COLUMNS[weights.level]}
    named = {name: value for name, value in rounded.items() if value}
    intercept = round(float(np.clip(weights.intercept, -MAX_COEFFICIENT, MAX_COEFFICIENT)), 6)
    return Model(named, intercept, weights.level)
