"""Labels → what they say of any two articles, whether they came as stories or as pairs.

In: a label for each article, or a file's labelled pairs, by position, as they count at the level in force: then pairs of one
storyline belong together, or of one story alone. Out: a `GroundTruth`: it judges a pair, names pairs that belong together and
that a clustering holds apart, and scores a result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

from dedup.evaluation.metrics import (
    Evaluation,
    Labels,
    PairEvaluation,
    compare_labels,
    evaluate,
    evaluate_pairs,
)
from dedup.evaluation.pair_labels import LabelledPairs
from dedup.pipeline.results import Result

__all__ = ["GroundTruth", "PairTruth", "StoryTruth"]

MAX_SPLIT_CLUSTERS = 40
"""Of a story in so many clusters and more, so many are looked at: they are its first in order of input."""


class GroundTruth(Protocol):
    """What is known of a corpus."""

    def are_together(self, a: int, b: int) -> bool | None:
        """Return whether two articles belong together; None where that is open."""

    def iter_split_pairs(self, leaders: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield pairs that belong together and lie in different clusters."""

    def score_result(self, result: Result) -> Evaluation | PairEvaluation:
        """Return how well a result agrees with what is known."""


@dataclass(frozen=True, slots=True)
class StoryTruth:
    """A label for each article, and what leaves pairs open, by position."""

    labels: Labels
    open_groups: Labels

    def are_together(self, a: int, b: int) -> bool | None:
        """Return whether two articles have the same label; None where one has none, or the pair is open."""
        return {"right": True, "wrong": False}.get(compare_labels(self.labels, self.open_groups, a, b))

    def iter_split_pairs(self, leaders: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield for each two clusters that a story lies in an article of it from each: the first of the story there."""
        parts: dict[object, dict[int, int]] = {}
        for a, label in enumerate(self.labels):
            if label is not None:
                parts.setdefault(label, {}).setdefault(leaders[a], a)
        for firsts in parts.values():
            yield from combinations(list(firsts.values())[:MAX_SPLIT_CLUSTERS], 2)

    def score_result(self, result: Result) -> Evaluation:
        """Return the scores of a clustering."""
        return evaluate(result, self.labels, self.open_groups)


@dataclass(frozen=True, slots=True)
class PairTruth:
    """Labelled pairs, and nothing of all others."""

    pairs: LabelledPairs
    together: Mapping[tuple[int, int], bool]

    @classmethod
    def from_labels(cls, found: LabelledPairs) -> PairTruth:
        """Return labelled pairs, ready to be asked."""
        rows = zip(found.left.tolist(), found.right.tolist(), found.together.tolist(), strict=True)
        return cls(found, {(min(a, b), max(a, b)): together for a, b, together in rows})

    def are_together(self, a: int, b: int) -> bool | None:
        """Return whether a pair was labelled as one that belongs together; None where it was not labelled."""
        return self.together.get((min(a, b), max(a, b)))

    def iter_split_pairs(self, leaders: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield the pairs labelled as belonging together that lie in different clusters."""
        return (
            pair
            for pair, together in self.together.items()
            if together and leaders[pair[0]] != leaders[pair[1]]
        )

    def score_result(self, result: Result) -> PairEvaluation:
        """Return the scores of the labelled pairs."""
        return evaluate_pairs(result, self.pairs)
