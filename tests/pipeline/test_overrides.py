"""Settings are keywords, or an object whose values the keywords override."""

from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from dedup import Settings, deduplicate
from dedup.errors import SettingsError
from dedup.pipeline.overrides import SettingsOverrides, override_settings
from dedup.settings.settings import KEEP_CHOICES, LEVELS, UNDATED_CHOICES


def plain(hint: Any) -> Any:
    """Return a type without the choices that narrow it."""
    return str if get_origin(hint) is Literal else hint


def test_the_keywords_are_the_settings() -> None:
    keywords = {name: plain(hint) for name, hint in get_type_hints(SettingsOverrides).items()}

    assert keywords == get_type_hints(Settings)


def test_the_choices_of_keywords_are_those_of_the_settings() -> None:
    hints = get_type_hints(SettingsOverrides)

    assert get_args(hints["level"]) == LEVELS
    assert get_args(hints["keep"]) == KEEP_CHOICES
    assert get_args(hints["undated"]) == UNDATED_CHOICES


def test_a_keyword_overrides_the_object() -> None:
    result = deduplicate([], Settings(level="text", window_days=3), window_days=7)

    assert (result.settings.level, result.settings.window_days) == ("text", 7)


def test_a_keyword_out_of_its_range_is_an_error() -> None:
    with pytest.raises(SettingsError, match="copy_jaccard"):
        deduplicate([], copy_jaccard=2)


def test_an_unknown_keyword_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match="no setting 'window'; did you mean 'window_days'"):
        override_settings(None, {"window": 7})


def test_settings_are_no_dict() -> None:
    with pytest.raises(SettingsError, match="must be a Settings object"):
        deduplicate([], {"level": "text"})  # type: ignore[arg-type]
