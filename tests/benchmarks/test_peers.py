"""How peers are clustered and scored, against the same by hand; the peers themselves need their packages and the data."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from benchmarks import comparison, peers

WINDOW = 5.0
crowds = st.lists(
    st.tuples(
        st.lists(st.integers(0, 3), min_size=3, max_size=3).filter(any), st.sampled_from([0, 4, 8, None])
    ),
    min_size=2,
    max_size=9,
)


def laid_out(crowd: list[tuple[list[int], int | None]]) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors of length 1, and days, NaN where there is none."""
    vectors = np.array([numbers for numbers, _ in crowd], dtype=float)
    days = np.array([np.nan if day is None else day for _, day in crowd], dtype=float)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), days


def groups(labels: np.ndarray) -> set[frozenset[int]]:
    """Return the clusters as sets of positions."""
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in labels}


@given(st.integers(1, 8), st.data())
def test_connected_pairs_share_a_cluster_and_nothing_else_does(count: int, data: st.DataObject) -> None:
    inside = st.integers(0, count - 1)
    pairs = data.draw(st.lists(st.tuples(inside, inside)))
    expected = [{a} for a in range(count)]
    for a, b in pairs:
        joined = expected[a] | expected[b]
        for member in joined:
            expected[member] = joined

    labels = peers.connected(count, pairs)

    assert groups(labels) == {frozenset(cluster) for cluster in expected}


@given(crowds, st.sampled_from([0.33, 0.66, 0.85]))
def test_single_linkage_connects_the_pairs_that_are_alike_and_near_in_time(
    crowd: list[tuple[list[int], int | None]], threshold: float
) -> None:
    vectors, days = laid_out(crowd)
    pairs = [
        (a, b)
        for a, b in combinations(range(len(crowd)), 2)
        if vectors[a] @ vectors[b] >= threshold and not abs(days[a] - days[b]) > WINDOW
    ]

    labels = peers.clusters(vectors, days, peers.Way("single", WINDOW, threshold))

    assert groups(labels) == groups(peers.connected(len(crowd), pairs))


@given(crowds)
def test_distances_are_the_same_dense_sparse_and_block_by_block(
    crowd: list[tuple[list[int], int | None]],
) -> None:
    vectors, days = laid_out(crowd)
    with pytest.MonkeyPatch.context() as patch:
        whole = peers.distances(vectors, days, WINDOW)
        patch.setattr(peers, "BLOCK", 2)

        parts = peers.distances(csr_array(vectors), days, WINDOW)

    assert parts == pytest.approx(whole)


def test_complete_linkage_spans_no_more_than_the_window() -> None:
    vectors, days = np.ones((3, 1)), np.array([0.0, 4.0, 8.0])

    chained = peers.clusters(vectors, days, peers.Way("single", WINDOW, 0.5))
    compact = peers.clusters(vectors, days, peers.Way("complete", WINDOW, 0.5))

    assert len(groups(chained)) == 1
    assert len(groups(compact)) == 2


def test_an_article_without_date_is_near_to_all() -> None:
    dated = peers.article({"title": None, "text": "The ferry sank.", "published": "1970-01-02T12:00:00"})
    undated = peers.article({"text": "The ferry sank."})

    assert dated == ("", "The ferry sank.", 1.5)
    assert np.isnan(undated.day)
    assert peers.distances(np.ones((2, 1)), np.array([dated.day, undated.day]), WINDOW) == pytest.approx([0])


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1))
def test_the_best_f1_is_the_best_over_all_thresholds(pairs: list[tuple[int, bool]]) -> None:
    scores, same = np.array([s for s, _ in pairs]), np.array([s for _, s in pairs])

    best = comparison.best_f1(scores, same)

    true = sum(same)
    rights = [(sum(x for s, x in pairs if s >= t), sum(s >= t for s, _ in pairs)) for t in range(5)]
    assert best == pytest.approx(max(2 * right / ((claimed + true) or 1) for right, claimed in rights))


@pytest.mark.parametrize(
    ("clusters", "right"),
    [([0, 0, 1, 0, 2], True), ([0, 0, 1, 0, 1], False), ([0, 0, 0, 0, 1], False), ([0, 1, 2, 0, 3], False)],
)
def test_the_seeds_are_right_when_one_story_is_whole_and_nothing_else_is_told_twice(
    clusters: list[int], right: bool
) -> None:
    assert (
        comparison.seeds_right(dict(zip(["000", "001", "002", "003", "004"], clusters, strict=True))) is right
    )
