"""Read files of labelled pairs, append labels to them, and find their articles in a corpus.

A file is CSV, TSV or JSON Lines, plain or gzipped. Each row has two ids, a and b, and a label: same,
followup, different or open. Older files have the field same instead: true, false or open. The last label of a
pair counts. A row without these fields is an error that names its line. An appended label is on disk when the
call returns.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dedup.errors import InputError, OutputError
from dedup.io.discovery import split_extensions
from dedup.io.partial_line import truncate_partial_line
from dedup.io.records import to_json_line
from dedup.settings.settings import LEVEL_MODELS

__all__ = [
    "ANSWER_DIFFERENT",
    "ANSWER_FOLLOWUP",
    "ANSWER_NOT_SAME",
    "ANSWER_OPEN",
    "ANSWER_SAME",
    "LABEL_ANSWERS",
    "LabelledPairs",
    "PairLabel",
    "append_label",
    "find_labelled_pairs",
    "format_pair_label",
    "is_together",
    "load_saved_labels",
    "read_pair_labels",
]

ANSWER_SAME, ANSWER_FOLLOWUP, ANSWER_DIFFERENT, ANSWER_OPEN = "same", "followup", "different", "open"
ANSWER_NOT_SAME = "apart"
"""Two stories, of one storyline or not: the meaning of `same: false` in older files."""
LABEL_ANSWERS = (ANSWER_SAME, ANSWER_FOLLOWUP, ANSWER_DIFFERENT, ANSWER_OPEN)
"""The values of the field label: same story, another chapter of the same storyline, neither, or undecided."""
TOGETHER_BY_MODEL: Mapping[str, Mapping[str, bool | None]] = {
    "story": {
        ANSWER_SAME: True,
        ANSWER_FOLLOWUP: False,
        ANSWER_DIFFERENT: False,
        ANSWER_NOT_SAME: False,
        ANSWER_OPEN: None,
    },
    "storyline": {
        ANSWER_SAME: True,
        ANSWER_FOLLOWUP: True,
        ANSWER_DIFFERENT: False,
        ANSWER_NOT_SAME: None,
        ANSWER_OPEN: None,
    },
}
"""By model: whether an answer puts two articles together; None if it leaves that open."""

MAX_LABEL_FILE_BYTES = 1 << 30
"""The size limit of a file of pairs, which is read into memory."""
MAX_ID_LENGTH = 10_000
ID_FIELD_PAIRS = (("a", "b"), ("id_a", "id_b"), ("id1", "id2"), ("left", "right"), ("id", "canonical"))
"""Names of the two id fields; the last are those that `dedup` writes."""
LABEL_FIELD = "label"
SAME_FIELDS = ("same", "same_story")
"""Names of the answer field in older files, which have two answers."""
LABEL_FIELD_ANSWERS = {
    **{answer: answer for answer in LABEL_ANSWERS},
    **dict.fromkeys(("follow-up", "follow_up", "follow up"), ANSWER_FOLLOWUP),
    **dict.fromkeys(("", "null", "unsure"), ANSWER_OPEN),
}
SAME_FIELD_ANSWERS = {
    **dict.fromkeys(("true", "yes", "1", "same"), ANSWER_SAME),
    **dict.fromkeys(("false", "no", "0", "different"), ANSWER_NOT_SAME),
    **dict.fromkeys(("open", "", "null", "unsure"), ANSWER_OPEN),
}
LABEL_FILE_DELIMITERS = {".csv": ",", ".tsv": "\t"}


class PairLabel(NamedTuple):
    """The label of two articles."""

    a: str
    b: str
    answer: str
    """One of `LABEL_ANSWERS`, or `ANSWER_NOT_SAME`."""


class LabelledPairs(NamedTuple):
    """Labelled pairs by the positions of their articles, as they count at one level."""

    left: np.ndarray
    right: np.ndarray
    together: np.ndarray
    """bool: whether the two belong in one cluster at the level; open pairs are left out."""
    open: int
    """Pairs that are open at the level."""
    unknown: int
    """Pairs with an article that is not in the corpus."""
    answers: Mapping[str, int]
    """The number of pairs of the corpus by answer, including open ones."""


def read_pair_labels(path: str | Path) -> list[PairLabel]:
    """Return the labelled pairs of a file; of a repeated pair, the last label.

    Raise `InputError` for the first line that is not a labelled pair.
    """
    kind, packing = split_extensions(str(path))
    text = read_label_text(path, packing)
    rows = (
        iter_delimited_labels(text, LABEL_FILE_DELIMITERS[kind], path)
        if kind in LABEL_FILE_DELIMITERS
        else iter_json_labels(text, path)
    )
    labels: dict[frozenset[str], PairLabel] = {}
    for line, row in rows:
        try:
            label = parse_pair_label(row)
        except ValueError as error:
            raise InputError(f"{path}:{line}: {error}") from None
        labels[frozenset((label.a, label.b))] = label
    return list(labels.values())


def read_label_text(path: str | Path, packing: str) -> str:
    """Return the text of a file."""
    if packing not in {"", ".gz"}:
        raise InputError(f"cannot read {path}: a file of labelled pairs is plain or gzipped")
    try:
        with gzip.open(path) if packing else Path(path).open("rb") as file:
            content = file.read(MAX_LABEL_FILE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if len(content) > MAX_LABEL_FILE_BYTES:
        raise InputError(
            f"{path} is not a file of labelled pairs: it is larger than {MAX_LABEL_FILE_BYTES >> 30} GB"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8") from None


def iter_delimited_labels(
    text: str, delimiter: str, path: str | Path
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (line number, row) for the rows of a table."""
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            yield reader.line_num, {str(name): value for name, value in row.items()}
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: broken CSV: {error}") from None


def iter_json_labels(text: str, path: str | Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield (line number, object) for the objects of JSON Lines; blank lines are skipped."""
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


def parse_pair_label(row: Mapping[str, Any]) -> PairLabel:
    """Return a row as a labelled pair; raise `ValueError` with the reason if it is not one."""
    ids = next((pair for pair in ID_FIELD_PAIRS if pair[0] in row and pair[1] in row), None)
    if ids is None:
        raise ValueError("it lacks the two ids, the fields 'a' and 'b'")
    a, b = (parse_article_id(row[name]) for name in ids)
    if a == b:
        raise ValueError(f"it pairs {a!r:.60} with itself")
    return PairLabel(a, b, parse_answer(row))


def parse_answer(row: Mapping[str, Any]) -> str:
    """Return the answer in the field `label` of a row, or in the field `same` if the label is missing or open."""
    label = parse_answer_field(row, (LABEL_FIELD,), LABEL_FIELD_ANSWERS)
    same = parse_answer_field(row, SAME_FIELDS, SAME_FIELD_ANSWERS)
    if label is None and same is None:
        raise ValueError(f"it has no field 'label': {', '.join(LABEL_ANSWERS[:-1])} or {LABEL_ANSWERS[-1]}")
    answers = [answer for answer in (label, same) if answer not in {None, ANSWER_OPEN}]
    if len({answer == ANSWER_SAME for answer in answers}) > 1:
        raise ValueError(f"its label is {label!r}, and its field 'same' says otherwise")
    return (answers[0] if answers else None) or ANSWER_OPEN


def parse_answer_field(row: Mapping[str, Any], fields: Sequence[str], words: Mapping[str, str]) -> str | None:
    """Return the answer in the first of `fields` that the row has, or None if it has none of them."""
    name = next((name for name in fields if name in row), None)
    if name is None:
        return None
    value = row[name]
    word = "" if value is None else str(value).strip().casefold()
    if word not in words or not isinstance(value, str | int | None):
        choices = (
            "true, false or open"
            if fields == SAME_FIELDS
            else f"{', '.join(LABEL_ANSWERS[:-1])} or {ANSWER_OPEN}"
        )
        raise ValueError(f"{name} is {value!r:.40}, not {choices}")
    return words[word]


def parse_article_id(value: Any) -> str:
    """Return an id as a string; integers are accepted."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value or len(value) > MAX_ID_LENGTH:
        raise ValueError(f"{value!r:.60} is not an id")
    return value


def format_pair_label(label: PairLabel, **more: Any) -> bytes:
    """Return a labelled pair as a line of JSON, with its newline."""
    answer_field = {"same": False} if label.answer == ANSWER_NOT_SAME else {LABEL_FIELD: label.answer}
    return to_json_line({"a": label.a, "b": label.b, **answer_field, **more}) + b"\n"


def load_saved_labels(path: str | Path) -> list[PairLabel]:
    """Return the labels in a file, none if there is no file; a partial last line is removed from the file."""
    file = Path(path)
    if not file.exists():
        return []
    try:
        truncate_partial_line(file)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    return read_pair_labels(file)


def append_label(path: str | Path, label: PairLabel, **more: object) -> None:
    """Append a label to a file and sync it to disk."""
    try:
        with Path(path).open("ab") as file:
            file.write(format_pair_label(label, **more))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


def is_together(answer: str, level: str) -> bool | None:
    """Return whether an answer puts two articles into one cluster at a level; None if it leaves that open.

    >>> is_together("followup", "story"), is_together("followup", "storyline")
    (False, True)
    """
    return TOGETHER_BY_MODEL[LEVEL_MODELS[level]][answer]


def find_labelled_pairs(labels: Iterable[PairLabel], ids: Sequence[str], level: str) -> LabelledPairs:
    """Return the pairs as positions, with their labels as they count at a level; a repeated id means its first article."""
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
        together = is_together(answer, level)
        if together is None:
            left_open += 1
        else:
            pairs.append((places[a], places[b]))
            judged.append(together)
    sides, together_ = np.array(pairs, np.int64).reshape(-1, 2), np.array(judged, np.bool_)
    return LabelledPairs(sides[:, 0].copy(), sides[:, 1].copy(), together_, left_open, unknown, dict(answers))
