"""`dedup filter`: a corpus → one article of each story."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.terminal.options import (
    Command,
    corpora,
    corpus_options,
    output_option,
    rejects_option,
    settings_options,
)
from dedup.terminal.progress import run
from dedup.terminal.talk import report, report_rejects

if TYPE_CHECKING:
    from dedup.settings import Settings

__all__ = ["filter_"]


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
