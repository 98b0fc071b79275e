"""Render a calibration: scores before and after, the learning curve, and a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from dedup.cli.render import AMBER, GREEN, build_number_table
from dedup.formatting import format_count

if TYPE_CHECKING:
    from dedup.evaluation.model_refit import ModelRefit

__all__ = ["format_calibration_outcome", "render_calibration"]


def render_calibration(calibration: ModelRefit, settled: int) -> Iterator[RenderableType]:
    """Yield the scores on held-out stories (or storylines), the learning curve and the verdict."""
    level = calibration.model.level
    table = build_number_table(f"held-out {get_level_plural(level)}", "log loss", "F1", "precision", "recall")
    for name, j in (
        (f"current {level} model", calibration.before),
        ("fitted model", calibration.after),
    ):
        table.add_row(
            Text(name),
            f"{j.log_loss:.4f}",
            Text(f"{j.f1:.3f}", "bold"),
            f"{j.precision:.3f}",
            f"{j.recall:.3f}",
        )
    yield table
    yield ""
    learning = build_number_table("training pairs", "log loss", "F1")
    for stage in calibration.curve:
        learning.add_row(f"{format_count(stage.pairs, 'pair')}", f"{stage.log_loss:.4f}", f"{stage.f1:.3f}")
    yield learning
    pairs, stories = (
        format_count(calibration.pairs, "labelled pair"),
        format_count(calibration.stories, level),
    )
    copies = (
        f"; {settled:,} more never reach the model (copies, templates, too short, too far apart)"
        if settled
        else ""
    )
    yield f"\n{pairs} of {stories}, {calibration.same:,} of the same {level}{copies}"
    yield Text(format_calibration_outcome(calibration), f"bold {GREEN if calibration.helped else AMBER}")


def get_level_plural(level: str) -> str:
    """Return the plural of a level: stories or storylines."""
    return {"story": "stories", "storyline": "storylines"}[level]


def format_calibration_outcome(calibration: ModelRefit) -> str:
    """Return whether the labels improved the model, and whether more are likely to."""
    groups = get_level_plural(calibration.model.level)
    if calibration.helped:
        more = (
            "More labels of this kind are unlikely to improve it further."
            if calibration.enough
            else "The second half of the labels still improved it, so more are likely to help."
        )
        return (
            f"The labels improved the model: on held-out {groups} the log loss fell by more than chance explains, and F1 at "
            f"the threshold went from {calibration.before.f1:.3f} to {calibration.after.f1:.3f}. {more}"
        )
    return (
        f"The labels did not improve the model: on held-out {groups} the log loss fell by no more than chance explains. "
        "The model stays unchanged."
    )
