"""`dedup settings`: what is in force, and the odds that copies are compared."""

import json

import pytest
from commands import called, on_terminal

from dedup.matching.lsh_probability import compute_candidate_probabilities
from dedup.settings.settings import Settings


def test_a_pipe_gets_json() -> None:
    answer = json.loads(called("settings").stdout)

    assert set(answer) == {"settings", "origins", "candidate_odds"}
    assert set(answer["settings"]) == set(Settings.__dataclass_fields__)
    assert answer["settings"]["relations"] == [
        "exact",
        "copy",
        "excerpt",
        "extension",
        "rewrite",
        "followup",
    ]


def test_options_show_up() -> None:
    answer = json.loads(
        called("settings", "--window-days", "7", "--sources", "Norwire, Coastal Daily").stdout
    )

    assert answer["settings"]["window_days"] == 7
    assert answer["settings"]["sources"] == ["Norwire", "Coastal Daily"]


@pytest.mark.parametrize(
    ("given", "memory"),
    [
        ("512M", 512 << 20),
        ("2g", 2 << 30),
        ("1.5GiB", 3 << 29),
        ("4096", 4_096),
        ("64K", 1 << 16),
        ("2 GB", 2 << 30),
    ],
)
def test_memory_may_be_given_in_units(given: str, memory: int) -> None:
    answer = json.loads(called("settings", "--memory", given).stdout)

    assert answer["settings"]["memory"] == memory


@pytest.mark.parametrize("given", ["much", "-1", "2T", "M", ""])
def test_memory_of_no_number_is_a_usage_error(given: str) -> None:
    done = called("settings", "--memory", given)

    assert done.exit_code == 2
    assert "is not a size, such as 512M or 2G" in done.stderr


def test_a_terminal_gets_a_table() -> None:
    seen = on_terminal("settings", "--rows", "3", columns=140)

    assert all(name in seen for name in Settings.__dataclass_fields__)
    assert "Minimum probability of a rewrite" in seen
    assert "0.05 to 1" in seen
    assert "\n0.1  " in seen
    assert "2 GB" in seen
    assert "2147483648" not in seen


def test_json_can_be_asked_for_on_a_terminal() -> None:
    assert json.loads(on_terminal("settings", "--json"))["settings"]["seed"] == 1


@pytest.mark.parametrize(("bands", "rows"), [(1, 1), (32, 2), (20, 5), (128, 16)])
def test_the_odds_are_those_of_the_book(bands: int, rows: int) -> None:
    odds = compute_candidate_probabilities(Settings(bands=bands, rows=rows))

    assert list(odds) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert odds[1.0] == 1
    assert odds[0.5] == pytest.approx(1 - (1 - 0.5**rows) ** bands)
    assert list(odds.values()) == sorted(odds.values())
