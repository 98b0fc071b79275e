"""Remove articles from an index: those of an id, or all clusters that have expired.

A kept article is removed together with all articles that were dropped for it: nothing else would justify their drop (law 4).
"""

from collections.abc import Callable
from datetime import datetime

import numpy as np

from dedup.index.storage.backend import StorageBackend, make_damage_error
from dedup.sketches.sketch import SECONDS_PER_DAY


def remove_chosen(backend: StorageBackend, choose_positions: Callable[[], list[int]]) -> int:
    """Remove the positions that are chosen within the transaction, and release their space; return their number."""
    with backend.transaction():
        chosen = choose_positions()
        if chosen:
            backend.remove(chosen)
    if chosen:
        backend.release_space()
    return len(chosen)


def find_article_positions(backend: StorageBackend, article_id: str) -> list[int]:
    """Return the positions of all versions of an id, and of the articles that were dropped for them."""
    rows = backend.get_rows_by_id([article_id])
    repeating = (backend.get_duplicates(row.position) for row in rows)
    return sorted({row.position for row in rows} | {row.position for rows in repeating for row in rows})


def find_expired_positions(backend: StorageBackend, before: datetime) -> list[int]:
    """Return the positions of all clusters whose articles were all published before a time.

    Where an article has no date, the time of the decision on it counts.
    """
    columns = [
        (
            np.array([row.position for row in rows], np.int64),
            np.array([row.leader for row in rows], np.int64),
            np.array(
                [row.decided if row.published is None else row.published * SECONDS_PER_DAY for row in rows]
            ),
        )
        for rows in backend.iter_rows()
    ]
    if not columns:
        return []
    positions, leaders, times = map(np.concatenate, zip(*columns, strict=True))
    clusters = np.minimum(np.searchsorted(positions, leaders), len(positions) - 1)
    if (positions[clusters] != leaders).any():
        raise make_damage_error(backend.name, "an article repeats one that is missing")
    latest = np.full(len(positions), -np.inf)
    np.maximum.at(latest, clusters, times)
    found: list[int] = positions[latest[clusters] < before.timestamp()].tolist()
    return found
