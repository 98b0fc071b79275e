"""Accept settings as keywords: `deduplicate(articles, level="text", window_days=7)`.

A keyword overrides the same setting of a `Settings` object. `SettingsOverrides` lists the keywords for
editors and type checkers; a test compares it with `Settings`, where the options are defined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any, Literal, TypedDict

from dedup.errors import SettingsError
from dedup.settings.model_file import Model
from dedup.settings.settings import Settings
from dedup.text.boilerplate.profile import BoilerplateProfile

__all__ = ["SettingsOverrides", "override_settings"]


class SettingsOverrides(TypedDict, total=False):
    """The settings that can be keywords, each with its type."""

    level: Literal["text", "story", "storyline"]
    relations: tuple[str, ...]
    keep: Literal["earliest", "longest"]
    sources: tuple[str, ...]
    rewrite_probability: float
    followup_probability: float
    undated: Literal["auto", "together", "apart", "now"]
    copy_jaccard: float
    excerpt_containment: float
    window_days: float
    copy_window_days: float
    min_words: int
    shared_terms: int
    salient_terms: int
    boilerplate: BoilerplateProfile | None
    model: Model | None
    bands: int
    rows: int
    max_candidates: int
    max_postings: int
    seed: int
    threads: int
    memory: int
    work_dir: str | None


def override_settings(settings: Settings | None, overrides: Mapping[str, Any]) -> Settings:
    """Return the settings, or the defaults, with the overrides applied.

    Raise `SettingsError` for an unknown setting or a value out of range.

    >>> override_settings(Settings(level="text"), {"window_days": 7}).level
    'text'
    """
    base: object = settings
    if not isinstance(base, Settings | None):
        raise SettingsError(
            f"settings must be a Settings object, not {base!r:.60}; "
            "single settings are keywords: deduplicate(articles, level='text')"
        )
    names = [field.name for field in fields(Settings)]
    for name in overrides:
        if name not in names:
            close = get_close_matches(name, names, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"the settings are {', '.join(names)}"
            raise SettingsError(f"there is no setting {name!r}; {hint}")
    return replace(settings or Settings(), **overrides)
