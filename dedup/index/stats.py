"""Count the articles of an index: kept, dropped by relation, storylines, dates, bytes."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from dedup.index.decision_log import to_datetime
from dedup.index.key_run import LEVEL_NONE
from dedup.index.storage.backend import StorageBackend, make_damage_error
from dedup.matching.classifier import NO_RELATION
from dedup.settings.settings import RELATIONS
from dedup.sketches.sketch import SECONDS_PER_DAY


@dataclass(frozen=True, slots=True)
class IndexStats:
    """The figures of an index."""

    place: str
    articles: int
    kept: int
    dropped: dict[str, int]
    """The number of dropped articles by relation, largest first."""
    storylines: int
    """Storylines of at least two kept articles."""
    followups: int
    """Kept articles that follow another: the later chapters of these storylines."""
    versions: int
    """Articles whose id the index already had, with another text."""
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
