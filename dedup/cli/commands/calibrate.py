"""`dedup calibrate`: fit the story or storyline model to labels, and test whether that helps."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.label_options import check_label_options, describe_missing_answers, read_ground_truth
from dedup.cli.long_work import prepare_libraries, run_and_keep_sketches, run_interruptibly
from dedup.cli.messages import echo_status
from dedup.cli.options import (
    Command,
    add_corpus_argument,
    add_corpus_options,
    add_labels_options,
    add_output_option,
    add_rejects_options,
    add_settings_options,
)
from dedup.cli.output_format import TABLE, add_document_format_option, print_document
from dedup.cli.output_paths import check_output_paths
from dedup.cli.rejects import RejectOptions, report_rejects

if TYPE_CHECKING:
    from dedup.evaluation.model_refit import ModelRefit
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
@add_corpus_argument
@add_labels_options
@add_output_option("Write the model to this file, for --model of the other commands.")
@add_document_format_option()
@add_settings_options
@add_rejects_options
@add_corpus_options
def calibrate_command(
    paths: tuple[str, ...],
    gold: str | None,
    open_: str | None,
    pairs: str | None,
    output: str | None,
    format_: str,
    settings: Settings,
    rejects: RejectOptions,
    quiet: bool,
    **reading: Any,
) -> None:
    """Fit a model to your labels, if that improves it.

    This fits the story model, which finds rewrites, or with --level storyline the storyline model, which finds
    follow-ups. The fit is regularized toward the current model: the built-in one, or that of --model. The strength
    is chosen on held-out stories. If the labels do not clearly improve the model there, it stays unchanged. Labels are
    pairs (--pairs, as collected by dedup review) or a field of the articles (--gold).
    """
    prepare_libraries()
    import dedup
    from dedup.evaluation.fitting import ModelWeights
    from dedup.evaluation.model_refit import refit_model
    from dedup.evaluation.training_data import build_training_set
    from dedup.io.atomic_write import open_atomic
    from dedup.matching.models import choose_level_model
    from dedup.settings.model_file import encode_model
    from dedup.settings.settings import LEVEL_MODELS

    check_label_options(gold, open_, pairs)
    corpus = dedup.read_articles(*paths, **reading)
    check_output_paths(paths, corpus, output, rejects.path)
    sketched, done = run_and_keep_sketches(corpus, settings, quiet=quiet)
    report_rejects(corpus, len(done.result.ids), paths, None, rejects, quiet=quiet)
    truth = read_ground_truth(corpus, done.result, gold, open_, pairs)
    for sentence in describe_missing_answers(truth, settings.level):
        echo_status(sentence, quiet=quiet)
    in_force = choose_level_model(settings)
    # A fitted model has one set of coefficients, for dated and undated pairs: it starts from those for dated pairs.
    base = ModelWeights(in_force.coefficients[0], in_force.intercept, LEVEL_MODELS[settings.level])
    training = build_training_set(sketched, done.result, truth)
    calibration = run_interruptibly(lambda: refit_model(training.pairs, base, settings.seed))
    model = replace(calibration.model, made_from=describe_model_origin(calibration, settings.model))
    if output is not None:
        with open_atomic(output) as file:
            file.write(encode_model(model, dedup.__version__))
    if format_ == TABLE:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.calibration import render_calibration

        print_renderables(render_calibration(calibration, training.settled))
    else:
        print_document(
            {
                "level": model.level,
                **describe_model_origin(calibration, settings.model),
                "settled": training.settled,
                "digest": model.digest,
            },
            format_,
        )
    if output is None:
        echo_status("The model was not written; name a file with -o to keep it.", quiet=quiet)


def describe_model_origin(calibration: ModelRefit, base: Model | None) -> dict[str, Any]:
    """Return the labels and the scores of a model, as JSON."""
    scores = {name: value for name, value in asdict(calibration).items() if name != "model"}
    return {
        **scores,
        "pull": None if calibration.pull == float("inf") else calibration.pull,
        "base": base.digest if base and base.level == calibration.model.level else "shipped",
    }
