"""What became of an article, in a form that runs of any engine can be compared in."""

from typing import Any

from dedup.matches import Match

Verdict = tuple[str, str, str | None, float | None, tuple[tuple[str, float], ...]]
"""The id of an article, its cluster, and for a dropped one its relation, score and evidence."""


def verdict_of(name: str, match: Match | None) -> Verdict:
    """Return what became of an article in a local run, or by an index."""
    if match is None:
        return name, name, None, None, ()
    return name, match.canonical, match.relation, match.score, tuple(sorted(match.evidence.items()))


def verdict_in(row: Any) -> Verdict:
    """Return what became of an article on Spark, from its row."""
    return row.id, row.cluster, row.relation, row.score, tuple(sorted((row.evidence or {}).items()))
