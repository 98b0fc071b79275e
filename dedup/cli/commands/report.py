"""`dedup report`: a corpus → one page to look through in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.messages import oddities, report_rejects, summary, tell
from dedup.cli.options import (
    Command,
    corpora,
    corpus_options,
    output_option,
    rejects_option,
    settings_options,
)
from dedup.cli.progress import interruptible, prepare, run

if TYPE_CHECKING:
    from dedup.settings.settings import Settings

__all__ = ["report"]

MILLION = 1_000_000


@click.command(
    cls=Command,
    section="Find",
    examples=(
        "dedup report news/ -o report.html",
        "dedup report today.jsonl archive/ -o report.html --window-days 7",
    ),
)
@corpora
@output_option("Write the page here.", required=True)
@click.option(
    "--texts",
    type=click.IntRange(0, 1000),
    default=16,
    show_default=True,
    metavar="N",
    help="How many million characters of texts go into the page, at most; 0 for none.",
)
@settings_options
@rejects_option
@corpus_options
def report(
    paths: tuple[str, ...],
    output: str,
    texts: int,
    settings: Settings,
    rejects: str | None,
    quiet: bool,
    **reading: Any,
) -> None:
    """Write a page to look through in a browser.

    It shows clusters, pairs side by side, charts, and what was left out. The page stands alone and loads
    nothing from anywhere. It holds titles and texts of the corpus: pass it on only where you would pass
    these on.
    """
    prepare()
    import dedup
    from dedup.io.atomic_write import atomic_output
    from dedup.pipeline import writers
    from dedup.reports.html.page import page_of

    corpus = dedup.read_articles(*paths, **reading)
    for place in (output, rejects):
        writers.check_place(place, corpus)
    done = run(corpus, settings, quiet=quiet)
    report_rejects(corpus, output, rejects, quiet=quiet)
    odd = list(oddities(done, corpus))
    name = ", ".join("standard input" if path == "-" else Path(path).name or path for path in paths)
    page = interruptible(
        lambda: page_of(
            done.result, corpus, name=name, version=dedup.__version__, budget=texts * MILLION, oddities=odd
        )
    )
    with atomic_output(output) as file:
        file.write(page)
    tell("\n".join([summary(done), *odd]), quiet=quiet)
