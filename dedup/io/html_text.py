"""Turn fragments of HTML, such as the content of a feed entry, into plain text.

Whole pages need more: `dedup.io.html_pages` finds the article among the menus and the advertising.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

__all__ = ["strip_html"]

BLOCK_TAGS = frozenset(
    {
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "br",
            "dd",
            "div",
            "dl",
            "dt",
            "figcaption",
            "figure",
            "footer",
        ),
        *(
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "header",
            "hl1",
            "hl2",
            "hr",
            "li",
            "main",
            "nav",
            "ol",
            "p",
            "pre",
        ),
        *("section", "table", "tr", "ul"),
    }
)
"""Tags that begin a new line."""
HIDDEN_TAGS = frozenset({"script", "style", "template", "noscript"})
LOOKS_LIKE_HTML = re.compile(r"<[a-zA-Z/!]|&[#a-zA-Z]")
SPACES = re.compile(r"[^\S\n]+")


class _TextCollector(HTMLParser):
    """Collect the visible text of HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - given by HTMLParser
        self._hidden += tag in HIDDEN_TAGS
        if tag in BLOCK_TAGS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN_TAGS:
            self._hidden = max(0, self._hidden - 1)
        if tag in BLOCK_TAGS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data.replace("\n", " "))


def strip_html(fragment: str) -> str:
    r"""Return the text of a fragment of HTML, a line for each paragraph.

    >>> strip_html("<p>Ferry <b>runs</b>&nbsp;aground.</p><p>Nobody&#39;s hurt.</p>")
    "Ferry runs aground.\nNobody's hurt."
    """
    if not LOOKS_LIKE_HTML.search(fragment):
        return fragment.strip()
    collector = _TextCollector()
    collector.feed(fragment)
    collector.close()
    lines = (line.strip() for line in SPACES.sub(" ", "".join(collector.parts)).split("\n"))
    return "\n".join(filter(None, lines))
