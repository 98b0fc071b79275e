"""`dedup index`: what is in an index, whether it is sound, and less of it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from dedup.cli.messages import print_json
from dedup.cli.options import CONTEXT, FILES, Command, json_option, output_option
from dedup.formatting import counted

if TYPE_CHECKING:
    from dedup.index.index import Index

__all__ = ["index"]

SHOWN = 100
"""Faults that are named one by one."""

place_argument = click.argument("place", metavar="INDEX")


class Commands(click.Group):
    """Commands of a command, each with the options that all have."""

    command_class = Command
    section = "Find"


@click.group(cls=Commands, context_settings=CONTEXT)
def index() -> None:
    """Look after an index of the articles seen.

    dedup filter --index makes it, and adds to it.

    An INDEX is a file such as seen.db, or postgresql://user@host/database.
    """


@index.command(name="stats", examples=("dedup index stats seen.db",))
@place_argument
@json_option
def stats(place: str, as_json: bool) -> None:
    """Show what is in an index: how many articles, of when, on how many bytes."""
    with opened(place) as found:
        figures = found.stats()
    if as_json or not sys.stdout.isatty():
        print_json(asdict(figures))
    else:
        from dedup.cli.render import show
        from dedup.cli.render.index import stats_shown

        show(stats_shown(figures))


@index.command(name="verify", examples=("dedup index verify seen.db --deep",))
@place_argument
@click.option("--deep", is_flag=True, help="Compare all kept articles with each other too.")
def verify(place: str, deep: bool) -> None:
    """Look an index through, and say what is wrong with it; exit with 1 if anything is."""
    with opened(place) as found:
        faults = found.verify(deep=deep)
    for fault in faults[:SHOWN]:
        click.echo(fault)
    if faults:
        raise click.ClickException(f"{counted(len(faults), 'fault')} in {place}")
    click.echo(f"{place} is sound")


@index.command(
    name="expire",
    examples=("dedup index expire seen.db --before 60d", "dedup index expire seen.db --before 2026-01-01"),
)
@place_argument
@click.option("--before", required=True, metavar="DATE", help="A date, 2026-05-04, or days ago: 60d.")
def expire(place: str, before: str) -> None:
    """Forget the stories all of whose articles are older than a date, and give their space back.

    An article without a date is as old as its decision. Keep more than --copy-window-days of a feed.
    """
    with opened(place) as found:
        gone = found.expire(day_of(before))
    click.echo(f"{counted(gone, 'article')} expired")


@index.command(name="delete", examples=("dedup index delete seen.db article-1 article-2",))
@place_argument
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
def delete(place: str, ids: tuple[str, ...]) -> None:
    """Forget articles, in all versions; and where one was kept, all that was dropped for it."""
    with opened(place) as found:
        gone = [found.delete(name) for name in ids]
    missing = [name for name, count in zip(ids, gone, strict=True) if not count]
    click.echo(f"{counted(sum(gone), 'article')} deleted")
    if missing:
        raise click.ClickException(f"there is no article {', '.join(map(repr, missing))} in {place}")


@index.command(name="export", examples=("dedup index export seen.db -o log.parquet",))
@place_argument
@output_option("Write here instead of on stdout; the extension says the format: .parquet, .csv, .jsonl.")
def export(place: str, output: str | None) -> None:
    """Write what was decided, an article a row: what it repeats, how, how sure, on what evidence, when."""
    from dedup.io.atomic_write import write_records

    with opened(place) as found:
        count = write_records(output, chain.from_iterable(found.log()))
    click.echo(counted(count, "article"), err=True)


@index.command(name="merge", examples=("dedup index merge seen.db other.db",))
@place_argument
@click.argument("others", metavar="OTHER...", nargs=-1, required=True)
@click.option(
    "--furniture", type=FILES["furniture"], metavar="FILE", help="What the index was made with, if any."
)
@click.option("--model", type=FILES["model"], metavar="FILE", help="What the index was made with, if any.")
def merge(place: str, others: tuple[str, ...], **files: Any) -> None:
    """Add to an index what others have seen.

    Each kept article of the others is judged as if it came in now. An article of theirs that was dropped as a
    copy of one that is a repetition here is left out: should it come again, it is judged anew.
    """
    from dedup.index.index import Index
    from dedup.settings.settings import Settings

    own = Settings(**files) if any(files.values()) else None
    with Index.open(place, own, create=False) as found:
        for other in others:
            with opened(other) as one:
                added, left_out = found.merge(one)
            lost = f"; {counted(left_out, 'copy')} left out" if left_out else ""
            click.echo(f"{counted(added, 'article')} of {other} added{lost}")


def opened(place: str) -> Index:
    """Return an index that is there already."""
    from dedup.index.index import Index

    return Index.look_after(place)


def day_of(given: str) -> datetime:
    """Return the beginning of a day that is given as a date, or as days ago (60d)."""
    import pyarrow as pa

    from dedup.io.dates import parse_published

    now = datetime.now(UTC)
    if given.endswith("d") and given[:-1].isdecimal():
        try:
            return now - timedelta(days=int(given[:-1]))
        except OverflowError:
            raise click.BadParameter(f"{given} is longer ago than a calendar reaches.") from None
    found: datetime | None = parse_published(pa.array([given]))[0][0].as_py()
    if found is None:
        raise click.BadParameter(f"{given!r} is no date; write 2026-05-04, or 60d for sixty days ago.")
    return found
