"""Render an evaluation: scores, drops by relation, threshold curve and mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from shlex import quote
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from dedup.cli.render import GREEN, RELATION_STYLES, build_number_table, format_cropped_line, strip_controls
from dedup.formatting import format_count, format_percent

if TYPE_CHECKING:
    from dedup.evaluation.metrics import Evaluation, PairEvaluation
    from dedup.evaluation.tuning_report import Mistake, ThresholdScores, TuningReport

__all__ = ["render_evaluation"]

LEVEL_MEANINGS = {
    "text": "same-story pairs should be joined, but only copies can be",
    "story": "same-story pairs should be joined, follow-ups should not",
    "storyline": "same-story pairs and follow-ups should be joined",
}
"""The meaning of the labels at each level; the line fits a terminal of 80 columns."""


def render_evaluation(study: TuningReport) -> Iterator[RenderableType]:
    """Yield the level, the scores, the drops by relation, the curve, the mistakes and the number of labels."""
    yield f"scored at level {study.level}: {LEVEL_MEANINGS[study.level]}\n"
    yield from render_score_table(study.scores)
    if study.curve:
        yield ""
        yield from render_threshold_curve(study.curve)
    if study.reliability:
        yield ""
        yield from render_reliability_table(study)
    yield from render_mistake_list("False merges, most confident first", study.false_matches, study.model)
    yield from render_mistake_list("Missed matches, most confident first", study.misses, study.model)
    yield f"\n{format_score_basis(study.scores, study.model)}"


def render_score_table(scores: Evaluation | PairEvaluation) -> Iterator[RenderableType]:
    """Yield the scores and the drops by relation."""
    agreements = build_number_table("", "F1", "precision", "recall")
    b_cubed = getattr(scores, "b_cubed", None)
    for name, a in (("pairwise", scores.pairwise), *((("B³", b_cubed),) if b_cubed else ())):
        agreements.add_row(Text(name), Text(f"{a.f1:.3f}", "bold"), f"{a.precision:.3f}", f"{a.recall:.3f}")
    yield agreements
    if b_cubed:
        yield f"adjusted Rand index {scores.adjusted_rand:.3f}, V-measure {scores.v_measure:.3f}"  # type: ignore[union-attr]
    yield ""
    relations = build_number_table("", "dropped", "correct", "wrong", "open")
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


def render_threshold_curve(curve: Iterable[ThresholdScores]) -> Iterator[RenderableType]:
    """Yield a row for each threshold, with marks for the best and the current one."""
    table = build_number_table("probability", "F1", "precision", "recall", "dropped", "")
    for p in curve:
        marks = [word for word, holds in (("best", p.best), ("current", p.in_force)) if holds]
        table.add_row(
            Text(f"{p.probability:g}", "bold" if marks else ""),
            Text(f"{p.f1:.3f}", f"bold {GREEN}" if p.best else ""),
            f"{p.precision:.3f}",
            f"{p.recall:.3f}",
            f"{p.dropped:,}",
            Text("← " + ", ".join(marks) if marks else "", "bold"),
        )
    yield table
    yield Text("The best threshold was chosen on these labels, so its scores are optimistic.", "dim")


def render_reliability_table(study: TuningReport) -> Iterator[RenderableType]:
    """Yield the mean probability and the share of true matches for each range of probability, and the calibration error."""
    table = build_number_table(f"{study.model} model", "mean probability", f"same {study.model}", "pairs")
    for b in study.reliability:
        table.add_row(Text(f"{b.low:g} to {b.high:g}"), f"{b.said:.2f}", f"{b.same:.2f}", f"{b.pairs:,}")
    yield table
    yield f"calibration error of the {study.model} model: {study.calibration_error:.3f}"


def render_mistake_list(heading: str, mistakes: Iterable[Mistake], model: str) -> Iterator[RenderableType]:
    """Yield pairs of articles with ids for `dedup explain`."""
    for n, mistake in enumerate(mistakes):
        if n == 0:
            yield Text(f"\n{heading}", "bold")
        verdict = (
            f"{mistake.relation} {format_percent(mistake.score or 0)}" if mistake.relation else "not joined"
        )
        yield format_cropped_line(f"{verdict}, {model} model {format_percent(mistake.probability)}")
        for title in (mistake.title_a, mistake.title_b):
            yield format_cropped_line(f"  {title}" if title else "  no title", "dim")
        yield Text(
            f"  {quote(strip_controls(mistake.a))} {quote(strip_controls(mistake.b))}", overflow="fold"
        )


def format_score_basis(scores: Evaluation | PairEvaluation, model: str) -> str:
    """Return the numbers of articles and labels behind the scores."""
    from dedup.evaluation.metrics import Evaluation

    if isinstance(scores, Evaluation):
        unlabelled = f"; {scores.unlabelled:,} without a label ignored" if scores.unlabelled else ""
        stories = f"{format_count(scores.articles, 'article')} in {format_count(scores.stories, 'story')}"
        return f"{stories}, {format_count(scores.clusters, 'cluster')} found{unlabelled}"
    others = [
        f"; {number:,} {kind}"
        for number, kind in ((scores.open, "open"), (scores.unknown, "with unknown ids"))
        if number
    ]
    return (
        f"{format_count(scores.pairs, 'labelled pair')}, {scores.same:,} of the same {model}{''.join(others)}"
    )
