"""`dedup evaluate`: a corpus and labels → how well they agree, at which threshold best, and the worst mistakes."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.messages import echo_status, iter_run_warnings, print_json, report_rejects
from dedup.cli.options import (
    Command,
    corpus_argument,
    corpus_options,
    json_option,
    labels_options,
    rejects_option,
    settings_options,
)
from dedup.cli.progress import prepare_libraries, run_and_keep_sketches, run_interruptibly

if TYPE_CHECKING:
    from dedup.settings.settings import Settings

__all__ = ["evaluate_command"]

SCORES = ("f1", "precision", "recall", "b3_f1", "b3_precision", "b3_recall", "ari", "v_measure")
"""What `--floor` may ask for."""


def parse_floors(
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
    name="evaluate",
    cls=Command,
    section="Tune",
    examples=(
        "dedup evaluate news.jsonl --gold story --curve",
        "dedup evaluate news.jsonl --pairs labels.jsonl --html scores.html",
        "dedup evaluate news.jsonl --gold story --floor f1=.85 --floor b3_f1=.9",
    ),
)
@corpus_argument
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
    callback=parse_floors,
    help="Exit with 1 if a score is lower: f1=.85, precision, recall, b3_f1, ari, ...; repeat it for more.",
)
@json_option
@settings_options
@rejects_option
@corpus_options
def evaluate_command(
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
    prepare_libraries()
    from dedup import read_articles
    from dedup.cli.label_options import check_label_options, read_ground_truth
    from dedup.evaluation import metrics
    from dedup.evaluation.tuning import build_tuning_report
    from dedup.pipeline import writers

    check_label_options(gold, open_, pairs)
    corpus = read_articles(*paths, **reading)
    for place in (rejects, html):
        writers.check_output_path(place, corpus)
    given, done = run_and_keep_sketches(corpus, settings, quiet=quiet)
    report_rejects(corpus, None, rejects, quiet=quiet)
    truth = read_ground_truth(corpus, done.result, gold, open_, pairs)
    found = run_interruptibly(
        lambda: build_tuning_report(given, done.result, truth, examples, thorough=curve or html is not None)
    )
    if curve and settings.level == "text":
        echo_status("At level text no model decides: there is no curve.", quiet=quiet)
    if html is not None:
        from dedup.io.atomic_write import open_atomic
        from dedup.reports.html.tuning_page import render_tuning_page

        with open_atomic(html) as file:
            file.write(render_tuning_page(found, done.result))
    if as_json or not sys.stdout.isatty():
        print_json(
            {
                "level": found.level,
                **asdict(found.scores),
                **{name: value for name, value in asdict(found).items() if name not in {"level", "scores"}},
            }
        )
    else:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.scores import render_evaluation

        print_renderables(render_evaluation(found))
    echo_status("\n".join(iter_run_warnings(done, corpus)), quiet=quiet)
    missed = metrics.find_failed_floors(found.scores, floor)
    if missed:
        raise click.ClickException("; ".join(missed))
