"""`dedup filter`: a corpus → one article of each story; with an index, one of each story that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.dry_run import foretell, say_plan
from dedup.cli.messages import report, report_answers, report_rejects
from dedup.cli.options import (
    Command,
    corpora,
    corpus_options,
    dry_run_option,
    output_option,
    rejects_option,
    settings_options,
)
from dedup.cli.progress import prepare, run
from dedup.cli.stream_filter import Doors, Pace, answer, fed, open_index, outcomes_of

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.pipeline.writers import Verdicts
    from dedup.settings.settings import Settings

__all__ = ["filter_"]

STDIN = "-"


@click.command(
    cls=Command,
    name="filter",
    section="Find",
    examples=(
        "dedup filter news.csv -o kept.csv --dropped dropped.jsonl",
        "zcat feed.jsonl.gz | dedup filter - > kept.jsonl",
        "dedup filter today/ -o kept.jsonl --furniture furniture.json --model model.json",
    ),
)
@corpora
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
def filter_(
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
    check_places({"output": output or STDIN, "dropped": dropped, "rejects": rejects, "index": place})
    if place is None and new_only:
        raise click.UsageError("--new-only needs an --index.")
    doors = Doors(output, dropped, rejects, annotate=annotate, new_only=new_only, quiet=quiet)
    prepare()
    if dry_run:
        say_plan(paths, settings, reading.get("fields"), quiet=quiet)
    elif place is not None and paths == (STDIN,):
        fed(place, settings, Pace(batch, max_delay / 1000), doors, **reading)
    elif place is not None:
        remembered(paths, place, settings, doors, **reading)
    else:
        at_once(paths, settings, doors, **reading)


def check_places(places: Mapping[str, str | None]) -> None:
    """Raise UsageError where two options name one place: what the one writes the other would destroy."""
    named = {option: Path(place).resolve() for option, place in places.items() if place}
    for one, other in combinations(named, 2):
        if named[one] == named[other]:
            raise click.UsageError(f"--{other} and --{one} must be two places.")


def at_once(paths: tuple[str, ...], settings: Settings, doors: Doors, **reading: Any) -> None:
    """Filter a corpus by itself."""
    corpus = opened(paths, doors, **reading)
    foretell(corpus, paths, settings, reading.get("fields"), quiet=doors.quiet)
    done = run(corpus, settings, quiet=doors.quiet)
    written(done.result, corpus, doors)
    report(done, corpus, quiet=doors.quiet)


def remembered(paths: tuple[str, ...], place: str, settings: Settings, doors: Doors, **reading: Any) -> None:
    """Filter a corpus by what an index has seen, and itself."""
    from dedup.index.answers import Answers

    corpus = opened(paths, doors, **reading)
    with open_index(place, settings) as index:
        given, seconds = answer(corpus, index, quiet=doors.quiet)
        written(Answers(given, new_only=doors.new_only), corpus, doors)
        outcomes = outcomes_of(given, new_only=doors.new_only)
        report_answers(outcomes, seconds, index, corpus.warnings, quiet=doors.quiet)


def opened(paths: tuple[str, ...], doors: Doors, **reading: Any) -> Corpus:
    """Return the corpus, after a look whether the places can be written to."""
    from dedup import read_articles
    from dedup.pipeline import writers

    corpus = read_articles(*paths, **reading)
    writers.check_place(doors.output)
    for other in (doors.dropped, doors.rejects):
        writers.check_place(other, corpus)
    return corpus


def written(found: Verdicts, corpus: Corpus, doors: Doors) -> None:
    """Write what was kept, what was dropped, and what could not be read."""
    from dedup.io.atomic_write import write_records
    from dedup.pipeline import writers

    report_rejects(corpus, doors.output, doors.rejects, quiet=doors.quiet)
    if doors.dropped is not None:
        write_records(doors.dropped, writers.dropped(found, corpus))
    write_records(doors.output, (writers.annotated if doors.annotate else writers.kept)(found, corpus))
