"""Render the reuse of texts as a page: a table of the origins, and one of the outlets, which a click on a heading sorts.

The page is one file without requests. Jinja escapes all names, and the security policy allows only the script of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from dedup.formatting import format_count, format_percent
from dedup.origins.reuse import list_reuse, sum_reuse_by_origin
from dedup.origins.trace import Story
from dedup.reports.html.render_page import build_security_policy

__all__ = ["render_reuse_page"]


def render_reuse_page(stories: Sequence[Story]) -> bytes:
    """Return the page on the reuse of texts in these stories, in UTF-8."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    environment.filters |= {"percent": format_percent, "counted": format_count, "number": "{:,}".format}
    template, style, script = (read_page_file(f"reuse_page.{kind}") for kind in ("html", "css", "js"))
    rows = list_reuse(stories)
    page = environment.from_string(template).render(
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - as above
        policy=build_security_policy(style, script),
        articles=sum(len(story.articles) for story in stories),
        stories=len(stories),
        carried=sum(row.articles for row in rows),
        uncredited=sum(row.uncredited for row in rows),
        rows=rows,
        origins=sum_reuse_by_origin(stories),
    )
    return page.encode(errors="replace")


def read_page_file(name: str) -> str:
    """Return the text of a file of the page."""
    return files("dedup.origins").joinpath(name).read_text("utf-8")
