"""What the options say is known of a corpus → a `GroundTruth` at the level in force, and what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.evaluation.ground_truth import PairTruth, StoryTruth
    from dedup.io.corpus import Corpus
    from dedup.pipeline.results import Result

__all__ = ["check_label_options", "describe_missing_answers", "read_ground_truth"]


def check_label_options(gold: str | None, open_: str | None, pairs: str | None) -> None:
    """Raise `UsageError` unless labels come from one place."""
    if (gold is None) == (pairs is None):
        raise click.UsageError("Say where the labels are: --gold FIELD, or --pairs FILE.")
    if open_ is not None and gold is None:
        raise click.UsageError("--open goes with --gold; a file of pairs says itself which are open.")


def read_ground_truth(
    corpus: Corpus, result: Result, gold: str | None, open_: str | None, pairs: str | None
) -> StoryTruth | PairTruth:
    """Return what is known of a corpus, by position; `InputError` where it is nothing."""
    from dedup.errors import InputError
    from dedup.evaluation.ground_truth import PairTruth, StoryTruth
    from dedup.evaluation.metrics import read_label_fields
    from dedup.evaluation.pair_labels import find_labelled_pairs, read_pair_labels

    if pairs is not None:
        level = result.settings.level
        found = find_labelled_pairs(read_pair_labels(pairs), result.ids, level)
        if not len(found.together):
            open_too = f", {found.open:,} are left open at level {level}" if found.open else ""
            raise InputError(
                f"{pairs} has no labelled pair of this corpus ({found.unknown:,} are of others{open_too})"
            )
        return PairTruth.from_labels(found)
    labels, *opened = read_label_fields(corpus.iter_records(), *filter(None, [gold, open_]))
    return StoryTruth(labels, opened[0] if opened else [None] * len(labels))


def describe_missing_answers(truth: StoryTruth | PairTruth, level: str) -> Iterator[str]:
    """Yield a sentence on each answer that labelled pairs lack, and on what a model of the level cannot learn without it."""
    from dedup.evaluation.ground_truth import PairTruth
    from dedup.evaluation.pair_labels import ANSWER_DIFFERENT, ANSWER_FOLLOWUP, ANSWER_NOT_SAME, ANSWER_SAME

    if not isinstance(truth, PairTruth):
        return
    answers = truth.pairs.answers
    by_storyline = level == "storyline"
    if answers.get(ANSWER_NOT_SAME) and by_storyline:
        yield (
            f"{answers[ANSWER_NOT_SAME]:,} pairs say only that they are not the same story (same: "
            "false); at level storyline they are "
            "left open."
        )
    if answers.get(ANSWER_NOT_SAME) and not by_storyline and not answers.get(ANSWER_FOLLOWUP):
        yield (
            "The labels do not say which pairs are follow-ups (label: followup), so it is not known how well the model learns "
            "to tell chapters from retellings."
        )
    elif not answers.get(ANSWER_FOLLOWUP):
        yield "The labels hold no follow-ups, so the model cannot learn to tell " + (
            "chapters of one affair from different stories." if by_storyline else "chapters from retellings."
        )
    if not answers.get(ANSWER_SAME) and by_storyline:
        yield "The labels hold no pair of the same story, so the model learns from chapters alone what belongs together."
    if not answers.get(ANSWER_DIFFERENT) and not answers.get(ANSWER_NOT_SAME):
        yield "The labels hold no different stories, so the model cannot learn to tell one affair from another."
