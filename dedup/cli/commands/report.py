"""`dedup report`: write an HTML page to browse the clusters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.long_work import prepare_libraries, run_interruptibly, run_with_progress
from dedup.cli.messages import echo_status, format_run_summary, iter_run_warnings
from dedup.cli.options import (
    Command,
    add_corpus_argument,
    add_corpus_options,
    add_output_option,
    add_rejects_options,
    add_settings_options,
)
from dedup.cli.output_paths import check_output_paths
from dedup.cli.rejects import RejectOptions, report_rejects

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
@add_corpus_argument
@add_output_option("Write the page to this file.", required=True)
@click.option(
    "--texts",
    type=click.IntRange(0, 1000),
    default=16,
    show_default=True,
    metavar="N",
    help="Maximum length of all texts in the page, in millions of characters; 0 leaves the texts out.",
)
@click.option(
    "--publishers",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="A CSV or JSON file with the group that owns each publisher, as for dedup origins.",
)
@add_settings_options
@add_rejects_options
@add_corpus_options
def report_command(
    paths: tuple[str, ...],
    output: str,
    texts: int,
    publishers: str | None,
    settings: Settings,
    rejects: RejectOptions,
    quiet: bool,
    **reading: Any,
) -> None:
    """Write an HTML page to browse the clusters.

    It shows clusters with their origins, pairs side by side, how far behind each outlet is, charts and the detected
    boilerplate. You can label pairs in it, and save the labels for dedup calibrate. The page is a single file and loads
    nothing from the network. It contains titles and texts of the corpus, so share it only if you may share these.
    """
    prepare_libraries()
    import dedup
    from dedup.io.atomic_write import open_atomic
    from dedup.io.kept_corpus import KEPT_BYTES, KeptCorpus
    from dedup.origins.publishers import load_default_groups, read_publisher_groups
    from dedup.reports.html.page import build_report_page

    groups = read_publisher_groups(publishers) if publishers else load_default_groups()
    corpus = KeptCorpus(paths, **reading, keep_bytes=0 if settings.memory else KEPT_BYTES)
    check_output_paths(paths, corpus, output, rejects.path)
    done = run_with_progress(corpus, settings, quiet=quiet)
    report_rejects(corpus, len(done.result.ids), paths, output, rejects, quiet=quiet)
    warnings = list(iter_run_warnings(done, corpus))
    name = ", ".join("standard input" if path == "-" else Path(path).name or path for path in paths)
    page = run_interruptibly(
        lambda: build_report_page(
            done.result,
            corpus,
            name=name,
            version=dedup.__version__,
            budget=texts * MILLION,
            oddities=warnings,
            publisher_groups=groups,
        )
    )
    with open_atomic(output) as file:
        file.write(page)
    echo_status("\n".join([format_run_summary(done), *warnings]), quiet=quiet)
