"""`dedup calibrate`: a corpus and labels → a story or storyline model of one's own, and whether it is better."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.label_options import check_labels, name_missing_answers, truth_of
from dedup.cli.messages import print_json, report_rejects, tell
from dedup.cli.options import (
    Command,
    corpora,
    corpus_options,
    json_option,
    labels_options,
    output_option,
    rejects_option,
    settings_options,
)
from dedup.cli.progress import interruptible, prepare, run_apart

if TYPE_CHECKING:
    from dedup.evaluation.calibration import Calibration
    from dedup.settings.model_file import Model
    from dedup.settings.settings import Settings

__all__ = ["calibrate"]


@click.command(
    cls=Command,
    section="Tune",
    examples=(
        "dedup calibrate news/ --pairs labels.jsonl -o model.json",
        "dedup calibrate news/ --pairs labels.jsonl --level storyline -o storyline.json",
        "dedup calibrate news.jsonl --gold story -o model.json",
        "dedup cluster news/ --model model.json",
    ),
)
@corpora
@labels_options
@output_option("Write the model here, for --model FILE of the other commands.")
@json_option
@settings_options
@rejects_option
@corpus_options
def calibrate(
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
    prepare()
    import dedup
    from dedup.evaluation.calibration import calibrate as fit
    from dedup.evaluation.fitting import Weights
    from dedup.evaluation.training_pairs import lessons
    from dedup.io.atomic_write import atomic_output
    from dedup.matching.classifier import level_model
    from dedup.pipeline import writers
    from dedup.settings.model_file import file_of
    from dedup.settings.settings import MODEL_OF

    check_labels(gold, open_, pairs)
    corpus = dedup.read_articles(*paths, **reading)
    for place in (output, rejects):
        writers.check_place(place, corpus)
    given, done = run_apart(corpus, settings, quiet=quiet)
    report_rejects(corpus, None, rejects, quiet=quiet)
    truth = truth_of(corpus, done.result, gold, open_, pairs)
    for sentence in name_missing_answers(truth, settings.level):
        tell(sentence, quiet=quiet)
    in_force = level_model(settings)
    # A model of one's own has one set of coefficients, for dated and undated pairs alike: it is pulled toward that of dated ones.
    base = Weights(in_force.coefficients[0], in_force.intercept, MODEL_OF[settings.level])
    taught = lessons(given, done.result, truth)
    found = interruptible(lambda: fit(taught.labelled, base, settings.seed))
    model = replace(found.model, made_from=origin(found, settings.model))
    if output is not None:
        with atomic_output(output) as file:
            file.write(file_of(model, dedup.__version__))
    if as_json or not sys.stdout.isatty():
        print_json(
            {
                "level": model.level,
                **origin(found, settings.model),
                "settled": taught.settled,
                "digest": model.digest,
            }
        )
    else:
        from dedup.cli.render import show
        from dedup.cli.render.calibration import calibration_shown

        show(calibration_shown(found, taught.settled))
    if output is None:
        tell("Nothing was written: name a file with -o to keep the model.", quiet=quiet)


def origin(found: Calibration, base: Model | None) -> dict[str, Any]:
    """Return what a model was made from, and how well it did, as JSON has them."""
    told = {name: value for name, value in asdict(found).items() if name != "model"}
    return {
        **told,
        "pull": None if found.pull == float("inf") else found.pull,
        "base": base.digest if base and base.level == found.model.level else "shipped",
    }
