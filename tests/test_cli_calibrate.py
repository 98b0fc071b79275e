"""`dedup calibrate`: a model of one's own, from a field or from pairs, and an honest word on it."""

import json
from pathlib import Path

import pytest
from commands import called, on_terminal, written
from newsmaker import planned

from dedup.evidence import EVIDENCE
from dedup.matches import model
from dedup.model import Model, file_of, read_model


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpus of many stories, each with its label."""
    articles = [{**a, "story": a["id"].split()[2]} for a in planned(300, seed=11, stories=90)]
    return written(tmp_path_factory.mktemp("labelled") / "news.jsonl", articles)


@pytest.fixture(scope="module")
def blind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that sees a story in everything: the shipped one with too high an intercept."""
    coefficients, intercept = model()
    named = {name: float(c) for name, c in zip(EVIDENCE, coefficients, strict=True) if c}
    path = tmp_path_factory.mktemp("blind") / "blind.json"
    path.write_bytes(file_of(Model(named, intercept + 6), "1"))
    return path


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
    assert json.loads(called("settings", "--model", out).stdout)["settings"]["model"] == answer["digest"]


def test_pairs_do_for_a_field(labelled: Path, tmp_path: Path) -> None:
    articles = [json.loads(line) for line in labelled.read_text().splitlines()[:150]]
    pairs = [
        {"a": a["id"], "b": b["id"], "same": a["story"] == b["story"]}
        for n, a in enumerate(articles)
        for b in articles[:n]
    ]

    seen = on_terminal("calibrate", labelled, "--pairs", written(tmp_path / "pairs.jsonl", pairs))

    assert "fitted to the others" in seen
    assert "These labels " in seen
    assert "never reach the model" in seen


def test_labels_of_one_kind_are_an_error(labelled: Path, tmp_path: Path) -> None:
    first, second = (json.loads(line)["id"] for line in labelled.read_text().splitlines()[:2])
    pairs = written(tmp_path / "pairs.jsonl", [{"a": first, "b": second, "same": False}])

    answer = called("calibrate", labelled, "--pairs", pairs, "-o", tmp_path / "model.json")

    assert answer.exit_code == 1
    assert "are too few: at least 10 of each are needed" in answer.stderr
    assert not (tmp_path / "model.json").exists()


def test_a_model_that_is_none_is_an_error(labelled: Path) -> None:
    answer = called("cluster", labelled, "--model", labelled)

    assert answer.exit_code == 1
    assert f"{labelled} is no model: " in answer.stderr
