"""Writes of many requests, combined into few turns of the index by one thread.

While a turn is recorded the next requests gather, so all that arrive in the meantime share one sync of the disk, and nobody waits
for company. Requests are recorded in the order in which they came.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Event, Thread
from time import perf_counter
from typing import NamedTuple

import pyarrow as pa

from dedup.errors import IndexingError
from dedup.index.answers import Answer
from dedup.index.index import Index
from dedup.io.batching import split_batch
from dedup.io.schema import SCHEMA
from dedup.server.metrics import Metrics

__all__ = ["WriteQueue"]

TURN_ARTICLES = 1_000
TURN_BYTES = 2 << 20
"""A turn has at most so many articles and bytes: its memory is bounded, and the service can end soon after each."""


class Write(NamedTuple):
    """A batch, and the answers that its request waits for."""

    batch: pa.RecordBatch
    answers: "Future[list[Answer]]"


class WriteQueue:
    """The one writer of a service."""

    def __init__(self, index: Index, metrics: Metrics) -> None:
        self.failure: str | None = None
        """The reason why the latest turn failed, where it lies in the index."""
        self._index = index
        self._metrics = metrics
        self._closing = Event()
        self._queue: SimpleQueue[Write | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="dedup writes", daemon=True)
        self._thread.start()

    def submit(self, batch: pa.RecordBatch) -> "Future[list[Answer]]":
        """Queue a batch, and return its future answers; a write that is cancelled before its turn is dropped."""
        write = Write(batch, Future())
        self._queue.put(write)
        return write.answers

    def is_alive(self) -> bool:
        """Return whether the thread still takes turns."""
        return self._thread.is_alive()

    def close(self) -> None:
        """End after the present turn; what still waits then is cancelled, as if it had never come."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        """Take turns until the queue is closed."""
        while not self._closing.is_set():
            for write in self._record(self._collect()):
                self._record([write])
        while not self._queue.empty():
            if late := self._queue.get():
                late.answers.cancel()

    def _collect(self) -> list[Write]:
        """Return the writes that wait, once there is one, up to the size of a turn."""
        writes: list[Write] = []
        articles = size = 0
        while not writes or (articles < TURN_ARTICLES and size < TURN_BYTES and not self._queue.empty()):
            write = self._queue.get()
            if write is None:
                break
            if write.answers.set_running_or_notify_cancel():
                writes.append(write)
                articles += write.batch.num_rows
                size += write.batch.nbytes
                if not write.batch.num_rows:  # /healthz does not wait for a large request
                    break
        return writes

    def _record(self, writes: Sequence[Write]) -> Sequence[Write]:
        """Record some writes; return them if they failed together and one of them may be the reason."""
        if not writes:
            return ()
        try:
            answers = self._decide(concat_batches([write.batch for write in writes]))
        except Exception as error:  # noqa: BLE001 - it is handed to the requests that wait
            if isinstance(error, IndexingError):
                self.failure = str(error)
            elif len(writes) > 1:
                return writes
            for write in writes:
                write.answers.set_exception(error.with_traceback(None))
            return ()
        start = 0
        for write in writes:
            end = start + write.batch.num_rows
            write.answers.set_result(answers[start:end])
            start = end
        return ()

    def _decide(self, batch: pa.RecordBatch) -> list[Answer]:
        """Return the answers to a batch, in as many turns as its size asks for."""
        answers: list[Answer] = []
        for part in split_batch(batch, TURN_ARTICLES, TURN_BYTES) if batch.num_rows else [batch]:
            if answers and self._closing.is_set():
                raise IndexingError("the service is ending; send the articles again")
            started = perf_counter()
            turn = self._index.decide(part)
            self.failure = None
            self._metrics.count_turn(turn, perf_counter() - started)
            answers += turn
        return answers


def concat_batches(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Return batches as one."""
    table = pa.Table.from_batches(batches, SCHEMA).combine_chunks()
    return (table.to_batches() or batches)[0]
