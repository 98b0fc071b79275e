"""Read the labels that --gold or --pairs names, and describe the answers that are missing from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dedup.formatting import format_count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedup.evaluation.ground_truth import PairTruth, StoryTruth
    from dedup.io.corpus import Corpus
    from dedup.pipeline.results import Result

__all__ = ["check_label_options", "describe_missing_answers", "read_ground_truth"]


def check_label_options(gold: str | None, open_: str | None, pairs: str | None) -> None:
    """Raise `UsageError` unless exactly one of --gold and --pairs is given."""
    if (gold is None) == (pairs is None):
        raise click.UsageError("Choose the labels with either --gold FIELD or --pairs FILE.")
    if open_ is not None and gold is None:
        raise click.UsageError("--open needs --gold; in a file of pairs, open pairs have the label open.")


def read_ground_truth(
    corpus: Corpus, result: Result, gold: str | None, open_: str | None, pairs: str | None
) -> StoryTruth | PairTruth:
    """Return the labels of a corpus, by position; `InputError` if it has none."""
    from dedup.errors import InputError
    from dedup.evaluation.ground_truth import PairTruth, StoryTruth
    from dedup.evaluation.metrics import read_label_fields
    from dedup.evaluation.pair_labels import find_labelled_pairs, read_pair_labels

    if pairs is not None:
        level = result.settings.level
        pair_labels = find_labelled_pairs(read_pair_labels(pairs), result.ids, level)
        if not len(pair_labels.together):
            kinds = ((pair_labels.unknown, "with unknown ids"), (pair_labels.open, f"open at level {level}"))
            others = ", ".join(f"{number:,} {kind}" for number, kind in kinds if number)
            raise InputError(f"{pairs} has no labelled pair of this corpus{f' ({others})' if others else ''}")
        return PairTruth.from_labels(pair_labels)
    labels, *opened = read_label_fields(corpus.iter_records(), *filter(None, [gold, open_]))
    return StoryTruth(labels, opened[0] if opened else [None] * len(labels))


def describe_missing_answers(truth: StoryTruth | PairTruth, level: str) -> Iterator[str]:
    """Yield a sentence for each answer that the labels lack, with the consequence for a model of the level."""
    from dedup.evaluation.ground_truth import PairTruth
    from dedup.evaluation.pair_labels import ANSWER_DIFFERENT, ANSWER_FOLLOWUP, ANSWER_NOT_SAME, ANSWER_SAME

    if not isinstance(truth, PairTruth):
        return
    answers = truth.pairs.answers
    by_storyline = level == "storyline"
    if answers.get(ANSWER_NOT_SAME) and by_storyline:
        yield (
            f"Counted as open at level storyline: {format_count(answers[ANSWER_NOT_SAME], 'pair')} labelled only as not "
            "the same story (same: false)."
        )
    if answers.get(ANSWER_NOT_SAME) and not by_storyline and not answers.get(ANSWER_FOLLOWUP):
        yield (
            "The labels do not mark follow-ups (label: followup), so the scores do not show how well the model separates "
            "follow-ups from rewrites."
        )
    elif not answers.get(ANSWER_FOLLOWUP):
        yield "The labels contain no follow-ups, so the model cannot learn to separate them from " + (
            "unrelated stories." if by_storyline else "rewrites."
        )
    if not answers.get(ANSWER_SAME) and by_storyline:
        yield "The labels contain no pairs of the same story, so the model learns from follow-ups alone."
    if not answers.get(ANSWER_DIFFERENT) and not answers.get(ANSWER_NOT_SAME):
        yield "The labels contain no pairs of different stories, so the model cannot learn to separate them."
