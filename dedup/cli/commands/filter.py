"""`dedup filter`: a corpus → one article of each story; with an index, one of each story that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.dry_run import print_estimate, print_estimate_line
from dedup.cli.messages import report_index_answers, report_rejects, report_run
from dedup.cli.options import (
    Command,
    corpus_argument,
    corpus_options,
    dry_run_option,
    output_option,
    rejects_option,
    settings_options,
)
from dedup.cli.progress import prepare_libraries, run_with_progress
from dedup.cli.stream_filter import (
    FilterOutputs,
    add_corpus_to_index,
    count_outcomes,
    filter_stream,
    open_index,
)

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.pipeline.writers import ArticleDecisions
    from dedup.settings.settings import Settings

__all__ = ["filter_command"]

STDIN = "-"


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
@corpus_argument
@output_option("Write the kept articles here instead of on stdout; the extension says the format.")
@click.option(
    "--dropped",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="Write the dropped articles here, each with the reason.",
)
@click.option("--annotate", is_flag=True, help="Write all articles, in order, each with what became of it.")
@click.option(
    "--index",
    "place",
    metavar="PLACE",
    envvar="DEDUP_INDEX",
    help="Remember the articles here, and drop what repeats one of an earlier run: a file such as seen.db.",
)
@click.option(
    "--new-only",
    is_flag=True,
    help="With --index: do not keep an article again that comes a second time, with the same id and text. "
    "After a run that was cut off it may keep too little: what was recorded and not yet written counts as kept.",
)
@click.option(
    "--batch",
    type=click.IntRange(1, 100_000),
    default=1000,
    show_default=True,
    help="With --index and standard input: answer about so many articles at once.",
)
@click.option(
    "--max-delay",
    type=click.IntRange(0, 3_600_000),
    default=200,
    show_default=True,
    metavar="MS",
    help="With --index and standard input: let no article wait longer for others, in milliseconds.",
)
@dry_run_option
@settings_options
@rejects_option
@corpus_options
def filter_command(
    paths: tuple[str, ...],
    output: str | None,
    dropped: str | None,
    annotate: bool,
    place: str | None,
    new_only: bool,
    batch: int,
    max_delay: int,
    dry_run: bool,
    settings: Settings,
    rejects: str | None,
    quiet: bool,
    **reading: Any,
) -> None:
    """Keep one article of each story and drop the others.

    What is kept is written as it was read, byte for byte where it came as lines of JSON.

    With --index, articles are taken as they come, and whoever came first is kept. Standard input is then a
    stream without an end: each article is answered, in order, as soon as that is recorded for good, and files
    named by -o and --dropped are added to. The same id and text again get the same answer again, so a run
    that was cut off may be repeated; SIGTERM answers what has arrived, and ends.
    """
    check_distinct_paths({"output": output or STDIN, "dropped": dropped, "rejects": rejects, "index": place})
    if place is None and new_only:
        raise click.UsageError("--new-only needs an --index.")
    doors = FilterOutputs(output, dropped, rejects, annotate=annotate, new_only=new_only, quiet=quiet)
    prepare_libraries()
    if dry_run:
        print_estimate(paths, settings, reading.get("fields"), quiet=quiet)
    elif place is not None and paths == (STDIN,):
        from dedup.index.stream import BatchLimits

        filter_stream(place, settings, BatchLimits(batch, max_delay / 1000), doors, **reading)
    elif place is not None:
        filter_with_index(paths, place, settings, doors, **reading)
    else:
        filter_corpus(paths, settings, doors, **reading)


def check_distinct_paths(paths: Mapping[str, str | None]) -> None:
    """Raise UsageError where two options name one place: what the one writes the other would destroy."""
    named = {option: Path(place).resolve() for option, place in paths.items() if place}
    for one, other in combinations(named, 2):
        if named[one] == named[other]:
            raise click.UsageError(f"--{other} and --{one} must be two places.")


def filter_corpus(paths: tuple[str, ...], settings: Settings, outputs: FilterOutputs, **reading: Any) -> None:
    """Filter a corpus by itself."""
    corpus = open_corpus(paths, outputs, **reading)
    print_estimate_line(corpus, paths, settings, reading.get("fields"), quiet=outputs.quiet)
    done = run_with_progress(corpus, settings, quiet=outputs.quiet)
    write_filtered(done.result, corpus, outputs)
    report_run(done, corpus, quiet=outputs.quiet)


def filter_with_index(
    paths: tuple[str, ...], location: str, settings: Settings, outputs: FilterOutputs, **reading: Any
) -> None:
    """Filter a corpus by what an index has seen, and itself."""
    from dedup.index.answers import CorpusAnswers

    corpus = open_corpus(paths, outputs, **reading)
    with open_index(location, settings) as index:
        given, seconds = add_corpus_to_index(corpus, index, quiet=outputs.quiet)
        write_filtered(CorpusAnswers(given, new_only=outputs.new_only), corpus, outputs)
        outcomes = count_outcomes(given, new_only=outputs.new_only)
        report_index_answers(outcomes, seconds, index, corpus.warnings, quiet=outputs.quiet)


def open_corpus(paths: tuple[str, ...], outputs: FilterOutputs, **reading: Any) -> Corpus:
    """Return the corpus, after a look whether the places can be written to."""
    from dedup import read_articles
    from dedup.pipeline import writers

    corpus = read_articles(*paths, **reading)
    writers.check_output_path(outputs.output)
    for other in (outputs.dropped, outputs.rejects):
        writers.check_output_path(other, corpus)
    return corpus


def write_filtered(verdicts: ArticleDecisions, corpus: Corpus, outputs: FilterOutputs) -> None:
    """Write what was kept, what was dropped, and what could not be read."""
    from dedup.io.atomic_write import write_records
    from dedup.pipeline import writers

    report_rejects(corpus, outputs.output, outputs.rejects, quiet=outputs.quiet)
    if outputs.dropped is not None:
        write_records(outputs.dropped, writers.iter_dropped_lines(verdicts, corpus))
    write_records(
        outputs.output,
        (writers.iter_annotated_lines if outputs.annotate else writers.iter_kept_records)(verdicts, corpus),
    )
