"""`dedup review`: ask a person to label the pairs that a model can learn most from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dedup.cli.long_work import prepare_libraries, run_and_keep_sketches, run_interruptibly
from dedup.cli.messages import echo, echo_status
from dedup.cli.options import (
    Command,
    add_corpus_argument,
    add_corpus_options,
    add_rejects_options,
    add_settings_options,
)
from dedup.cli.output_paths import check_output_paths
from dedup.cli.rejects import RejectOptions, report_rejects

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dedup.evaluation.pair_labels import PairLabel
    from dedup.evaluation.review_queue import Question
    from dedup.settings.settings import Settings

__all__ = ["review_command"]

DEFAULT_LABELS_FILE = "labels.jsonl"


@click.command(
    name="review",
    cls=Command,
    section="Tune",
    examples=(
        "dedup review news/ -o labels.jsonl",
        "dedup calibrate news/ --pairs labels.jsonl -o model.json",
    ),
)
@add_corpus_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default=DEFAULT_LABELS_FILE,
    show_default=True,
    metavar="FILE",
    help="Append the answers to this file; pairs that it has already are not asked again.",
)
@click.option(
    "--max-pairs",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    metavar="N",
    help="Maximum number of pairs to ask about.",
)
@add_settings_options
@add_rejects_options
@add_corpus_options
def review_command(
    paths: tuple[str, ...],
    output: str,
    max_pairs: int,
    settings: Settings,
    rejects: RejectOptions,
    quiet: bool,
    **reading: Any,
) -> None:
    """Label pairs near the threshold, one key per pair.

    No two pairs are of the same story. Every tenth pair is one that the model is sure of, as a check. Keys: s same story,
    f follow-up (another chapter of the same storyline), d different stories, o open, k skip, b back, q quit. Each answer
    is saved before the next question, and a later run continues from there. If standard input is not a terminal, each
    line is an answer.

    Use the answers with dedup calibrate --pairs and dedup evaluate --pairs.
    """
    prepare_libraries()
    from dedup import read_articles
    from dedup.cli.prompt import ask_questions
    from dedup.cli.render import print_renderables
    from dedup.cli.render.question import render_question
    from dedup.evaluation.pair_labels import PairLabel, append_label, load_saved_labels
    from dedup.evaluation.review_queue import read_review_articles, select_questions
    from dedup.io.discovery import split_extensions
    from dedup.settings.settings import LEVEL_MODELS

    if "-" in paths:
        raise click.UsageError(
            "The corpus cannot be standard input, which is used for the answers; name a file or folder."
        )
    if split_extensions(output) not in {(".jsonl", ""), (".ndjson", "")}:
        raise click.UsageError("Answers are written as JSON Lines; name a file such as labels.jsonl.")
    corpus = read_articles(*paths, **reading)
    check_output_paths(paths, corpus, output, rejects.path)
    earlier_labels = load_saved_labels(output)
    sketched, done = run_and_keep_sketches(corpus, settings, quiet=quiet)
    report_rejects(corpus, len(done.result.ids), paths, output, rejects, quiet=quiet)
    labelled = {frozenset((label.a, label.b)) for label in earlier_labels}
    questions = run_interruptibly(
        lambda: select_questions(done.result, sketched.sketches, labelled, max_pairs)
    )
    if not questions:
        echo_status(
            "There is nothing to ask: every pair near the threshold is labelled already.",
            quiet=quiet,
        )
        return
    positions = [position for question in questions for position in question[:2]]
    articles = read_review_articles(corpus.read_again(), done.result, positions, settings.boilerplate)
    answers: dict[int, PairLabel] = {}

    def show_pair(position: int, question: Question) -> None:
        print_renderables(
            render_question(position, len(questions), articles[question.kept], articles[question.other])
        )

    def append_answer(question: Question, answer: str) -> None:
        label = PairLabel(articles[question.kept].id, articles[question.other].id, answer)
        append_label(
            output,
            label,
            model=LEVEL_MODELS[settings.level],
            log_odds=round(question.log_odds, 4),
            check=question.expected is not None,
        )
        answers[questions.index(question)] = label

    ask_questions(questions, show_pair, append_answer)
    echo(f"\n{format_review_summary(questions, answers, earlier_labels, output, settings.level)}")


def format_review_summary(
    questions: Sequence[Question],
    answers: dict[int, PairLabel],
    earlier_labels: Sequence[PairLabel],
    output: str,
    level: str,
) -> str:
    """Return how many answers were given, and the command that uses them."""
    from dedup.evaluation.pair_labels import is_together
    from dedup.formatting import format_count

    checks = [
        (questions[position].expected, is_together(label.answer, level))
        for position, label in answers.items()
        if questions[position].expected is not None
    ]
    agreed = sum(expected == together for expected, together in checks)
    checked = (
        f" You and the model agreed on {agreed} of {format_count(len(checks), 'check')}." if checks else ""
    )
    total = len({frozenset((label.a, label.b)) for label in [*earlier_labels, *answers.values()]})
    return (
        f"{format_count(len(answers), 'answer')}; {output} now has {total:,}.{checked}\n"
        f"To fit a model to them: dedup calibrate CORPUS --pairs {output} -o model.json"
    )
