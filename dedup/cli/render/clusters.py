"""Render clusters as a list: each kept article, followed by its duplicates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dedup.cli.render import RELATION_STYLES, format_cropped_line, strip_controls
from dedup.formatting import format_date, format_lag, format_percent

__all__ = ["render_clusters"]

MIN_TITLE_WIDTH = 20
"""Where titles would have fewer columns, sources are left out first, because `dedup explain` needs the ids."""
FIXED_WIDTH = 9 + 5 + 8 + 3 * 2
"""The columns of relation, score and lag, each with two spaces."""
MAX_SHOWN_MEMBERS = 12
"""The number of duplicates listed for a cluster."""
MAX_WIDTHS = {"source": 22, "id": 28}
"""Maximum width of the columns for sources and ids."""
MAX_TITLE_CHARACTERS = 48
"""Maximum length of the title of a storyline, so that its id fits beside it."""
ArticleFields = Mapping[str, Any]
"""id, title, source, published; of a duplicate also relation and score; of a canonical `chapter`, if it is one of several."""


def render_clusters(clusters: Sequence[Sequence[ArticleFields]], more: int) -> Iterator[RenderableType]:
    """Yield a heading and a table for each cluster; `more` is the number of clusters not shown."""
    duplicates = [article for articles in clusters for article in articles[1:]]
    widths = {name: measure_column(duplicates, name) for name in MAX_WIDTHS}
    for articles in clusters:
        yield render_cluster_heading(articles[0], len(articles))
        yield Padding(MemberTable(articles, widths), (0, 0, 0, 2))
        rest = len(articles) - 1 - MAX_SHOWN_MEMBERS
        yield Text(f"  … and {rest:,} more\n" if rest > 0 else "", "dim")
    if more:
        yield Text(f"… and {more:,} more (use -o to get all)\n", "dim")


def measure_column(articles: Sequence[ArticleFields], name: str) -> int:
    """Return the width of a column that fits the values of a field in all clusters."""
    return min(
        max((cell_len(strip_controls(article[name])) for article in articles), default=0), MAX_WIDTHS[name]
    )


def render_cluster_heading(canonical: ArticleFields, size: int) -> RenderableType:
    """Return the title of a kept article, and a line with the size of its cluster, its source, date and id."""
    facts = [f"{size} articles", canonical["source"], format_date(canonical["published"]), canonical["id"]]
    lines = [
        format_cropped_line(canonical["title"], "bold"),
        format_cropped_line(" · ".join(filter(None, facts)), "dim"),
    ]
    if "chapter" in canonical:
        lines.append(format_cropped_line(format_storyline_position(canonical), "dim"))
    return Group(*lines)


def format_storyline_position(canonical: ArticleFields) -> str:
    """Return the position of a kept article in its storyline."""
    chapter = canonical["chapter"]
    position = f"chapter {chapter['place']:,} of {chapter['count']:,}"
    if canonical["storyline"] == canonical["id"]:
        return f"{position} of a storyline that starts here"
    title = strip_controls(chapter["title"])
    if cell_len(title) > MAX_TITLE_CHARACTERS:
        title = f"{title[:MAX_TITLE_CHARACTERS].rstrip()}…"
    return f"{position} in the storyline “{title}”, {canonical['storyline']}"


class MemberTable:
    """The duplicates of a cluster, one per row, with the columns that fit the terminal."""

    def __init__(self, articles: Sequence[ArticleFields], widths: Mapping[str, int]) -> None:
        self.canonical, *self.duplicates = articles
        self.widths = widths

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the table; a narrow terminal shows no sources, and a very narrow one no ids."""
        names = [name for name in MAX_WIDTHS if self.widths[name]]
        while names and self.measure_title(names, options.max_width) < MIN_TITLE_WIDTH:
            names = names[1:]
        yield self.build_table(names)

    def measure_title(self, names: Sequence[str], width: int) -> int:
        """Return how many columns a title has beside the named columns."""
        return width - FIXED_WIDTH - sum(self.widths[name] + 2 for name in names)

    def build_table(self, names: list[str]) -> Table:
        """Return the table of the first duplicates, with the named fields as its last columns."""
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(min_width=9)
        table.add_column(justify="right", min_width=5)
        table.add_column(justify="right", min_width=8 if self.canonical["published"] else None)
        table.add_column(ratio=1)
        for name in names:
            table.add_column(width=self.widths[name])
        for article in self.duplicates[:MAX_SHOWN_MEMBERS]:
            named = (format_cropped_line(article[name], "dim" if name == "id" else "") for name in names)
            table.add_row(*self.build_cells(article), *named)
        return table

    def build_cells(self, article: ArticleFields) -> list[Text]:
        """Return the relation, score, lag and title of a duplicate."""
        same = article["title"] == self.canonical["title"]
        return [
            Text(article["relation"], RELATION_STYLES[article["relation"]]),
            Text(format_percent(article["score"])),
            Text(format_lag(self.canonical["published"], article["published"])),
            format_cropped_line("same title" if same else article["title"], "dim italic" if same else ""),
        ]
