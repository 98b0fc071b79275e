"""`dedup evaluate`: a corpus and labels → how well clusters and labels agree."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from dedup.terminal.options import (
    Command,
    corpora,
    corpus_options,
    floors,
    json_option,
    rejects_option,
    settings_options,
)
from dedup.terminal.progress import run
from dedup.terminal.talk import oddities, print_json, report_rejects, tell

if TYPE_CHECKING:
    from dedup.settings import Settings

__all__ = ["evaluate"]


@click.command(cls=Command)
@corpora
@click.option(
    "--gold", required=True, metavar="FIELD", help="The field that says which story an article tells."
)
@click.option(
    "--open",
    "open_",
    metavar="FIELD",
    envvar="DEDUP_OPEN",
    help="Articles that share this field, but not their story, are neither right nor wrong together.",
)
@click.option(
    "--floor",
    multiple=True,
    metavar="SCORE=NUMBER",
    callback=floors,
    help="Exit with 1 if a score is lower: f1=.85, precision, recall, b3_f1, ...; repeat it for more.",
)
@json_option
@settings_options
@rejects_option
@corpus_options
def evaluate(
    paths: tuple[str, ...],
    gold: str,
    open_: str | None,
    floor: Mapping[str, float],
    as_json: bool,
    settings: Settings,
    rejects: str | None,
    quiet: bool,
    **reading: Any,
) -> None:
    """Score the clusters against labels: pairwise F1 and B³.

    An article without a label is left out of the score.
    """
    from dedup import evaluation, read_articles, writing

    corpus = read_articles(*paths, **reading)
    writing.check_place(rejects, corpus)
    done = run(corpus, settings, quiet=quiet)
    report_rejects(corpus, None, rejects, quiet=quiet)
    labels = evaluation.labels_in(corpus.records(), *filter(None, [gold, open_]))
    scores = evaluation.evaluate(done.result, *labels)
    if as_json or not sys.stdout.isatty():
        print_json(asdict(scores))
    else:
        from dedup.terminal.render import show
        from dedup.terminal.render.scores import scores_shown

        show(scores_shown(scores))
    tell("\n".join(oddities(done, corpus)), quiet=quiet)
    missed = evaluation.below(scores, floor)
    if missed:
        raise click.ClickException("; ".join(missed))
