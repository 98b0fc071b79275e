"""A file of labelled pairs ↔ pairs of ids: what a person, or another data set, says of two articles.

In: CSV, TSV or JSON Lines, plain or packed with gzip: two ids, `a` and `b`, and `same`: true, false or open. Out:
`Label`s in the order of the file, each pair once, the way it was judged last; and the positions that they name in a
corpus. Nothing is guessed: a line that says none of the three is an error that names it.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dedup.errors import InputError
from dedup.reading.sources import extensions
from dedup.records import json_line

__all__ = ["Found", "Label", "find", "line_of", "read_labels"]

MOST_BYTES = 1 << 30
"""No file of pairs is larger; it is read as a whole."""
LONGEST_ID = 10_000
IDS = (("a", "b"), ("id_a", "id_b"), ("id1", "id2"), ("left", "right"), ("id", "canonical"))
"""What the two ids may be called; the last is what `dedup` writes itself."""
SAME = ("same", "same_story")
"""What the judgement may be called."""
WORDS = {
    **dict.fromkeys(("true", "yes", "1", "same"), True),
    **dict.fromkeys(("false", "no", "0", "different"), False),
    **dict.fromkeys(("open", "", "null", "unsure"), None),
}
DELIMITERS = {".csv": ",", ".tsv": "\t"}


class Label(NamedTuple):
    """What is known of two articles."""

    a: str
    b: str
    same: bool | None
    """They tell one story; None: that is left open."""


class Found(NamedTuple):
    """Labelled pairs by the positions of their articles."""

    left: np.ndarray
    right: np.ndarray
    same: np.ndarray
    """bool; pairs left open are not among them."""
    open: int
    """How many pairs were left open."""
    unknown: int
    """How many pairs name an article that the corpus has not."""


def read_labels(path: str | Path) -> list[Label]:
    """Return the labelled pairs of a file; of a pair that comes again the last judgement.

    `InputError` names the first line that is no labelled pair.
    """
    kind, packing = extensions(str(path))
    text = unpacked(path, packing)
    rows = delimited(text, DELIMITERS[kind], path) if kind in DELIMITERS else json_lines(text, path)
    labels: dict[frozenset[str], Label] = {}
    for line, row in rows:
        try:
            label = label_of(row)
        except ValueError as error:
            raise InputError(f"{path}:{line}: {error}") from None
        labels[frozenset((label.a, label.b))] = label
    return list(labels.values())


def unpacked(path: str | Path, packing: str) -> str:
    """Return the text of a file."""
    if packing not in {"", ".gz"}:
        raise InputError(f"cannot read {path}: labelled pairs are plain, or packed with gzip")
    try:
        with gzip.open(path) if packing else Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > MOST_BYTES:
        raise InputError(f"{path} is no file of labelled pairs: it is larger than {MOST_BYTES >> 30} GB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8") from None


def delimited(text: str, delimiter: str, path: str | Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the rows of a table, with their lines."""
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield reader.line_num, {str(name): value for name, value in row.items()}
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: broken CSV: {error}") from None


def json_lines(text: str, path: str | Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the objects of JSON Lines, with their lines; blank lines are passed over."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            raise InputError(f"{path}:{number}: it is not JSON") from None
        if not isinstance(row, dict):
            raise InputError(f"{path}:{number}: it is not an object")
        yield number, row


def label_of(row: Mapping[str, Any]) -> Label:
    """Return a row as a labelled pair; `ValueError` with what it lacks."""
    ids = next((pair for pair in IDS if pair[0] in row and pair[1] in row), None)
    if ids is None:
        raise ValueError("it has not the two ids, as the fields 'a' and 'b'")
    same = next((name for name in SAME if name in row), None)
    if same is None:
        raise ValueError("it has no field 'same': true, false or open")
    a, b = (id_of(row[name]) for name in ids)
    if a == b:
        raise ValueError(f"it pairs {a!r:.60} with itself")
    return Label(a, b, judgement(row[same]))


def id_of(value: Any) -> str:
    """Return an id; a whole number is one too."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value or len(value) > LONGEST_ID:
        raise ValueError(f"{value!r:.60} is no id")
    return value


def judgement(value: Any) -> bool | None:
    """Return what a value says of a pair."""
    if value is None or isinstance(value, bool):
        return value
    word = value.strip().casefold() if isinstance(value, str) else repr(value)
    if word not in WORDS:
        raise ValueError(f"same is {value!r:.40}, not true, false or open")
    return WORDS[word]


def line_of(label: Label, **more: Any) -> bytes:
    """Return a labelled pair as a line of JSON, with its newline."""
    same = "open" if label.same is None else label.same
    return json_line({"a": label.a, "b": label.b, "same": same, **more}) + b"\n"


def find(labels: Iterable[Label], ids: Sequence[str]) -> Found:
    """Return labelled pairs by the positions of their ids, the first where one comes again."""
    places: dict[str, int] = {}
    for position, name in enumerate(ids):
        places.setdefault(name, position)
    pairs: list[tuple[int, int]] = []
    judged: list[bool] = []
    left_open = unknown = 0
    for a, b, same in labels:
        if a not in places or b not in places:
            unknown += 1
        elif same is None:
            left_open += 1
        else:
            pairs.append((places[a], places[b]))
            judged.append(same)
    sides = np.array(pairs, np.int64).reshape(-1, 2)
    return Found(sides[:, 0].copy(), sides[:, 1].copy(), np.array(judged, np.bool_), left_open, unknown)
