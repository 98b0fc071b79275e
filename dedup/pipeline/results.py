"""Assignments → results that people and programs read: clusters, kept, dropped.

In: the identities of the articles and what became of each. Out: a `Result`, whose parts are made when they are asked for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.matching.classifier import FOLLOWUP, NO_RELATION, REWRITE, Match
from dedup.matching.clustering import Assignments
from dedup.matching.evidence import EVIDENCE_NAMES, FEATURES_START
from dedup.settings.settings import RELATIONS, Settings

FOLLOWUP_NAME = RELATIONS[FOLLOWUP]
MODEL_RELATIONS = RELATIONS[REWRITE:]
"""The relations that a model decides."""
UNDATED_SORT_KEY = np.iinfo(np.int64).max
"""Where an undated article stands among dates: after all of them."""
SCORE_DIGITS = 4
"""Scores and evidence are shown to so many digits."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A story told more than once: the article that is kept and those that repeat it, in rank order."""

    canonical: str
    duplicates: tuple[Match, ...]
    storyline: str = ""
    """The id of the first article of the affair: the canonical's own where it begins one."""

    @property
    def size(self) -> int:
        """Return the number of articles, the canonical among them: two or more."""
        return 1 + len(self.duplicates)

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the ids of all articles, the canonical first."""
        return (self.canonical, *(match.id for match in self.duplicates))


@dataclass(frozen=True)
class Result:
    """What became of a corpus of n articles, by position in the order of input."""

    articles: pa.Table
    """n rows: id, title, source, published. Ids are unique, but for an article that was given twice."""
    assignments: Assignments
    order: np.ndarray
    """The positions in rank order; articles given twice are in it once."""
    duplicate_of_input: np.ndarray
    """n, int64: the position of the first giving of the same article (same id, same text); -1 for that first itself."""
    settings: Settings
    warnings: dict[str, int] = field(default_factory=dict)
    """Sentences for the user, with how often each applied."""

    @cached_property
    def ids(self) -> list[str]:
        """Return the ids by position."""
        return self.articles["id"].to_pylist()

    @cached_property
    def kept(self) -> list[str]:
        """Return the ids of the articles kept, in the order of input."""
        return [self.ids[a] for a in self.kept_positions.tolist()]

    @property
    def kept_positions(self) -> np.ndarray:
        """Return the positions of the articles kept."""
        return np.flatnonzero((self.assignments.relations == NO_RELATION) & (self.duplicate_of_input < 0))

    @cached_property
    def dropped(self) -> list[Match]:
        """Return why each other article is dropped, in the order of input."""
        return [self.get_match(a) for a in np.flatnonzero(self.assignments.relations != NO_RELATION).tolist()]

    @cached_property
    def links(self) -> list[Match]:
        """Return, in the order of input, how each kept article that follows another does: its relation is `followup`."""
        followers = self.assignments.is_follower() & (self.duplicate_of_input < 0)
        return [self.get_link(a) for a in np.flatnonzero(followers).tolist()]

    @cached_property
    def storylines(self) -> list[tuple[str, ...]]:
        """Return the ids of the kept articles of each storyline of two or more, in rank order; the longest first."""
        return [tuple(self.ids[a] for a in stories) for stories in self.list_storyline_positions()]

    def list_storyline_positions(self) -> list[list[int]]:
        """Return the positions of the kept articles of each storyline of two or more, as `storylines` has their ids."""
        kept = self.order[self.assignments.relations[self.order] == NO_RELATION]
        members: dict[int, list[int]] = {}
        for a, first in zip(kept.tolist(), self.assignments.storylines[kept].tolist(), strict=True):
            members.setdefault(first, []).append(a)
        return sorted((stories for stories in members.values() if len(stories) > 1), key=len, reverse=True)

    def list_chapters(self) -> list[list[int]]:
        """Return the same positions as a reader follows an affair: each storyline by date, its undated articles last."""
        dates = pc.fill_null(self.articles["published"].cast(pa.int64()), UNDATED_SORT_KEY).to_pylist()
        return [sorted(stories, key=dates.__getitem__) for stories in self.list_storyline_positions()]

    def count_followups(self) -> tuple[int, int]:
        """Return how many kept articles follow another, and how many storylines they make."""
        followers = self.assignments.is_follower() & (self.duplicate_of_input < 0)
        return int(np.count_nonzero(followers)), len(np.unique(self.assignments.storylines[followers]))

    @cached_property
    def clusters(self) -> list[Cluster]:
        """Return the clusters of two or more, largest first, equals by rank of their canonical."""
        return [
            Cluster(
                self.ids[members[0]],
                tuple(self.get_match(a) for a in members[1:]),
                self.ids[self.assignments.storylines[members[0]]],
            )
            for members in self.list_cluster_positions()
        ]

    def list_cluster_positions(self) -> list[list[int]]:
        """Return the positions of each cluster of two or more, canonical first, largest cluster first."""
        positions, ends = self.flatten_cluster_positions()
        return [group.tolist() for group in np.split(positions, ends[:-1])] if len(ends) else []

    def flatten_cluster_positions(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the groups (int64) end to end, and where each ends: of many, what lists of them take a tenth of."""
        made = self.assignments
        members = self.order[made.relations[self.order] != NO_RELATION]
        leaders = made.leaders[members]
        rank, sizes = (
            np.empty(len(self.articles), np.int64),
            np.bincount(leaders, minlength=len(self.articles)),
        )
        rank[self.order] = np.arange(len(self.order))
        heads = np.flatnonzero(sizes)
        heads = heads[np.lexsort((rank[heads], -sizes[heads]))]
        place = rank
        place[heads] = np.arange(len(heads))
        by_group = np.argsort(place[np.concatenate([heads, leaders])], kind="stable")
        return np.concatenate([heads, members])[by_group], np.cumsum(1 + sizes[heads])

    def get_match(self, a: int) -> Match:
        """Return the match that condemned the article at position `a`; it must have been dropped."""
        return self.make_match(a, self.ids[a], self.ids[self.assignments.leaders[a]])

    def make_match(self, a: int, name: str, canonical: str) -> Match:
        """Return the match that condemned the article at position `a`, whose id and that of the article it repeats are known."""
        return Match(
            id=name,
            canonical=canonical,
            relation=RELATIONS[self.assignments.relations[a]],
            score=self.get_score(a),
            evidence=self.get_evidence(a),
        )

    def get_link(self, a: int) -> Match:
        """Return how the article at position `a` follows the first of its storyline; it must be kept, and not be that one."""
        return Match(
            id=self.ids[a],
            canonical=self.ids[self.assignments.storylines[a]],
            relation=FOLLOWUP_NAME,
            score=self.get_score(a),
            evidence=to_evidence_dict(self.assignments.get_evidence_rows(a), FOLLOWUP_NAME),
        )

    def get_evidence(self, a: int) -> dict[str, float]:
        """Return the evidence against the article at position `a`, which must have been dropped."""
        return to_evidence_dict(
            self.assignments.get_evidence_rows(a), RELATIONS[self.assignments.relations[a]]
        )

    def get_score(self, a: int) -> float:
        """Return the score of the article at position `a`, as it is shown."""
        return round(float(self.assignments.scores[a]), SCORE_DIGITS)

    def verdict(self, a: int) -> dict[str, Any]:
        """Return the `dedup` object of the article at position `a`, as it is written out."""
        made = self.assignments
        is_kept = made.relations[a] == NO_RELATION
        first = int(made.storylines[a])
        return build_verdict_object(
            self.ids[made.leaders[a]],
            None if is_kept else RELATIONS[made.relations[a]],
            None if is_kept else self.get_score(a),
            self.ids[first],
            (self.ids[first], self.get_score(a)) if is_kept and first != a else None,
        )

    def __iter__(self) -> Iterator[tuple[str, Match | None]]:
        """Yield (id, match) in the order of input; no match: the article is kept."""
        for a, article in enumerate(self.ids):
            yield article, None if self.assignments.relations[a] == NO_RELATION else self.get_match(a)


def build_verdict_object(
    cluster: str,
    relation: str | None,
    score: float | None,
    storyline: str,
    follows: tuple[str, float] | None,
) -> dict[str, Any]:
    """Return the `dedup` object of an article; `follows` is the kept article that a kept one follows, and how likely."""
    found: dict[str, Any] = {
        "cluster": cluster,
        "canonical": relation is None,
        "relation": relation,
        "score": score,
        "storyline": storyline,
    }
    if follows:
        found["follows"] = {"id": follows[0], "probability": follows[1]}
    return found


def to_evidence_dict(row: np.ndarray, relation: str) -> dict[str, float]:
    """Return a row of evidence by name, rounded; the models' features only where they decided."""
    names = EVIDENCE_NAMES if relation in MODEL_RELATIONS else EVIDENCE_NAMES[:FEATURES_START]
    return dict(zip(names, np.round(np.asarray(row, np.float64), SCORE_DIGITS).tolist(), strict=False))
