"""A calibration → what a person reads: scores before and after, the learning curve, and a verdict in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from dedup.cli.render import columns
from dedup.formatting import counted

if TYPE_CHECKING:
    from dedup.evaluation.calibration import Calibration

__all__ = ["calibration_shown", "verdict"]


def calibration_shown(found: Calibration, settled: int) -> Iterator[RenderableType]:
    """Yield the scores on stories (or storylines) held back, the learning curve, and the verdict."""
    level = found.model.level
    table = columns(f"pairs of {name_groups(level)} held back", "log loss", "F1", "precision", "recall")
    for name, j in ((f"{level} model in force", found.before), ("fitted to the others", found.after)):
        table.add_row(
            Text(name),
            f"{j.log_loss:.4f}",
            Text(f"{j.f1:.3f}", "bold"),
            f"{j.precision:.3f}",
            f"{j.recall:.3f}",
        )
    yield table
    yield ""
    learning = columns("learned from", "log loss", "F1")
    for stage in found.curve:
        learning.add_row(f"{counted(stage.pairs, 'pair')}", f"{stage.log_loss:.4f}", f"{stage.f1:.3f}")
    yield learning
    told = f"{counted(found.pairs, 'labelled pair')} of {counted(found.stories, level)}, {found.same:,} of one {level}"
    copies = (
        f"; {settled:,} more never reach the model (copies, templates, too short, too far apart)"
        if settled
        else ""
    )
    yield f"\n{told}{copies}"
    yield Text(verdict(found), "bold green" if found.helped else "bold yellow")


def name_groups(level: str) -> str:
    """Return what a model of a level puts articles into: stories or storylines."""
    return {"story": "stories", "storyline": "storylines"}[level]


def verdict(found: Calibration) -> str:
    """Return in a sentence or two whether the labels helped, and whether more would."""
    groups = name_groups(found.model.level)
    if found.helped:
        more = (
            "More of the same would hardly improve it."
            if found.enough
            else "The second half of them still improved it: more are likely to help."
        )
        return (
            f"These labels helped: on {groups} held back the log loss fell by more than chance would have it, and F1 at the "
            f"threshold went from {found.before.f1:.3f} to {found.after.f1:.3f}. {more}"
        )
    return (
        f"These labels did not help: on {groups} held back the log loss fell by no more than chance would have it. "
        "The model stays as it is."
    )
