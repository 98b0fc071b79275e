"""Floors: when one is missed, what is pinned, and that none falls in silence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import floors, quality
from benchmarks.floors import MARGIN, Figure, Floor

HERE, ELSEWHERE = {"river": "abc"}, {"river": "xyz"}
CHANGELOG = """# Changelog

## Unreleased (0.2.0)

### Results

- Floods are told from droughts. The floor of `Mean
  F1` is .81 now.
- Rain fell.

## 0.1.0

- The floor of `rain` is .8.
"""
shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("reached", "data", "said"),
    [
        (0.8, HERE, ""),
        (0.7999, HERE, "MISSED"),
        (0.7999, ELSEWHERE, "pinned on other data"),
        (0.9, {}, "pinned on other data"),
    ],
)
def test_a_floor_is_missed_on_its_own_data_only(reached: float, data: dict[str, str], said: str) -> None:
    assert floors.verdict(Figure(reached, data), Floor(0.8, HERE)) == said


@given(shares)
def test_what_is_pinned_holds_and_lies_a_margin_below(reached: float) -> None:
    figure = Figure(reached, HERE)

    floor = floors.pinned({"mean": figure}, {})["mean"]

    assert floors.verdict(figure, floor) == ""
    assert MARGIN - 1e-8 < reached - floor.least < MARGIN + 0.0011


@given(shares, shares)
def test_pinning_lowers_only_a_floor_that_is_missed(reached: float, least: float) -> None:
    before = {"mean": Floor(least, HERE)}

    after = floors.pinned({"mean": Figure(reached, HERE)}, before)

    assert ("mean" in floors.lowered(before, after)) == (reached < least)


def test_what_is_right_or_wrong_gets_no_margin() -> None:
    assert floors.pinned({"seeds": Figure(1.0, HERE)}, {})["seeds"].least == 1.0


def test_a_floor_of_other_data_is_pinned_anew_and_counts_as_lowered() -> None:
    before = {"mean": Floor(0.8, ELSEWHERE)}

    after = floors.pinned({"mean": Figure(0.801, HERE)}, before)

    assert after == {"mean": Floor(0.796, HERE)}
    assert floors.lowered(before, after) == {"mean": 0.796}


def test_a_figure_that_goes_takes_its_floor_down() -> None:
    assert floors.lowered({"mean": Floor(0.8, HERE)}, {}) == {"mean": 0.0}


def test_no_floor_falls_unasked() -> None:
    (sentence,) = floors.objections({"mean F1": 0.81}, CHANGELOG, lower=False)

    assert "mean F1 would fall to 0.81" in sentence


def test_the_changelog_must_name_figure_and_floor_in_one_entry_of_what_is_unreleased() -> None:
    said = floors.objections({"mean F1": 0.81, "rain": 0.8, "floods": 0.9}, CHANGELOG, lower=True)

    assert [sentence.split(" for ")[1] for sentence in said] == [
        "rain under Unreleased",
        "floods under Unreleased",
    ]


def test_floors_are_read_as_they_were_written() -> None:
    kept = {"mean, J ≥ .5": Floor(0.812, HERE), "seeds": Floor(1.0, ELSEWHERE)}

    assert floors.read_floors(floors.written(kept)) == kept


def test_every_figure_has_a_floor_with_its_data() -> None:
    kept = floors.read_floors(floors.FILE.read_text("utf-8"))

    assert {name: tuple(floor.data) for name, floor in kept.items()} == quality.MEASURED_ON
