"""`dedup index`: what is in an index, whether it is sound, and less of it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.messages import print_json
from dedup.cli.options import CONTEXT, FILE_OPTION_TYPES, Command, json_option, output_option
from dedup.formatting import format_count

if TYPE_CHECKING:
    from dedup.index.index import Index

__all__ = ["index_command"]

MAX_SHOWN_FAULTS = 100
"""Faults that are named one by one."""

index_argument = click.argument("place", metavar="INDEX")


class IndexCommandGroup(click.Group):
    """Commands of a command, each with the options that all have."""

    command_class = Command
    section = "Find"


@click.group(name="index", cls=IndexCommandGroup, context_settings=CONTEXT)
def index_command() -> None:
    """Look after an index of the articles seen.

    dedup filter --index makes it, and adds to it.

    An INDEX is a file such as seen.db, or postgresql://user@host/database.
    """


@index_command.command(name="stats", examples=("dedup index stats seen.db",))
@index_argument
@json_option
def stats_command(place: str, as_json: bool) -> None:
    """Show what is in an index: how many articles, of when, on how many bytes."""
    with open_existing_index(place) as found:
        figures = found.stats()
    if as_json or not sys.stdout.isatty():
        print_json(asdict(figures))
    else:
        from dedup.cli.render import print_renderables
        from dedup.cli.render.index import render_index_stats

        print_renderables(render_index_stats(figures))


@index_command.command(name="verify", examples=("dedup index verify seen.db --deep",))
@index_argument
@click.option("--deep", is_flag=True, help="Compare all kept articles with each other too.")
def verify_command(place: str, deep: bool) -> None:
    """Look an index through, and say what is wrong with it; exit with 1 if anything is."""
    with open_existing_index(place) as found:
        faults = found.verify(deep=deep)
    for fault in faults[:MAX_SHOWN_FAULTS]:
        click.echo(fault)
    if faults:
        raise click.ClickException(f"{format_count(len(faults), 'fault')} in {place}")
    click.echo(f"{place} is sound")


@index_command.command(
    name="expire",
    examples=("dedup index expire seen.db --before 60d", "dedup index expire seen.db --before 2026-01-01"),
)
@index_argument
@click.option("--before", required=True, metavar="DATE", help="A date, 2026-05-04, or days ago: 60d.")
def expire_command(place: str, before: str) -> None:
    """Forget the stories all of whose articles are older than a date, and give their space back.

    An article without a date is as old as its decision. Keep more than --copy-window-days of a feed.
    """
    with open_existing_index(place) as found:
        gone = found.expire(parse_cutoff_date(before))
    click.echo(f"{format_count(gone, 'article')} expired")


@index_command.command(name="delete", examples=("dedup index delete seen.db article-1 article-2",))
@index_argument
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
def delete_command(place: str, ids: tuple[str, ...]) -> None:
    """Forget articles, in all versions; and where one was kept, all that was dropped for it."""
    with open_existing_index(place) as found:
        gone = [found.delete(name) for name in ids]
    missing = [name for name, count in zip(ids, gone, strict=True) if not count]
    click.echo(f"{format_count(sum(gone), 'article')} deleted")
    if missing:
        raise click.ClickException(f"there is no article {', '.join(map(repr, missing))} in {place}")


@index_command.command(name="export", examples=("dedup index export seen.db -o log.parquet",))
@index_argument
@output_option("Write here instead of on stdout; the extension says the format: .parquet, .csv, .jsonl.")
def export_command(place: str, output: str | None) -> None:
    """Write what was decided, an article a row: what it repeats, how, how sure, on what evidence, when."""
    from dedup.io.atomic_write import write_records

    with open_existing_index(place) as found:
        count = write_records(output, chain.from_iterable(found.log()))
    click.echo(format_count(count, "article"), err=True)


@index_command.command(name="merge", examples=("dedup index merge seen.db other.db",))
@index_argument
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@click.option(
    "--boilerplate",
    type=FILE_OPTION_TYPES["boilerplate"],
    metavar="FILE",
    help="What the index was made with, if any.",
)
@click.option(
    "--model", type=FILE_OPTION_TYPES["model"], metavar="FILE", help="What the index was made with, if any."
)
def merge_command(place: str, others: tuple[str, ...], **files: Any) -> None:
    """Add to an index what others have seen.

    Each kept article of the others is judged as if it came in now. An article of theirs that was dropped as a
    copy of one that is a repetition here is left out: should it come again, it is judged anew.
    """
    from dedup.index.index import Index
    from dedup.settings.settings import Settings

    own = Settings(**files) if any(files.values()) else None
    with Index.open(place, own, create=False) as found:
        for other in others:
            with open_existing_index(other) as one:
                added, left_out = found.merge(one)
            lost = f"; {format_count(left_out, 'copy')} left out" if left_out else ""
            click.echo(f"{format_count(added, 'article')} of {other} added{lost}")


def open_existing_index(location: str) -> Index:
    """Return an index that is there already."""
    from dedup.index.index import Index

    return Index.open_for_maintenance(location)


def parse_cutoff_date(value: str) -> datetime:
    """Return the beginning of a day that is given as a date, or as days ago (60d)."""
    import pyarrow as pa

    from dedup.io.dates import parse_published

    now = datetime.now(UTC)
    if value.endswith("d") and value[:-1].isdecimal():
        try:
            return now - timedelta(days=int(value[:-1]))
        except OverflowError:
            raise click.BadParameter(f"{value} is longer ago than a calendar reaches.") from None
    found: datetime | None = parse_published(pa.array([value]))[0][0].as_py()
    if found is None:
        raise click.BadParameter(f"{value!r} is no date; write 2026-05-04, or 60d for sixty days ago.")
    return found
