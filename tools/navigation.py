"""Write the configuration of the site, with every page of a folder named in its navigation.

`zensical.toml` may name a folder in its navigation (`"decisions/"`), but Zensical needs the name of each page. So this step
writes `.zensical.toml` before a build, with the pages of the folder in its place, the README first. Then nobody has to add a
new decision or recipe to the navigation. A folder without pages gets no entry.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "zensical.toml"
TARGET = ROOT / ".zensical.toml"
FOLDER = re.compile(r'^ *\{ "(?P<title>[^"]+)" = "(?P<folder>[\w/-]+/)" \},\n', re.MULTILINE)


def expand_folders(config: str, docs: Path) -> str:
    """Return a configuration that names the pages of a folder where it named the folder."""
    return FOLDER.sub(lambda entry: format_entry(entry["title"], list_pages(docs, entry["folder"])), config)


def list_pages(docs: Path, folder: str) -> list[str]:
    """Return the pages of a folder, relative to `docs`: the README first, then by name."""
    pages = sorted((docs / folder).glob("*.md"), key=lambda page: (page.name != "README.md", page.name))
    return [page.relative_to(docs).as_posix() for page in pages]


def format_entry(title: str, pages: list[str]) -> str:
    r"""Return an entry of the navigation; an empty string without pages.

    >>> format_entry("Recipes", ["recipes/README.md"])
    '    { "Recipes" = ["recipes/README.md"] },\n'
    """
    names = ", ".join(f'"{page}"' for page in pages)
    return f'    {{ "{title}" = [{names}] }},\n' if pages else ""


def main() -> None:
    """Write `.zensical.toml`."""
    config = SOURCE.read_text(encoding="utf-8")
    TARGET.write_text(expand_folders(config, ROOT / "docs"), encoding="utf-8")


if __name__ == "__main__":
    main()
