"""The runs of an index: what they find, and that a stored one that is missing, damaged or false never changes an answer."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from earlier import do_beside
from homes import Place
from hypothesis import given
from hypothesis import strategies as st
from newsmaker import FIRST_DAY, batch, make_storylines

from dedup.index.answers import Answer
from dedup.index.index import Index
from dedup.index.key_run import (
    LEVEL_ALL,
    LEVEL_BANDS,
    LookupKeys,
    build_key_run,
    pack_key_run,
    unpack_key_run,
)
from dedup.index.lookup import ArticleLookup
from dedup.settings.settings import Settings

ARTICLES = make_storylines(120, seed=7)
KNOWN, LATER = ARTICLES[:80], ARTICLES[80:95]
ALONE = Settings(threads=1)
RUN = 16
CHANGES = {
    "no run is there": "DELETE FROM runs",
    "a run is missing": "DELETE FROM runs WHERE position = 16",
    "columns are cut short": "UPDATE runs SET columns = substr(columns, 1, 99)",
    "keys are cut short": "UPDATE runs SET keys = substr(keys, 1, 99)",
    "keys are those of another run": "UPDATE runs SET keys = (SELECT keys FROM runs AS r WHERE r.position = 0)",
    "columns are those of another run": "UPDATE runs SET columns = (SELECT columns FROM runs AS r WHERE r.position = 0)",
}


@pytest.fixture(autouse=True)
def short_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a run hold a few articles, and be released at once."""
    monkeypatch.setattr("dedup.index.lookup.ArticleLookup.run_articles", RUN)
    monkeypatch.setattr("dedup.index.lookup.MAX_IDLE_LOOKUPS", 0)
    return iter([None])


def decide(place: Place) -> list[Answer]:
    """Return the answers to the later articles, each given to an index opened anew."""
    answers = []
    for article in LATER:
        with Index.open(place, ALONE) as index:
            answers += index.decide(batch([article]))
    return answers


def fill(place: Place) -> list[int]:
    """Give the known articles to a new index in small batches; return the positions of its stored runs."""
    with Index.open(place, ALONE) as index:
        for first in range(0, len(KNOWN), 9):
            index.decide(batch(KNOWN[first : first + 9]))
        index.decide(batch(KNOWN[:1]))
        return index.backend.list_runs()


def test_an_index_opened_from_runs_answers_like_one_that_stayed_open(lasting_place: Place) -> None:
    with Index.open(":memory:", ALONE) as index:
        index.decide(batch(KNOWN))
        expected = [answer for article in LATER for answer in index.decide(batch([article]))]

    assert fill(lasting_place) == list(range(0, len(KNOWN) - RUN + 1, RUN))
    assert decide(lasting_place) == expected
    with Index.open(lasting_place, ALONE) as index:
        assert index.verify(deep=True) == []


@pytest.mark.parametrize("change", CHANGES)
def test_a_run_that_is_missing_or_false_changes_no_answer(
    lasting_place: Place, tmp_path: Path, change: str
) -> None:
    sound = tmp_path / "sound.db"
    fill(sound), fill(lasting_place)

    do_beside(lasting_place, CHANGES[change])

    assert decide(lasting_place) == decide(sound)


@pytest.mark.parametrize("change", [change for change in CHANGES if change != "no run is there"])
def test_a_false_run_is_named_and_repaired(lasting_place: Place, change: str) -> None:
    fill(lasting_place)
    do_beside(lasting_place, CHANGES[change])

    with Index.open_for_maintenance(lasting_place) as index:
        assert any("the run that begins at position" in fault for fault in index.verify())
        index.repair()
        assert index.verify() == []


def test_whatever_leaves_takes_the_runs_along(lasting_place: Place) -> None:
    fill(lasting_place)

    with Index.open(lasting_place, ALONE) as index:
        index.delete(KNOWN[0]["id"])
        assert index.backend.list_runs() == []
        index.decide(batch(LATER[:1]))
        assert index.backend.list_runs()[:1] == [1]
        assert index.verify(deep=True) == []


def test_only_runs_in_reach_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEDUP_NOW", "2200-01-01")
    place = tmp_path / "seen.db"
    far = {**LATER[0], "id": "far", "published": "2099-01-01T00:00:00Z"}
    with Index.open(place, ALONE) as index:
        for first in range(0, len(KNOWN), 9):
            index.add([{**article, "published": FIRST_DAY} for article in KNOWN[first : first + 9]])

    with Index.open(place, ALONE) as index:
        index.add([far])
        stored = [run for run in index._cache.articles.runs if run.is_stored]
        assert stored
        assert not any(run.keys for run in stored)
        index.add([{**far, "id": "undated", "published": None}])
        assert all(run.keys for run in stored)
        index.add([{**far, "id": "farther", "published": "2199-01-01T00:00:00Z"}])
        assert not any(run.keys for run in stored)


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 5), max_size=30), st.randoms(use_true_random=False))
def test_a_run_leads_from_each_key_to_its_articles_and_back_from_bytes(rows: Any, random: Random) -> None:
    table = np.array(rows, np.uint32).reshape(-1, 5)
    keys = LookupKeys(np.ascontiguousarray(table[:, :3]), np.ascontiguousarray(table[:, 3:]))
    levels = np.array([random.choice([LEVEL_BANDS, LEVEL_ALL]) for _ in rows], np.uint8)

    run = build_key_run(keys, np.arange(len(rows)), levels)

    found = {}
    for k, key in enumerate(run.keys.tolist()):
        place = run.directory[(key >> 32) * len(run.keys) >> 32 :][:2]
        assert place[0] <= k < place[1]
        found[key] = run.articles[run.starts[k] : run.starts[k + 1]].tolist()
    expected = sum(np.count_nonzero(table[a, 0 if levels[a] == LEVEL_ALL else 3 :]) for a in range(len(rows)))
    assert sum(map(len, found.values())) == expected
    assert all(articles == sorted(articles) for articles in found.values())
    again = unpack_key_run(memoryview(pack_key_run(run)), len(rows))
    assert all((one == other).all() for one, other in zip(run, again, strict=True))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_run_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="the keys of articles"):
        unpack_key_run(memoryview(data), 0)


def test_a_lookup_without_storage_has_no_stored_runs() -> None:
    with pytest.raises(ValueError, match="no stored run"):
        ArticleLookup(3, 2)._load_run(0, 16)
