"""Pieces of files → the articles and the records in them, as Spark's workers read them once a survey has told what is there.

In: Arrow batches of Spark's, and what the survey says of each piece. Out: Arrow batches of articles, or of records, each with its
position in the order of input. A file that is not as it was surveyed is an InputError.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.errors import InputError
from dedup.io.batching import grouped
from dedup.io.dates import TIMESTAMP
from dedup.io.decompress import Damaged
from dedup.io.schema import BATCH_BYTES, FIELDS, SCHEMA
from dedup.spark.files.scan import Files, Piece, ignored
from dedup.spark.files.splits import Batches, Key, Kind
from dedup.spark.sketch import GIVEN_POSITION

__all__ = ["ARTICLES", "POSITION", "RECORDS", "article_reader", "record_reader"]

POSITION = "position"
ARTICLES = ", ".join(f"{name} {'timestamp' if name == 'published' else 'string'}" for name in FIELDS)
ARTICLES = f"{ARTICLES}, {GIVEN_POSITION} bigint"
RECORDS = f"{POSITION} bigint, record binary"
CHANGED = "{} was changed while it was being read; run again"


def article_reader(files: Files, kind: Kind, pieces: Mapping[Key, Piece]) -> Callable[[Batches], Batches]:
    """Return the function that makes articles of Spark's batches."""
    numbers, lines = files.numbers(), first_lines(pieces)

    def read(batches: Batches) -> Batches:
        parts = kind.parts(batches, numbers, lines)
        for key, group in groupby(parts, key=itemgetter(0)):
            piece, done = known_piece(files, pieces, key), 0
            for _, part in group:
                for batch in undamaged(kind.articles(part, files.reading(key[0], part, ignored))):
                    yield with_positions(batch, piece.position + done)
                    done += batch.num_rows
            check_unchanged(files, key, done, piece.articles)

    return read


def record_reader(
    files: Files, kind: Kind, pieces: Mapping[Key, Piece], wanted: np.ndarray | None
) -> Callable[[Batches], Batches]:
    """Return the function that makes records of Spark's batches."""
    numbers, lines = files.numbers(), first_lines(pieces)

    def numbered(batches: Batches) -> Iterator[tuple[int, bytes]]:
        parts = kind.parts(batches, numbers, lines)
        for key, group in groupby(parts, key=itemgetter(0)):
            piece, done = known_piece(files, pieces, key), 0
            for _, part in group:
                refused = lines_refused(files, kind, key, part) if piece.refused else set()
                for line, record in undamaged(kind.records(part, files.reading(key[0], part, ignored))):
                    if line in refused:
                        continue
                    position = piece.position + done
                    done += 1
                    if wanted is None or wanted[position >> 3] >> (position & 7) & 1:
                        yield position, record.line()
            check_unchanged(files, key, done, piece.articles)

    def read(batches: Batches) -> Batches:
        for group in grouped(numbered(batches), lambda row: len(row[1]), BATCH_BYTES):
            positions, records = zip(*group, strict=True)
            yield pa.RecordBatch.from_pydict(
                {POSITION: pa.array(positions, pa.int64()), "record": pa.array(records, pa.binary())}
            )

    return read


def first_lines(pieces: Mapping[Key, Piece]) -> dict[Key, int]:
    """Return the number of each piece's first line."""
    return {key: piece.line for key, piece in pieces.items()}


def lines_refused(files: Files, kind: Kind, key: Key, part: Any) -> set[int | None]:
    """Return the numbers of the lines of a part that are no articles."""
    refused: set[int | None] = set()
    reading = files.reading(key[0], part, lambda line, _reason, _record: refused.add(line))
    try:
        for _ in kind.articles(part, reading):
            pass
    except Damaged as damage:
        refused.add(damage.line)
    return refused


def undamaged(items: Iterator[Any]) -> Iterator[Any]:
    """Yield what can be read, up to a damage, which the survey has told."""
    try:
        yield from items
    except Damaged:
        return


def known_piece(files: Files, pieces: Mapping[Key, Piece], key: Key) -> Piece:
    """Return what the survey says of a piece; InputError where it knows of none."""
    if key not in pieces:
        raise InputError(CHANGED.format(files.sources[key[0]].path))
    return pieces[key]


def check_unchanged(files: Files, key: Key, found: int, expected: int) -> None:
    """Raise InputError where a piece has not as many articles as the survey counted."""
    if found != expected:
        raise InputError(CHANGED.format(files.sources[key[0]].path))


def with_positions(batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
    """Return articles as Spark takes them, with their positions, the first of which is given."""
    times = SCHEMA.get_field_index("published")
    columns = batch.columns
    columns[times] = columns[times].cast(pa.timestamp("us", tz=TIMESTAMP.tz))
    positions = pa.array(np.arange(first, first + batch.num_rows, dtype=np.int64))
    return pa.RecordBatch.from_arrays([*columns, positions], [*FIELDS, GIVEN_POSITION])
