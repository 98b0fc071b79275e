"""Dates → cells of time: which articles must meet to be compared.

In: dates, and how far apart two articles may lie. Out: for each article the cells that it goes to, and the one of them that
is its home. Two dated articles within the window meet in the home of the later one; one without a date goes to all cells.
"""

from typing import NamedTuple

import numpy as np


class CellVisits(NamedTuple):
    """Articles and the cells that they go to, a row for each visit."""

    articles: np.ndarray
    """int64: positions in what was given."""
    cells: np.ndarray
    """int64."""
    is_home: np.ndarray
    """bool: whether the cell is the article's own."""


def choose_cell_bounds(quantiles: np.ndarray, window: float) -> np.ndarray:
    """Return the days at which cells begin, after the first: some of the quantiles, none within a window of the one before.

    >>> choose_cell_bounds(np.array([1.0, 2.0, 9.0, 10.0, 14.0]), 5.0)
    array([ 1.,  9., 14.])
    """
    bounds: list[float] = []
    for day in np.sort(quantiles).tolist():
        if not bounds or day - bounds[-1] >= window:
            bounds.append(day)
    return np.array(bounds)


def assign_cells(days: np.ndarray, numbers: np.ndarray, bounds: np.ndarray, window: float) -> CellVisits:
    """Return which cells some articles go to; the undated, NaN, go to all, and their numbers say which is their home."""
    cells = len(bounds) + 1
    undated = np.isnan(days)
    homes = np.searchsorted(bounds, days, side="right")
    last = np.searchsorted(bounds, days + window, side="right")
    homes = np.where(undated, numbers % cells, homes)
    first, last = np.where(undated, 0, homes), np.where(undated, cells - 1, last)
    visits = last - first + 1
    articles = np.repeat(np.arange(len(days)), visits)
    starts = np.cumsum(visits) - visits
    where = first[articles] + np.arange(len(articles)) - starts[articles]
    return CellVisits(articles, where, where == homes[articles])
