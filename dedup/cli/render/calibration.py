"""A calibration → what a person reads: scores before and after, the learning curve, and a verdict in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from dedup.cli.render import build_number_table
from dedup.formatting import format_count

if TYPE_CHECKING:
    from dedup.evaluation.calibration import Calibration

__all__ = ["format_calibration_verdict", "render_calibration"]


def render_calibration(calibration: Calibration, settled: int) -> Iterator[RenderableType]:
    """Yield the scores on stories (or storylines) held back, the learning curve, and the verdict."""
    level = calibration.model.level
    table = build_number_table(
        f"pairs of {get_level_plural(level)} held back", "log loss", "F1", "precision", "recall"
    )
    for name, j in (
        (f"{level} model in force", calibration.before),
        ("fitted to the others", calibration.after),
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
    learning = build_number_table("learned from", "log loss", "F1")
    for stage in calibration.curve:
        learning.add_row(f"{format_count(stage.pairs, 'pair')}", f"{stage.log_loss:.4f}", f"{stage.f1:.3f}")
    yield learning
    pairs, stories = (
        format_count(calibration.pairs, "labelled pair"),
        format_count(calibration.stories, level),
    )
    told = f"{pairs} of {stories}, {calibration.same:,} of one {level}"
    copies = (
        f"; {settled:,} more never reach the model (copies, templates, too short, too far apart)"
        if settled
        else ""
    )
    yield f"\n{told}{copies}"
    yield Text(format_calibration_verdict(calibration), "bold green" if calibration.helped else "bold yellow")


def get_level_plural(level: str) -> str:
    """Return what a model of a level puts articles into: stories or storylines."""
    return {"story": "stories", "storyline": "storylines"}[level]


def format_calibration_verdict(calibration: Calibration) -> str:
    """Return in a sentence or two whether the labels helped, and whether more would."""
    groups = get_level_plural(calibration.model.level)
    if calibration.helped:
        more = (
            "More of the same would hardly improve it."
            if calibration.enough
            else "The second half of them still improved it: more are likely to help."
        )
        return (
            f"These labels helped: on {groups} held back the log loss fell by more than chance would have it, and F1 at the "
            f"threshold went from {calibration.before.f1:.3f} to {calibration.after.f1:.3f}. {more}"
        )
    return (
        f"These labels did not help: on {groups} held back the log loss fell by no more than chance would have it. "
        "The model stays as it is."
    )
