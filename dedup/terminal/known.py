"""What the options say is known of a corpus → a `Truth`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dedup.corpus import Corpus
    from dedup.results import Result
    from dedup.truth import Pairs, Stories

__all__ = ["check_labels", "truth_of"]


def check_labels(gold: str | None, open_: str | None, pairs: str | None) -> None:
    """Raise `UsageError` unless labels come from one place."""
    if (gold is None) == (pairs is None):
        raise click.UsageError("Say where the labels are: --gold FIELD, or --pairs FILE.")
    if open_ is not None and gold is None:
        raise click.UsageError("--open goes with --gold; a file of pairs says itself which are open.")


def truth_of(
    corpus: Corpus, result: Result, gold: str | None, open_: str | None, pairs: str | None
) -> Stories | Pairs:
    """Return what is known of a corpus, by position; `InputError` where it is nothing."""
    from dedup.errors import InputError
    from dedup.evaluation import labels_in
    from dedup.labels import find, read_labels
    from dedup.truth import Pairs, Stories

    if pairs is not None:
        found = find(read_labels(pairs), result.ids)
        if not len(found.same):
            raise InputError(f"{pairs} has no labelled pair of this corpus ({found.unknown:,} are of others)")
        return Pairs.of(found)
    labels, *opened = labels_in(corpus.records(), *filter(None, [gold, open_]))
    return Stories(labels, opened[0] if opened else [None] * len(labels))
