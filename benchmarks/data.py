"""Find and read the labelled sets; the README beside them describes each."""

import gzip
import hashlib
import json
import os
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("DATA", Path(__file__).parents[2] / "shared" / "data"))
STORY_SETS = ("outlets", "events", "lookalikes", "incidents")
LABELLED_SETS = (*STORY_SETS, "roundups", "russian", "graded", "wire", "paywall")
RETOLD = {"000", "001", "003"}
"""The seed articles that are one story, by the beginnings of their names; the others are told once."""


def path_of(name: str) -> Path:
    """Return where a set lies; `seeds` is a folder beside the data folder."""
    return FOLDER.parent / "seeds" if name == "seeds" else FOLDER / f"{name}.jsonl.gz"


def digest(name: str) -> str:
    """Return the head of the SHA-256 of a set: of its file, or of all files of its folder by name, one after the other."""
    path = path_of(name)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def lines(name: str) -> list[dict[str, Any]]:
    """Return the records of `name`.jsonl.gz in the data folder."""
    with gzip.open(path_of(name), "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def pairs(name: str) -> list[dict[str, Any]]:
    """Return the labelled pairs of a set."""
    return lines(f"{name}.pairs")
