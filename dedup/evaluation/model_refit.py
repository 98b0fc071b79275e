"""Fit a story or storyline model to labelled pairs, and test whether it is better than the current model.

The fit is pulled toward the current model (`dedup.evaluation.fitting`). Cross-validation chooses the
strongest pull that is not clearly worse than a weaker one. The strongest pull leaves the model unchanged. If the fitted
models are not clearly better on held-out stories, the current model is returned.

Folds consist of stories, so no model is tested on a pair of a story that it was fitted to. A pair of two
folds counts half in each, as in `benchmarks/fit.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit
from threadpoolctl import threadpool_limits

from dedup.errors import InputError
from dedup.evaluation.fitting import (
    ModelWeights,
    TrainingPairs,
    compute_log_losses,
    fit_toward_base,
    to_model,
)
from dedup.evaluation.metrics import compute_agreement
from dedup.evaluation.training_data import assign_folds, sample_by_story
from dedup.formatting import format_count
from dedup.matching.match_params import get_level_threshold, make_match_params
from dedup.settings.model_file import MODEL_LEVELS, Model
from dedup.settings.settings import Settings

__all__ = ["LearningCurvePoint", "ModelRefit", "refit_model"]

DEFAULT_THRESHOLDS = {
    level: get_level_threshold(make_match_params(Settings(level=level))) for level in MODEL_LEVELS
}
"""The default threshold (log-odds) of each model."""
PULLS = (np.inf, 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0)
"""Strengths of the pull toward the current model, from no change to nearly free. The strength is the cost of
moving a coefficient by 1 in log-odds per standard deviation of its evidence, squared, relative to the log
loss of a pair."""
FOLDS, INNER_FOLDS = 10, 8
CURVE_SHARES = (0.125, 0.25, 0.5, 1.0)
"""Shares of the stories at which the learning curve is measured."""
MIN_PAIRS, MIN_PAIRS_TO_FIT = 10, 30
"""The fewest pairs of each kind for testing a model, and the fewest pairs of each kind and stories for
changing it. With 15 pairs of two stories, a fit to half of `events` lost .1 of F1 on the other half."""
CONFIDENCE = 0.99
"""The confidence (Student's t over the folds) with which a weaker pull or a new model must be better."""


@dataclass(frozen=True, slots=True)
class HeldOutScores:
    """The scores of a model on held-out stories."""

    log_loss: float
    """Mean over pairs, in nats."""
    f1: float
    """F1 of the pairs at the threshold."""
    precision: float
    recall: float


@dataclass(frozen=True, slots=True)
class LearningCurvePoint:
    """A point of the learning curve."""

    pairs: int
    """The approximate number of training pairs."""
    log_loss: float
    f1: float


@dataclass(frozen=True, slots=True)
class ModelRefit:
    """A model fitted to labels, with its scores."""

    model: Model
    pull: float
    """One of `PULLS`; infinite if the model is unchanged."""
    pairs: int
    same: int
    """The number of pairs that belong together at the level of the model."""
    stories: int
    """Number of stories; for a storyline model, of storylines."""
    before: HeldOutScores
    """The scores of the current model on all pairs."""
    after: HeldOutScores
    """The scores of models fitted in the same way to the other stories."""
    helped: bool
    """Whether the log loss on held-out stories fell by more than chance explains."""
    enough: bool
    """Whether the second half of the labels improved the model by no more than chance explains."""
    curve: tuple[LearningCurvePoint, ...]


class CrossValidation(NamedTuple):
    """The predictions of models on held-out folds, as counts for each fold."""

    losses: np.ndarray
    """folds × 2: the summed log loss of a fold, and the weight of its pairs."""
    counts: np.ndarray
    """folds × 3: pairs matched correctly, pairs matched, pairs that belong together."""
    pairs: float

    def compute_scores(self) -> HeldOutScores:
        """Return the scores over all folds."""
        loss, weight = self.losses.sum(axis=0).tolist()
        agreement = compute_agreement(*self.counts.sum(axis=0).tolist())
        return HeldOutScores(loss / weight, agreement.f1, agreement.precision, agreement.recall)


@threadpool_limits.wrap(limits=1)  # it runs a thousand small fits, and threads would slow them down
def refit_model(labelled: TrainingPairs, base: ModelWeights, seed: int = 1) -> ModelRefit:
    """Return a model fitted to labelled pairs and pulled toward `base`, with its scores on held-out stories.

    The level is that of `base`. Raise `InputError` if there are too few pairs of either kind.
    """
    same, pairs = int(labelled.same.sum()), len(labelled.same)
    if min(same, pairs - same) < MIN_PAIRS:
        raise InputError(
            f"there are {format_count(same, 'pair')} of the same {base.level} and {pairs - same:,} of different ones; "
            f"at least {MIN_PAIRS} of each are needed"
        )
    folds = assign_folds(labelled.stories, FOLDS, seed)
    before = run_cross_validation(labelled, folds, lambda _: base)
    stages = [
        run_cross_validation(labelled, folds, partial(fit_share, base=base, seed=seed, share=share))
        for share in CURVE_SHARES
    ]
    after = stages[-1]
    helped = is_clearly_better(after, before)
    weights, pull = fit_best_pull(labelled, base, seed) if helped else (base, np.inf)
    return ModelRefit(
        model=to_model(weights),
        pull=pull,
        pairs=pairs,
        same=same,
        stories=len(np.unique(labelled.stories)),
        before=before.compute_scores(),
        after=after.compute_scores(),
        helped=helped and pull < np.inf,
        enough=not is_clearly_better(after, stages[-2]),
        curve=tuple(
            make_curve_point(stage, share) for stage, share in zip(stages, CURVE_SHARES, strict=True)
        ),
    )


def fit_share(labelled: TrainingPairs, base: ModelWeights, seed: int, share: float) -> ModelWeights:
    """Return the model fitted to a share of the labelled pairs."""
    return fit_best_pull(sample_by_story(labelled, share, seed), base, seed)[0]


def make_curve_point(trial: CrossValidation, share: float) -> LearningCurvePoint:
    """Return a trial with a share of the labels as a point of the learning curve."""
    scores = trial.compute_scores()
    return LearningCurvePoint(round(trial.pairs * share), scores.log_loss, scores.f1)


def fit_best_pull(labelled: TrainingPairs, base: ModelWeights, seed: int) -> tuple[ModelWeights, float]:
    """Return the model with the strongest pull that is not clearly worse than a weaker one, and that pull.

    If there are too few pairs to choose a pull, the model stays unchanged.
    """
    folds = assign_folds(labelled.stories, INNER_FOLDS, seed + 1)
    same = int(labelled.same.sum())
    if min(same, len(labelled.same) - same, len(np.unique(labelled.stories))) < MIN_PAIRS_TO_FIT:
        return base, np.inf
    best, pull = run_cross_validation(labelled, folds, lambda _: base), np.inf
    for weaker in PULLS[1:]:
        trial = run_cross_validation(labelled, folds, partial(fit_toward_base, base=base, pull=weaker))
        if is_clearly_better(trial, best):
            best, pull = trial, weaker
    return (base, pull) if pull == np.inf else (fit_toward_base(labelled, base, pull), pull)


def is_clearly_better(new: CrossValidation, old: CrossValidation) -> bool:
    """Return whether the log loss fell by more than chance explains, judged by the differences of the folds."""
    weights = np.maximum(new.losses[:, 1], 1e-9)
    gains = (old.losses[:, 0] - new.losses[:, 0]) / weights
    mean = np.average(gains, weights=weights)
    spread = np.sqrt(np.average((gains - mean) ** 2, weights=weights) / max(len(gains) - 1, 1))
    return bool(mean > stdtrit(max(len(gains) - 1, 1), CONFIDENCE) * spread)


def run_cross_validation(
    labelled: TrainingPairs, folds: np.ndarray, fit: Callable[[TrainingPairs], ModelWeights]
) -> CrossValidation:
    """Return the scores of models on held-out folds; `folds` (n × 2) has the folds of each pair."""
    losses, counts, sizes = [], [], []
    fold_count = int(folds.max()) + 1
    weight = labelled.cross_story_weight * fold_count / max(fold_count - 1, 1)
    for fold in range(fold_count):
        share = (folds == fold).mean(axis=1)
        train, test = share == 0, share > 0
        weights = fit(labelled.select(train)._replace(cross_story_weight=weight))
        odds, same, shares = weights.log_odds(labelled.evidence[test]), labelled.same[test], share[test]
        losses.append((float(shares @ compute_log_losses(odds, same)), float(shares.sum())))
        claimed = odds >= DEFAULT_THRESHOLDS[weights.level]
        counts.append([float(shares @ (claimed & same)), float(shares @ claimed), float(shares @ same)])
        sizes.append(float(train.sum()))
    return CrossValidation(np.array(losses), np.array(counts), float(np.mean(sizes)))
