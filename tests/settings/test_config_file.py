"""Settings from a file: the nearest wins, options and environment win over it, and a wrong key is named."""

import json
from pathlib import Path

import pytest
from commands import called, on_terminal, written
from newsmaker import planned

from dedup.errors import SettingsError
from dedup.settings.config_file import find_configuration
from dedup.settings.settings import Settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder three deep, and return it."""
    deep = tmp_path / "one" / "two"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    return deep


def in_force(*options: str) -> tuple[dict[str, object], dict[str, str]]:
    """Return the settings in force, and where they come from."""
    answer = json.loads(called(*options, "settings").stdout)
    return answer["settings"], answer["origins"]


def test_the_nearest_file_above_is_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "dedup.toml").write_text("window_days = 9\nrelations = ['exact', 'copy']\n")
    settings, origins = in_force()
    (folder.parent / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    passed_over, _ = in_force()
    (folder.parent / "pyproject.toml").write_text("[tool.dedup]\ncopy-jaccard = 0.6\n")
    nearer, _ = in_force()
    (folder.parent / "dedup.toml").write_text("rows = 3\n")
    own, _ = in_force()

    assert (settings["window_days"], settings["relations"]) == (9, ["exact", "copy"])
    assert origins["window_days"] == str(tmp_path / "dedup.toml")
    assert origins["rows"] == "default"
    assert passed_over == settings
    assert (nearer["copy_jaccard"], nearer["window_days"]) == (0.6, Settings().window_days)
    assert (own["rows"], own["copy_jaccard"]) == (3, Settings().copy_jaccard)


def test_options_win_over_the_environment_and_that_over_the_file(folder: Path) -> None:
    (folder / "dedup.toml").write_text("window_days = 9\nrows = 3\nbands = 7\n")

    answer = json.loads(
        called("settings", "--window-days", "1", DEDUP_WINDOW_DAYS="2", DEDUP_ROWS="5").stdout
    )

    assert [answer["settings"][name] for name in ("window_days", "rows", "bands", "seed")] == [1, 5, 7, 1]
    assert [answer["origins"][name] for name in ("window_days", "rows", "bands", "seed")] == [
        "option",
        "environment",
        str(folder / "dedup.toml"),
        "default",
    ]


def test_a_file_counts_for_every_command(folder: Path) -> None:
    corpus = written(folder / "news.jsonl", planned(40, seed=2))
    free = called("filter", corpus).stdout
    (folder / "dedup.toml").write_text("relations = ['exact']\n")

    assert len(called("filter", corpus).stdout) > len(free)
    assert called("filter", corpus, "--relations", "exact,copy,excerpt,extension,rewrite").stdout == free


def test_a_file_can_be_named_and_then_no_other_is_read(folder: Path) -> None:
    (folder / "dedup.toml").write_text("rows = 3\n")
    (folder / "other.toml").write_text("bands = 7\n")

    settings, _ = in_force("--config", "other.toml")
    by_environment = json.loads(called("settings", DEDUP_CONFIG="other.toml").stdout)["settings"]

    assert (settings["rows"], settings["bands"]) == (2, 7)
    assert by_environment == settings


def test_files_are_seen_from_where_they_are_named(folder: Path, tmp_path: Path, stubs: Path) -> None:
    called("boilerplate", stubs, "-o", tmp_path / "boilerplate.json")
    (tmp_path / "dedup.toml").write_text('boilerplate = "boilerplate.json"\n')

    settings, _ = in_force()

    assert settings["boilerplate"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("window_day = 9", "there is no setting 'window_day'; did you mean 'window_days'?"),
        ("Window-Days = 9", "there is no setting 'Window-Days'; did you mean 'window_days'?"),
        ("zzz = 9", "there is no setting 'zzz'; the settings are level, relations,"),
        ("window_days = 'soon'", "window_days must be a number, not 'soon'"),
        ("copy_jaccard = 7", "copy_jaccard must be between"),
        ("rows = 2.5", "rows must be a whole number"),
        ("relations = ['cousin']", "relations must be one or more of"),
        ("relations = [1]", "relations must be a list of words"),
        ("relations = 5", "relations must be a list of words"),
        ("sources = 'Norwire'", "sources must be a list"),
        ("sources = [1]", "sources must be a list of words"),
        ("sources = 1", "sources must be a list"),
        ("keep = ['earliest']", "keep must be"),
        ("boilerplate = 5", "boilerplate must be the path of a file"),
        ("rows =", "is not TOML"),
        ("[[[", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(content: str, says: str, folder: Path) -> None:
    (folder / "dedup.toml").write_text(content)

    answer = called("settings")

    assert answer.exit_code == 1
    assert f"{folder / 'dedup.toml'}" in answer.stderr
    assert says in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_broken_pyproject_is_told(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool]\ndedup = 5\n")

    with pytest.raises(SettingsError, match=r"\[tool.dedup\] is not a table"):
        find_configuration(folder)


def test_python_programs_are_not_told(folder: Path) -> None:
    (folder / "dedup.toml").write_text("rows = 3\n")

    assert Settings().rows == 2


def test_a_terminal_shows_where_values_come_from(folder: Path) -> None:
    (folder / "dedup.toml").write_text("rows = 3\n")

    seen = on_terminal("settings", columns=200)

    (row,) = [line for line in seen.splitlines() if line.startswith("rows ")]
    assert "dedup.toml" in row
