"""`dedup index`: inspect, check and shrink an index."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.messages import echo
from dedup.cli.options import CONTEXT, FILE_OPTION_TYPES, Command, add_records_option
from dedup.cli.output_format import (
    RECORD_FORMAT_HELP,
    TABLE,
    add_document_format_option,
    add_record_format_option,
    check_record_format,
    is_table_requested,
    print_document,
    write_formatted_records,
)
from dedup.formatting import format_count

if TYPE_CHECKING:
    from dedup.index.index import Index

__all__ = ["index_command"]

DECISION_COLUMNS = ("id", "canonical", "relation", "score", "published", "decided")
MAX_SHOWN_FAULTS = 100
"""The number of faults that are listed."""

MAX_DAY_DIGITS = 5
"""A longer number is a date: 20260504, or seconds since 1970."""

index_argument = click.argument("location", metavar="INDEX")


class IndexCommandGroup(click.Group):
    """The subcommands of `dedup index`."""

    command_class = Command
    section = "Find"


@click.group(name="index", cls=IndexCommandGroup, context_settings=CONTEXT)
def index_command() -> None:
    """Inspect and maintain an index of articles.

    dedup filter --index creates an index and adds articles to it.

    INDEX is a file such as seen.db, or postgresql://user@host/database.
    """


@index_command.command(name="stats", examples=("dedup index stats seen.db",))
@index_argument
@add_document_format_option()
def stats_command(location: str, format_: str) -> None:
    """Show the number of articles in an index, their dates and its size."""
    with open_existing_index(location) as index:
        stats = index.stats()
    if format_ == TABLE:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.index import render_index_stats

        print_renderables(render_index_stats(stats))
    else:
        print_document(asdict(stats), format_)


@index_command.command(name="verify", examples=("dedup index verify seen.db --deep",))
@index_argument
@click.option("--deep", is_flag=True, help="Also compare all kept articles with each other.")
@click.option(
    "--repair", is_flag=True, help="First restore each damaged part that the rest of the index determines."
)
def verify_command(location: str, deep: bool, repair: bool) -> None:
    """Check an index for damage and name each fault; exit with 1 if there is any."""
    with open_existing_index(location) as index:
        for sentence in index.repair() if repair else []:
            echo(sentence)
        faults = index.verify(deep=deep)
        name = index.backend.name
    for fault in faults[:MAX_SHOWN_FAULTS]:
        echo(fault)
    if faults:
        raise click.ClickException(f"{format_count(len(faults), 'fault')} in {name}")
    echo(f"{name} has no faults")


@index_command.command(
    name="expire",
    examples=("dedup index expire seen.db --before 60d", "dedup index expire seen.db --before 2026-01-01"),
)
@index_argument
@click.option(
    "--before", required=True, metavar="DATE", help="A date (2026-05-04) or a number of days ago (60d)."
)
def expire_command(location: str, before: str) -> None:
    """Remove stories whose articles are all older than a date, and free their space.

    For an article without a date, the time when it was added counts. Keep more days than --copy-window-days.
    """
    cutoff = parse_cutoff_date(before)
    with open_existing_index(location) as index:
        removed = index.expire(cutoff)
    echo(f"{format_count(removed, 'article')} expired")


@index_command.command(name="delete", examples=("dedup index delete seen.db article-1 article-2",))
@index_argument
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
def delete_command(location: str, ids: tuple[str, ...]) -> None:
    """Remove all versions of articles, and the articles that were dropped as duplicates of them."""
    with open_existing_index(location) as index:
        counts = [index.delete(id_) for id_ in ids]
        name = index.backend.name
    missing = [id_ for id_, count in zip(ids, counts, strict=True) if not count]
    echo(f"{format_count(sum(counts), 'article')} deleted")
    if missing:
        raise click.ClickException(f"there is no article {', '.join(map(repr, missing))} in {name}")


@index_command.command(name="export", examples=("dedup index export seen.db -o log.parquet",))
@index_argument
@add_records_option(
    "Write to this file instead of stdout, in the format of its extension: .parquet, .csv, .jsonl."
)
@add_record_format_option(help_=RECORD_FORMAT_HELP, allow_from_autoenv=False)
def export_command(location: str, output: str | None, format_: str | None) -> None:
    """Write the decisions, one row per article: its match, the relation, the score, the evidence and the time."""
    check_record_format(format_, output)
    with open_existing_index(location) as index:
        rows = chain.from_iterable(index.log())
        if is_table_requested(format_, output):
            from dedup.cli.render import print_renderables
            from dedup.cli.render.records import render_records

            print_renderables(render_records(rows, DECISION_COLUMNS))
            return
        count = write_formatted_records(output, rows, format_)
    echo(format_count(count, "article"), err=True)


@index_command.command(name="merge", examples=("dedup index merge seen.db other.db",))
@index_argument
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@click.option(
    "--boilerplate",
    type=FILE_OPTION_TYPES["boilerplate"],
    metavar="FILE",
    help="The boilerplate of the index, if it was created with any.",
)
@click.option(
    "--model",
    type=FILE_OPTION_TYPES["model"],
    metavar="FILE",
    help="The model of the index, if it was created with one.",
)
def merge_command(location: str, others: tuple[str, ...], **files: Any) -> None:
    """Add the articles of other indexes to an index.

    Each kept article of the others is added as if it arrived now. If it is a duplicate here, the articles that were
    dropped as its copies are left out; if one arrives again, it is compared again.
    """
    from dedup.index.index import Index
    from dedup.settings.settings import Settings

    own = Settings(**files) if any(files.values()) else None
    with Index.open(location, own, create=False) as index:
        for other_location in others:
            with open_existing_index(other_location) as other:
                added, left_out = index.merge(other)
                name = other.backend.name
            omitted = f"; {format_count(left_out, 'copy')} left out" if left_out else ""
            echo(f"{format_count(added, 'article')} of {name} added{omitted}")


def open_existing_index(location: str) -> Index:
    """Open an index that exists."""
    from dedup.index.index import Index

    return Index.open_for_maintenance(location)


def parse_cutoff_date(value: str) -> datetime:
    """Return a cutoff given as a date or as a number of days ago (60d); `BadParameter` if it is neither."""
    import pyarrow as pa

    from dedup.io.dates import parse_published

    now = datetime.now(UTC)
    if value.endswith("d") and value[:-1].isdecimal():
        try:
            return now - timedelta(days=int(value[:-1]))
        except OverflowError:
            raise click.BadParameter(f"{value} is before the year 1.") from None
    if value.strip().isdecimal() and len(value.strip()) <= MAX_DAY_DIGITS:
        raise click.BadParameter(
            f"{value!r} has no unit; did you mean {value.strip()}d, {value.strip()} days ago?"
        )
    cutoff: datetime | None = parse_published(pa.array([value]))[0][0].as_py()
    if cutoff is None:
        raise click.BadParameter(f"{value!r} is not a date; write 2026-05-04, or 60d for 60 days ago.")
    return cutoff
