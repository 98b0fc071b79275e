"""Combine the writes of many requests into few transactions of the index, in one thread.

While one transaction is recorded, further requests gather and share the next one, with one sync of the disk.
No request waits for others to arrive. Requests are recorded in order of arrival.
"""

from collections.abc import Callable, Sequence
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
"""The most articles and bytes of a transaction, so that memory is bounded and the service can end soon after each."""


class Write(NamedTuple):
    """A batch, and the future answers of its request."""

    batch: pa.RecordBatch
    answers: "Future[list[Answer]]"


class WriteQueue:
    """The only writer to the index of a service."""

    def __init__(
        self, index: Index, metrics: Metrics, publish: Callable[[pa.RecordBatch, Sequence[Answer]], None]
    ) -> None:
        self.failure: str | None = None
        """The reason why the latest transaction failed, if the index is the cause."""
        self._index = index
        self._metrics = metrics
        self._publish = publish
        self._closing = Event()
        self._queue: SimpleQueue[Write | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="dedup writes", daemon=True)
        self._thread.start()

    def submit(self, batch: pa.RecordBatch) -> "Future[list[Answer]]":
        """Queue a batch and return its future answers; a write that is cancelled while it waits is dropped."""
        write = Write(batch, Future())
        self._queue.put(write)
        return write.answers

    def is_alive(self) -> bool:
        """Return whether the thread still runs."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop after the current transaction; waiting writes are cancelled."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        """Run transactions until the queue is closed."""
        while not self._closing.is_set():
            for write in self._record(self._collect()):
                self._record([write])
        while not self._queue.empty():
            if late := self._queue.get():
                late.answers.cancel()

    def _collect(self) -> list[Write]:
        """Wait for a write, and return the waiting writes, up to the size of a transaction."""
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
        """Record writes; return them if they failed together and one of them may be the cause."""
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
        """Return the answers to a batch, in as many transactions as its size needs."""
        answers: list[Answer] = []
        for part in split_batch(batch, TURN_ARTICLES, TURN_BYTES) if batch.num_rows else [batch]:
            if answers and self._closing.is_set():
                raise IndexingError("the service is ending; send the articles again")
            started = perf_counter()
            turn = self._index.decide(part)
            self.failure = None
            self._metrics.count_turn(turn, perf_counter() - started)
            self._publish(part, turn)
            answers += turn
        return answers


def concat_batches(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Return batches as one."""
    table = pa.Table.from_batches(batches, SCHEMA).combine_chunks()
    return (table.to_batches() or batches)[0]
