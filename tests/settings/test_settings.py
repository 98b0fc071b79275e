from copy import copy
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from dedup.errors import DedupError, SettingsError
from dedup.settings.model_file import Model
from dedup.settings.settings import RELATIONS, Settings

NUMBERS = [knob for knob in fields(Settings) if knob.metadata["low"] is not None]
every_number = pytest.mark.parametrize("knob", NUMBERS, ids=lambda knob: knob.name)


def test_every_knob_has_an_explanation() -> None:
    assert all(knob.metadata["help"].endswith(".") for knob in fields(Settings))


def test_the_defaults_are_allowed() -> None:
    settings = Settings()

    assert settings.relations == RELATIONS
    assert settings.keep == "earliest"


@every_number
def test_the_ends_of_a_range_are_allowed(knob: Any) -> None:
    low, high = knob.metadata["low"], knob.metadata["high"]

    for value in (low, *([] if high is None else [high])):
        assert getattr(Settings(**{knob.name: value}), knob.name) == value


@every_number
@pytest.mark.parametrize("wrong", ["below", "above", "nan", "truth", "text", "nothing"])
def test_a_value_out_of_range_is_an_error_that_names_it(knob: Any, wrong: str) -> None:
    low, high = knob.metadata["low"], knob.metadata["high"]
    above = float("nan") if high is None else high + 1
    value = {
        "below": low - 1,
        "above": above,
        "nan": float("nan"),
        "truth": True,
        "text": "5",
        "nothing": None,
    }[wrong]

    with pytest.raises(SettingsError, match=knob.name) as raised:
        Settings(**{knob.name: value})

    assert isinstance(raised.value, DedupError)
    assert wrong != "below" or str(low) in str(raised.value)


@pytest.mark.parametrize(
    "knob", [k for k in NUMBERS if isinstance(k.default, int)], ids=lambda knob: knob.name
)
def test_what_is_counted_must_be_whole(knob: Any) -> None:
    with pytest.raises(SettingsError, match=knob.name):
        Settings(**{knob.name: knob.default + 0.5})


@pytest.mark.parametrize("relations", [("copy", "theft"), (), "copy"])
def test_unknown_relations_are_an_error(relations: Any) -> None:
    with pytest.raises(SettingsError, match="relations must be"):
        Settings(relations=relations)


def test_an_unknown_rank_is_an_error() -> None:
    with pytest.raises(SettingsError, match="keep must be earliest or longest, not 'best'"):
        Settings(keep="best")


def test_one_source_without_its_list_is_an_error() -> None:
    with pytest.raises(SettingsError, match="sources"):
        Settings(sources="Norwire")  # type: ignore[arg-type]


def test_the_path_of_boilerplate_is_no_boilerplate() -> None:
    with pytest.raises(
        SettingsError,
        match=r"boilerplate must be None or a value of read_boilerplate .* not 'boilerplate.json'",
    ):
        Settings(boilerplate="boilerplate.json")  # type: ignore[arg-type]


def test_settings_do_not_change_once_made() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().keep = "longest"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"widow_days": 3}, "there is no setting 'widow_days'; did you mean 'window_days'?"),
        ({"zzz": 3}, "there is no setting 'zzz'; the settings are level, "),
        ({"relations": None}, "relations must be a list of names, not None"),
        ({"sources": 5}, "sources must be a list of names, not 5"),
        ({"work_dir": 5}, "work_dir must be None or a value that is a path, not 5"),
        ({"level": []}, "level must be text, story or storyline, not []"),
    ],
)
def test_wrong_settings_are_errors_of_ours(values: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Settings(**values)

    assert str(raised.value).startswith(says)


def test_a_wrong_model_is_an_error_of_ours() -> None:
    with pytest.raises(DedupError, match="'gravity' is not evidence that a model uses"):
        Model({"gravity": 1.0}, 0.0)


def test_settings_can_be_copied() -> None:
    settings = Settings(window_days=7)

    assert copy(settings) == settings
    assert replace(settings, rows=3) == Settings(window_days=7, rows=3)
