"""Read the articles and records of splits in Spark's workers, after the scan.

The output is Arrow batches of articles or records, each with its input position. A file that changed since
the scan raises `InputError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.errors import InputError
from dedup.io.batching import group_items
from dedup.io.dates import TIMESTAMP
from dedup.io.file_bytes import CorruptFileError
from dedup.io.schema import BATCH_BYTES, FIELDS, SCHEMA
from dedup.spark.files.scan import CorpusFiles, SplitScan, ignore
from dedup.spark.files.split_formats import Batches, SplitFormat, SplitKey
from dedup.spark.sketch import POSITION_COLUMN

__all__ = ["ARTICLE_SCHEMA", "POSITION", "RECORD_SCHEMA", "build_article_reader", "build_record_reader"]

POSITION = "position"
ARTICLE_SCHEMA = ", ".join(f"{name} {'timestamp' if name == 'published' else 'string'}" for name in FIELDS)
ARTICLE_SCHEMA = f"{ARTICLE_SCHEMA}, {POSITION_COLUMN} bigint"
RECORD_SCHEMA = f"{POSITION} bigint, record binary"
CHANGED_MESSAGE = "{} was changed while it was being read; run again"


def build_article_reader(
    files: CorpusFiles, kind: SplitFormat, splits: Mapping[SplitKey, SplitScan]
) -> Callable[[Batches], Batches]:
    """Return the function that converts batches of Spark to articles."""
    numbers, lines = files.number_by_path(), get_first_lines(splits)

    def read(batches: Batches) -> Batches:
        parts = kind.parts(batches, numbers, lines)
        for key, group in groupby(parts, key=itemgetter(0)):
            piece, done = get_split(files, splits, key), 0
            for _, part in group:
                for batch in iter_until_corrupt(
                    kind.articles(part, files.build_reading(key[0], part, ignore))
                ):
                    yield add_positions(batch, piece.position + done)
                    done += batch.num_rows
            check_unchanged(files, key, done, piece.articles)

    return read


def build_record_reader(
    files: CorpusFiles, kind: SplitFormat, splits: Mapping[SplitKey, SplitScan], wanted: np.ndarray | None
) -> Callable[[Batches], Batches]:
    """Return the function that converts batches of Spark to records."""
    numbers, lines = files.number_by_path(), get_first_lines(splits)

    def iter_numbered_records(batches: Batches) -> Iterator[tuple[int, bytes]]:
        parts = kind.parts(batches, numbers, lines)
        for key, group in groupby(parts, key=itemgetter(0)):
            piece, done = get_split(files, splits, key), 0
            for _, part in group:
                refused = find_rejected_lines(files, kind, key, part) if piece.has_rejects else set()
                for line, record in iter_until_corrupt(
                    kind.records(part, files.build_reading(key[0], part, ignore))
                ):
                    if line in refused:
                        continue
                    position = piece.position + done
                    done += 1
                    if wanted is None or wanted[position >> 3] >> (position & 7) & 1:
                        yield position, record.to_line()
            check_unchanged(files, key, done, piece.articles)

    def read(batches: Batches) -> Batches:
        for group in group_items(iter_numbered_records(batches), lambda row: len(row[1]), BATCH_BYTES):
            positions, records = zip(*group, strict=True)
            yield pa.RecordBatch.from_pydict(
                {POSITION: pa.array(positions, pa.int64()), "record": pa.array(records, pa.binary())}
            )

    return read


def get_first_lines(splits: Mapping[SplitKey, SplitScan]) -> dict[SplitKey, int]:
    """Return the number of the first line of each split."""
    return {key: piece.line for key, piece in splits.items()}


def find_rejected_lines(files: CorpusFiles, kind: SplitFormat, key: SplitKey, part: Any) -> set[int | None]:
    """Return the numbers of the lines of a part that are not articles."""
    refused: set[int | None] = set()
    reading = files.build_reading(key[0], part, lambda line, _reason, _record: refused.add(line))
    try:
        for _ in kind.articles(part, reading):
            pass
    except CorruptFileError as damage:
        refused.add(damage.line)
    return refused


def iter_until_corrupt(items: Iterator[Any]) -> Iterator[Any]:
    """Yield items until the corrupt part of a file, which the scan has reported."""
    try:
        yield from items
    except CorruptFileError:
        return


def get_split(files: CorpusFiles, splits: Mapping[SplitKey, SplitScan], key: SplitKey) -> SplitScan:
    """Return the scan of a split; raise `InputError` if there is none."""
    if key not in splits:
        raise InputError(CHANGED_MESSAGE.format(files.sources[key[0]].path))
    return splits[key]


def check_unchanged(files: CorpusFiles, key: SplitKey, count: int, expected: int) -> None:
    """Raise `InputError` if the number of articles in a split differs from the scan."""
    if count != expected:
        raise InputError(CHANGED_MESSAGE.format(files.sources[key[0]].path))


def add_positions(batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
    """Return articles with their positions, counted from `first`, in Spark's schema."""
    times = SCHEMA.get_field_index("published")
    columns = batch.columns
    columns[times] = columns[times].cast(pa.timestamp("us", tz=TIMESTAMP.tz))
    positions = pa.array(np.arange(first, first + batch.num_rows, dtype=np.int64))
    return pa.RecordBatch.from_arrays([*columns, positions], [*FIELDS, POSITION_COLUMN])
