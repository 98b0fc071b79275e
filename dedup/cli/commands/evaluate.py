"""`dedup evaluate`: a corpus and labels → how well they agree, at which threshold best, and the worst mistakes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.messages import oddities, print_json, report_rejects, tell
from dedup.cli.options import (
    Command,
    corpora,
    corpus_options,
    json_option,
    labels_options,
    rejects_option,
    settings_options,
)
from dedup.cli.progress import interruptible, prepare, run_apart

if TYPE_CHECKING:
    from dedup.settings.settings import Settings

__all__ = ["evaluate"]

SCORES = ("f1", "precision", "recall", "b3_f1", "b3_precision", "b3_recall", "ari", "v_measure")
"""What `--floor` may ask for."""


def floors(
    _context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]
) -> Mapping[str, float]:
    """Return the pairs SCORE=NUMBER as a mapping, or fail with the one that is none."""
    found = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise click.BadParameter(f"{pair!r} is not of the form SCORE=NUMBER, as f1=.85.") from None
        if name not in SCORES:
            raise click.BadParameter(f"{name!r} is none of {', '.join(SCORES)}.")
    return found


@click.command(
    cls=Command,
    section="Tune",
    examples=(
        "dedup evaluate news.jsonl --gold story --curve",
        "dedup evaluate news.jsonl --pairs labels.jsonl --html scores.html",
        "dedup evaluate news.jsonl --gold story --floor f1=.85 --floor b3_f1=.9",
    ),
)
@corpora
@labels_options
@click.option(
    "--curve",
    is_flag=True,
    help="Score two dozen values of the probability that a match at this level needs as well, and mark the best; show how far "
    "the model's probabilities mean what they say.",
)
@click.option(
    "--examples",
    type=click.IntRange(0, 1000),
    default=5,
    show_default=True,
    metavar="N",
    help="Show so many of the worst mistakes of either kind, with ids for dedup explain.",
)
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write all of it, the curve too, into one page to look at.",
)
@click.option(
    "--floor",
    multiple=True,
    metavar="SCORE=NUMBER",
    callback=floors,
    help="Exit with 1 if a score is lower: f1=.85, precision, recall, b3_f1, ari, ...; repeat it for more.",
)
@json_option
@settings_options
@rejects_option
@corpus_options
def evaluate(
    paths: tuple[str, ...],
    gold: str | None,
    open_: str | None,
    pairs: str | None,
    curve: bool,
    examples: int,
    html: str | None,
    floor: Mapping[str, float],
    as_json: bool,
    settings: Settings,
    rejects: str | None,
    quiet: bool,
    **reading: Any,
) -> None:
    """Score the clusters against labels; show the worst mistakes.

    Pairwise F1, B³, adjusted Rand index, V-measure, and how many drops of each relation are right.

    Labels are a field of the articles (--gold) or a file of pairs (--pairs). What has no label is left out of
    the scores. They count at the level in force: at text and story, a pair labelled followup belongs apart; at
    storyline, together.
    """
    prepare()
    from dedup import read_articles
    from dedup.cli.label_options import check_labels, truth_of
    from dedup.evaluation import metrics
    from dedup.evaluation.tuning import study
    from dedup.pipeline import writers

    check_labels(gold, open_, pairs)
    corpus = read_articles(*paths, **reading)
    for place in (rejects, html):
        writers.check_place(place, corpus)
    given, done = run_apart(corpus, settings, quiet=quiet)
    report_rejects(corpus, None, rejects, quiet=quiet)
    truth = truth_of(corpus, done.result, gold, open_, pairs)
    found = interruptible(
        lambda: study(given, done.result, truth, examples, thorough=curve or html is not None)
    )
    if curve and settings.level == "text":
        tell("At level text no model decides: there is no curve.", quiet=quiet)
    if html is not None:
        from dedup.io.atomic_write import atomic_output
        from dedup.reports.html.tuning_page import page

        with atomic_output(html) as file:
            file.write(page(found, done.result).encode())
    if as_json or not sys.stdout.isatty():
        print_json(
            {
                "level": found.level,
                **asdict(found.scores),
                **{name: value for name, value in asdict(found).items() if name not in {"level", "scores"}},
            }
        )
    else:
        from dedup.cli.render import show
        from dedup.cli.render.scores import study_shown

        show(study_shown(found))
    tell("\n".join(oddities(done, corpus)), quiet=quiet)
    missed = metrics.below(found.scores, floor)
    if missed:
        raise click.ClickException("; ".join(missed))
