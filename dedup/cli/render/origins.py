"""Render the origins of stories: a table with a row for each story."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from dedup.cli.render import format_cropped_line
from dedup.formatting import format_lag

if TYPE_CHECKING:
    from dedup.origins.trace import Story, StoryArticle

__all__ = ["render_stories"]

MAX_SHOWN_STORIES = 40
"""The number of stories in the table."""


def render_stories(stories: Sequence[Story]) -> Iterator[RenderableType]:
    """Yield the table of the largest stories, and the number of those that are not shown."""
    if stories:
        yield build_story_table(stories[:MAX_SHOWN_STORIES])
    more = len(stories) - MAX_SHOWN_STORIES
    if more > 0:
        yield Text(f"… and {more:,} more (use -o to get all)", "dim")


def build_story_table(stories: Sequence[Story]) -> Table:
    """Return the table: story, tellings, origins, first outlet, lag."""
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), expand=True)
    table.add_column("story", ratio=1)
    for heading in ("tellings", "origins"):
        table.add_column(heading, justify="right", min_width=len(heading))
    table.add_column("first outlet", ratio=1)
    table.add_column("lag", justify="right", min_width=8)
    for story in stories:
        dates = [article.published for article in story.articles if article.published]
        table.add_row(
            format_cropped_line(story.articles[0].title or story.canonical),
            f"{len(story.articles):,}",
            format_origins(story),
            format_cropped_line(format_first_outlet(story)),
            format_lag(dates[0], dates[-1]) if len(dates) > 1 else "",
        )
    return table


def format_origins(story: Story) -> str:
    """Return the number of origins, and of those that are unknown: "3 + 2?"."""
    return f"{story.origin_count:,}" + (f" + {len(story.unknown):,}?" if story.unknown else "")


def format_first_outlet(story: Story) -> str:
    """Return the outlet with the earliest date, and that of the article seen first, if it is another."""
    claimed, seen = story.first_claimed, story.first_seen
    if claimed is None:
        return f"{name_outlet(seen)} (seen first)"
    if name_outlet(claimed) == name_outlet(seen):
        return name_outlet(claimed)
    return f"{name_outlet(claimed)} (seen first: {name_outlet(seen)})"


def name_outlet(article: StoryArticle) -> str:
    """Return the source of an article, or else its publisher or its id."""
    return article.source or article.publisher or article.id
