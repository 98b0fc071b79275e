"""A hook of mkdocs: a folder named in the navigation → its pages, the README first, titled by their headings.

In: the configuration of mkdocs. Out: the same, with each folder (`decisions/`) put in full; a folder that is not there is
left out. So a new decision or recipe is in the navigation without being named there.
"""

from pathlib import Path
from typing import Any


def on_config(config: Any) -> Any:
    """Return the configuration with the folders of its navigation put in full."""
    docs = Path(config["docs_dir"])
    config["nav"] = [entry for entry in (in_full(entry, docs) for entry in config["nav"]) if entry]
    return config


def in_full(entry: Any, docs: Path) -> Any:
    """Return an entry of the navigation, a folder as the list of its pages; None for a folder without pages."""
    if not isinstance(entry, dict):
        return entry
    (title, place), *_ = entry.items()
    if not (isinstance(place, str) and place.endswith("/")):
        return entry
    pages = sorted((docs / place).glob("*.md"), key=lambda page: (page.name != "README.md", page.name))
    return {title: [page.relative_to(docs).as_posix() for page in pages]} if pages else None
