"""Batches of many requests → as few turns of the index as possible: one thread takes whatever waits.

In: batches of articles, from any thread. Out: futures of their answers, set once these are recorded for good. While one turn is
being recorded the next requests gather, so a disk's sync is shared by all that came in the meantime and nobody waits for company.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from time import perf_counter
from typing import NamedTuple

import pyarrow as pa

from dedup.errors import IndexingError
from dedup.index.answers import Answer
from dedup.index.index import Index
from dedup.serving.figures import Figures

TOGETHER = 1_000
"""Articles from which on a turn takes no further request."""


class Waiting(NamedTuple):
    """A batch, and whoever waits for its answers."""

    batch: pa.RecordBatch
    answers: "Future[list[Answer]]"


class Turns:
    """The one writer of a service."""

    def __init__(self, index: Index, figures: Figures) -> None:
        self.trouble: str | None = None
        """Why the latest turn failed, where the index was the reason."""
        self._index = index
        self._figures = figures
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="dedup turns", daemon=True)
        self._thread.start()

    def ask(self, batch: pa.RecordBatch) -> "Future[list[Answer]]":
        """Return the answers to a batch as they will be; cancelled before its turn, it is as if it had never come."""
        waiting = Waiting(batch, Future())
        self._queue.put(waiting)
        return waiting.answers

    def is_alive(self) -> bool:
        """Return whether there is still somebody to take turns."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Answer all that waits, and end."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        """Take turns, until there is nothing more to come."""
        last = False
        while not last:
            group, last = self._gathered()
            for part in self._turn(group) if group else ():
                self._turn([part])

    def _gathered(self) -> tuple[list[Waiting], bool]:
        """Return what waits, once something does, up to the size of a turn; and whether it was the last."""
        group: list[Waiting] = []
        articles = 0
        while not group or (articles < TOGETHER and not self._queue.empty()):
            waiting = self._queue.get()
            if waiting is None:
                return group, True
            if waiting.answers.set_running_or_notify_cancel():
                group.append(waiting)
                articles += waiting.batch.num_rows
        return group, False

    def _turn(self, group: Sequence[Waiting]) -> Sequence[Waiting]:
        """Answer some requests; return them where what failed may be one of them, and not the index."""
        started = perf_counter()
        try:
            answers = self._index.decide(joined([waiting.batch for waiting in group]))
        except Exception as error:  # noqa: BLE001 - it is handed to whoever waits
            of_index = isinstance(error, IndexingError)
            self.trouble = str(error) if of_index else self.trouble
            if len(group) > 1 and not of_index:
                return group
            for waiting in group:
                waiting.answers.set_exception(error)
            return ()
        self.trouble = None
        self._figures.turn(self._index, answers, perf_counter() - started)
        start = 0
        for waiting in group:
            end = start + waiting.batch.num_rows
            waiting.answers.set_result(answers[start:end])
            start = end
        return ()


def joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Return some batches as one."""
    full = [batch for batch in batches if batch.num_rows] or batches[:1]
    return full[0] if len(full) == 1 else pa.Table.from_batches(full).combine_chunks().to_batches()[0]
