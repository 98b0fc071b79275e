"""Count the articles of an index, remove the expired ones, and export the log of decisions.

A kept article is removed together with all articles that were dropped for it: nothing else would justify their drop (law 4).
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from dedup.index.answers import Answer, build_past_answers
from dedup.index.lookup import LEVEL_NONE
from dedup.index.storage.backend import IndexRow, StorageBackend, make_damage_error
from dedup.matching.classifier import NO_RELATION
from dedup.settings.settings import RELATIONS
from dedup.sketches.sketch import SECONDS_PER_DAY

VERIFY_BATCH = 2000
"""Sketches that are looked through at once."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class IndexStats:
    """The figures of an index."""

    place: str
    articles: int
    kept: int
    dropped: dict[str, int]
    """The number of dropped articles by relation, largest first."""
    storylines: int
    """Running affairs of at least two kept articles."""
    followups: int
    """Kept articles that follow another: the further chapters of these affairs."""
    versions: int
    """Articles whose id came before with another text."""
    looked_up: int
    """Articles that new ones are compared with: those kept, and their rewrites."""
    undated: int
    first_published: datetime | None
    last_published: datetime | None
    first_decided: datetime | None
    last_decided: datetime | None
    bytes: int
    bytes_per_kept: float


def compute_stats(backend: StorageBackend) -> IndexStats:
    """Return the figures of an index."""
    relations: Counter[int] = Counter()
    followed: Counter[int] = Counter()
    versions = looked_up = undated = 0
    published: list[float] = []
    decided: list[float] = []
    for rows in backend.iter_rows():
        relations.update(row.relation for row in rows)
        followed.update(row.follows for row in rows if row.follows != row.position)
        versions += sum(row.version > 1 for row in rows)
        looked_up += sum(row.mark != LEVEL_NONE for row in rows)
        dated = [row.published for row in rows if row.published is not None]
        undated += len(rows) - len(dated)
        published += [min(dated), max(dated)] if dated else []
        decided += [min(row.decided for row in rows), max(row.decided for row in rows)]
    kept, size = relations.pop(NO_RELATION, 0), backend.get_size()
    if not relations.keys() <= set(range(len(RELATIONS))):
        raise make_damage_error(backend.name, f"a relation is not between 0 and {len(RELATIONS) - 1}")
    return IndexStats(
        place=backend.name,
        articles=relations.total() + kept,
        kept=kept,
        dropped={RELATIONS[relation]: count for relation, count in relations.most_common()},
        storylines=len(followed),
        followups=followed.total(),
        versions=versions,
        looked_up=looked_up,
        undated=undated,
        first_published=to_datetime(min(published) * SECONDS_PER_DAY) if published else None,
        last_published=to_datetime(max(published) * SECONDS_PER_DAY) if published else None,
        first_decided=to_datetime(min(decided)) if decided else None,
        last_decided=to_datetime(max(decided)) if decided else None,
        bytes=size,
        bytes_per_kept=size / kept if kept else 0.0,
    )


def to_datetime(seconds: float) -> datetime | None:
    """Return a time given in seconds since 1970, to the second; None where no calendar has it."""
    try:
        return EPOCH + timedelta(seconds=round(seconds))
    except (OverflowError, ValueError):  # infinite, NaN, or beyond the year 9999
        return None


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


def iter_log(backend: StorageBackend) -> Iterator[list[dict[str, Any]]]:
    """Yield the log of decisions in chunks of records."""
    for rows in backend.iter_rows():
        yield [
            build_log_entry(row, answer)
            for row, answer in zip(rows, build_past_answers(backend, rows), strict=True)
        ]


def build_log_entry(row: IndexRow, answer: Answer) -> dict[str, Any]:
    """Return the record of the decision on an article, as it is exported."""
    match, link = answer.match, answer.link
    return {
        "id": row.id,
        "version": row.version,
        "name": answer.name,
        "published": None if row.published is None else to_datetime(row.published * SECONDS_PER_DAY),
        "decided": to_datetime(row.decided),
        "canonical": match.canonical if match else None,
        "relation": match.relation if match else None,
        "score": match.score if match else None,
        "evidence": match.evidence if match else None,
        "storyline": answer.storyline,
        "follows": link and {"id": link.canonical, "probability": link.score, "evidence": link.evidence},
    }
