"""Keep the articles of a small corpus in memory, so that a command that needs them again does not read them twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Unpack

import pyarrow as pa

from dedup.io.corpus import Corpus
from dedup.io.read_options import ReadOptions

__all__ = ["KEPT_BYTES", "KeptCorpus"]

KEPT_BYTES = 1 << 28
"""A corpus of more than 256 MB of articles is read again. Reading takes a fifth of the processor time of a run."""


class KeptCorpus(Corpus):
    """A corpus that keeps the batches of its latest complete iteration, if they are small enough."""

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        strict: bool = False,
        keep_bytes: int = KEPT_BYTES,
        **options: Unpack[ReadOptions],
    ) -> None:
        super().__init__(paths, strict=strict, **options)
        self._keep_bytes = keep_bytes
        self._kept: list[pa.RecordBatch] | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the articles in the order of the input, and keep their batches up to the limit."""
        self._kept = None
        kept: list[pa.RecordBatch] = []
        free_bytes = self._keep_bytes
        for batch in super().__iter__():
            free_bytes -= batch.nbytes
            if free_bytes >= 0:
                kept.append(batch)
            else:
                kept.clear()
            yield batch
        self._kept = kept if free_bytes >= 0 else None

    def read_again(self) -> Iterator[pa.RecordBatch]:
        """Yield the articles once more, from memory if they were kept."""
        return super().read_again() if self._kept is None else iter(self._kept)
