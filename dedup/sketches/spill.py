"""Store the sketches of all articles: in memory or, if there are too many, in temporary files.

In memory each field grows in place, so that nothing is stored twice. Beyond a budget the large fields go to files, one
per field, without names, so that they disappear with the process, even if it is killed. In the end they are mapped into memory.
The system then loads a page when it is read, and counts it as memory of the process until it is released
(`release_pages`). That costs little if the page is needed again soon, because the system caches pages of files while it
has room. So sketches in files are stored in the order in which they are compared (`order_by`): those needed together then
lie together.
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
"""The fields that may go to files: all but about fifty of the thousands of bytes per article."""
CAN_RELEASE_PAGES = hasattr(mmap.mmap, "madvise")
"""Whether pages can be released: not on Windows, which reclaims them itself."""
STATM = Path("/proc/self/statm")
PROGRAM_BYTES = 256 << 20
"""The memory of Python, Arrow and the compiled kernels, the same for every corpus."""
ORDER_CHUNK_ARTICLES = 64
"""The number of sketches reordered at a time: each loads some megabytes of files into memory, because the system reads
ahead."""
MAX_MEAN_GAP = 1024
"""If the positions of consecutive articles in an order are at most this far apart, on average, reordering gains nothing."""
STATM_FILE_PAGES_COLUMN = 2
"""The column of `STATM` with the number of pages of files in memory (Linux)."""


def compute_sketch_budget(memory: int) -> int:
    """Return how many bytes of sketches may stay in memory if a run may take `memory` bytes in all.

    That is half of what the program leaves, because comparing takes about as much again.
    """
    return max(memory - PROGRAM_BYTES, 0) // 2


class SketchStore:
    """The sketches of all articles so far; beyond `memory` bytes, the large fields are in files in `folder`."""

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
        """The number of bytes in files."""

    def append_batch(self, part: Sketches) -> None:
        """Append the sketches of a batch; `OutputError` if a file cannot be written."""
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
        """Return the sketches of all articles (at least one batch); no batch can be appended after that."""
        for name, file in self._files.items():
            if os.fstat(file.fileno()).st_size:
                self._fields_in_memory[name] = self._map_file(file, self._fields_in_memory[name])
        if self._files:
            release_freed_memory()
        self._files.clear()
        self._open.close()
        return Sketches(**self._fields_in_memory)

    def release_pages(self) -> None:
        """Release the mapped pages if mapped files, those of the program included, take more memory than the budget."""
        if self._maps and CAN_RELEASE_PAGES and measure_resident_file_bytes() > self._memory:
            for pages in self._maps:
                pages.madvise(mmap.MADV_DONTNEED)

    def store_table(self, articles: pa.Table) -> pa.Table:
        """Return a table, moved to a mapped file if the sketches are in files; `OutputError` if it cannot be written."""
        if not self.bytes_in_files:
            return articles
        with self._create_file() as file:
            try:
                writer = io.BufferedWriter(cast("io.RawIOBase", file))  # writes everything or raises an error
                with pa.ipc.new_stream(writer, articles.schema) as stream:
                    stream.write_table(articles)
                writer.flush()
            except OSError as error:
                raise self._build_output_error(error) from error
            self.bytes_in_files += writer.tell()
            self._maps.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return pa.ipc.open_stream(pa.py_buffer(self._maps[-1])).read_all()

    def order_by(self, order: np.ndarray) -> SketchStore:
        """Return a store of the sketches at `order` (positions, int64), in that order; itself if that gains nothing.

        The new store is in files too, which take the same disk space again.
        """
        if not self._maps or len(order) <= MAX_MEAN_GAP or np.abs(np.diff(order)).mean() <= MAX_MEAN_GAP:
            return self
        if self._last_ordered and np.array_equal(self._last_ordered[0], order):
            return self._last_ordered[1]
        store = SketchStore(self._memory, self._folder)
        store._maps += self._maps  # release the pages of both
        for start in range(0, len(order), ORDER_CHUNK_ARTICLES):
            store.append_batch(
                select_sketches(self.load_sketches(), order[start : start + ORDER_CHUNK_ARTICLES])
            )
            self.release_pages()
        self._last_ordered = order, store
        return store

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
        """Append an array to the file of a field."""
        self.bytes_in_files += array.nbytes
        remaining = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        try:
            while remaining:
                remaining = remaining[self._files[name].write(remaining) :]
        except OSError as error:
            raise self._build_output_error(error) from error

    def _map_file(self, file: IO[bytes], like: np.ndarray) -> np.ndarray:
        """Return the array in a file, with the type and width of `like`."""
        pages = mmap.mmap(file.fileno(), 0)
        self._maps.append(pages)
        return np.frombuffer(pages, like.dtype).reshape(-1, *like.shape[1:])

    def _build_output_error(self, error: OSError) -> OutputError:
        """Return the error for a file that cannot be written."""
        return OutputError(f"cannot keep sketches in files in {self._folder}: {error.strerror}")


def append_rows(array: np.ndarray, new_rows: np.ndarray) -> None:
    """Append rows to an array in place; nothing else may refer to it."""
    rows = len(array)
    array.resize((rows + len(new_rows), *array.shape[1:]), refcheck=False)
    array[rows:] = new_rows


def release_freed_memory() -> None:
    """Return freed memory to the system, as far as Arrow and the C library can: sketching frees most of its memory."""
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError, TypeError):  # Windows cannot load the C library this way
        ctypes.CDLL(None).malloc_trim(0)


def measure_resident_file_bytes() -> float:
    """Return how many bytes of mapped files are in memory; infinity if the system does not say."""
    try:
        return int(STATM.read_text("ascii").split()[STATM_FILE_PAGES_COLUMN]) * mmap.PAGESIZE
    except (OSError, ValueError, IndexError):
        return float("inf")
