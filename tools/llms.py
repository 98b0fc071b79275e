"""Write `llms.txt` into the built site: each page with one line on it, for programs that read documentation.

The format is that of llmstxt.org: a title, a summary, and lists of links. The pages and their order are those of the navigation.
The line on a page is the first sentence of its first paragraph.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.navigation import ROOT, SOURCE, expand_folders

FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
FRONT_MATTER = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)
TITLE = re.compile(r"^# (?P<title>.+)$", re.MULTILINE)
LINK = re.compile(r"!?\[(?P<text>[^\]]*)\]\([^)]*\)")
LABEL = re.compile(r"^\*\*[^*]+\.\*\* ")
"""The name of a part, as decisions have it: `**Context.** `."""
SENTENCE = re.compile(r".*?[.?!](?= |$)")


def format_llms(config: dict[str, Any], docs: Path) -> str:
    """Return the text of `llms.txt` for a configuration whose navigation names every page."""
    parts = [f"# {config['site_name']}\n", f"> {config['site_description']}\n"]
    for entry in config["nav"]:
        ((title, pages),) = entry.items()
        names = [pages] if isinstance(pages, str) else pages
        parts += [f"## {title}\n", "\n".join(format_pages(names, docs)) + "\n"]
    return "\n".join(parts)


def format_pages(names: list[str], docs: Path) -> Iterator[str]:
    """Yield a line for each page: a link to it in the site, and what it is about."""
    for name in names:
        title, summary = summarize_page((docs / name).read_text(encoding="utf-8"))
        address = re.sub(r"(?:README|index)\.md$", "index.html", name).removesuffix(".md")
        yield f"- [{title}]({address if address.endswith('.html') else address + '.html'}): {summary}"


def summarize_page(page: str) -> tuple[str, str]:
    r"""Return the title of a page, and the first sentence of its first paragraph.

    >>> summarize_page("# Title\n\nOne [link](a.md) and\nmore. Two.\n")
    ('Title', 'One link and more.')
    """
    text = FENCED.sub("", FRONT_MATTER.sub("", page))
    found = TITLE.search(text)
    paragraphs = text[found.end() :].split("\n\n") if found else []
    first = next((part for part in (part.strip("\n") for part in paragraphs) if is_prose(part)), "")
    words = " ".join(LINK.sub(lambda link: link["text"], LABEL.sub("", first)).replace("**", "").split())
    sentence = SENTENCE.match(words)
    return (found["title"] if found else "", sentence[0] if sentence else words)


def is_prose(paragraph: str) -> bool:
    """Return whether a paragraph is text: no heading, list, table, picture, or code."""
    return re.match(r"(?:\*\*)?[\w`\"]", paragraph) is not None


def main() -> None:
    """Write `llms.txt` into the site."""
    docs = ROOT / "docs"
    config = tomllib.loads(expand_folders(SOURCE.read_text(encoding="utf-8"), docs))["project"]
    target = ROOT / config["site_dir"] / "llms.txt"
    target.write_text(format_llms(config, docs), encoding="utf-8")


if __name__ == "__main__":
    main()
