"""Find the publisher of an article, and the group of publishers that it belongs to.

`dedup/data/publisher_groups.csv` has well-known groups by domain; a file of your own adds to them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dedup.errors import InputError
from dedup.io.source_domain import find_domain

__all__ = [
    "add_publisher_groups",
    "find_group",
    "find_publisher",
    "load_default_groups",
    "read_publisher_groups",
]

MAX_NAME_CHARACTERS = 10_000
NAME_COLUMNS = ("domain", "source", "name", "publisher")
"""The columns that may hold the domain or the name of a publisher."""


def find_publisher(source: str | None, url: str | None) -> str | None:
    """Return the registered domain of an article's source or URL, or else the name of its source in lower case.

    >>> find_publisher("Sport", "https://sport.example.co.uk/a"), find_publisher("The Bugle", None)
    ('example.co.uk', 'the bugle')
    """
    return find_domain(url) or find_domain(source) or (source or "").strip().casefold() or None


def find_group(source: str | None, publisher: str | None, groups: Mapping[str, str]) -> str | None:
    """Return the group that owns an article's source, or else its publisher; None if neither is in `groups`.

    >>> find_group("The Bugle", "brassnews.example", {"the bugle": "Brass"})
    'Brass'
    """
    return groups.get(find_publisher(source, None) or "") or groups.get(publisher or "")


@cache
def load_default_groups() -> Mapping[str, str]:
    """Return the group of each well-known domain."""
    content = files("dedup").joinpath("data/publisher_groups.csv").read_text(encoding="utf-8")
    return MappingProxyType(collect_groups(csv.DictReader(io.StringIO(content)), "publisher_groups.csv"))


def read_publisher_groups(path: str | Path) -> Mapping[str, str]:
    """Return the group of each publisher of a file, and of the well-known domains that it leaves out.

    The file is CSV with the columns `domain` (or `source`) and `group`, or JSON: an object {domain: group}, or a
    list of objects. Raise `InputError` if it cannot be read, or gives a publisher two groups.
    """
    path = Path(path)
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    rows = iter_json_rows(content, path) if path.suffix.lower() == ".json" else iter_csv_rows(content, path)
    groups = collect_groups(rows, str(path))
    if not groups:
        raise InputError(f"{path} names no publisher; it needs rows with a domain (or source) and a group")
    return MappingProxyType({**load_default_groups(), **groups})


def add_publisher_groups(groups: Mapping[str, str]) -> Mapping[str, str]:
    """Return the well-known groups and those of a mapping from domains, or names of sources, to groups."""
    rows = ({"domain": name, "group": group} for name, group in groups.items())
    return {**load_default_groups(), **collect_groups(rows, "publishers")}


def iter_csv_rows(content: str, path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a CSV file."""
    try:
        for row in csv.DictReader(io.StringIO(content)):
            if max(len(str(value)) for value in row.values()) > MAX_NAME_CHARACTERS:
                raise InputError(f"{path} is not CSV: a name of more than {MAX_NAME_CHARACTERS:,} characters")
            yield row
    except csv.Error as error:
        raise InputError(f"{path} is not CSV: {error}") from error


def iter_json_rows(content: str, path: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a JSON file."""
    try:
        value = json.loads(content)
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from error
    if isinstance(value, dict):
        yield from ({"domain": name, "group": group} for name, group in value.items())
    elif isinstance(value, list) and all(isinstance(row, dict) for row in value):
        yield from value
    else:
        raise InputError(f"{path} must hold an object of domains and groups, or a list of objects")


def collect_groups(rows: Iterable[Mapping[str, Any]], path: str) -> dict[str, str]:
    """Return the group of each publisher of the rows; raise `InputError` if one has no group, or two."""
    groups: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        name = next((row[column] for column in NAME_COLUMNS if row.get(column)), None)
        publisher = find_publisher(name, None) if isinstance(name, str) else None
        group = row["group"].strip() if isinstance(row.get("group"), str) else ""
        if publisher is None or not group:
            raise InputError(
                f"row {number} of {path} needs a domain (or source) and a group; the columns are domain and group"
            )
        if groups.setdefault(publisher, group) != group:
            raise InputError(f"{path} gives {publisher} two groups: {groups[publisher]} and {group}")
    return groups
