"""The command line: options → `Settings`, one call of the library, and its result written or drawn.

Data go to stdout, talk goes to stderr. Heavy modules are imported by the commands that need them, so that
`dedup --help` answers at once. How a run ends is in `dedup.terminal.exits`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dedup.commands.report import report as report_
from dedup.terminal.exits import Commands, check_streams, leave, listen, set_up
from dedup.terminal.options import (
    CONTEXT,
    corpora,
    corpus_options,
    floors,
    json_option,
    output_option,
    rejects_option,
    settings_options,
)
from dedup.terminal.progress import announce_compiling, learn, run
from dedup.terminal.talk import learned_summary, oddities, print_json, report, report_rejects, summary, tell

if TYPE_CHECKING:
    from dedup.corpus import Corpus
    from dedup.results import Result
    from dedup.settings import Settings

SHOWN = 40
"""A terminal shows so many clusters; more than that is for a file."""


def print_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    """Print the version and stop, where it was asked for."""
    if asked:
        import dedup

        click.echo(f"dedup {dedup.__version__}")
        ctx.exit()


@click.group(cls=Commands, context_settings=CONTEXT)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Find the news stories that were told more than once, keep one telling of each, and say why.

    A CORPUS is a file or a folder of JSON Lines, JSON, CSV, TSV, Parquet or text, plain or packed (.gz,
    .zst, .bz2); - is JSON Lines from standard input. Every option can be set in the environment:
    DEDUP_WINDOW_DAYS=7.
    """


cli.add_command(report_)


@cli.command
@corpora
@output_option("Write here instead of on stdout; the extension says the format.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["clusters", "articles"]),
    envvar="DEDUP_FORMAT",
    help="A cluster a line, or every article, in order, with its cluster.  [default: clusters]",
)
@settings_options
@rejects_option
@corpus_options
def cluster(
    paths: tuple[str, ...],
    output: str | None,
    shape: str | None,
    settings: Settings,
    rejects: str | None,
    quiet: bool,
    **reading: Any,
) -> None:
    """Group the articles that tell the same story; drops nothing.

    On a terminal, a list to read; otherwise JSON Lines, largest cluster first.
    """
    from dedup import read_articles, writing
    from dedup.output import write_records

    corpus = read_articles(*paths, **reading)
    for place in (output, rejects):
        writing.check_place(place, corpus)
    done = run(corpus, settings, quiet=quiet)
    report_rejects(corpus, output, rejects, quiet=quiet)
    if output is None and shape is None and sys.stdout.isatty():
        show_clusters(done.result, corpus)
        click.echo(summary(done))
        tell("\n".join(oddities(done, corpus)), quiet=quiet)
    else:
        lines = writing.annotated if shape == "articles" else writing.cluster_lines
        write_records(output, lines(done.result, corpus))
        report(done, corpus, quiet=quiet)


@cli.command(name="filter")
@corpora
@output_option("Write the kept articles here instead of on stdout; the extension says the format.")
@click.option(
    "--dropped",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Write the dropped articles here, each with the reason.",
)
@click.option("--annotate", is_flag=True, help="Write all articles, in order, each with what became of it.")
@settings_options
@rejects_option
@corpus_options
def filter_(
    paths: tuple[str, ...],
    output: str | None,
    dropped: str | None,
    annotate: bool,
    settings: Settings,
    rejects: str | None,
    quiet: bool,
    **reading: Any,
) -> None:
    """Keep one article of each story and drop the others.

    What is kept is written as it was read, byte for byte where it came as lines of JSON.
    """
    from dedup import read_articles, writing
    from dedup.output import write_records

    if dropped is not None and Path(dropped).resolve() == Path(output or "-").resolve():
        raise click.UsageError("--dropped and --output must be two places.")
    corpus = read_articles(*paths, **reading)
    writing.check_place(output)
    for place in (dropped, rejects):
        writing.check_place(place, corpus)
    done = run(corpus, settings, quiet=quiet)
    report_rejects(corpus, output, rejects, quiet=quiet)
    if dropped is not None:
        write_records(dropped, writing.dropped(done.result, corpus))
    write_records(output, (writing.annotated if annotate else writing.kept)(done.result, corpus))
    report(done, corpus, quiet=quiet)


@cli.command
@click.argument("names", metavar="CORPUS ID ID", nargs=-1, required=True)
@json_option
@settings_options
@corpus_options
def explain(names: tuple[str, ...], as_json: bool, settings: Settings, quiet: bool, **reading: Any) -> None:
    """Say why two articles match, or why they do not.

    An ID may be cut short where its beginning tells. Two files of one article each need no ids: dedup
    explain a.txt b.txt
    """
    from dedup import explanation, read_articles

    if len(names) == 1:
        raise click.UsageError("Name a corpus and two ids, or two files of one article each.")
    corpus = read_articles(*names[:-2] or names, **reading)
    announce_compiling(quiet=quiet)
    named = len(names) > len(("ID", "ID"))
    pair = (
        explanation.find_articles(corpus, (names[-2], names[-1])) if named else explanation.only_two(corpus)
    )
    if corpus.rejects:
        tell(f"{len(corpus.rejects):,} could not be read", quiet=quiet)
    found = explanation.explain(pair, settings)
    if as_json:
        print_json(asdict(found))
    else:
        from dedup.terminal.render import show
        from dedup.terminal.render.pair import explanation_shown

        show(explanation_shown(found))


@cli.command
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


@cli.command
@corpora
@output_option("Write the furniture here instead of on stdout.")
@json_option
@rejects_option
@corpus_options
def furniture(
    paths: tuple[str, ...],
    output: str | None,
    as_json: bool,
    rejects: str | None,
    quiet: bool,
    **reading: Any,
) -> None:
    """Learn what each source prints again and again: notices, teasers, lines about the author.

    A passage is a whole line, or a whole sentence of one. It is learned where it stands under as many
    headlines of its source as the square root of all of them, and under five at least; on five days; and
    over half of the time of its source, two weeks at least and 90 days at most. Articles without a source or
    a date teach nothing.

    Look through what was learned, take out what is no furniture, and give the file to the other commands:
    dedup cluster --furniture FILE. Learning anew writes a new file and keeps no edits. Keep the file out of
    the folder of the corpus, where it would be read as news.
    """
    import dedup
    from dedup import writing
    from dedup.learned import file_of
    from dedup.output import atomic_output
    from dedup.reading.sources import extensions

    if extensions(output or "-")[1]:
        raise click.UsageError("Furniture is written plain, not packed: name a file such as furniture.json.")
    corpus = dedup.read_articles(*paths, **reading)
    for place in (output, rejects):
        writing.check_place(place, corpus)
    learned = learn(corpus, quiet=quiet)
    report_rejects(corpus, output, rejects, quiet=quiet)
    if output is None and not as_json and sys.stdout.isatty():
        from dedup.terminal.render import show
        from dedup.terminal.render.furniture import furniture_shown

        show(furniture_shown(learned))
        click.echo(learned_summary(learned))
    else:
        with atomic_output(output) as file:
            file.write(file_of(learned, dedup.__version__))
        tell(learned_summary(learned), quiet=quiet)


@cli.command(name="settings")
@json_option
@settings_options
def settings_(as_json: bool, settings: Settings) -> None:
    """Show the settings in force, and the odds that copies are compared."""
    from dedup.odds import candidate_odds
    from dedup.settings import as_written

    odds = candidate_odds(settings)
    if as_json or not sys.stdout.isatty():
        print_json({"settings": as_written(settings), "candidate_odds": odds})
    else:
        from dedup.terminal.render import show
        from dedup.terminal.render.settings import settings_shown

        show(settings_shown(settings, odds))


def show_clusters(result: Result, corpus: Corpus) -> None:
    """Draw the largest clusters on the terminal."""
    from dedup import writing
    from dedup.terminal.render import show
    from dedup.terminal.render.clusters import clusters_shown

    largest = writing.described(result, corpus, SHOWN)
    show(clusters_shown(largest, len(result.clusters) - len(largest)))


def main() -> NoReturn:
    """Run the command line as a process of its own."""
    set_up()
    check_streams()
    listen()
    try:
        cli(prog_name="dedup")
    except SystemExit as done:
        leave(done.code)
    leave(0)
