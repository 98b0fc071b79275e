"""`dedup review`: a corpus → labelled pairs, by asking a person about those that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dedup.cli.messages import echo_status, report_rejects
from dedup.cli.options import Command, corpus_argument, corpus_options, settings_options
from dedup.cli.progress import prepare_libraries, run_and_keep_sketches, run_interruptibly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dedup.evaluation.pair_labels import PairLabel
    from dedup.evaluation.review_queue import Question

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
@corpus_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default=DEFAULT_LABELS_FILE,
    show_default=True,
    help="Put the answers at the end of this file; what it holds already is not asked again.",
)
@click.option(
    "--most",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    metavar="N",
    help="Ask about so many pairs at most.",
)
@settings_options
@corpus_options
def review_command(
    paths: tuple[str, ...], output: str, most: int, settings: Any, quiet: bool, **reading: Any
) -> None:
    """Ask you about the pairs that matter, and keep the answers.

    They lie near the threshold, and no two are of one story; every tenth is one that the model is sure of, as a
    check. Answer with one key: s for the same story, f for a follow-up (another chapter of the same affair), d for
    different stories, o to leave it open, k to skip, b to go back, q to stop. Each answer is on the disk before
    the next question, and a later run goes on where this one stopped. Away from a terminal, answers are read as
    lines.

    The answers are for dedup calibrate --pairs and dedup evaluate --pairs.
    """
    prepare_libraries()
    from dedup import read_articles
    from dedup.cli.prompt import ask_questions
    from dedup.cli.render import print_renderables
    from dedup.cli.render.question import render_question
    from dedup.evaluation.pair_labels import PairLabel, append_label, load_saved_labels
    from dedup.evaluation.review_queue import read_review_articles, select_questions
    from dedup.io.discovery import split_extensions
    from dedup.pipeline import writers
    from dedup.settings.settings import LEVEL_MODELS

    if "-" in paths:
        raise click.UsageError("Answers come from standard input: name the corpus as a file or a folder.")
    if split_extensions(output) not in {(".jsonl", ""), (".ndjson", "")}:
        raise click.UsageError("Answers are written as JSON Lines: name a file such as labels.jsonl.")
    corpus = read_articles(*paths, **reading)
    writers.check_output_path(output, corpus)
    known = load_saved_labels(output)
    given, done = run_and_keep_sketches(corpus, settings, quiet=quiet)
    report_rejects(corpus, output, None, quiet=quiet)
    judged = {frozenset((label.a, label.b)) for label in known}
    questions = run_interruptibly(lambda: select_questions(done.result, given.sketches, judged, most))
    if not questions:
        echo_status(
            "There is nothing to ask: no pair lies near the threshold that was not judged before.",
            quiet=quiet,
        )
        return
    positions = [position for question in questions for position in question[:2]]
    articles = read_review_articles(corpus.read_again(), done.result, positions, settings.boilerplate)
    answers: dict[int, PairLabel] = {}

    def show_pair(place: int, question: Question) -> None:
        print_renderables(
            render_question(place, len(questions), articles[question.kept], articles[question.other])
        )

    def append_answer(question: Question, answer_: str) -> None:
        label = PairLabel(articles[question.kept].id, articles[question.other].id, answer_)
        append_label(
            output,
            label,
            model=LEVEL_MODELS[settings.level],
            log_odds=round(question.log_odds, 4),
            check=question.expected is not None,
        )
        answers[questions.index(question)] = label

    ask_questions(questions, show_pair, append_answer)
    click.echo(f"\n{format_review_summary(questions, answers, known, output, settings.level)}")


def format_review_summary(
    questions: Sequence[Question],
    answers: dict[int, PairLabel],
    earlier_labels: Sequence[PairLabel],
    output: str,
    level: str,
) -> str:
    """Return what came of it, and what to do with it."""
    from dedup.evaluation.pair_labels import is_together
    from dedup.formatting import format_count

    checks = [
        (questions[place].expected, is_together(label.answer, level))
        for place, label in answers.items()
        if questions[place].expected is not None
    ]
    agreed = sum(expected == together for expected, together in checks)
    checked = (
        f" In {format_count(len(checks), 'check')} you and the model agreed {agreed} times." if checks else ""
    )
    total = len({frozenset((label.a, label.b)) for label in [*earlier_labels, *answers.values()]})
    return (
        f"{format_count(len(answers), 'answer')}; {output} now holds {total:,}.{checked}\n"
        f"To learn from them: dedup calibrate CORPUS --pairs {output} -o model.json"
    )
