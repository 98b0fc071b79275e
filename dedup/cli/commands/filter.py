"""`dedup filter`: keep one article of each story; with an index, only of stories that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.long_work import prepare_libraries, run_with_progress
from dedup.cli.messages import iter_lines_for_output, report_index_answers, report_run
from dedup.cli.options import (
    Command,
    RecordsPath,
    add_corpus_argument,
    add_corpus_options,
    add_dry_run_option,
    add_records_option,
    add_rejects_options,
    add_settings_options,
    add_sql_option,
)
from dedup.cli.output_format import (
    RECORD_FORMAT_HELP,
    add_record_format_option,
    check_record_format,
    is_table_requested,
    write_formatted_records,
)
from dedup.cli.output_paths import check_output_paths
from dedup.cli.rejects import RejectOptions, check_shares, report_rejects, save_rejects
from dedup.cli.run_estimate import print_estimate, print_estimate_line
from dedup.cli.stream_filter import (
    FilterOutputs,
    add_corpus_to_index,
    count_outcomes,
    filter_stream,
    open_index,
)
from dedup.errors import InputError
from dedup.formatting import format_count

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.pipeline.writers import ArticleDecisions
    from dedup.settings.settings import Settings

__all__ = ["filter_command"]

STDIN = "-"
ARTICLE_COLUMNS = ("id", "published", "source", "title")


@click.command(
    cls=Command,
    name="filter",
    section="Find",
    examples=(
        "dedup filter news.csv -o kept.csv --dropped dropped.jsonl",
        "zcat feed.jsonl.gz | dedup filter - > kept.jsonl",
        "dedup filter today/ -o kept.jsonl --boilerplate boilerplate.json --model model.json",
    ),
)
@add_corpus_argument
@add_records_option("Write the kept articles to this file instead of stdout, in the format of its extension.")
@click.option(
    "--dropped",
    type=RecordsPath(),
    metavar="FILE",
    help="Write the dropped articles to this file, each with the reason.",
)
@add_record_format_option(help_=RECORD_FORMAT_HELP, allow_from_autoenv=False)
@click.option("--annotate", is_flag=True, help="Write all articles in input order, each with its decision.")
@click.option(
    "--in-place",
    is_flag=True,
    help="Let -o replace a file of the corpus. The file stays as it is until the new one is complete, and if any of its "
    "articles cannot be read.",
)
@click.option(
    "--index",
    metavar="INDEX",
    help="Also drop duplicates of articles from earlier runs, and remember the articles of this run: a file such as "
    "seen.db, or postgresql://user@host/database.",
)
@click.option(
    "--new-only",
    is_flag=True,
    help="With --index: drop an article that the index has already, with the same id and text. If an earlier run was "
    "interrupted, this can drop articles that it recorded but did not write.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 100_000),
    default=1000,
    show_default=True,
    metavar="N",
    help="With --index and standard input: process this many articles at once.",
)
@click.option(
    "--max-delay",
    type=click.IntRange(0, 3_600_000),
    default=200,
    show_default=True,
    metavar="MS",
    help="With --index and standard input: process a smaller batch after this many milliseconds.",
)
@add_dry_run_option
@add_sql_option
@add_settings_options
@add_rejects_options
@add_corpus_options
def filter_command(
    paths: tuple[str, ...],
    output: str | None,
    dropped: str | None,
    format_: str | None,
    annotate: bool,
    in_place: bool,
    index: str | None,
    new_only: bool,
    batch: int,
    max_delay: int,
    dry_run: bool,
    settings: Settings,
    rejects: RejectOptions,
    quiet: bool,
    **reading: Any,
) -> None:
    """Keep one article of each story and drop the others.

    Kept articles are written unchanged; JSON Lines stay the same byte for byte.

    With --index, the article that arrives first is kept. Standard input is then a stream that may never end: each
    article is written, in order, once its decision is stored, and the files of -o and --dropped are appended to. An
    article with the same id and text gets the same decision again, so you can repeat an interrupted run. On SIGTERM it
    finishes the articles already read, then exits.
    """
    check_distinct_paths(
        {"output": output or STDIN, "dropped": dropped, "rejects": rejects.path, "index": index}
    )
    if index is None and new_only:
        raise click.UsageError("--new-only needs --index.")
    if in_place and output in {None, STDIN}:
        raise click.UsageError("--in-place needs -o with a file of the corpus.")
    check_record_format(format_, output)
    is_stream = index is not None and paths == (STDIN,)
    if is_stream and format_ not in {None, "jsonl"}:
        raise click.UsageError("With --index, standard input is a stream, which is written as JSON Lines.")
    outputs = FilterOutputs(
        output,
        dropped,
        rejects,
        annotate=annotate,
        new_only=new_only,
        in_place=in_place,
        quiet=quiet,
        format=format_,
    )
    prepare_libraries()
    if dry_run:
        print_estimate(paths, settings, reading, quiet=quiet)
    elif index is not None and is_stream:
        from dedup.index.stream import BatchLimits

        filter_stream(index, settings, BatchLimits(batch, max_delay / 1000), outputs, **reading)
    elif index is not None:
        filter_with_index(paths, index, settings, outputs, **reading)
    else:
        filter_corpus(paths, settings, outputs, **reading)


def check_distinct_paths(paths: Mapping[str, str | None]) -> None:
    """Raise `UsageError` if two options name the same file: one would overwrite the other."""
    named = {option: Path(path).resolve() for option, path in paths.items() if path}
    for one, other in combinations(named, 2):
        if named[one] == named[other]:
            raise click.UsageError(f"--{other} and --{one} must be different files.")


def filter_corpus(paths: tuple[str, ...], settings: Settings, outputs: FilterOutputs, **reading: Any) -> None:
    """Filter a corpus without an index."""
    corpus = open_corpus(paths, outputs, **reading)
    print_estimate_line(corpus, paths, settings, reading, quiet=outputs.quiet)
    done = run_with_progress(corpus, settings, quiet=outputs.quiet)
    report_rejects(corpus, len(done.result.ids), paths, outputs.output, outputs.rejects, quiet=outputs.quiet)
    write_kept_and_dropped(done.result, corpus, outputs)
    report_run(done, corpus, quiet=outputs.quiet)


def filter_with_index(
    paths: tuple[str, ...], location: str, settings: Settings, outputs: FilterOutputs, **reading: Any
) -> None:
    """Filter a corpus with an index.

    The output is written even if too many articles were rejected: the index has recorded the others already.
    """
    from dedup.index.answers import CorpusAnswers

    corpus = open_corpus(paths, outputs, **reading)
    with open_index(location, settings) as index:
        answers, seconds = add_corpus_to_index(corpus, index, quiet=outputs.quiet)
        save_rejects(corpus, paths, outputs.output, outputs.rejects, quiet=outputs.quiet)
        write_kept_and_dropped(CorpusAnswers(answers, new_only=outputs.new_only), corpus, outputs)
        outcomes = count_outcomes(answers, new_only=outputs.new_only)
        report_index_answers(outcomes, seconds, index, corpus.warnings, quiet=outputs.quiet)
    check_shares(corpus, len(answers), outputs.rejects.max_share)


def open_corpus(paths: tuple[str, ...], outputs: FilterOutputs, **reading: Any) -> Corpus:
    """Return the corpus, once its outputs have been checked."""
    from dedup import read_articles
    from dedup.pipeline import writers

    corpus = read_articles(*paths, **reading)
    if outputs.in_place:
        writers.check_output_path(outputs.output)
    else:
        check_output_paths(
            paths, corpus, outputs.output, hint="; add --in-place if you want to write it anyway"
        )
    check_output_paths(paths, corpus, outputs.dropped, outputs.rejects.path)
    return corpus


def write_kept_and_dropped(verdicts: ArticleDecisions, corpus: Corpus, outputs: FilterOutputs) -> None:
    """Write the kept and the dropped articles; `InputError` if rejects would be lost by replacing their file."""
    from dedup.io.atomic_write import write_records
    from dedup.pipeline import writers

    if corpus.rejects and corpus.has_file(str(outputs.output)):
        count = format_count(len(corpus.rejects), "article")
        raise InputError(f"{outputs.output} was not replaced, because {count} could not be read")
    if outputs.dropped is not None:
        dropped = writers.iter_dropped_lines(verdicts, corpus)
        write_records(outputs.dropped, iter_lines_for_output(outputs.dropped, dropped))
    iter_records = writers.iter_annotated_lines if outputs.annotate else writers.iter_kept_records
    records = iter_records(verdicts, corpus)
    if is_table_requested(outputs.format, outputs.output):
        from dedup.cli.render import print_renderables
        from dedup.cli.render.records import render_records

        print_renderables(render_records(records, ARTICLE_COLUMNS))
    else:
        write_formatted_records(outputs.output, records, outputs.format)
