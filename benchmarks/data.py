"""The labelled sets: where they lie, and how they are read. See the README beside them for what each is."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("DATA", Path(__file__).parents[2] / "shared" / "data"))
STORY_SETS = ("outlets", "events", "lookalikes", "incidents")
LABELLED_SETS = (*STORY_SETS, "roundups", "russian", "graded", "wire", "paywall")
RETOLD = {"000", "001", "003"}
"""The seed articles that are one story, by the beginnings of their names; the others are told once."""


def path(name: str) -> Path:
    """Return where a set lies."""
    return FOLDER / f"{name}.jsonl.gz"


def lines(name: str) -> list[dict[str, Any]]:
    """Return the records of a set."""
    with gzip.open(path(name), "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def pairs(name: str) -> list[dict[str, Any]]:
    """Return the labelled pairs of a set."""
    return lines(f"{name}.pairs")
