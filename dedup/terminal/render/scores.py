"""Scores → tables: how well clusters and labels agree, and what the labels say of each relation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from dedup.phrases import counted
from dedup.terminal.render import RELATION_STYLES, columns

if TYPE_CHECKING:
    from dedup.evaluation import Evaluation

__all__ = ["scores_shown"]


def scores_shown(scores: Evaluation) -> Iterator[RenderableType]:
    """Yield the scores, the counts of each relation, and what they were computed from."""
    agreements = columns("", "F1", "precision", "recall")
    for name, a in (("pairwise", scores.pairwise), ("B³", scores.b_cubed)):
        agreements.add_row(Text(name), Text(f"{a.f1:.3f}", "bold"), f"{a.precision:.3f}", f"{a.recall:.3f}")
    yield agreements
    yield ""
    relations = columns("", "dropped", "right", "wrong", "open")
    for name, drops in scores.relations.items():
        wrong = Text(f"{drops.wrong:,}", "red" if drops.wrong else "")
        relations.add_row(
            Text(name, RELATION_STYLES[name]),
            f"{drops.dropped:,}",
            f"{drops.right:,}",
            wrong,
            f"{drops.open:,}",
        )
    yield relations
    unlabelled = f"; {scores.unlabelled:,} without a label left out" if scores.unlabelled else ""
    told = f"{counted(scores.articles, 'article')} in {counted(scores.stories, 'story')}"
    yield f"\n{told}, {counted(scores.clusters, 'cluster')} found{unlabelled}"
