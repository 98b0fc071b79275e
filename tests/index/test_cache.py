"""Sketches that are kept from one batch to the next are those that the index holds."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from newsmaker import planned

from dedup.index.cache import IndexCache
from dedup.index.index import Index

ARTICLES = 40


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with Index.open(tmp_path_factory.mktemp("index") / "seen.db") as opened:
        opened.add(planned(ARTICLES, seed=5, stories=30))
        yield opened


def open_cache(index: Index) -> IndexCache:
    """Return a cache that has read the index, and no sketch of it."""
    cache = IndexCache(index.backend, index.settings)
    with index.backend.snapshot():
        cache.sync()
    return cache


def list_sketched(cache: IndexCache) -> np.ndarray:
    """Return the positions of the articles with a sketch."""
    articles = cache.articles
    return articles.positions[: articles.article_count][articles.marks[: articles.article_count] > 0]


@given(st.lists(st.sets(st.integers(0, 200), max_size=12), min_size=2, max_size=5))
def test_a_second_call_returns_what_a_first_would(index: Index, calls: list[set[int]]) -> None:
    cache = open_cache(index)
    sketched = list_sketched(cache)

    for call in calls:
        positions = np.unique(sketched[[number % len(sketched) for number in call]].astype(np.int64))
        days = np.linspace(1.0, 2.0, len(positions))
        other = open_cache(index)
        with index.backend.snapshot():
            again = cache.get_sketches(positions, days)
            first = other.get_sketches(positions, days)

        for field, kept, unpacked in zip(again._fields, again, first, strict=True):
            assert np.array_equal(kept, unpacked), field
            assert kept.dtype == unpacked.dtype, field


def test_sketches_beyond_the_limit_are_not_kept(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.index.cache.UNPACKED_BYTES", 0)
    cache = open_cache(index)
    positions = list_sketched(cache)[:5]

    with index.backend.snapshot():
        cache.get_sketches(positions, np.zeros(5))

    assert cache._unpacked is None


def test_removed_articles_are_forgotten(tmp_path: Path) -> None:
    with Index.open(tmp_path / "seen.db") as opened:
        articles = planned(12, seed=5, stories=12)
        opened.add(articles)
        cache = open_cache(opened)
        positions = list_sketched(cache)
        with opened.backend.snapshot():
            cache.get_sketches(positions, np.zeros(len(positions)))

        opened.delete(articles[0]["id"])
        with opened.backend.snapshot():
            cache.sync()

        assert cache._unpacked is None
