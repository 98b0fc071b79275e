"""`dedup calibrate`: a model of one's own, from a field or from pairs, and an honest word on it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import called, lines_of, on_terminal, written
from newsmaker import planned

from dedup.matching.evidence_columns import EVIDENCE_NAMES
from dedup.matching.models import read_shipped_model
from dedup.settings.model_file import CONTEXT_EVIDENCE, Model, encode_model, read_model


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpus of many stories, each with its label."""
    articles = [{**a, "story": a["id"].split()[2]} for a in planned(300, seed=11, stories=90)]
    return written(tmp_path_factory.mktemp("labelled") / "news.jsonl", articles)


def write_blind(path: Path, level: str) -> Path:
    """Return a model that sees one cluster in everything: the shipped one of a level with too high an intercept."""
    coefficients, intercept = read_shipped_model(level)
    named = {name: float(c) for name, c in zip(EVIDENCE_NAMES, coefficients[0], strict=True) if c}
    path.write_bytes(encode_model(Model(named, intercept + 6, level), "1"))
    return path


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a story model that sees a story in everything."""
    return write_blind(tmp_path_factory.mktemp("blind") / "blind.json", "story")


@pytest.fixture
def pairs_of(labelled: Path, tmp_path: Path) -> Callable[[dict[bool, Any]], Path]:
    """Return what writes the pairs of 150 articles, with what is said of those of one story, and of those of two."""
    articles = [json.loads(line) for line in labelled.read_text().splitlines()[:150]]

    def write(said: dict[bool, Any]) -> Path:
        pairs = [
            {"a": a["id"], "b": b["id"], **said[a["story"] == b["story"]]}
            for n, a in enumerate(articles)
            for b in articles[:n]
        ]
        return written(tmp_path / "pairs.jsonl", pairs)

    return write


def test_a_model_that_is_wrong_is_mended(labelled: Path, blind: Path, tmp_path: Path) -> None:
    out = tmp_path / "model.json"

    answer = json.loads(called("calibrate", labelled, "--gold", "story", "--model", blind, "-o", out).stdout)

    def f1(path: Path) -> float:
        scores = json.loads(called("evaluate", labelled, "--gold", "story", "--model", path).stdout)
        return float(scores["pairwise"]["f1"])

    assert answer["helped"]
    assert answer["base"] == read_model(blind).digest
    assert answer["after"]["log_loss"] < answer["before"]["log_loss"]
    assert f1(out) > f1(blind)
    assert read_model(out).made_from["pairs"] == answer["pairs"]
    assert read_model(out).level == answer["level"] == "story"
    assert json.loads(called("settings", "--model", out).stdout)["settings"]["model"] == answer["digest"]


def test_the_storyline_model_is_mended_at_its_level(labelled: Path, tmp_path: Path) -> None:
    blind, out = write_blind(tmp_path / "blind.json", "storyline"), tmp_path / "storyline.json"
    level = ("--level", "storyline", "--gold", "story")

    found = json.loads(called("calibrate", labelled, *level, "--model", blind, "-o", out).stdout)

    fitted = read_model(out)
    assert found["helped"]
    assert found["level"] == fitted.level == "storyline"
    assert found["base"] == read_model(blind).digest
    assert found["after"]["log_loss"] < found["before"]["log_loss"]
    assert not CONTEXT_EVIDENCE & set(fitted.coefficients)


def test_a_model_of_the_other_level_is_not_what_is_fitted(
    pairs_of: Callable[[dict[bool, Any]], Path], blind: Path, labelled: Path
) -> None:
    pairs = pairs_of({True: {"label": "same"}, False: {"label": "different"}})

    answer = called("calibrate", labelled, "--pairs", pairs, "--level", "storyline", "--model", blind)

    assert json.loads(answer.stdout)["base"] == "shipped"
    assert json.loads(answer.stdout)["level"] == "storyline"


def test_pairs_do_for_a_field(pairs_of: Callable[[dict[bool, Any]], Path], labelled: Path) -> None:
    pairs = pairs_of({True: {"same": True}, False: {"same": False}})

    seen = on_terminal("calibrate", labelled, "--pairs", pairs)
    of_storylines = on_terminal(
        *("calibrate", labelled, "--level", "storyline"),
        *("--pairs", pairs_of({True: {"label": "same"}, False: {"label": "different"}})),
    )

    assert "current story model" in seen
    assert "fitted model" in seen
    assert "the model: on held-out stories" in seen
    assert "never reach the model" in seen
    assert "current storyline model" in of_storylines
    assert "of the same storyline" in of_storylines


@pytest.mark.parametrize(
    ("level", "said", "says"),
    [
        (
            "story",
            ({"label": "same"}, {"label": "different"}),
            ["The labels contain no follow-ups, so the model cannot learn to separate them from rewrites."],
        ),
        (
            "story",
            ({"label": "same"}, {"label": "followup"}),
            ["The labels contain no pairs of different stories, so the model cannot learn to separate them."],
        ),
        (
            "story",
            ({"label": "same"}, {"same": False}),
            [
                (
                    "The labels do not mark follow-ups (label: followup), so the scores do not show how well the model "
                    "separates follow-ups from rewrites."
                )
            ],
        ),
        (
            "storyline",
            ({"label": "same"}, {"label": "different"}),
            [
                "The labels contain no follow-ups, so the model cannot learn to separate them from unrelated stories."
            ],
        ),
        (
            "storyline",
            ({"label": "followup"}, {"label": "different"}),
            ["The labels contain no pairs of the same story, so the model learns from follow-ups alone."],
        ),
    ],
)
def test_labels_with_two_of_three_answers_are_accepted_and_said(
    level: str,
    said: tuple[dict[str, Any], dict[str, Any]],
    says: list[str],
    pairs_of: Callable[[dict[bool, Any]], Path],
    labelled: Path,
) -> None:
    pairs = pairs_of({True: said[0], False: said[1]})

    answer = called("calibrate", labelled, "--pairs", pairs, "--level", level)

    assert answer.exit_code == 0
    assert [line for line in answer.stderr.splitlines() if line.startswith("The labels")] == says
    assert called("calibrate", labelled, "--pairs", pairs, "--level", level, "-q").stderr == ""


def test_labels_with_three_answers_lack_nothing(
    pairs_of: Callable[[dict[bool, Any]], Path], labelled: Path, tmp_path: Path
) -> None:
    pairs = lines_of(pairs_of({True: {"label": "same"}, False: {"label": "different"}}).read_bytes())
    for pair in [pair for pair in pairs if pair["label"] == "different"][::2]:
        pair["label"] = "followup"

    answer = called("calibrate", labelled, "--pairs", written(tmp_path / "pairs.jsonl", pairs))

    assert answer.exit_code == 0
    assert "The labels" not in answer.stderr


def test_older_labels_of_two_stories_are_left_open_among_storylines(
    pairs_of: Callable[[dict[bool, Any]], Path], labelled: Path
) -> None:
    pairs = pairs_of({True: {"same": True}, False: {"same": False}})

    answer = called("calibrate", labelled, "--pairs", pairs, "--level", "storyline")

    assert answer.exit_code == 1
    assert "pairs of the same storyline and 0 of different ones" in answer.stderr
    assert "Counted as open at level storyline: " in answer.stderr


def test_labels_of_one_kind_are_an_error(labelled: Path, tmp_path: Path) -> None:
    first, second = (json.loads(line)["id"] for line in labelled.read_text().splitlines()[:2])
    pairs = written(tmp_path / "pairs.jsonl", [{"a": first, "b": second, "same": False}])

    answer = called("calibrate", labelled, "--pairs", pairs, "-o", tmp_path / "model.json")

    assert answer.exit_code == 1
    assert "at least 10 of each are needed" in answer.stderr
    assert not (tmp_path / "model.json").exists()


def test_a_model_that_is_none_is_an_error(labelled: Path) -> None:
    answer = called("cluster", labelled, "--model", labelled)

    assert answer.exit_code == 1
    assert f"{labelled} is no model: " in answer.stderr
