"""Answer lines of JSON from a file descriptor as they arrive, in order, each once its decision is recorded for good.

A batch closes when it is full or when its first line has waited long enough: so a slow feed is not held up, and a fast one is
processed in large batches. Only a few batches are read ahead; then the writer of the feed has to wait. One thread reads lines, a
second one parses and sketches their articles, and the caller's thread gets the answers, in the order of the lines.
"""

import hashlib
import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Self, TypeVar

import pyarrow as pa

from dedup.errors import InputError
from dedup.index.answers import Answer
from dedup.index.decide import sketch_in_parallel
from dedup.index.index import Index
from dedup.io.delimited import has_text_column
from dedup.io.discovery import STDIN, InputFile
from dedup.io.file_bytes import find_compression, find_foreign_format, find_marked_encoding
from dedup.io.json_documents import is_document, is_json
from dedup.io.jsonl import NOT_UTF8, iter_block_records, parse_block_articles
from dedup.io.line_blocks import LineBlock, LineSplitter, OversizedLine, iter_numbered_lines
from dedup.io.presets import PRESET_BYTES
from dedup.io.read_options import ReadOptions, ReadRules, build_read_rules
from dedup.io.records import MAX_REJECT_CHARACTERS, Record, Reject
from dedup.io.schema import BATCH_BYTES, SCHEMA
from dedup.io.source_file import SourceFile, add_examples
from dedup.sketches.sketch import Sketches

READ_BYTES = 1 << 16
"""The bytes that are read at once: the capacity of a pipe."""
MAX_WAITING_CHUNKS = 64
MAX_WAITING_BATCHES = 1
POLL_SECONDS = 0.02
"""Seconds after which a waiting thread checks whether it has to stop."""
DIGEST_BYTES = 12
BOM = b"\xef\xbb\xbf"
STREAM_ERROR = (
    "a stream is JSON Lines in UTF-8, and this one is {}; name a file instead, or pass it through {}"
)
UNPACK_COMMANDS = {".gz": "gzip -dc", ".bz2": "bzip2 -dc", ".zst": "zstd -dc"}
NOT_UTF8_HINT = f"{NOT_UTF8}: convert the stream with iconv"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """The limits at which a batch closes."""

    articles: int = 1000
    """The number of lines of a full batch."""
    seconds: float = 0.2
    """The longest wait of its first line."""
    article_bytes: int = 64 << 20
    """The longest line; a longer one is refused."""


class StreamBatch(NamedTuple):
    """The articles of a block of lines."""

    articles: pa.RecordBatch
    sketches: Sketches
    records: list[Record]
    rejects: list[Reject]


class AnsweredBatch(NamedTuple):
    """The articles of a block of lines with their answers, in order, and the lines that hold no article."""

    answers: list[tuple[Record, Answer]]
    rejects: list[Reject]


@dataclass(slots=True)
class ArticleStream:
    """A stream of lines that can be stopped: lines read by then are still answered."""

    descriptor: int
    index: Index
    options: ReadOptions = field(default_factory=ReadOptions)
    limits: BatchLimits = field(default_factory=BatchLimits)
    stop_event: threading.Event = field(default_factory=threading.Event)

    _warnings: Counter[str] = field(default_factory=Counter, init=False)
    _examples: dict[str, str] = field(default_factory=dict, init=False)
    _rules: ReadRules = field(init=False)
    _unrecognized_bytes: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        """Check the options."""
        self._rules = build_read_rules(self.options)

    @property
    def warnings(self) -> Counter[str]:
        """Return the oddities of the articles, a sentence each, often with an example, and their counts."""
        return add_examples(self._warnings, self._examples)

    def stop(self) -> None:
        """Stop reading."""
        self.stop_event.set()

    def __iter__(self) -> Iterator[AnsweredBatch]:
        """Yield the batches in order, each as soon as its answers are recorded."""
        arriving = Prefetcher(read_json_lines(self.descriptor, self._rules), MAX_WAITING_CHUNKS)
        blocks = iter_timed_blocks(arriving, self.limits, self.stop_event.is_set)
        with arriving, Prefetcher(map(self._sketch_block, blocks), MAX_WAITING_BATCHES) as batches:
            for batch in batches:
                answers = self.index.decide(batch.articles, batch.sketches)
                yield AnsweredBatch(list(zip(batch.records, answers, strict=True)), batch.rejects)

    def _sketch_block(self, block: LineBlock | OversizedLine) -> StreamBatch:
        """Return the articles of a block, sketched."""
        refused: dict[int, Reject] = {}
        lines = dict(iter_numbered_lines(block)) if isinstance(block, LineBlock) else {}

        def add_reject(line: int | None, reason: str, record: bytes | str) -> None:
            text = (
                record
                if isinstance(record, str)
                else record[: 4 * MAX_REJECT_CHARACTERS].decode(errors="replace")
            )
            reason = NOT_UTF8_HINT if reason == NOT_UTF8 else reason
            refused[line or 0] = Reject(STDIN, line, reason, text[:MAX_REJECT_CHARACTERS])

        reading = SourceFile(
            InputFile(STDIN, STDIN, "", ""),
            rules=self._rules,
            batch_bytes=BATCH_BYTES,
            max_article_bytes=self.limits.article_bytes,
            read_decompressed=lambda: iter(()),
            report_progress=lambda _: None,
            reject=add_reject,
            warnings=self._warnings,
            examples=self._examples,
            make_id=lambda number: hash_line(lines[number]),
        )
        reading = self._recognize_preset(block, reading)
        found = list(parse_block_articles(block, reading))
        articles = pa.Table.from_batches(found, SCHEMA).combine_chunks().to_batches()
        whole = articles[0] if articles else pa.RecordBatch.from_pylist([], SCHEMA)
        records = [record for number, record in iter_block_records(block) if number not in refused]
        return StreamBatch(
            whole, sketch_in_parallel(whole, self.index.settings), records, list(refused.values())
        )

    def _recognize_preset(self, block: LineBlock | OversizedLine, reading: SourceFile) -> SourceFile:
        """Return the reader of a block; the first lines say which export the stream is, as the head of a file does."""
        if isinstance(block, OversizedLine) or self._unrecognized_bytes >= PRESET_BYTES:
            return reading
        self._unrecognized_bytes += len(block.data)
        recognized = reading.recognize_preset(block.data)
        self._rules = recognized.rules
        return recognized


class Prefetcher(Generic[T]):
    """The items of an iterator, which a thread computes ahead, up to a bounded number of items."""

    def __init__(self, items: Iterator[T], most: int) -> None:
        self._items = items
        self._ready: queue.Queue[T | EndOfItems] = queue.Queue(most)
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        """Start the thread."""
        threading.Thread(target=self._run_items, name="dedup feed", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let the thread end after its current item."""
        self._closed.set()

    def __iter__(self) -> Iterator[T]:
        """Yield the items; an error of the iterator is raised here."""
        while True:
            item = self._ready.get()
            if isinstance(item, EndOfItems):
                item.raise_error()
                return
            yield item

    def get_within(self, seconds: float) -> "T | EndOfItems | None":
        """Return the next item, or None if no item is ready within `seconds`."""
        try:
            item = self._ready.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(item, EndOfItems):
            item.raise_error()
        return item

    def _run_items(self) -> None:
        """Put all items of the iterator into the queue, and then its end."""
        ended = EndOfItems(None)
        try:
            for item in self._items:
                self._put(item)
                if self._closed.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - the consumer raises it
            ended = EndOfItems(error)
        self._put(ended)

    def _put(self, item: "T | EndOfItems") -> None:
        """Wait for room in the queue, until the consumer closes it."""
        while not self._closed.is_set():
            with suppress(queue.Full):
                self._ready.put(item, timeout=POLL_SECONDS)
                return


class EndOfItems(NamedTuple):
    """The end of the items: the iterator was exhausted, or failed."""

    error: BaseException | None

    def raise_error(self) -> None:
        """Raise the error of the iterator, if it failed."""
        if self.error is not None:
            raise self.error


def read_json_lines(descriptor: int, rules: ReadRules) -> Iterator[bytes]:
    """Yield bytes as they arrive, until the end; raise `InputError` if they do not begin as JSON Lines do."""
    piece = os.read(descriptor, READ_BYTES)
    check_stream_start(piece, rules)
    while piece:
        yield piece.removeprefix(BOM)
        piece = os.read(descriptor, READ_BYTES)


def check_stream_start(head: bytes, rules: ReadRules) -> None:
    """Raise `InputError`, which says how to pass them, if the first bytes are of another kind than JSON Lines in UTF-8."""
    encoding = find_marked_encoding(head)
    if compression := find_compression(head):
        raise InputError(STREAM_ERROR.format("compressed", UNPACK_COMMANDS[compression]))
    if encoding not in {"", "utf-8"}:
        raise InputError(STREAM_ERROR.format(encoding.upper(), f"iconv -f {encoding} -t utf-8"))
    if foreign := find_foreign_format(head):
        raise InputError(STREAM_ERROR.format(foreign, "a program that writes JSON Lines"))
    if is_document(head, "lines", rules.names):
        raise InputError(STREAM_ERROR.format("a JSON document", "jq -c '.[]'"))
    if not is_json(head) and has_text_column(head, rules):
        raise InputError(STREAM_ERROR.format("CSV", "a program that writes JSON Lines"))


def iter_timed_blocks(
    chunks: Prefetcher[bytes], limits: BatchLimits, is_stopped: Callable[[], bool]
) -> Iterator[LineBlock | OversizedLine]:
    """Yield lines in blocks; each is full, or has waited long enough, or is the last.

    When stopped, yield the lines that have arrived, except one without its end.
    """
    cutter, lines, since = LineSplitter(BATCH_BYTES, limits.article_bytes), 0, 0.0
    while True:
        stopped = is_stopped()
        piece = chunks.get_within(0 if stopped else POLL_SECONDS)
        if isinstance(piece, EndOfItems):
            yield from cutter.flush_all()
            return
        if piece:
            yield from cutter.push(piece)
            since = since if lines else time.monotonic()
            lines += piece.count(b"\n")
        elif stopped:
            yield from cutter.flush_lines()
            return
        if lines >= limits.articles or (lines and time.monotonic() - since >= limits.seconds):
            yield from cutter.flush_lines()
            lines = 0


def hash_line(line: bytes) -> str:
    """Return an id for an article without one: the same for the same line, so that a retry is safe."""
    return hashlib.blake2b(line, digest_size=DIGEST_BYTES).hexdigest()
