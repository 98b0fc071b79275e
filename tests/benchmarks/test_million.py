"""The corpora that benchmarks make: their truth, and that they are the same again."""

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks import corpus, data
from benchmarks.corpus import Maker, make, planned
from benchmarks.million import truth_of


@pytest.fixture(scope="module", autouse=True)
def newsroom_only() -> Any:
    """Take sentences from the invented newsroom, as where there is no labelled data."""
    before, data.FOLDER = data.FOLDER, Path("nowhere")
    yield
    data.FOLDER = before


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small corpus."""
    path = tmp_path_factory.mktemp("made") / "corpus.jsonl"
    make(path, 600, days=30, words=120)
    return path


def articles_in(path: Path) -> list[dict[str, Any]]:
    """Return the articles of a corpus."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_seven_of_ten_are_told_once_and_the_others_have_a_heavy_tail() -> None:
    plan = planned(100_000, 365, 1)

    sizes = Counter(Counter(plan.stories.tolist()).values())

    assert sizes[1] == pytest.approx(70_000, rel=0.01)
    assert sizes[2] > 4 * sizes[4] > 4 * sizes[10] > 0
    assert max(sizes) > 100


def test_articles_come_by_date_and_the_first_telling_first() -> None:
    plan = planned(5_000, 365, 1)
    seen: set[int] = set()

    for story, telling in zip(plan.stories.tolist(), plan.tellings.tolist(), strict=True):
        assert (telling == 0) == (story not in seen)
        seen.add(story)
    assert (plan.hours[1:] >= plan.hours[:-1]).all()


def test_the_same_seed_makes_the_same_corpus_and_another_one_another(made: Path, tmp_path: Path) -> None:
    for seed in (1, 2):
        make(tmp_path / f"{seed}.jsonl", 600, days=30, words=120, seed=seed)

    assert (tmp_path / "1.jsonl").read_bytes() == made.read_bytes()
    assert (tmp_path / "2.jsonl").read_bytes() != made.read_bytes()


def test_the_truth_is_read_from_the_ends_of_lines(made: Path) -> None:
    articles, truth = articles_in(made), truth_of(made)

    assert truth.stories == [article["story"] for article in articles]
    assert truth.told == [article["told"] for article in articles]


def test_names_stand_in_all_places(made: Path) -> None:
    private = {chr(0xE000 + k) for k in range(10)}

    assert not any(private & set(article["text"] + article["title"]) for article in articles_in(made))


def test_a_story_is_told_again_and_not_another() -> None:
    maker = Maker(400, 30, 120, 1)
    first = maker.first(0)

    for told in corpus.TELLINGS:
        again, how = corpus.retold(first, maker.mutations, Random(f"{told}"))
        assert how
        assert len(set(again["text"].split()) & set(first["text"].split())) > 20


def test_what_is_told_as_it_was_sent_has_the_same_words(made: Path) -> None:
    articles = articles_in(made)
    first = {article["story"]: article for article in articles if article["told"] == "first"}

    copies = [article for article in articles if article["told"] == "as sent"]

    assert len(copies) > 10
    assert all(copy["text"] == first[copy["story"]]["text"] for copy in copies)
    assert len({article["text"] for article in first.values()}) == len(first)
