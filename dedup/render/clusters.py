"""Clusters → a list to read: the article that is kept, and under it those that repeat it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedup.phrases import date, lag, percent
from dedup.render import RELATION_STYLES, line

__all__ = ["clusters_shown"]

WIDE = 110
"""From this many columns on, there is room for ids beside titles and sources."""
ID_WIDTH, SOURCE_WIDTH = 26, 22
Article = Mapping[str, Any]
"""id, title, source, published, and of a duplicate relation and score."""


def clusters_shown(clusters: Sequence[Sequence[Article]], more: int) -> Iterator[RenderableType]:
    """Yield each cluster, canonical first, as a heading and a table; `more` is how many are not shown."""
    for articles in clusters:
        yield heading(articles[0], len(articles))
        yield Padding(Members(articles), (0, 0, 0, 2))
        yield ""
    if more:
        yield Text(f"… and {more:,} more (use -o to get all)\n", "dim")


def heading(canonical: Article, size: int) -> RenderableType:
    """Return the lines on the article that is kept: its title; how many there are, source, date and id."""
    facts = [f"{size} articles", canonical["source"], date(canonical["published"]), canonical["id"]]
    return Group(line(canonical["title"], "bold"), line(" · ".join(filter(None, facts)), "dim"))


class Members:
    """The duplicates of a cluster, a row each, as much of them as the terminal has room for."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self.canonical, *self.duplicates = articles

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the table."""
        yield self.table(wide=options.max_width >= WIDE)

    def table(self, *, wide: bool) -> Table:
        """Return the table; without the ids where it is narrow and there are sources."""
        with_sources = any(article["source"] for article in self.duplicates)
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(min_width=9)
        table.add_column(justify="right", min_width=6)
        table.add_column(justify="right", min_width=7 if self.canonical["published"] else None)
        table.add_column(ratio=1)
        names = [("source", SOURCE_WIDTH)] * with_sources + [("id", ID_WIDTH)] * (wide or not with_sources)
        for _, width in names:
            table.add_column(width=width)
        for article in self.duplicates:
            named = (line(article[name], "dim" if name == "id" else "") for name, _ in names)
            table.add_row(*self.cells(article), *named)
        return table

    def cells(self, article: Article) -> list[Text]:
        """Return relation, score, lag and title of a duplicate."""
        same = article["title"] == self.canonical["title"]
        return [
            Text(article["relation"], RELATION_STYLES[article["relation"]]),
            Text(percent(article["score"])),
            Text(lag(self.canonical["published"], article["published"])),
            line("same title" if same else article["title"], "dim italic" if same else ""),
        ]
