"""Sketches, batch by batch → the sketches of all articles: in memory or, where they are too many, in files.

In: the sketches of batches. Out: `Sketches`, whose arrays kernels read wherever they lie. In memory each field grows in
place, so that nothing is there twice. Beyond a budget the large fields go to files, one a field, which have no name and so
vanish with the process, however it ends; in the end they are mapped into memory. The system then reads a page where it is
looked at, and counts it as memory of the process until it is given back (`rest`). That costs little where it is needed
again soon: the system keeps the pages of files for as long as it has no better use for the room. So sketches that lie in
files are put in the order in which they are compared (`in_order`): what is needed together then lies together.
"""

from __future__ import annotations

import ctypes
import io
import mmap
import os
import tempfile
import weakref
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, cast

import numpy as np
import pyarrow as pa

from dedup.errors import OutputError
from dedup.sketches.sketch import Sketches, select_sketches

SPILLED_FIELDS = frozenset({"bands", "salient", "shingles", "quotes", "term_hashes", "term_facts", "norms"})
"""The fields that files may hold: all but some fifty bytes of the thousands of an article."""
CAN_RELEASE_PAGES = hasattr(mmap.mmap, "madvise")
"""Whether pages can be given back: not on Windows, which takes them when it needs them."""
STATM = Path("/proc/self/statm")
PROGRAM_BYTES = 256 << 20
"""Bytes that Python, Arrow and the compiled kernels take, whatever the corpus."""
ORDER_CHUNK_ARTICLES = 64
"""So many sketches are put in order at once: each brings some megabytes of files into memory, for the system reads ahead."""
MAX_MEAN_GAP = 1024
"""Neighbours in an order lie no further apart than this, on average, where it is hardly another."""
STATM_FILE_PAGES_COLUMN = 2
"""Where Linux says how much memory a process holds, and the place of the pages that are files' there."""


def compute_sketch_budget(memory: int) -> int:
    """Return how many bytes of sketches stay in memory where a run may take so many bytes in all.

    That is half of what the program leaves, for comparing takes about as much again.
    """
    return max(memory - PROGRAM_BYTES, 0) // 2


class SketchStore:
    """The sketches of the articles so far; beyond `memory` bytes the large fields lie in files in `folder`."""

    def __init__(self, memory: int, folder: str | None = None) -> None:
        self._memory = memory
        self._folder = folder or tempfile.gettempdir()
        self._fields_in_memory: dict[str, np.ndarray] = {}
        self._files: dict[str, IO[bytes]] = {}
        self._open = ExitStack()
        weakref.finalize(self, self._open.close)
        self._maps: list[mmap.mmap] = []
        self._last_ordered: tuple[np.ndarray, SketchStore] | None = None
        self.bytes_in_files = 0
        """How many bytes lie in files."""

    def append_batch(self, part: Sketches) -> None:
        """Put the sketches of a batch behind those that are there; OutputError where a file cannot be written."""
        for name, array in part._asdict().items():
            if name in self._files:
                self._write_field(name, array)
            elif name not in self._fields_in_memory:
                self._fields_in_memory[name] = array.copy()
            elif name.endswith("_offsets"):
                append_rows(self._fields_in_memory[name], array[1:] + int(self._fields_in_memory[name][-1]))
            else:
                append_rows(self._fields_in_memory[name], array)
        if not self._files and sum(array.nbytes for array in self._fields_in_memory.values()) > self._memory:
            self._move_to_files()

    def load_sketches(self) -> Sketches:
        """Return the sketches of all articles, of which there must be a batch; no more can be put there after that."""
        for name, file in self._files.items():
            if os.fstat(file.fileno()).st_size:
                self._fields_in_memory[name] = self._map_file(file, self._fields_in_memory[name])
        if self._files:
            release_freed_memory()
        self._files.clear()
        self._open.close()
        return Sketches(**self._fields_in_memory)

    def release_pages(self) -> None:
        """Give what lies in files back to the system, where more than the budget is in memory, the program's own files too."""
        if self._maps and CAN_RELEASE_PAGES and measure_resident_file_bytes() > self._memory:
            for pages in self._maps:
                pages.madvise(mmap.MADV_DONTNEED)

    def store_table(self, articles: pa.Table) -> pa.Table:
        """Return a table as it is, or, where sketches lie in files, from a file of its own; OutputError as for these."""
        if not self.bytes_in_files:
            return articles
        with self._create_file() as file:
            try:
                buffered = io.BufferedWriter(
                    cast("io.RawIOBase", file)
                )  # all of it is written, or an error is raised
                with pa.ipc.new_stream(buffered, articles.schema) as stream:
                    stream.write_table(articles)
                buffered.flush()
            except OSError as error:
                raise self._build_output_error(error) from error
            self.bytes_in_files += buffered.tell()
            self._maps.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return pa.ipc.open_stream(pa.py_buffer(self._maps[-1])).read_all()

    def order_by(self, order: np.ndarray) -> SketchStore:
        """Return a shelf with the sketches at some positions (int64) in the order of these; itself where that is no gain.

        It holds them in files like this one, which needs as much room on the disk again.
        """
        if not self._maps or len(order) <= MAX_MEAN_GAP or np.abs(np.diff(order)).mean() <= MAX_MEAN_GAP:
            return self
        if self._last_ordered and np.array_equal(self._last_ordered[0], order):
            return self._last_ordered[1]
        shelf = SketchStore(self._memory, self._folder)
        shelf._maps += self._maps  # they rest together
        for start in range(0, len(order), ORDER_CHUNK_ARTICLES):
            shelf.append_batch(
                select_sketches(self.load_sketches(), order[start : start + ORDER_CHUNK_ARTICLES])
            )
            self.release_pages()
        self._last_ordered = order, shelf
        return shelf

    def _move_to_files(self) -> None:
        """Move the large fields into files."""
        for name in sorted(SPILLED_FIELDS):
            self._files[name] = self._open.enter_context(self._create_file())
            self._write_field(name, self._fields_in_memory[name])
            self._fields_in_memory[name] = self._fields_in_memory[name][:0].copy()

    def _create_file(self) -> IO[bytes]:
        """Return a new file without a name."""
        try:
            return tempfile.TemporaryFile(buffering=0, dir=self._folder)
        except OSError as error:
            raise self._build_output_error(error) from error

    def _write_field(self, name: str, array: np.ndarray) -> None:
        """Write an array at the end of a field's file."""
        self.bytes_in_files += array.nbytes
        left = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        try:
            while left:
                left = left[self._files[name].write(left) :]
        except OSError as error:
            raise self._build_output_error(error) from error

    def _map_file(self, file: IO[bytes], like: np.ndarray) -> np.ndarray:
        """Return the array that a file holds, of the type and width of another one."""
        pages = mmap.mmap(file.fileno(), 0)
        self._maps.append(pages)
        return np.frombuffer(pages, like.dtype).reshape(-1, *like.shape[1:])

    def _build_output_error(self, error: OSError) -> OutputError:
        """Return the error that says that a file cannot be written."""
        return OutputError(f"cannot keep sketches in files in {self._folder}: {error.strerror}")


def append_rows(array: np.ndarray, new_rows: np.ndarray) -> None:
    """Put more rows behind those of an array that nothing else looks at, in place."""
    rows = len(array)
    array.resize((rows + len(new_rows), *array.shape[1:]), refcheck=False)
    array[rows:] = new_rows


def release_freed_memory() -> None:
    """Give memory that was freed back to the system, as far as Arrow and the C library can: sketching frees most of its own."""
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError, TypeError):  # Windows has no library without a name
        ctypes.CDLL(None).malloc_trim(0)


def measure_resident_file_bytes() -> float:
    """Return how many bytes of files are mapped into the process and in memory; infinity where that is not told."""
    try:
        return int(STATM.read_text("ascii").split()[STATM_FILE_PAGES_COLUMN]) * mmap.PAGESIZE
    except (OSError, ValueError, IndexError):
        return float("inf")
