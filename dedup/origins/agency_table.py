"""Load the table of news agencies: `dedup/data/agencies.json`, with their names in the languages that credit them.

To add an agency or an alias, edit the table and add a credit to `tests/origins/test_attribution.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Agency", "load_agencies", "load_aliases"]


@dataclass(frozen=True, slots=True)
class Agency:
    """A news agency."""

    name: str
    aliases: tuple[str, ...]
    """The names that credit it, as texts write them: case matters."""
    languages: tuple[str, ...]
    """The languages of the texts that usually credit it (ISO 639-1)."""


@cache
def load_agencies() -> tuple[Agency, ...]:
    """Return the agencies of the table, by name."""
    rows = json.loads(files("dedup").joinpath("data/agencies.json").read_text(encoding="utf-8"))
    return tuple(Agency(row["name"], tuple(row["aliases"]), tuple(row["languages"])) for row in rows)


@cache
def load_aliases() -> Mapping[str, str]:
    """Return the name of the agency for each alias, longest alias first.

    >>> load_aliases()["Associated Press"], load_aliases()["ТАСС"]
    ('AP', 'TASS')
    """
    aliases = {alias: agency.name for agency in load_agencies() for alias in agency.aliases}
    return MappingProxyType(dict(sorted(aliases.items(), key=lambda item: (-len(item[0]), item[0]))))
