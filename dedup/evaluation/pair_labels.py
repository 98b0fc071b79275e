"""A file of labelled pairs ↔ pairs of ids: what a person, or another data set, says of two articles.

In: CSV, TSV or JSON Lines, plain or packed with gzip: two ids, `a` and `b`, and a `label`: same, followup, different or
open; or, in older files, `same`: true, false or open. Out: `Label`s in the order of the file, each pair once, the way it was
judged last; and the positions that they name in a corpus, with what they say at a level. Nothing is guessed: a line that
says none of these is an error that names it.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dedup.errors import InputError
from dedup.io.discovery import extensions
from dedup.io.records import json_line
from dedup.settings.settings import MODEL_OF

__all__ = [
    "ANSWERS",
    "APART",
    "DIFFERENT",
    "FOLLOWUP",
    "OPEN",
    "SAME",
    "Found",
    "Label",
    "belongs_together",
    "find",
    "line_of",
    "read_labels",
]

SAME, FOLLOWUP, DIFFERENT, OPEN = "same", "followup", "different", "open"
APART = "apart"
"""Two stories, of one affair or not: what an older file means by `same: false`."""
ANSWERS = (SAME, FOLLOWUP, DIFFERENT, OPEN)
"""What the field `label` may say: the same story; another chapter of the same affair; neither; or that it is left open."""
TOGETHER: Mapping[str, Mapping[str, bool | None]] = {
    "story": {SAME: True, FOLLOWUP: False, DIFFERENT: False, APART: False, OPEN: None},
    "storyline": {SAME: True, FOLLOWUP: True, DIFFERENT: False, APART: None, OPEN: None},
}
"""By the model that decides at a level: whether an answer puts two articles together; None where it leaves that open."""

MOST_BYTES = 1 << 30
"""No file of pairs is larger; it is read as a whole."""
LONGEST_ID = 10_000
IDS = (("a", "b"), ("id_a", "id_b"), ("id1", "id2"), ("left", "right"), ("id", "canonical"))
"""What the two ids may be called; the last is what `dedup` writes itself."""
LABEL_FIELD = "label"
SAME_FIELDS = ("same", "same_story")
"""What the judgement may be called in older files, which know two answers."""
LABEL_WORDS = {
    **{answer: answer for answer in ANSWERS},
    **dict.fromkeys(("follow-up", "follow_up", "follow up"), FOLLOWUP),
    **dict.fromkeys(("", "null", "unsure"), OPEN),
}
SAME_WORDS = {
    **dict.fromkeys(("true", "yes", "1", "same"), SAME),
    **dict.fromkeys(("false", "no", "0", "different"), APART),
    **dict.fromkeys(("open", "", "null", "unsure"), OPEN),
}
DELIMITERS = {".csv": ",", ".tsv": "\t"}


class Label(NamedTuple):
    """What is known of two articles."""

    a: str
    b: str
    answer: str
    """One of `ANSWERS`, or `APART`."""


class Found(NamedTuple):
    """Labelled pairs by the positions of their articles, and what their labels say at a level."""

    left: np.ndarray
    right: np.ndarray
    together: np.ndarray
    """bool: the two belong into one cluster at the level; pairs left open are not among them."""
    open: int
    """How many pairs are left open at the level."""
    unknown: int
    """How many pairs name an article that the corpus has not."""
    answers: Mapping[str, int]
    """How many pairs of the corpus have each answer, those left open too."""


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
    a, b = (id_of(row[name]) for name in ids)
    if a == b:
        raise ValueError(f"it pairs {a!r:.60} with itself")
    return Label(a, b, answer_of(row))


def answer_of(row: Mapping[str, Any]) -> str:
    """Return what a row says of its pair: what its `label` says, or else, where it has none or leaves it open, its `same`."""
    label = answer_in(row, (LABEL_FIELD,), LABEL_WORDS)
    same = answer_in(row, SAME_FIELDS, SAME_WORDS)
    if label is None and same is None:
        raise ValueError(f"it has no field 'label': {', '.join(ANSWERS[:-1])} or {ANSWERS[-1]}")
    said = [answer for answer in (label, same) if answer not in {None, OPEN}]
    if len({answer == SAME for answer in said}) > 1:
        raise ValueError(f"its label is {label!r}, and its field 'same' says otherwise")
    return (said[0] if said else None) or OPEN


def answer_in(row: Mapping[str, Any], fields: Sequence[str], words: Mapping[str, str]) -> str | None:
    """Return the answer in the first of some fields that a row has; None where it has none of them."""
    name = next((name for name in fields if name in row), None)
    if name is None:
        return None
    value = row[name]
    word = "" if value is None else str(value).strip().casefold()
    if word not in words or not isinstance(value, str | int | None):
        choices = "true, false or open" if fields == SAME_FIELDS else f"{', '.join(ANSWERS[:-1])} or {OPEN}"
        raise ValueError(f"{name} is {value!r:.40}, not {choices}")
    return words[word]


def id_of(value: Any) -> str:
    """Return an id; a whole number is one too."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value or len(value) > LONGEST_ID:
        raise ValueError(f"{value!r:.60} is no id")
    return value


def line_of(label: Label, **more: Any) -> bytes:
    """Return a labelled pair as a line of JSON, with its newline."""
    said = {"same": False} if label.answer == APART else {LABEL_FIELD: label.answer}
    return json_line({"a": label.a, "b": label.b, **said, **more}) + b"\n"


def belongs_together(answer: str, level: str) -> bool | None:
    """Return whether an answer puts two articles into one cluster of a level; None where it leaves that open.

    >>> belongs_together("followup", "story"), belongs_together("followup", "storyline")
    (False, True)
    """
    return TOGETHER[MODEL_OF[level]][answer]


def find(labels: Iterable[Label], ids: Sequence[str], level: str) -> Found:
    """Return labelled pairs by the positions of their ids, the first where one comes again, as they count at a level."""
    places: dict[str, int] = {}
    for position, name in enumerate(ids):
        places.setdefault(name, position)
    pairs: list[tuple[int, int]] = []
    judged: list[bool] = []
    answers: Counter[str] = Counter()
    left_open = unknown = 0
    for a, b, answer in labels:
        if a not in places or b not in places:
            unknown += 1
            continue
        answers[answer] += 1
        together = belongs_together(answer, level)
        if together is None:
            left_open += 1
        else:
            pairs.append((places[a], places[b]))
            judged.append(together)
    sides, together_ = np.array(pairs, np.int64).reshape(-1, 2), np.array(judged, np.bool_)
    return Found(sides[:, 0].copy(), sides[:, 1].copy(), together_, left_open, unknown, dict(answers))
