"""Lines of JSON, as they arrive → each with its answer, in order, as soon as that is recorded for good.

In: a file descriptor, and an index. Out: the articles of a batch with their answers, and the lines that are none. A batch closes
when it is full or when its first line has waited long enough, so a slow feed is not held up and a fast one is worked off in
large batches. Nothing is read ahead beyond a few batches: whoever writes to us waits until there is room.

    read (a thread) → batches, read and sketched (a thread) → answers, in the order of the lines
"""

import hashlib
import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Self, TypeVar

import pyarrow as pa

from dedup.index.answers import Answer
from dedup.index.index import Index
from dedup.index.ingest_batches import sketched_at_once
from dedup.io.discovery import STDIN, Source
from dedup.io.file_reader import Reading
from dedup.io.jsonl import block_articles, block_records
from dedup.io.line_blocks import Block, Cutter, TooLong, numbered
from dedup.io.records import RECORD_SHOWN, Record, Reject
from dedup.io.schema import BATCH_BYTES, SCHEMA, names_of
from dedup.sketches.sketch import Sketches

PIECE = 1 << 16
"""Bytes that are read at once: what a pipe holds."""
PIECES_WAITING = 64
BATCHES_WAITING = 1
PATIENCE = 0.02
"""Seconds after which whoever waits looks whether there is something else to do."""
DIGEST_BYTES = 12
BOM = b"\xef\xbb\xbf"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """When a batch closes."""

    articles: int = 1000
    """It is full."""
    seconds: float = 0.2
    """Its first line has waited so long."""
    article_bytes: int = 64 << 20
    """No line is longer: what is longer is refused."""


class Batch(NamedTuple):
    """The articles of some lines."""

    articles: pa.RecordBatch
    sketches: Sketches
    records: list[Record]
    rejects: list[Reject]


class Answered(NamedTuple):
    """What became of some lines: each article with its answer, in order; and the lines that are no article."""

    answers: list[tuple[Record, Answer]]
    rejects: list[Reject]


@dataclass(slots=True)
class Feed:
    """A stream of lines that can be told to stop: what has been read by then is still answered."""

    descriptor: int
    index: Index
    fields: Mapping[str, str] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    warnings: Counter[str] = field(default_factory=Counter)
    """What was odd about the articles, a sentence each, with how often."""
    stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Read no further."""
        self.stopped.set()

    def __iter__(self) -> Iterator[Answered]:
        """Yield the batches in order, each as soon as its answers are recorded."""
        arriving = Aside(pieces(self.descriptor), PIECES_WAITING)
        blocks = blocks_in_time(arriving, self.pace, self.stopped.is_set)
        with arriving, Aside(map(self._batch, blocks), BATCHES_WAITING) as batches:
            for batch in batches:
                answers = self.index.decide(batch.articles, batch.sketches)
                yield Answered(list(zip(batch.records, answers, strict=True)), batch.rejects)

    def _batch(self, block: Block | TooLong) -> Batch:
        """Return the articles of a block, sketched."""
        refused: dict[int, Reject] = {}
        lines = dict(numbered(block)) if isinstance(block, Block) else {}

        def refuse(line: int | None, reason: str, record: bytes | str) -> None:
            text = record if isinstance(record, str) else record[: 4 * RECORD_SHOWN].decode(errors="replace")
            refused[line or 0] = Reject(STDIN, line, reason, text[:RECORD_SHOWN])

        reading = Reading(
            Source(STDIN, STDIN, "", ""),
            names=names_of(self.fields),
            size=BATCH_BYTES,
            longest=self.pace.article_bytes,
            unpacked=lambda: iter(()),
            advance=lambda _: None,
            refuse=refuse,
            warnings=self.warnings,
            made_id=lambda number: digest(lines[number]),
        )
        found = list(block_articles(block, reading))
        articles = pa.Table.from_batches(found, SCHEMA).combine_chunks().to_batches()
        whole = articles[0] if articles else pa.RecordBatch.from_pylist([], SCHEMA)
        records = [record for number, record in block_records(block) if number not in refused]
        return Batch(whole, sketched_at_once(whole, self.index.settings), records, list(refused.values()))


class Aside(Generic[T]):
    """What an iterator yields, worked out by a thread ahead of whoever takes it, by a bounded number of items."""

    def __init__(self, items: Iterator[T], most: int) -> None:
        self._items = items
        self._ready: queue.Queue[T | Ended] = queue.Queue(most)
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        """Start the thread."""
        threading.Thread(target=self._work, name="dedup feed", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let the thread end with the item that it works on."""
        self._closed.set()

    def __iter__(self) -> Iterator[T]:
        """Yield the items; an error of the iterator is raised here."""
        while True:
            item = self._ready.get()
            if isinstance(item, Ended):
                item.leave()
                return
            yield item

    def within(self, seconds: float) -> "T | Ended | None":
        """Return the next item; None where none is ready in so many seconds."""
        try:
            item = self._ready.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(item, Ended):
            item.leave()
        return item

    def _work(self) -> None:
        """Work the iterator off."""
        ended = Ended(None)
        try:
            for item in self._items:
                self._put(item)
                if self._closed.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised again, where the items are taken
            ended = Ended(error)
        self._put(ended)

    def _put(self, item: "T | Ended") -> None:
        """Wait for room, but not longer than somebody takes items."""
        while not self._closed.is_set():
            with suppress(queue.Full):
                self._ready.put(item, timeout=PATIENCE)
                return


class Ended(NamedTuple):
    """There is no further item: the iterator came to its end, or failed."""

    error: BaseException | None

    def leave(self) -> None:
        """Raise what the iterator failed with."""
        if self.error is not None:
            raise self.error


def pieces(descriptor: int) -> Iterator[bytes]:
    """Yield what arrives, as it arrives, to the end."""
    while piece := os.read(descriptor, PIECE):
        yield piece


def blocks_in_time(
    arriving: Aside[bytes], pace: Pace, is_stopped: Callable[[], bool]
) -> Iterator[Block | TooLong]:
    """Yield lines in blocks, each of which is full, or has waited long enough, or is the last.

    Where it is stopped, what has arrived is still yielded, but for a line that lacks its end.
    """
    cutter, lines, since, begun = Cutter(BATCH_BYTES, pace.article_bytes), 0, 0.0, False
    while True:
        stopped = is_stopped()
        piece = arriving.within(0 if stopped else PATIENCE)
        if isinstance(piece, Ended):
            yield from cutter.rest()
            return
        if piece:
            yield from cutter.take(piece if begun else piece.removeprefix(BOM))
            begun, since = True, since if lines else time.monotonic()
            lines += piece.count(b"\n")
        elif stopped:
            yield from cutter.whole()
            return
        if lines >= pace.articles or (lines and time.monotonic() - since >= pace.seconds):
            yield from cutter.whole()
            lines = 0


def digest(line: bytes) -> str:
    """Return an id for an article that has none: the same for the same line, so that a retry is safe."""
    return hashlib.blake2b(line, digest_size=DIGEST_BYTES).hexdigest()
