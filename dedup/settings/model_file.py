"""Define the fitted model of a level, and read and write its JSON file.

A model weighs evidence (`dedup.matching.evidence_columns`) with coefficients and an intercept. It is only numbers, so a file
cannot run code, and models with the same numbers are equal. `dedup.evaluation.fitting` fits models; `dedup.matching.models`
loads the built-in ones.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dedup.errors import SettingsError
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
"""Evidence for a match: its coefficients are at least 0."""
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
"""Evidence against a match: its coefficients are at most 0."""
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
"""Evidence that depends on the neighbours of an article; only the story model uses it."""
MODEL_LEVELS = ("story", "storyline")
MAX_MODEL_BYTES = 1 << 20
"""The maximum size of a model file."""
MAX_COEFFICIENT = 100.0
"""The maximum absolute coefficient: evidence is about 1, and 100 log-odds are already certainty."""


@dataclass(frozen=True, slots=True)
class Model:
    """The coefficients of a model, by the name of the evidence, and its intercept.

    Models are equal if their numbers are.
    """

    coefficients: Mapping[str, float] = field(compare=False, repr=False)
    intercept: float = field(compare=False, repr=False)
    """In log-odds; with the default settings two articles match from 0 on."""
    level: str = "story"
    """The built-in model that it replaces: story or storyline."""
    made_from: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The labels and scores of the fit, for information."""
    digest: str = field(init=False)
    """Sixteen hexadecimal digits that identify level, coefficients and intercept."""

    def __post_init__(self) -> None:
        """Sort the coefficients by name and compute the digest; `SettingsError` if a number or name is wrong."""
        for name, value in {**self.coefficients, "the intercept": self.intercept}.items():
            if not is_number(value) or not abs(value) <= MAX_COEFFICIENT:
                raise SettingsError(
                    f"{name} is {value!r:.20}, not a number between -{MAX_COEFFICIENT:,g} and {MAX_COEFFICIENT:,g}"
                )
        if self.level not in MODEL_LEVELS:
            raise SettingsError(f"its level is {self.level!r:.20}, not {' or '.join(MODEL_LEVELS)}")
        for name, value in self.coefficients.items():
            check_coefficient_sign(name, value)
            if self.level == "storyline" and name in CONTEXT_EVIDENCE:
                raise SettingsError(f"{name} is evidence that only the story model uses")
        sorted_coefficients = {name: float(self.coefficients[name]) for name in sorted(self.coefficients)}
        object.__setattr__(self, "coefficients", sorted_coefficients)
        object.__setattr__(self, "intercept", float(self.intercept))
        content = json.dumps([self.level, sorted_coefficients, self.intercept])
        object.__setattr__(self, "digest", hashlib.blake2b(content.encode(), digest_size=8).hexdigest())

    def __str__(self) -> str:
        return f"{self.digest} ({len(self.coefficients)} coefficients)"


def is_number(value: object) -> bool:
    """Return whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def check_coefficient_sign(name: str, value: float) -> None:
    """Raise `SettingsError` if a coefficient has an unknown name or the wrong sign."""
    if name not in (*POSITIVE_EVIDENCE, *NEGATIVE_EVIDENCE):
        raise SettingsError(f"{name!r:.40} is not evidence that a model uses")
    if value * (1 if name in POSITIVE_EVIDENCE else -1) < 0:
        allowed = "at least" if name in POSITIVE_EVIDENCE else "at most"
        raise SettingsError(f"{name} is {value:g}, but must be {allowed} 0")


def read_model(path: str | Path) -> Model:
    """Return the model in a file of `dedup calibrate`; `InputError` if it is not a model."""
    return read_json_object(path, "model", MAX_MODEL_BYTES, parse_model)


def parse_model(value: Mapping[str, Any]) -> Model:
    """Return the model in a JSON object; `ValueError` if it is not one."""
    coefficients = value.get("coefficients")
    if not isinstance(coefficients, dict):
        raise ValueError("it has no object 'coefficients'")  # noqa: TRY004 - the file is wrong, not a type in the code
    if "level" not in value:
        raise ValueError(
            f"it was written by version {value.get('dedup', 'unknown')!s:.20}, which had only one level; "
            "fit it again with dedup calibrate"
        )
    made_from = value.get("made_from", {})
    model = Model(
        coefficients,
        value.get("intercept"),  # type: ignore[arg-type] # Model checks it
        str(value["level"]),
        made_from if isinstance(made_from, dict) else {},
    )
    if value.get("digest") != model.digest:
        raise ValueError(
            f"its digest is {value.get('digest')!r:.20}, but its numbers have the digest {model.digest!r}: "
            "the file was damaged or edited"
        )
    return model


def encode_model(model: Model, version: str) -> bytes:
    """Return the content of the file of a model."""
    content = {
        "digest": model.digest,
        "level": model.level,
        "coefficients": model.coefficients,
        "intercept": model.intercept,
        "made_from": model.made_from,
    }
    return encode_json_file(version, content)
