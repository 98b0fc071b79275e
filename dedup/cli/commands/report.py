"""`dedup report`: a corpus → one page to look through in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.messages import echo_status, format_run_summary, iter_run_warnings, report_rejects
from dedup.cli.options import (
    Command,
    corpus_argument,
    corpus_options,
    output_option,
    rejects_option,
    settings_options,
)
from dedup.cli.progress import prepare_libraries, run_interruptibly, run_with_progress

if TYPE_CHECKING:
    from dedup.settings.settings import Settings

__all__ = ["report_command"]

MILLION = 1_000_000


@click.command(
    name="report",
    cls=Command,
    section="Find",
    examples=(
        "dedup report news/ -o report.html",
        "dedup report today.jsonl archive/ -o report.html --window-days 7",
    ),
)
@corpus_argument
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
def report_command(
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
    prepare_libraries()
    import dedup
    from dedup.io.atomic_write import open_atomic
    from dedup.pipeline import writers
    from dedup.reports.html.page import build_report_page

    corpus = dedup.read_articles(*paths, **reading)
    for place in (output, rejects):
        writers.check_output_path(place, corpus)
    done = run_with_progress(corpus, settings, quiet=quiet)
    report_rejects(corpus, output, rejects, quiet=quiet)
    odd = list(iter_run_warnings(done, corpus))
    name = ", ".join("standard input" if path == "-" else Path(path).name or path for path in paths)
    page = run_interruptibly(
        lambda: build_report_page(
            done.result, corpus, name=name, version=dedup.__version__, budget=texts * MILLION, oddities=odd
        )
    )
    with open_atomic(output) as file:
        file.write(page)
    echo_status("\n".join([format_run_summary(done), *odd]), quiet=quiet)
