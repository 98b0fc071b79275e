"""Tell from labels whether two articles belong together; the labels are of articles or of pairs.

A `GroundTruth` holds labels by position for one level: at storyline, articles of one storyline belong
together, at the other levels only those of one story. It compares a pair, lists the pairs that a clustering
splits wrongly, and scores a result.
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
"""The most clusters of one story that are compared: the first in input order."""


@dataclass(frozen=True, slots=True)
class StoryTruth:
    """By position, a label for each article and an open group, within which pairs of different labels are not scored."""

    labels: Labels
    open_groups: Labels

    def are_together(self, a: int, b: int) -> bool | None:
        """Return whether two articles have the same label; None if one has none, or if the pair is open."""
        return compare_labels(self.labels, self.open_groups, a, b)

    def iter_split_story_pairs(self, leaders: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield a pair for each two clusters that share a story: its first article in each."""
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
    """Labelled pairs; all other pairs are open."""

    pairs: LabelledPairs
    together: Mapping[tuple[int, int], bool]

    @classmethod
    def from_labels(cls, pairs: LabelledPairs) -> PairTruth:
        """Return the ground truth of labelled pairs."""
        rows = zip(pairs.left.tolist(), pairs.right.tolist(), pairs.together.tolist(), strict=True)
        return cls(pairs, {(min(a, b), max(a, b)): together for a, b, together in rows})

    def are_together(self, a: int, b: int) -> bool | None:
        """Return whether a pair is labelled as belonging together; None if it has no label."""
        return self.together.get((min(a, b), max(a, b)))

    def iter_split_story_pairs(self, leaders: Sequence[int]) -> Iterator[tuple[int, int]]:
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
"""Labels of articles or of pairs."""
