"""`dedup review`: a person is asked at a real terminal, and no answer is lost."""

import json
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from commands import ESCAPES, called, environment, lines_of, process, started, written
from newsmaker import planned

from dedup.cli.commands.review import format_review_summary
from dedup.evaluation.pair_labels import PairLabel
from dedup.evaluation.review_queue import Question
from dedup.matching.match_params import make_match_params
from dedup.settings.settings import Settings

PROMPT = "[q]uit  "
PATIENCE = 20


class Person:
    """Someone at a terminal, who reads until a question is asked, and presses keys."""

    def __init__(self, terminal: int) -> None:
        self.terminal = terminal
        self.read = ""
        self.place = 0

    def wait_for_question(self) -> str:
        """Return what was written up to the next question."""
        return self.wait_for(PROMPT)

    def wait_for(self, words: str) -> str:
        """Return what was written until some words came."""
        while words not in self.read[self.place :]:
            ready, _, _ = select.select([self.terminal], [], [], PATIENCE)
            assert ready, f"{words!r} never came: {self.read[-500:]}"
            self.read += ESCAPES.sub("", os.read(self.terminal, 1 << 16).decode(errors="replace"))
        start, self.place = self.place, self.read.index(words, self.place) + len(words)
        return self.read[start : self.place]

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self.terminal, key.encode())


@contextmanager
def at_terminal(*arguments: str | Path) -> Iterator[tuple[Person, subprocess.Popen[bytes]]]:
    """Give a person before a command on a terminal, and the command."""
    ours, theirs = pty.openpty()
    shown = environment(COLUMNS="90", TERM="xterm-256color")
    with started(*arguments, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=shown) as running:
        os.close(theirs)
        try:
            yield Person(ours), running
        finally:
            running.kill()
            os.close(ours)


@pytest.fixture
def review(newsroom: Path, tmp_path: Path) -> list[str | Path]:
    """Return the command that asks about the invented newsroom."""
    return ["review", newsroom, "-o", tmp_path / "labels.jsonl"]


def answers_in(path: Path) -> list[tuple[str, str, Any]]:
    """Return the answers that a file holds."""
    return [(line["a"], line["b"], line["label"]) for line in lines_of(path.read_bytes())]


def test_each_key_is_an_answer_that_is_on_the_disk_at_once(review: list[str | Path], tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"

    with at_terminal(*review) as (person, running):
        first = person.wait_for_question()
        person.press("d")
        person.wait_for_question()
        after_one = answers_in(labels)
        person.press("z")  # not a key
        person.press("\x1b[B")  # nor is an arrow
        time.sleep(0.5)
        person.press("s")
        person.wait_for_question()
        person.press("k")
        person.wait_for("4 of ")
        person.wait_for_question()
        person.press("f")
        person.wait_for_question()
        person.press("o")
        person.wait_for_question()
        person.press("q")
        said = person.wait_for("-o model.json")
        running.wait(PATIENCE)

    assert "1 of " in first
    assert after_one == [(*after_one[0][:2], "different")]
    assert [answer for *_, answer in answers_in(labels)] == ["different", "same", "followup", "open"]
    assert all(f"{name}" in first for name in after_one[0][:2])
    assert "4 answers" in said
    assert running.returncode == 0


def test_the_models_opinion_is_not_shown(review: list[str | Path]) -> None:
    with at_terminal(*review) as (person, _):
        seen = person.wait_for_question()

    assert "only here: " in seen
    assert "%" not in seen.partition("─")[0]
    assert "probability" not in seen


def test_going_back_puts_an_answer_right(review: list[str | Path], tmp_path: Path) -> None:
    with at_terminal(*review) as (person, running):
        for key in "bsbfq":
            person.wait_for_question()
            person.press(key)
        running.wait(PATIENCE)

    first, second = answers_in(tmp_path / "labels.jsonl")
    assert first[:2] == second[:2]
    assert (first[2], second[2]) == ("same", "followup")


def test_a_killed_review_loses_nothing_and_goes_on(review: list[str | Path], tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    with at_terminal(*review) as (person, running):
        for key in "sd":
            person.wait_for_question()
            person.press(key)
        person.wait_for_question()
        running.send_signal(signal.SIGKILL)
        running.wait(PATIENCE)
    before = answers_in(labels)
    with labels.open("ab") as file:
        file.write(b'{"a":"cut sh')

    done = process(*review, input="s\nq\n")

    assert len(before) == 2
    after = answers_in(labels)
    assert after[:2] == before
    assert len(after) == 3
    assert after[2][:2] not in {(a, b) for a, b, _ in before}
    assert "now has 3" in done.stdout


def test_control_c_is_a_wish_to_leave(review: list[str | Path]) -> None:
    with at_terminal(*review) as (person, running):
        person.wait_for_question()
        person.press("\x03")
        person.wait_for("0 answers")
        running.wait(PATIENCE)

    assert running.returncode == 0


def test_lines_do_away_from_a_terminal(review: list[str | Path], tmp_path: Path) -> None:
    done = process(*review, input="same\nperhaps\nskip\nFollow-up\nno\ndifferent\n")

    assert done.returncode == 0
    assert [answer for *_, answer in answers_in(tmp_path / "labels.jsonl")] == [
        "same",
        "followup",
        "different",
    ]
    assert "\x1b" not in done.stdout


def test_the_nearest_come_first_no_article_twice_and_every_tenth_is_a_check(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", planned(400, seed=2, stories=150))
    labels = tmp_path / "labels.jsonl"
    least = make_match_params(Settings(rewrite_probability=0.99)).story_threshold

    process(
        *("review", corpus, "-o", labels, "--max-pairs", "20", "--rewrite-probability", "0.99"),
        input="d\n" * 20,
    )

    asked = lines_of(labels.read_bytes())
    away = [abs(line["log_odds"] - least) for line in asked if not line["check"]]
    ids = [line[side] for line in asked for side in "ab"]
    assert [n for n, line in enumerate(asked) if line["check"]] == [9, 19]
    assert away == pytest.approx(sorted(away), abs=1e-3)
    assert len(set(ids)) == len(ids) == 40


def test_what_was_answered_feeds_evaluate(review: list[str | Path], newsroom: Path, tmp_path: Path) -> None:
    process(*review, input="d\n" * 5)

    scores = json.loads(called("evaluate", newsroom, "--pairs", tmp_path / "labels.jsonl").stdout)

    assert scores["pairs"] == 5


def test_an_older_file_is_not_asked_again_and_goes_on_with_labels(
    review: list[str | Path], tmp_path: Path
) -> None:
    labels = tmp_path / "labels.jsonl"
    process(*review, input="d\nq\n")
    first = lines_of(labels.read_bytes())[0]
    written(labels, [{"a": first["b"], "b": first["a"], "same": False}])

    done = process(*review, input="f\nq\n")

    older, newer = lines_of(labels.read_bytes())
    assert older == {"a": first["b"], "b": first["a"], "same": False}
    assert newer["label"] == "followup"
    assert {newer["a"], newer["b"]} != {first["a"], first["b"]}
    assert "now has 2" in done.stdout


@pytest.mark.parametrize(("level", "model"), [("story", "story"), ("storyline", "storyline")])
def test_an_answer_says_which_models_log_odds_it_has(
    level: str, model: str, review: list[str | Path], tmp_path: Path
) -> None:
    process(*review, "--level", level, input="d\nq\n")

    assert [line["model"] for line in lines_of((tmp_path / "labels.jsonl").read_bytes())] == [model]


@pytest.mark.parametrize(("level", "agreed"), [("story", 0), ("storyline", 1)])
def test_a_follow_up_agrees_with_a_match_of_the_storyline_alone(level: str, agreed: int) -> None:
    check = Question(0, 1, 5.0, expected=True)

    said = format_review_summary([check], {0: PairLabel("x", "y", "followup")}, [], "labels.jsonl", level)

    assert f"You and the model agreed on {agreed} of 1 check." in said


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["-", "-o", "l.jsonl"], 2, "The corpus cannot be standard input"),
        (["NEWS", "-o", "l.csv"], 2, "Answers are written as JSON Lines"),
        (["NEWS", "-o", "NEWS"], 1, "it is one of the files that are read"),
        (["NEWS", "-o", "no/such/l.jsonl"], 1, "cannot write no/such/l.jsonl"),
    ],
)
def test_what_cannot_be_done_is_told_before_any_question(
    arguments: list[str], status: int, says: str, newsroom: Path
) -> None:
    answer = called("review", *(str(newsroom) if a == "NEWS" else a for a in arguments))

    assert answer.exit_code == status
    assert says in answer.stderr
