"""Assign articles to time cells, so that any two articles within the window share a cell.

Each article is in one or more cells, and one of them is its home. Two dated articles within the window are
both in the home of the later one. An undated article is in every cell.
"""

from typing import NamedTuple

import numpy as np


class CellVisits(NamedTuple):
    """Articles and their cells, one row for each cell of an article."""

    articles: np.ndarray
    """int64: positions of the articles."""
    cells: np.ndarray
    """int64."""
    is_home: np.ndarray
    """bool: whether the cell is the home of the article."""


def choose_cell_bounds(quantiles: np.ndarray, window: float) -> np.ndarray:
    """Return the days at which cells after the first begin.

    They are some of the `quantiles`, each at least `window` days after the one before.

    >>> choose_cell_bounds(np.array([1.0, 2.0, 9.0, 10.0, 14.0]), 5.0)
    array([ 1.,  9., 14.])
    """
    bounds: list[float] = []
    for day in np.sort(quantiles).tolist():
        if not bounds or day - bounds[-1] >= window:
            bounds.append(day)
    return np.array(bounds)


def assign_cells(days: np.ndarray, numbers: np.ndarray, bounds: np.ndarray, window: float) -> CellVisits:
    """Return the cells of articles; undated ones (NaN) are in all cells, and their number determines their home."""
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
