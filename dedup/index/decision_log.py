"""Export the log of decisions of an index, a record for each article."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from dedup.index.answers import Answer, build_past_answers
from dedup.index.storage.backend import IndexRow, StorageBackend
from dedup.sketches.sketch import SECONDS_PER_DAY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


def to_datetime(seconds: float) -> datetime | None:
    """Return a time given in seconds since 1970, to the second; None where no calendar has it."""
    try:
        return EPOCH + timedelta(seconds=round(seconds))
    except (OverflowError, ValueError):  # infinite, NaN, or beyond the year 9999
        return None
