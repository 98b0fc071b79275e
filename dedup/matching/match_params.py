"""Convert the settings and their models to the form that kernels take."""

from typing import NamedTuple

import numpy as np

from dedup.matching.evidence_columns import CONTEXT_START
from dedup.matching.models import choose_model
from dedup.settings.settings import LEVEL_RELATIONS, RELATIONS, Settings

WITNESS_BONUS = 3.6
"""How far (log-odds) below the threshold a match with the kept article may score if another member of the cluster matches
too (docs/decisions/0004-witnesses.md): any member at the level of storylines, a copy at the level of stories. It
loosens laws 1 and 5, because a third article then helps to decide whether two match."""


class MatchParams(NamedTuple):
    """The settings and the models in the form that kernels take; probabilities are log-odds."""

    allowed: np.ndarray
    """By relation, bool: whether it is detected."""
    joins: np.ndarray
    """By relation, bool: whether it joins two articles at the level of the settings."""
    by_storyline: bool
    """Whether follow-ups join. The storyline model then chooses the best match."""
    story_coefficients: np.ndarray
    """As `LinearModel.coefficients`, of the story model."""
    story_intercept: float
    story_threshold: float
    story_witnessed_threshold: float
    max_context_gain: float
    """The most (log-odds) that the context columns can add to the score of the story model."""
    storyline_coefficients: np.ndarray
    storyline_intercept: float
    storyline_threshold: float
    storyline_witnessed_threshold: float
    copy_jaccard: float
    excerpt_containment: float
    window_days: float
    copy_window_days: float
    min_words: int
    shared_terms: int
    max_candidates: int
    max_postings: int


def make_match_params(settings: Settings) -> MatchParams:
    """Return the settings and their models in the form that kernels take."""
    story, storyline = choose_model(settings, "story"), choose_model(settings, "storyline")
    return MatchParams(
        allowed=np.array([relation in settings.relations for relation in RELATIONS]),
        joins=np.array(
            [
                relation in settings.relations and relation in LEVEL_RELATIONS[settings.level]
                for relation in RELATIONS
            ]
        ),
        by_storyline=settings.level == "storyline" and "followup" in settings.relations,
        story_coefficients=story.coefficients,
        story_intercept=story.intercept,
        story_threshold=to_log_odds(settings.rewrite_probability),
        story_witnessed_threshold=to_log_odds(settings.rewrite_probability) - WITNESS_BONUS,
        max_context_gain=float(np.maximum(story.coefficients[:, CONTEXT_START:], 0.0).sum(axis=1).max()),
        storyline_coefficients=storyline.coefficients,
        storyline_intercept=storyline.intercept,
        storyline_threshold=to_log_odds(settings.followup_probability),
        storyline_witnessed_threshold=to_log_odds(settings.followup_probability) - WITNESS_BONUS,
        copy_jaccard=float(settings.copy_jaccard),
        excerpt_containment=float(settings.excerpt_containment),
        window_days=float(settings.window_days),
        copy_window_days=float(settings.copy_window_days),
        min_words=settings.min_words,
        shared_terms=settings.shared_terms,
        max_candidates=settings.max_candidates,
        max_postings=settings.max_postings,
    )


def get_level_threshold(params: MatchParams) -> float:
    """Return the threshold (log-odds) of the model that decides at the level of the settings."""
    return params.storyline_threshold if params.by_storyline else params.story_threshold


def to_log_odds(probability: float) -> float:
    """Return the log-odds of a probability, which is clipped to [1e-9, 1 - 1e-9].

    >>> to_log_odds(0.5)
    0.0
    """
    p = min(max(probability, 1e-9), 1 - 1e-9)
    return float(np.log(p / (1 - p)))
