"""Clusters → a list to read: the article that is kept, and under it those that repeat it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedup.cli.render import RELATION_STYLES, line, plain
from dedup.formatting import date, lag, percent

__all__ = ["clusters_shown"]

WIDE = 110
"""From this many columns on, there is room for ids beside titles and sources."""
MOST_MEMBERS = 12
"""A cluster shows so many duplicates: after them, its story is known."""
WIDEST = {"source": 22, "id": 28}
"""The most columns that a source and an id may take."""
LONGEST_TITLE = 48
"""Characters of a storyline's title, so that its id has room beside it."""
Article = Mapping[str, Any]
"""id, title, source, published, and of a duplicate relation and score; of a canonical `chapter`, if it is one of several."""


def clusters_shown(clusters: Sequence[Sequence[Article]], more: int) -> Iterator[RenderableType]:
    """Yield each cluster, canonical first, as a heading and a table; `more` is how many are not shown."""
    duplicates = [article for articles in clusters for article in articles[1:]]
    widths = {name: width_of(duplicates, name) for name in WIDEST}
    for articles in clusters:
        yield heading(articles[0], len(articles))
        yield Padding(Members(articles, widths), (0, 0, 0, 2))
        rest = len(articles) - 1 - MOST_MEMBERS
        yield Text(f"  … and {rest:,} more\n" if rest > 0 else "", "dim")
    if more:
        yield Text(f"… and {more:,} more (use -o to get all)\n", "dim")


def width_of(articles: Sequence[Article], name: str) -> int:
    """Return how many columns the values of a field take, so that they stand below each other throughout."""
    return min(max((cell_len(plain(article[name])) for article in articles), default=0), WIDEST[name])


def heading(canonical: Article, size: int) -> RenderableType:
    """Return the lines on the article that is kept: its title; how many there are, source, date and id."""
    facts = [f"{size} articles", canonical["source"], date(canonical["published"]), canonical["id"]]
    lines = [line(canonical["title"], "bold"), line(" · ".join(filter(None, facts)), "dim")]
    if "chapter" in canonical:
        lines.append(line(name_chapter(canonical), "dim"))
    return Group(*lines)


def name_chapter(canonical: Article) -> str:
    """Return which chapter of its storyline a kept article is, and of how many."""
    chapter = canonical["chapter"]
    place = f"chapter {chapter['place']:,} of {chapter['count']:,}"
    if canonical["storyline"] == canonical["id"]:
        return f"{place} in the storyline that it leads"
    title = plain(chapter["title"])
    if cell_len(title) > LONGEST_TITLE:
        title = f"{title[:LONGEST_TITLE].rstrip()}…"
    return f"{place} in the storyline “{title}”, {canonical['storyline']}"


class Members:
    """The duplicates of a cluster, a row each, as much of them as the terminal has room for."""

    def __init__(self, articles: Sequence[Article], widths: Mapping[str, int]) -> None:
        self.canonical, *self.duplicates = articles
        self.widths = widths

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the table; on a narrow terminal the ids are left out where there are sources."""
        with_id = options.max_width >= WIDE or not self.widths["source"]
        yield self.table([name for name in WIDEST if self.widths[name] and (with_id or name != "id")])

    def table(self, names: list[str]) -> Table:
        """Return the table of the first duplicates, its last columns the fields named."""
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(min_width=9)
        table.add_column(justify="right", min_width=5)
        table.add_column(justify="right", min_width=8 if self.canonical["published"] else None)
        table.add_column(ratio=1)
        for name in names:
            table.add_column(width=self.widths[name])
        for article in self.duplicates[:MOST_MEMBERS]:
            named = (line(article[name], "dim" if name == "id" else "") for name in names)
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
