"""List the stories of an index: the newest ones, and the chapters of a storyline.

A story is a kept article and all articles that repeat it. An index stores neither titles nor texts, so a story has the id of its
kept article, its dates, and the number of its articles.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dedup.index.answers import Answer, build_past_answers, find_version_rows
from dedup.index.decision_log import to_datetime
from dedup.index.storage.backend import IndexRow, StorageBackend, make_damage_error
from dedup.matching.classifier import NO_RELATION
from dedup.sketches.sketch import SECONDS_PER_DAY

ROWS_AT_ONCE = 1024
"""The number of rows read at a time, newest first: about as many as a transaction records."""


@dataclass(frozen=True, slots=True)
class IndexedStory:
    """A kept article, and how many articles tell its story."""

    answer: Answer
    """The decision on the kept article."""
    articles: int
    """The number of articles: the kept one and all that repeat it."""
    published: datetime | None
    """When the kept article was published."""
    decided: datetime | None
    """When the index decided on the kept article: when the story was first seen."""


def find_recent_stories(
    backend: StorageBackend, limit: int, since: float | None = None
) -> list[IndexedStory]:
    """Return the newest stories, at most `limit`, in the reverse order of their arrival.

    With `since`, in seconds since 1970, only those decided on at that time or later.
    """
    found: list[IndexRow] = []
    for rows in iter_newest_rows(backend):
        if since is not None:
            rows = [row for row in rows if row.decided >= since]  # noqa: PLW2901
            if not rows:
                break
        found += [row for row in rows if row.relation == NO_RELATION]
        if len(found) >= limit:
            break
    return build_stories(backend, found[:limit])


def iter_newest_rows(backend: StorageBackend) -> Iterator[list[IndexRow]]:
    """Yield the rows from the last to the first, in chunks that are not empty."""
    end = backend.read_state().articles
    while end > 0:
        start = max(0, end - ROWS_AT_ONCE)
        if rows := backend.get_rows_at(range(end - 1, start - 1, -1)):
            yield rows
        end = start


def find_chapters(backend: StorageBackend, article: str) -> list[IndexedStory]:
    """Return the stories of the storyline of the named article, by date; empty if the article is unknown.

    An undated story has the date of its decision.
    """
    rows = find_version_rows(backend, article)
    if not rows:
        return []
    leaders = backend.get_rows_at([rows[0].leader])
    first = backend.get_rows_at([leaders[0].follows]) if leaders else []
    if not first:
        raise make_damage_error(backend.name, f"the storyline of article {article!r} has no beginning")
    chapters = [*first, *backend.get_followers(first[0].position)]
    return build_stories(backend, sorted(chapters, key=compute_story_day))


def compute_story_day(row: IndexRow) -> tuple[float, int]:
    """Return when a story was published or else decided on, in days since 1970, and its position."""
    return row.decided / SECONDS_PER_DAY if row.published is None else row.published, row.position


def build_stories(backend: StorageBackend, rows: Sequence[IndexRow]) -> list[IndexedStory]:
    """Return the stories whose kept articles have these rows."""
    counts = backend.count_duplicates([row.position for row in rows])
    return [
        IndexedStory(
            answer=answer,
            articles=1 + counts.get(row.position, 0),
            published=None if row.published is None else to_datetime(row.published * SECONDS_PER_DAY),
            decided=to_datetime(row.decided),
        )
        for row, answer in zip(rows, build_past_answers(backend, rows), strict=True)
    ]
