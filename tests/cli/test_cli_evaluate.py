"""`dedup evaluate`: scores against labels."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from commands import called, on_terminal, written
from newsmaker import planned, story

SCORES = {
    "pairwise",
    "b_cubed",
    "adjusted_rand",
    "v_measure",
    "articles",
    "unlabelled",
    "stories",
    "clusters",
}
SCORES |= {
    "level",
    "model",
    "relations",
    "curve",
    "reliability",
    "calibration_error",
    "false_matches",
    "misses",
}


def test_a_pipe_gets_the_scores_as_json(newsroom: Path) -> None:
    scores = json.loads(called("evaluate", newsroom, "--gold", "story").stdout)

    assert set(scores) == SCORES
    assert (scores["level"], scores["model"], scores["calibration_error"]) == ("story", "story", None)
    assert scores["articles"] == 54
    assert scores["stories"] == 37
    assert scores["pairwise"]["f1"] > 0.85
    assert scores["b_cubed"]["f1"] > 0.9
    assert scores["relations"]["exact"] == {"dropped": 4, "right": 4, "wrong": 0, "open": 0}


def test_a_terminal_gets_a_table(newsroom: Path) -> None:
    seen = on_terminal("evaluate", newsroom, "--gold", "story", columns=80)

    level, _, header, pairwise, b_cubed, *_ = seen.splitlines()
    assert level == "scored at level story: same-story pairs should be joined, follow-ups should not"
    assert header.split() == ["F1", "precision", "recall"]
    assert pairwise.split()[0] == "pairwise"
    assert b_cubed.split()[0] == "B³"
    assert "54 articles in 37 stories, " in seen


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Return two stories told twice, the second as chapters of a saga, and an article without a label."""
    articles = [
        {**story(1), "id": "1", "story": "x"},
        {**story(1), "id": "2", "story": "x"},
        {**story(2), "id": "3", "story": "y", "saga": "s"},
        {**story(2), "id": "4", "story": "z", "saga": "s"},
        {**story(3), "id": "5", "story": None},
    ]
    return written(tmp_path / "labelled.jsonl", articles)


def test_open_pairs_are_neither_right_nor_wrong(labelled: Path) -> None:
    closed = json.loads(called("evaluate", labelled, "--gold", "story").stdout)
    open_ = json.loads(called("evaluate", labelled, "--gold", "story", "--open", "saga").stdout)

    assert closed["pairwise"]["precision"] == 0.5
    assert closed["relations"]["exact"] == {"dropped": 2, "right": 1, "wrong": 1, "open": 0}
    assert open_["pairwise"] == open_["b_cubed"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert open_["relations"]["exact"] == {"dropped": 2, "right": 1, "wrong": 0, "open": 1}
    assert open_["unlabelled"] == 1


def test_a_score_below_its_floor_exits_with_1(labelled: Path) -> None:
    asked: list[str | Path] = ["evaluate", labelled, "--gold", "story"]

    missed = called(*asked, "--floor", "precision=.8", "--floor", "b3_f1=0.99", "--floor", "recall=1")

    assert missed.exit_code == 1
    assert "Error: precision is 0.5000, below its floor of 0.8; b3_f1 is 0." in missed.stderr
    assert set(json.loads(missed.stdout)) == SCORES
    assert called(*asked, "--floor", "f1=.6").exit_code == 0


@pytest.mark.parametrize("floor", ["f2=.5", "f1", "f1=high"])
def test_a_floor_that_is_none_is_wrong_usage(floor: str, labelled: Path) -> None:
    assert called("evaluate", labelled, "--gold", "story", "--floor", floor).exit_code == 2


def test_the_gold_field_must_be_named_and_be_there(labelled: Path) -> None:
    assert called("evaluate", labelled).exit_code == 2
    missing = called("evaluate", labelled, "--gold", "stroy")
    assert missing.exit_code == 1
    assert missing.stderr.splitlines()[-1] == "Error: no article has a label in the field 'stroy'"


def test_labels_may_be_numbers_or_nested(tmp_path: Path) -> None:
    articles = [{**story(n), "id": f"{n}{h}", "gold": {"n": [n]}, "number": n} for n in (1, 2) for h in "ab"]
    corpus = written(tmp_path / "news.jsonl", articles)

    for field in ("gold", "number"):
        assert json.loads(called("evaluate", corpus, "--gold", field).stdout)["stories"] == 2


def test_a_large_corpus_is_scored_without_its_pairs(tmp_path: Path) -> None:
    articles = [{**article, "story": "one"} for article in planned(40, 3)]
    corpus = written(tmp_path / "news.jsonl", articles)

    assert json.loads(called("evaluate", corpus, "--gold", "story").stdout)["pairwise"]["precision"] == 1.0


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """Return labelled pairs of the articles of `labelled`, one of them left open and one of another corpus."""
    pairs = [("1", "2", True), ("3", "4", False), ("1", "3", "open"), ("1", "99", True)]
    return written(tmp_path / "pairs.jsonl", [{"a": a, "b": b, "same": same} for a, b, same in pairs])


def test_labelled_pairs_do_for_a_field(labelled: Path, judged: Path) -> None:
    scores = json.loads(called("evaluate", labelled, "--pairs", judged).stdout)

    assert scores["pairwise"] == {"precision": 0.5, "recall": 1.0, "f1": 0.6667}
    assert (scores["pairs"], scores["same"], scores["open"], scores["unknown"]) == (2, 1, 1, 1)
    assert scores["relations"]["exact"] == {"dropped": 2, "right": 1, "wrong": 1, "open": 0}
    assert [(m["a"], m["b"]) for m in scores["false_matches"]] == [("3", "4")]


def test_a_terminal_shows_mistakes_with_ids_to_explain(labelled: Path, judged: Path) -> None:
    seen = on_terminal("evaluate", labelled, "--pairs", judged, "--curve")

    assert "  3 4\n" in seen
    assert "← best, current" in seen
    assert "2 labelled pairs, 1 of the same story; 1 open; 1 with unknown ids" in seen


@pytest.fixture
def answered(tmp_path: Path) -> Path:
    """Return pairs of the articles of `labelled`: one of each answer, one of an older file, and one left open."""
    pairs: list[dict[str, Any]] = [
        {"a": "1", "b": "2", "label": "same"},
        {"a": "3", "b": "4", "label": "followup"},
        {"a": "1", "b": "3", "label": "different"},
        {"a": "1", "b": "5", "same": False},
        {"a": "2", "b": "5", "label": "open"},
    ]
    return written(tmp_path / "answered.jsonl", pairs)


@pytest.mark.parametrize(
    ("level", "counts", "scores", "line"),
    [
        (
            "text",
            (4, 1, 1),
            (0.5, 1.0),
            "same-story pairs should be joined, but only copies can be",
        ),
        ("story", (4, 1, 1), (0.5, 1.0), "same-story pairs should be joined, follow-ups should not"),
        ("storyline", (3, 2, 2), (1.0, 1.0), "same-story pairs and follow-ups should be joined"),
    ],
)
def test_labels_count_at_the_level_in_force(
    level: str,
    counts: tuple[int, int, int],
    scores: tuple[float, float],
    line: str,
    labelled: Path,
    answered: Path,
) -> None:
    asked: list[str | Path] = ["evaluate", labelled, "--pairs", answered, "--level", level]

    found = json.loads(called(*asked).stdout)

    assert found["level"] == level
    assert (found["pairs"], found["same"], found["open"]) == counts
    assert (found["pairwise"]["precision"], found["pairwise"]["recall"]) == scores
    assert on_terminal(*asked).splitlines()[0] == f"scored at level {level}: {line}"


def test_the_text_alone_has_no_curve(labelled: Path, answered: Path) -> None:
    answer = called("evaluate", labelled, "--pairs", answered, "--level", "text", "--curve")

    assert json.loads(answer.stdout)["curve"] == []
    assert "--curve has no effect at level text, which uses no model." in answer.stderr


@pytest.mark.parametrize("level", ["story", "storyline"])
def test_reliability_is_shown_with_its_error_and_the_model_it_is_of(level: str, newsroom: Path) -> None:
    asked: list[str | Path] = ["evaluate", newsroom, "--gold", "story", "--curve", "--level", level]

    found = json.loads(called(*asked).stdout)
    seen = on_terminal(*asked)

    pairs = sum(b["pairs"] for b in found["reliability"])
    error = sum(b["pairs"] * abs(b["said"] - b["same"]) for b in found["reliability"]) / pairs
    assert found["model"] == level
    assert found["calibration_error"] == pytest.approx(error, abs=1e-3)
    assert f"{level} model " in seen
    shown = re.search(rf"calibration error of the {level} model: ([.\d]+)", seen)
    assert shown
    assert float(shown[1]) == pytest.approx(error, abs=2e-3)


def test_older_labels_say_nothing_of_storylines(labelled: Path, tmp_path: Path) -> None:
    pairs = written(tmp_path / "pairs.jsonl", [{"a": "3", "b": "4", "same": False}])

    answer = called("evaluate", labelled, "--pairs", pairs, "--level", "storyline")

    assert answer.exit_code == 1
    assert "has no labelled pair of this corpus (1 open at level storyline)" in answer.stderr


def test_everything_goes_into_one_page(newsroom: Path, tmp_path: Path) -> None:
    answer = called("evaluate", newsroom, "--gold", "story", "--html", tmp_path / "scores.html")

    written_ = (tmp_path / "scores.html").read_text("utf-8")
    assert answer.exit_code == 0
    assert len(json.loads(answer.stdout)["curve"]) > 12
    assert written_.startswith("<!DOCTYPE html>")
    assert "(current)" in written_


def test_the_page_takes_the_place_of_no_article(labelled: Path) -> None:
    answer = called("evaluate", labelled, "--gold", "story", "--html", labelled)

    assert answer.exit_code == 1
    assert "it is one of the files that are read" in answer.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "Choose the labels with either --gold FIELD or --pairs FILE"),
        (
            ["--gold", "story", "--pairs", "PAIRS"],
            "Choose the labels with either --gold FIELD or --pairs FILE",
        ),
        (["--pairs", "PAIRS", "--open", "saga"], "--open needs --gold"),
    ],
)
def test_labels_come_from_one_place(options: list[str], says: str, labelled: Path, judged: Path) -> None:
    answer = called("evaluate", labelled, *(str(judged) if o == "PAIRS" else o for o in options))

    assert answer.exit_code == 2
    assert says in answer.stderr


def test_pairs_of_another_corpus_are_an_error(newsroom: Path, judged: Path) -> None:
    answer = called("evaluate", newsroom, "--pairs", judged)

    assert answer.exit_code == 1
    assert "has no labelled pair of this corpus (4 with unknown ids)" in answer.stderr


def test_a_floor_of_what_pairs_do_not_give_is_an_error(labelled: Path, judged: Path) -> None:
    answer = called("evaluate", labelled, "--pairs", judged, "--floor", "b3_f1=.5")

    assert answer.exit_code == 1
    assert "b3_f1 cannot be computed from labelled pairs" in answer.stderr
