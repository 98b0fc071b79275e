"""The command line: options → `Settings`, one call of the library, errors → exit codes.

Data go to stdout, talk goes to stderr. Exit status: 0 fine; 1 an error, in one sentence; 2 usage; 130 interrupted. Heavy
modules are imported by the commands that need them, so that `dedup --help` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dedup.errors import DedupError
from dedup.options import Command, corpus_options, json_option, output_option, settings_options
from dedup.progress import Run, run

if TYPE_CHECKING:
    from dedup.corpus import Corpus
    from dedup.settings import Settings

REJECTS = "dedup.rejects.jsonl"
"""Where rejects go when the data go to standard output."""
SHOWN = 40
"""A terminal shows so many clusters; more than that is for a file."""
INTERRUPTED, TERMINATED, PIPE_CLOSED = (128 + int(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE))
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "auto_envvar_prefix": "DEDUP"}


class Commands(click.Group):
    """The commands, with every error turned into a sentence and an exit status."""

    command_class = Command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            ctx.exit(PIPE_CLOSED)
        except Exception as error:
            if os.environ.get("DEDUP_DEBUG"):
                raise
            raise click.ClickException(sentence(error)) from error


def sentence(error: Exception) -> str:
    """Return what a user is told of an error."""
    if isinstance(error, DedupError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for this corpus; give it in parts, or lower --bands."
    kind = f"{type(error).__name__}: {error}".strip().rstrip(".:")
    return f"this should not have happened ({kind}); please report it, with what DEDUP_DEBUG=1 adds."


def main() -> NoReturn:
    """Run the command line as a process of its own."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        cli(prog_name="dedup")
    except SystemExit as done:
        leave(done.code)
    leave(0)


def leave(status: Any) -> NoReturn:
    """End the process; at once where work was cut short, for compiled code would go on to its end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        status = PIPE_CLOSED
    if status in (INTERRUPTED, TERMINATED, PIPE_CLOSED):
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def print_version(ctx: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    """Print the version and stop, where it was asked for."""
    if asked:
        import dedup

        click.echo(f"dedup {dedup.__version__}")
        ctx.exit()


@click.group(cls=Commands, context_settings=CONTEXT)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=print_version, help="Show the version and exit.")
def cli() -> None:
    """Find the news stories that were told more than once, keep one telling of each, and say why.

    A CORPUS is a file or a folder of JSON Lines, JSON, CSV, TSV, Parquet or text, plain or packed (.gz, .zst, .bz2); - is JSON
    Lines from standard input. Every option can be set in the environment: DEDUP_WINDOW_DAYS=7.
    """


@cli.command(context_settings=CONTEXT)
@click.argument("paths", metavar="CORPUS...", nargs=-1, required=True)
@output_option("Write here instead of on stdout; the extension says the format.")
@click.option("--format", "shape", type=click.Choice(["clusters", "articles"]), help="A cluster a line, or an article.  [default: clusters]")
@settings_options
@corpus_options
def cluster(paths: tuple[str, ...], output: str | None, shape: str | None, settings: Settings, **reading: Any) -> None:
    """Group the articles that tell the same story; drops nothing.

    On a terminal, a list to read; otherwise JSON Lines.
    """
    from dedup import writing
    from dedup.output import write_records

    corpus = opened(paths, reading)
    writing.check_place(output)
    done = run(corpus, settings, quiet=reading["quiet"])
    report_rejects(corpus, output, reading)
    if output is None and shape is None and sys.stdout.isatty():
        show_clusters(done, corpus)
    else:
        lines = writing.annotated if shape == "articles" else writing.cluster_lines
        write_records(output, lines(done.result, corpus))
        tell(summary(done), reading)
    tell_warnings(done, corpus, reading)


@cli.command(name="filter", context_settings=CONTEXT)
@click.argument("paths", metavar="CORPUS...", nargs=-1, required=True)
@output_option("Write the kept articles here instead of on stdout; the extension says the format.")
@click.option("--dropped", type=click.Path(dir_okay=False, allow_dash=True), help="Write the dropped articles here, each with the reason.")
@click.option("--annotate", is_flag=True, help="Write all articles, in order, each with what became of it.")
@settings_options
@corpus_options
def filter_(
    paths: tuple[str, ...], output: str | None, dropped: str | None, annotate: bool, settings: Settings, **reading: Any
) -> None:
    """Keep one article of each story and drop the others.

    Kept articles are written as they were read, byte for byte where they are lines of JSON.
    """
    from dedup import writing
    from dedup.output import write_records

    if dropped is not None and (dropped, "-") in ((output or "-", "-"), (output, dropped)):
        raise click.UsageError("--dropped and --output cannot both be standard output.")
    corpus = opened(paths, reading)
    for place in (output, dropped):
        writing.check_place(place)
    done = run(corpus, settings, quiet=reading["quiet"])
    report_rejects(corpus, output, reading)
    if dropped is not None:
        write_records(dropped, writing.dropped(done.result, corpus))
    write_records(output, (writing.annotated if annotate else writing.kept)(done.result, corpus))
    tell(summary(done), reading)
    tell_warnings(done, corpus, reading)


def opened(paths: tuple[str, ...], reading: Mapping[str, Any]) -> Corpus:
    """Return the corpus at some paths."""
    from dedup.corpus import read_articles

    return read_articles(*paths, fields=reading["fields"], strict=reading["strict"])


def report_rejects(corpus: Corpus, output: str | None, reading: Mapping[str, Any]) -> None:
    """Write what could not be read beside the output, and say so."""
    from dedup.output import write_rejects

    place = reading["rejects"] or (REJECTS if output in (None, "-") else f"{output}.rejects.jsonl")
    if corpus.rejects or reading["rejects"]:
        write_rejects(place, corpus.rejects)
    if corpus.rejects:
        tell(f"{len(corpus.rejects):,} could not be read; they are in {place}, with the reasons.", reading)


def tell(words: str, reading: Mapping[str, Any]) -> None:
    """Say something on stderr, unless asked to be quiet."""
    if not reading["quiet"]:
        click.echo(words, err=True)


def tell_warnings(done: Run, corpus: Corpus, reading: Mapping[str, Any]) -> None:
    """Say what was odd about the corpus, and where a bound was reached."""
    for words, count in Counter(corpus.warnings + Counter(done.result.warnings)).items():
        tell(f"{count:,} {words}", reading)
    if bounded := int(done.result.assignments.bounded.sum()):
        tell(f"{bounded:,} articles reached a bound on the work (--max-candidates, --max-postings): matches may be missed", reading)


def summary(done: Run) -> str:
    """Return a line on what became of the corpus, and how fast."""
    result = done.result
    articles, kept = len(result.ids), len(result.kept_positions)
    relations = Counter(match.relation for match in result.dropped)
    by_relation = ", ".join(f"{count:,} {relation}" for relation, count in relations.most_common())
    pace = "kernels compiled" if done.compiled else f"{articles / max(done.seconds, 1e-9):,.0f} articles/s"
    duplicates = f"{articles - kept:,} duplicates" + (f" ({by_relation})" if relations else "")
    return f"{articles:,} articles: {kept:,} kept, {duplicates} in {len(result.clusters):,} clusters; {done.seconds:.1f} s, {pace}"


def show_clusters(done: Run, corpus: Corpus) -> None:
    """Draw the largest clusters on the terminal."""
    from itertools import chain, islice

    from dedup import render, writing

    groups = done.result.groups()
    positions = list(chain.from_iterable(groups[:SHOWN]))
    rows = list(writing.rows_at(done.result, positions))
    untitled = [position for position, row in zip(positions, rows, strict=True) if not row["title"]]
    openings = writing.openings(corpus, untitled)
    articles = iter(
        {**row, **done.result.verdict(position), "title": row["title"] or openings[position]}
        for position, row in zip(positions, rows, strict=True)
    )
    shown = [list(islice(articles, len(group))) for group in groups[:SHOWN]]
    for block in render.clusters_shown(shown, len(groups) - len(shown)):
        render.show(block)
    click.echo(summary(done))
