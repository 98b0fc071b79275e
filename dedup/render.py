"""Results → what a person reads on a terminal: clusters, settings, scores, explanations.

In: values of the library. Out: rich renderables. What comes from a corpus is never taken as markup, and its control
characters are not handed to the terminal.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

__all__ = ["RELATION_STYLES", "clusters_shown", "date", "lag", "percent", "plain", "show"]

RELATION_STYLES = {"exact": "green", "copy": "cyan", "excerpt": "blue", "extension": "magenta", "rewrite": "yellow"}
UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
"""Unicode categories that could move the cursor, or turn the order of what follows."""
JOINERS = "\u200c\u200d"
"""Format characters that Persian words and emoji need."""
ID_WIDTH, SOURCE_WIDTH = 24, 22


def show(what: RenderableType) -> None:
    """Print something on the terminal."""
    Console(highlight=False).print(what)


def plain(text: str | None) -> str:
    """Return text on one line, without what a terminal would take as a command.

    >>> plain("Mayor\\x1b[2J resigns")
    'Mayor [2J resigns'
    """
    safe = (c if c in JOINERS or unicodedata.category(c) not in UNPRINTABLE else " " for c in text or "")
    return " ".join("".join(safe).split())


def percent(share: float) -> str:
    """Return a share as a per cent; 100 % and 0 % are only said of what is exactly that.

    >>> percent(0.973), percent(0.9999)
    ('97 %', '99 %')
    """
    whole = round(share * 100)
    if 0 < share < 1:
        whole = min(max(whole, 1), 99)
    return f"{whole} %"


def date(published: datetime | None) -> str:
    """Return a date as people write it; without the time where it is midnight, which mostly means that none is known."""
    if published is None:
        return "undated"
    day = f"{published.day} {published:%b %Y}"
    return day if (published.hour, published.minute) == (0, 0) else f"{day}, {published:%H:%M}"


def lag(first: datetime | None, later: datetime | None) -> str:
    """Return how much later the second date is: "+3 h", "−2 d"; nothing where one is missing."""
    if first is None or later is None:
        return ""
    apart = abs(later - first)
    sign = "+" if later >= first else "−"
    if apart < timedelta(hours=1):
        return f"{sign}{apart // timedelta(minutes=1)} min"
    if apart < timedelta(days=2):
        return f"{sign}{round(apart / timedelta(hours=1))} h"
    return f"{sign}{round(apart / timedelta(days=1))} d"


def clusters_shown(clusters: list[list[Mapping[str, Any]]], more: int) -> Iterator[RenderableType]:
    """Yield each cluster as a heading and a table; `more` is how many are not shown.

    An article is a mapping: id, title, source, published, and for duplicates relation and score.
    """
    for articles in clusters:
        yield Group(heading(articles[0], len(articles)), Padding(members(articles), (0, 0, 1, 2)))
    if more:
        yield Text(f"… and {more:,} more (use -o to get all)\n", "dim")


def heading(canonical: Mapping[str, Any], size: int) -> RenderableType:
    """Return the lines on the article that is kept: its title; how many there are, source, date and id."""
    title = Text(plain(canonical["title"]), "bold", no_wrap=True, overflow="ellipsis")
    facts = [f"{size} articles", plain(canonical["source"]), date(canonical["published"]), plain(canonical["id"])]
    return Group(title, Text("  " + " · ".join(filter(None, facts)), "dim", no_wrap=True, overflow="ellipsis"))


def members(articles: list[Mapping[str, Any]]) -> Table:
    """Return the duplicates of a cluster, a row each."""
    canonical, *duplicates = articles
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True, min_width=9)
    table.add_column(no_wrap=True, justify="right", min_width=5)
    table.add_column(no_wrap=True, justify="right", min_width=5)
    table.add_column(no_wrap=True, max_width=SOURCE_WIDTH, overflow="ellipsis")
    table.add_column(no_wrap=True, ratio=1, overflow="ellipsis")
    table.add_column(no_wrap=True, max_width=ID_WIDTH, overflow="ellipsis", style="dim")
    for article in duplicates:
        same = article["title"] == canonical["title"]
        table.add_row(
            Text(article["relation"], RELATION_STYLES[article["relation"]]),
            percent(article["score"]),
            lag(canonical["published"], article["published"]),
            Text(plain(article["source"])),
            Text("same title" if same else plain(article["title"]), "dim" if same else ""),
            Text(plain(article["id"])),
        )
    return table
