"""`dedup evaluate`: scores against labels."""

import json
from pathlib import Path

import pytest
from commands import called, on_terminal, written
from newsmaker import planned, story

SCORES = {"pairwise", "b_cubed", "articles", "unlabelled", "stories", "clusters", "relations"}


def test_a_pipe_gets_the_scores_as_json(newsroom: Path) -> None:
    scores = json.loads(called("evaluate", newsroom, "--gold", "story").stdout)

    assert set(scores) == SCORES
    assert scores["articles"] == 47
    assert scores["stories"] == 32
    assert scores["pairwise"]["f1"] > 0.85
    assert scores["b_cubed"]["f1"] > 0.9
    assert scores["relations"]["exact"] == {"dropped": 4, "right": 4, "wrong": 0, "open": 0}


def test_a_terminal_gets_a_table(newsroom: Path) -> None:
    seen = on_terminal("evaluate", newsroom, "--gold", "story", columns=80)

    header, pairwise, b_cubed, *_ = seen.splitlines()
    assert header.split() == ["F1", "precision", "recall"]
    assert pairwise.split()[0] == "pairwise"
    assert b_cubed.split()[0] == "B³"
    assert "47 articles in 32 stories, " in seen


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
