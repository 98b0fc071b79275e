"""`dedup match`: find the articles of one corpus that share text with articles of another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.long_work import compile_missing_kernels, prepare_libraries, run_interruptibly
from dedup.cli.messages import echo_status
from dedup.cli.options import (
    Command,
    add_corpus_options,
    add_records_option,
    add_settings_options,
    parse_field_names,
)
from dedup.cli.output_format import (
    RECORD_FORMAT_HELP,
    add_record_format_option,
    check_record_format,
    is_table_requested,
    write_formatted_records,
)
from dedup.cli.output_paths import check_output_paths
from dedup.cli.rejects import MAX_SHOWN_REASONS, format_first
from dedup.formatting import format_count

if TYPE_CHECKING:
    from dedup.origins.corpus_match import CorpusMatch
    from dedup.settings.settings import Settings

__all__ = ["match_command"]

SHARE_DIGITS = 4
COLUMNS = ("a", "b", "relation", "a_share", "b_share", "direction")
"""The columns of the table."""


@click.command(
    name="match",
    cls=Command,
    section="Find",
    examples=(
        "dedup match releases/ news/ -o reuse.jsonl",
        "dedup match test.jsonl train.jsonl -o leaks.csv --min-share 0.5",
        "dedup match releases/ news/ --level story",
    ),
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@add_records_option("Write to this file instead of stdout, in the format of its extension.")
@add_record_format_option(help_=RECORD_FORMAT_HELP, allow_from_autoenv=False)
@click.option(
    "--min-share",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.2,
    show_default=True,
    metavar="SHARE",
    help="List every pair that shares at least this much of either article, even if neither is a copy of the other.",
)
@click.option(
    "--field-b",
    "fields_b",
    multiple=True,
    metavar="OURS=THEIRS",
    callback=parse_field_names,
    help="The name of a field in B, such as text=body, if its names are not those of A. Can be repeated.",
)
@add_settings_options
@add_corpus_options
def match_command(
    first: str,
    second: str,
    output: str | None,
    format_: str | None,
    min_share: float,
    fields_b: dict[str, str],
    settings: Settings,
    quiet: bool,
    **reading: Any,
) -> None:
    """Find articles of one corpus that share text with another.

    Lists each pair of an article of corpus A and one of corpus B, in the order of A: the share of each
    article that the other has, the relation, the longest shared passages, and the direction by date ("a to b" if A's
    article is older). Compares wording by default; --level story also finds rewrites. Articles of one corpus are never
    compared with each other.
    """
    prepare_libraries()
    check_record_format(format_, output)
    from dedup.io.kept_corpus import KEPT_BYTES, KeptCorpus
    from dedup.origins.corpus_match import match_corpora

    keep_bytes = 0 if settings.memory else KEPT_BYTES // 2
    fields = reading.pop("fields")
    corpora = [
        KeptCorpus([path], **reading, fields=names, keep_bytes=keep_bytes)
        for path, names in ((first, fields), (second, fields_b or fields))
    ]
    for path, corpus in zip((first, second), corpora, strict=True):
        check_output_paths((path,), corpus, output)
    compile_missing_kernels(quiet=quiet)
    matches = run_interruptibly(
        lambda: list(match_corpora(corpora[0], corpora[1], settings, min_share=min_share))
    )
    if is_table_requested(format_, output):
        from dedup.cli.render import print_renderables
        from dedup.cli.render.records import render_records

        print_renderables(render_records(iter_match_records(matches), COLUMNS))
    else:
        write_formatted_records(output, iter_match_records(matches), format_)
    articles = len({match.a for match in matches})
    pairs, counted = format_count(len(matches), "pair"), format_count(articles, "article")
    lines = [f"{pairs} with shared text, of {counted} of {first}"]
    if unread := [reject for corpus in corpora for reject in corpus.rejects]:
        counted = format_count(len(unread), "article")
        lines.append(
            f"{counted} could not be read: {format_first(unread)}{' …' if len(unread) > MAX_SHOWN_REASONS else ''}"
        )
    echo_status("\n".join(lines), quiet=quiet)


next(option for option in match_command.params if option.name == "level").default = "text"


def iter_match_records(matches: list[CorpusMatch]) -> Iterator[dict[str, Any]]:
    """Yield each match as a record, with rounded numbers."""
    for match in matches:
        record = asdict(match)
        rounded = {name: round(record[name], SHARE_DIGITS) for name in ("score", "a_share", "b_share")}
        yield {**record, **rounded}
