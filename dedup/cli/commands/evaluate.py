"""`dedup evaluate`: score the clusters of a corpus against labels, and list the worst mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.long_work import prepare_libraries, run_and_keep_sketches, run_interruptibly
from dedup.cli.messages import echo_status, iter_run_warnings
from dedup.cli.options import (
    Command,
    add_corpus_argument,
    add_corpus_options,
    add_labels_options,
    add_rejects_options,
    add_settings_options,
)
from dedup.cli.output_format import TABLE, add_document_format_option, print_document
from dedup.cli.output_paths import check_output_paths
from dedup.cli.rejects import RejectOptions, report_rejects

if TYPE_CHECKING:
    from dedup.settings.settings import Settings

__all__ = ["evaluate_command"]

SCORES = ("f1", "precision", "recall", "b3_f1", "b3_precision", "b3_recall", "ari", "v_measure")
"""The scores that `--floor` accepts."""


def parse_floors(
    _context: click.Context, _parameter: click.Parameter, pairs: tuple[str, ...]
) -> Mapping[str, float]:
    """Return the pairs SCORE=NUMBER as a mapping, or fail on the first that is invalid."""
    floors = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        try:
            floors[name] = float(number)
        except ValueError:
            raise click.BadParameter(
                f"{pair!r} does not have the form SCORE=NUMBER, such as f1=.85."
            ) from None
        if name not in SCORES:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(SCORES)}.")
    return floors


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
@add_corpus_argument
@add_labels_options
@click.option(
    "--curve",
    is_flag=True,
    help="Also score other thresholds of the probability, mark the best, and show how well the probabilities are calibrated.",
)
@click.option(
    "--examples",
    type=click.IntRange(0, 1000),
    default=5,
    show_default=True,
    metavar="N",
    help="Number of mistakes of each kind to show, worst first, with ids for dedup explain.",
)
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write everything, including the curve, to this HTML page.",
)
@click.option(
    "--floor",
    multiple=True,
    metavar="SCORE=NUMBER",
    callback=parse_floors,
    help="Exit with 1 if a score is lower: f1=.85, precision, recall, b3_f1, ari, ... Can be repeated.",
)
@add_document_format_option()
@add_settings_options
@add_rejects_options
@add_corpus_options
def evaluate_command(
    paths: tuple[str, ...],
    gold: str | None,
    open_: str | None,
    pairs: str | None,
    curve: bool,
    examples: int,
    html: str | None,
    floor: Mapping[str, float],
    format_: str,
    settings: Settings,
    rejects: RejectOptions,
    quiet: bool,
    **reading: Any,
) -> None:
    """Score clusters against labels; list the worst mistakes.

    Prints pairwise F1, B³, adjusted Rand index, V-measure, and the number of correct drops for each relation.

    Labels are a field of the articles (--gold) or a file of pairs (--pairs). Articles and pairs without a label are not
    scored. Whether a pair labelled followup should be joined depends on --level: not at text and story, but at storyline.
    """
    prepare_libraries()
    from dedup import read_articles
    from dedup.cli.label_options import check_label_options, read_ground_truth
    from dedup.evaluation import metrics
    from dedup.evaluation.tuning_report import build_tuning_report

    check_label_options(gold, open_, pairs)
    corpus = read_articles(*paths, **reading)
    check_output_paths(paths, corpus, rejects.path, html)
    sketched, done = run_and_keep_sketches(corpus, settings, quiet=quiet)
    report_rejects(corpus, len(done.result.ids), paths, None, rejects, quiet=quiet)
    truth = read_ground_truth(corpus, done.result, gold, open_, pairs)
    report = run_interruptibly(
        lambda: build_tuning_report(
            sketched, done.result, truth, examples, thorough=curve or html is not None
        )
    )
    if curve and settings.level == "text":
        echo_status("--curve has no effect at level text, which uses no model.", quiet=quiet)
    if html is not None:
        from dedup.io.atomic_write import open_atomic
        from dedup.reports.html.tuning_page import render_tuning_page

        with open_atomic(html) as file:
            file.write(render_tuning_page(report, done.result))
    if format_ == TABLE:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.scores import render_evaluation

        print_renderables(render_evaluation(report))
    else:
        others = {name: value for name, value in asdict(report).items() if name not in {"level", "scores"}}
        print_document({"level": report.level, **asdict(report.scores), **others}, format_)
    echo_status("\n".join(iter_run_warnings(done, corpus)), quiet=quiet)
    missed = metrics.find_failed_floors(report.scores, floor)
    if missed:
        raise click.ClickException("; ".join(missed))
