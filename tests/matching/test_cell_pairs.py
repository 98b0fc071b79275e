"""Each two articles within their windows are paired once, whatever cells of time they go through."""

import math
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.index.key_run import LookupKeys
from dedup.matching.cell_pairs import NO_ARTICLE, find_cell_pairs, join_edges
from dedup.matching.match_params import make_match_params
from dedup.settings.settings import Settings
from dedup.spark.time_cells import assign_cells, choose_cell_bounds

WINDOW = 5.0
days = st.floats(0, 60) | st.integers(0, 60).map(float) | st.just(math.nan)
Pairs = Counter[tuple[int, ...]]


def bands(articles: int, twins: list[int] | None = None) -> tuple[LookupKeys, np.ndarray]:
    """Return the keys of articles that all share one band, and which of them are twins."""
    none = np.zeros((articles, 0), np.uint32)
    return LookupKeys(none, np.full((articles, 1), 7, np.uint32)), np.array(
        twins or [NO_ARTICLE] * articles, np.int64
    )


def pairs_in_cells(dates: np.ndarray, bounds: np.ndarray, settings: Settings) -> Pairs:
    """Return how often each pair is found in all cells together."""
    places = assign_cells(dates, np.arange(len(dates)), bounds, WINDOW)
    found: Pairs = Counter()
    for cell in range(len(bounds) + 1):
        here = places.articles[places.cells == cell]
        order = np.lexsort((here, dates[here]))
        members, home = here[order], places.is_home[places.cells == cell][order]
        keys, twins = bands(len(members))
        later, earlier = find_cell_pairs(
            keys, dates[members], home, np.zeros(len(members), bool), twins, make_match_params(settings)
        )
        found.update(map(tuple, np.sort(np.stack([members[later], members[earlier]], 1), axis=1).tolist()))
    return found


@given(st.lists(days, max_size=25), st.lists(st.floats(0, 60), max_size=6))
def test_each_pair_within_the_window_is_found_in_one_cell(dates: list[float], quantiles: list[float]) -> None:
    settings = Settings(copy_window_days=WINDOW)
    bounds = choose_cell_bounds(np.array(quantiles), WINDOW)

    found = pairs_in_cells(np.array(dates), bounds, settings)

    expected = {
        (a, b)
        for b in range(len(dates))
        for a in range(b)
        if not abs(np.float64(dates[a]) - dates[b]) > WINDOW
    }
    assert found == Counter(expected)


def test_of_twins_the_nearest_alone_is_paired() -> None:
    keys, twins = bands(5, [0, 0, 0, NO_ARTICLE, 0])
    dates = np.array([0.0, 1.0, 2.0, 3.0, math.nan])

    later, earlier = find_cell_pairs(
        keys, dates, np.ones(5, bool), np.zeros(5, bool), twins, make_match_params(Settings())
    )

    found = sorted(zip(later.tolist(), earlier.tolist(), strict=True))
    assert found == [(1, 0), (2, 1), (3, 2), (4, 0), (4, 1), (4, 2), (4, 3)]


def test_what_was_decided_before_is_paired_with_new_articles_alone_and_comes_first() -> None:
    keys, twins = bands(4)
    old = np.array([True, False, True, True])

    later, earlier = find_cell_pairs(
        keys, np.arange(4.0), np.ones(4, bool), old, twins, make_match_params(Settings())
    )

    assert sorted(zip(later.tolist(), earlier.tolist(), strict=True)) == [(1, 0), (1, 2), (1, 3)]


def test_a_bound_that_is_reached_is_told() -> None:
    keys, twins = bands(9)

    later, earlier = find_cell_pairs(
        keys,
        np.zeros(9),
        np.ones(9, bool),
        np.zeros(9, bool),
        twins,
        make_match_params(Settings(max_postings=4)),
    )

    assert later[earlier == NO_ARTICLE].tolist() == [5, 6, 7, 8]
    assert Counter(later[earlier != NO_ARTICLE].tolist()) == {1: 1, 2: 2, 3: 3} | dict.fromkeys(
        range(4, 9), 4
    )


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=20))
def test_sets_are_named_for_their_least_member(edges: list[tuple[int, int]]) -> None:
    names = list(range(16))
    for _ in edges:
        for a, b in edges:
            names[a] = names[b] = min(names[a], names[b])
    parents = np.arange(16)

    join_edges(np.array(edges, np.int64).reshape(-1, 2), parents)

    assert parents.tolist() == names
