"""`dedup review`: a corpus → labelled pairs, by asking a person about those that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dedup.cli.messages import report_rejects, tell
from dedup.cli.options import Command, corpora, corpus_options, settings_options
from dedup.cli.progress import interruptible, prepare, run_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dedup.evaluation.pair_labels import Label
    from dedup.evaluation.review_queue import Question

__all__ = ["review"]

LABELS = "labels.jsonl"


@click.command(
    cls=Command,
    section="Tune",
    examples=(
        "dedup review news/ -o labels.jsonl",
        "dedup calibrate news/ --pairs labels.jsonl -o model.json",
    ),
)
@corpora
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    default=LABELS,
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
def review(
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
    prepare()
    from dedup import read_articles
    from dedup.cli.prompt import ask_all
    from dedup.cli.render import show
    from dedup.cli.render.question import question_shown
    from dedup.evaluation.label_answers import append, resumed
    from dedup.evaluation.pair_labels import Label
    from dedup.evaluation.review_queue import chosen, seen
    from dedup.io.discovery import extensions
    from dedup.pipeline import writers
    from dedup.settings.settings import MODEL_OF

    if "-" in paths:
        raise click.UsageError("Answers come from standard input: name the corpus as a file or a folder.")
    if extensions(output) not in {(".jsonl", ""), (".ndjson", "")}:
        raise click.UsageError("Answers are written as JSON Lines: name a file such as labels.jsonl.")
    corpus = read_articles(*paths, **reading)
    writers.check_place(output, corpus)
    known = resumed(output)
    given, done = run_apart(corpus, settings, quiet=quiet)
    report_rejects(corpus, output, None, quiet=quiet)
    judged = {frozenset((label.a, label.b)) for label in known}
    questions = interruptible(lambda: chosen(done.result, given.sketches, judged, most))
    if not questions:
        tell(
            "There is nothing to ask: no pair lies near the threshold that was not judged before.",
            quiet=quiet,
        )
        return
    positions = [position for question in questions for position in question[:2]]
    articles = seen(corpus.again(), done.result, positions, settings.furniture)
    answers: dict[int, Label] = {}

    def shown(place: int, question: Question) -> None:
        show(question_shown(place, len(questions), articles[question.kept], articles[question.other]))

    def answer(question: Question, answer_: str) -> None:
        label = Label(articles[question.kept].id, articles[question.other].id, answer_)
        append(
            output,
            label,
            model=MODEL_OF[settings.level],
            log_odds=round(question.log_odds, 4),
            check=question.expected is not None,
        )
        answers[questions.index(question)] = label

    ask_all(questions, shown, answer)
    click.echo(f"\n{tally(questions, answers, known, output, settings.level)}")


def tally(
    questions: Sequence[Question],
    answers: dict[int, Label],
    known: Sequence[Label],
    output: str,
    level: str,
) -> str:
    """Return what came of it, and what to do with it."""
    from dedup.evaluation.pair_labels import belongs_together
    from dedup.formatting import counted

    checks = [
        (questions[place].expected, belongs_together(label.answer, level))
        for place, label in answers.items()
        if questions[place].expected is not None
    ]
    agreed = sum(expected == together for expected, together in checks)
    checked = (
        f" In {counted(len(checks), 'check')} you and the model agreed {agreed} times." if checks else ""
    )
    total = len({frozenset((label.a, label.b)) for label in [*known, *answers.values()]})
    return (
        f"{counted(len(answers), 'answer')}; {output} now holds {total:,}.{checked}\n"
        f"To learn from them: dedup calibrate CORPUS --pairs {output} -o model.json"
    )
