"""Describe the decisions on articles in a form in which runs of all engines can be compared."""

from collections.abc import Iterable
from typing import Any

from dedup.matching.classifier import Match
from dedup.pipeline.results import Result

Verdict = tuple[str, str, str | None, float | None, tuple[tuple[str, float], ...]]
"""The id of an article, its cluster, and for a dropped one its relation, score and evidence."""


def verdict_of(name: str, match: Match | None) -> Verdict:
    """Return what became of an article in a local run, or by an index."""
    if match is None:
        return name, name, None, None, ()
    return name, match.canonical, match.relation, match.score, tuple(sorted(match.evidence.items()))


def verdict_in(row: Any) -> Verdict:
    """Return what became of an article on Spark, from its row."""
    evidence = row.evidence if row.relation else None  # that of a kept article says why it follows another
    return row.id, row.cluster, row.relation, row.score, tuple(sorted((evidence or {}).items()))


Link = tuple[str, str, float | None, tuple[tuple[str, float], ...]]
"""The id of a kept article, its storyline, and if it follows another how likely, and the evidence."""


def links_of(result: Result) -> list[Link]:
    """Return the links of a local run, in order of ids."""
    links = {match.id: match for match in result.links}
    found = []
    for a in result.kept_positions.tolist():
        name, link = result.ids[a], links.get(result.ids[a])
        evidence = tuple(sorted(link.evidence.items())) if link else ()
        found.append((name, result.verdict(a)["storyline"], link.score if link else None, evidence))
    return sorted(found)


def links_in(rows: Iterable[Any]) -> list[Link]:
    """Return the links of a run on Spark, in order of ids."""
    return sorted(
        (
            row.id,
            row.storyline,
            row.probability,
            tuple(sorted((row.evidence or {}).items())) if row.follows else (),
        )
        for row in rows
        if row.canonical
    )
