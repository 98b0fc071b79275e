"""A model of one's own: a value for the settings, and the file that `dedup calibrate` writes and a person can read.

In: coefficients and an intercept, or the file that holds them. Out: `Model`, which counts as its content, wherever it
came from; the bytes of a file. A model weighs evidence (`dedup.matching.evidence`) and is nothing but numbers: a file cannot run
anything. How one is fitted is in `dedup.evaluation.fitting`; the one that the package ships is in `dedup.matching.classifier`.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dedup.io.json_file import encode_json_file, read_json_object

__all__ = ["NEGATIVE_EVIDENCE", "POSITIVE_EVIDENCE", "Model", "encode_model", "read_model"]

POSITIVE_EVIDENCE = (
    "names_found",
    "figures_found",
    "story_45",
    "story_80",
    "story_220",
    "title_story",
    "lead_cosine",
    "opening_cosine",
    "text_cosine",
    "names_cosine",
    "names_jaccard",
    "facts_jaccard",
    "heavy_terms",
    "quotes",
    "overlap",
    "words_220",
    "weekdays_shared",
    "title_found_more",
    "title_found_less",
    "opening_found_less",
    "title_jaccard",
    "event_day_shared",
    "new_title_found",
    "new_lead_found",
    "new_opening_found",
    "new_text_found",
    "same_day_neighbour",
)
"""Evidence that may speak for a match, and never against it."""
NEGATIVE_EVIDENCE = (
    "figures_missed",
    "changed_facts",
    "weekdays_differ",
    "days",
    "undated",
    "rest_over_lead",
    "rest_over_opening",
    "first_day",
    "second_day",
    "third_day",
    "event_days_differ",
    "nearer",
    "neighbours",
)
"""Evidence that may speak against a match, and never for it."""
CONTEXT_EVIDENCE = frozenset(
    (
        "new_title_found",
        "new_lead_found",
        "new_opening_found",
        "new_text_found",
        "nearer",
        "neighbours",
        "same_day_neighbour",
    )
)
"""Evidence that depends on the neighbours of an article: the story model alone may weigh it."""
MODEL_LEVELS = ("story", "storyline")
MAX_MODEL_BYTES = 1 << 20
"""No model is larger: what is, is some other file."""
MAX_COEFFICIENT = 100.0
"""No coefficient is greater: evidence is of the order of 1, and so much log-odds are a certainty many times over."""


@dataclass(frozen=True, slots=True)
class Model:
    """The coefficients of a model of one level, by the name of the evidence, and its intercept; equal where they are the same."""

    coefficients: Mapping[str, float] = field(compare=False, repr=False)
    intercept: float = field(compare=False, repr=False)
    """In log-odds; two articles match from 0 on under the default settings."""
    level: str = "story"
    """Which of the two models it takes the place of: that of stories, or that of storylines."""
    made_from: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """What it was fitted to, and how well it did, for people to read."""
    digest: str = field(init=False)
    """Sixteen hexadecimal digits for coefficients and intercept."""

    def __post_init__(self) -> None:
        """Put coefficients in order of their names, and take the digest; `ValueError` with what is wrong with them."""
        for name, value in {**self.coefficients, "the intercept": self.intercept}.items():
            if not is_number(value) or not abs(value) <= MAX_COEFFICIENT:
                raise ValueError(
                    f"{name} is {value!r:.20}, not a number between -{MAX_COEFFICIENT:,g} and {MAX_COEFFICIENT:,g}"
                )
        if self.level not in MODEL_LEVELS:
            raise ValueError(f"its level is {self.level!r:.20}, not {' or '.join(MODEL_LEVELS)}")
        for name, value in self.coefficients.items():
            check_coefficient_sign(name, value)
            if self.level == "storyline" and name in CONTEXT_EVIDENCE:
                raise ValueError(f"{name} is evidence for the story model alone")
        ordered = {name: float(self.coefficients[name]) for name in sorted(self.coefficients)}
        object.__setattr__(self, "coefficients", ordered)
        object.__setattr__(self, "intercept", float(self.intercept))
        content = json.dumps([self.level, ordered, self.intercept])
        object.__setattr__(self, "digest", hashlib.blake2b(content.encode(), digest_size=8).hexdigest())

    def __str__(self) -> str:
        return f"{self.digest} ({len(self.coefficients)} coefficients)"


def is_number(value: object) -> bool:
    """Return whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def check_coefficient_sign(name: str, value: float) -> None:
    """Raise `ValueError` where a coefficient is of no evidence, or has the wrong sign for it."""
    if name not in (*POSITIVE_EVIDENCE, *NEGATIVE_EVIDENCE):
        raise ValueError(f"{name!r:.40} is no evidence that a model weighs")
    if value * (1 if name in POSITIVE_EVIDENCE else -1) < 0:
        wanted = "for" if name in POSITIVE_EVIDENCE else "against"
        raise ValueError(f"{name} is {value:g}, and may only speak {wanted} a match")


def read_model(path: str | Path) -> Model:
    """Return what a file of `dedup calibrate` holds; `InputError` says why a file is none."""
    return read_json_object(path, "model", MAX_MODEL_BYTES, parse_model)


def parse_model(value: Mapping[str, Any]) -> Model:
    """Return what a file says; `ValueError` with what is wrong with it."""
    coefficients = value.get("coefficients")
    if not isinstance(coefficients, dict):
        raise ValueError("it has no object of 'coefficients'")  # noqa: TRY004 - what is wrong is the file
    if "level" not in value:
        raise ValueError(
            f"version {value.get('dedup', 'unknown')!s:.20} of dedup made it, which knew one level only: "
            "fit it again with dedup calibrate"
        )
    made_from = value.get("made_from", {})
    model = Model(
        coefficients,
        value.get("intercept"),  # type: ignore[arg-type] # it is checked there
        str(value["level"]),
        made_from if isinstance(made_from, dict) else {},
    )
    if value.get("digest") != model.digest:
        raise ValueError(
            f"its digest is {value.get('digest')!r:.20}, and that of its numbers is {model.digest!r}: "
            "it was damaged or changed by hand"
        )
    return model


def encode_model(model: Model, version: str) -> bytes:
    """Return a file of a model, by this version of dedup."""
    content = {
        "digest": model.digest,
        "level": model.level,
        "coefficients": model.coefficients,
        "intercept": model.intercept,
        "made_from": model.made_from,
    }
    return encode_json_file(version, content)
