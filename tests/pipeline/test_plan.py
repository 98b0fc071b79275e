"""`dedup.plan` estimates a run from paths."""

from pathlib import Path

import pytest
from commands import written
from newsmaker import planned

from dedup import plan
from dedup.errors import InputError


def test_a_small_corpus_is_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "news.jsonl", planned(40, seed=1))

    for paths in (path, str(path), [path]):
        assert plan(paths, threads=1).articles.expected == 40


def test_a_setting_is_a_keyword(tmp_path: Path) -> None:
    path = written(tmp_path / "news.jsonl", planned(40, seed=1))

    least, most = (plan(path, max_candidates=bound).candidates.expected for bound in (1, 200))

    assert least < most


def test_nothing_to_plan_for_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        plan(tmp_path / "nowhere.jsonl")
