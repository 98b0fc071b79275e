"""`dedup calibrate`: a corpus and labels → a story or storyline model of one's own, and whether it is better."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.label_options import check_label_options, describe_missing_answers, read_ground_truth
from dedup.cli.messages import echo_status, print_json, report_rejects
from dedup.cli.options import (
    Command,
    corpus_argument,
    corpus_options,
    json_option,
    labels_options,
    output_option,
    rejects_option,
    settings_options,
)
from dedup.cli.progress import prepare_libraries, run_and_keep_sketches, run_interruptibly

if TYPE_CHECKING:
    from dedup.evaluation.calibration import Calibration
    from dedup.settings.model_file import Model
    from dedup.settings.settings import Settings

__all__ = ["calibrate_command"]


@click.command(
    name="calibrate",
    cls=Command,
    section="Tune",
    examples=(
        "dedup calibrate news/ --pairs labels.jsonl -o model.json",
        "dedup calibrate news/ --pairs labels.jsonl --level storyline -o storyline.json",
        "dedup calibrate news.jsonl --gold story -o model.json",
        "dedup cluster news/ --model model.json",
    ),
)
@corpus_argument
@labels_options
@output_option("Write the model here, for --model FILE of the other commands.")
@json_option
@settings_options
@rejects_option
@corpus_options
def calibrate_command(
    paths: tuple[str, ...],
    gold: str | None,
    open_: str | None,
    pairs: str | None,
    output: str | None,
    as_json: bool,
    settings: Settings,
    rejects: str | None,
    quiet: bool,
    **reading: Any,
) -> None:
    """Fit the model of the level to your own labels, if that helps.

    It is the story model, which finds rewrites; with --level storyline it is the storyline model, which finds
    follow-ups. The new model is pulled toward the one in force: the shipped one, or that of --model. How hard
    is chosen on stories held back, and where the labels do not make it clearly better there, the model stays
    as it is. Labels are pairs (--pairs, as dedup review collects them) or a field of the articles (--gold).
    """
    prepare_libraries()
    import dedup
    from dedup.evaluation.calibration import fit_calibrated_model as fit
    from dedup.evaluation.fitting import ModelWeights
    from dedup.evaluation.training_pairs import build_training_set
    from dedup.io.atomic_write import open_atomic
    from dedup.matching.classifier import choose_level_model
    from dedup.pipeline import writers
    from dedup.settings.model_file import encode_model
    from dedup.settings.settings import LEVEL_MODELS

    check_label_options(gold, open_, pairs)
    corpus = dedup.read_articles(*paths, **reading)
    for place in (output, rejects):
        writers.check_output_path(place, corpus)
    given, done = run_and_keep_sketches(corpus, settings, quiet=quiet)
    report_rejects(corpus, None, rejects, quiet=quiet)
    truth = read_ground_truth(corpus, done.result, gold, open_, pairs)
    for sentence in describe_missing_answers(truth, settings.level):
        echo_status(sentence, quiet=quiet)
    in_force = choose_level_model(settings)
    # A model of one's own has one set of coefficients, for dated and undated pairs alike: it is pulled toward that of dated ones.
    base = ModelWeights(in_force.coefficients[0], in_force.intercept, LEVEL_MODELS[settings.level])
    taught = build_training_set(given, done.result, truth)
    found = run_interruptibly(lambda: fit(taught.pairs, base, settings.seed))
    model = replace(found.model, made_from=describe_model_origin(found, settings.model))
    if output is not None:
        with open_atomic(output) as file:
            file.write(encode_model(model, dedup.__version__))
    if as_json or not sys.stdout.isatty():
        print_json(
            {
                "level": model.level,
                **describe_model_origin(found, settings.model),
                "settled": taught.settled,
                "digest": model.digest,
            }
        )
    else:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.calibration import render_calibration

        print_renderables(render_calibration(found, taught.settled))
    if output is None:
        echo_status("Nothing was written: name a file with -o to keep the model.", quiet=quiet)


def describe_model_origin(calibration: Calibration, base: Model | None) -> dict[str, Any]:
    """Return what a model was made from, and how well it did, as JSON has them."""
    told = {name: value for name, value in asdict(calibration).items() if name != "model"}
    return {
        **told,
        "pull": None if calibration.pull == float("inf") else calibration.pull,
        "base": base.digest if base and base.level == calibration.model.level else "shipped",
    }
