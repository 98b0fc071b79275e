"""The figures on origins: what is right is counted as such, and an aim can be missed."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import corpus, data, origins
from benchmarks.origins import Figure, made_copies, number_of


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
    corpus.make(path, 600, days=30, words=120)
    return path


def test_edges_are_scored_against_the_article_that_each_copy_was_made_from(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    precision, recall = made_copies(made)

    assert precision.value > 0.8, "stories of so small a corpus share sentences"
    assert recall.value > 0.95
    assert "as sent" in capsys.readouterr().out


def test_wrong_edges_lower_the_figures(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parents_in = origins.parents_in

    def mix_up(stories: Any) -> Any:
        edges = parents_in(stories)
        return dict(zip(edges, reversed(edges.values()), strict=True))

    monkeypatch.setattr(origins, "parents_in", mix_up)

    assert not any(figure.is_reached for figure in made_copies(made))


@pytest.mark.parametrize(
    ("value", "is_least", "is_reached"), [(0.5, True, True), (0.4, True, False), (0.6, False, False)]
)
def test_a_figure_knows_whether_it_reaches_its_aim(value: float, is_least: bool, is_reached: bool) -> None:
    assert Figure("", value, 0.5, is_least=is_least).is_reached is is_reached


def test_the_number_of_a_story_is_in_its_name() -> None:
    assert number_of("C50test/AlanCrosby/315980newsML.txt") == 315_980
    with pytest.raises(SystemExit, match="has no number"):
        number_of("story")
