"""Say whether two articles belong together by their labels, whether each article has one or only pairs have.

A `GroundTruth` holds labels by position, as they count at the level in force: pairs of one storyline belong together, or only
pairs of one story. It judges a pair, lists the pairs that a clustering wrongly splits, and scores a result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

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
"""The most clusters of one story that are looked at: its first in order of input."""


@dataclass(frozen=True, slots=True)
class StoryTruth:
    """A label for each article, and a group within which other pairs are open, by position."""

    labels: Labels
    open_groups: Labels

    def are_together(self, a: int, b: int) -> bool | None:
        """Return whether two articles have the same label; None where one has none, or the pair is open."""
        return compare_labels(self.labels, self.open_groups, a, b)

    def iter_split_pairs(self, leaders: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield a pair for each two clusters that a story is split into: its first article in each."""
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
    """Labelled pairs; all others are open."""

    pairs: LabelledPairs
    together: Mapping[tuple[int, int], bool]

    @classmethod
    def from_labels(cls, pairs: LabelledPairs) -> PairTruth:
        """Return the ground truth that labelled pairs make."""
        rows = zip(pairs.left.tolist(), pairs.right.tolist(), pairs.together.tolist(), strict=True)
        return cls(pairs, {(min(a, b), max(a, b)): together for a, b, together in rows})

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


GroundTruth = StoryTruth | PairTruth
"""What is known of a corpus."""
