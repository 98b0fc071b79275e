"""Hold in memory the lookup tables of an index and its latest sketches.

Other processes may write to the same index. So each transaction begins with a sync, which reads the rows that others have
recorded since; if articles were removed, it reads all rows again.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from struct import Struct
from typing import Any

import numpy as np

from dedup.errors import IndexingError
from dedup.index.key_run import KeyRun, LookupKeys, build_key_run, pack_key_run, unpack_key_run
from dedup.index.lookup import ArticleColumns, ArticleLookup
from dedup.index.storage.backend import IndexRow, StorageBackend, make_damage_error
from dedup.index.storage.checksum import CHECKSUM_BYTES, compute_checksum
from dedup.settings.settings import Settings
from dedup.sketches.codec import unpack_sketches
from dedup.sketches.sketch import Sketches, concat_sketches, select_sketches

CACHE_BYTES = 64 << 20
"""The bytes of keys and packed sketches that are cached: most repeats come within hours."""
UNPACKED_BYTES = 128 << 20
"""The most bytes of sketches that are kept from one batch to the next: some twenty thousand articles."""
KEY_BYTES = 4
FAR_BEHIND_ARTICLES = 4096
"""The number of articles that a sync reads in about a tenth of a second."""
MAX_RUNS_STORED = 4
"""The number of runs that a transaction stores: an older index without any does not hold up other writers for long."""
RUN_SLOTS = Struct("<2q")
COLUMN_TYPES = [np.dtype(kind) for kind in ("<i8", "<f8", "<i8", "<i8", "i1", "u1")]
"""The types of `ArticleColumns`, as they are stored."""
MAX_POSITION = 1 << 48
"""The largest position that an index may hold."""


class IndexCache:
    """The part of an index that a process holds in memory."""

    def __init__(self, backend: StorageBackend, settings: Settings) -> None:
        self._backend = backend
        self._salient, self._bands = settings.salient_terms, settings.bands
        self._packed_sketches: OrderedDict[int, bytes] = OrderedDict()
        self._packed_bytes = 0
        self._unpacked_positions = np.zeros(0, np.int64)
        self._unpacked: Any = None
        """The sketches at these positions; None if there are none."""
        self._generation = 0
        self.articles = self._make_lookup()

    def _make_lookup(self) -> ArticleLookup:
        """Return an empty lookup."""
        return ArticleLookup(self._salient, self._bands, self._load_run_keys)

    def is_far_behind(self) -> bool:
        """Return whether a sync would take too long to hold up other writers."""
        state = self._backend.read_state()
        return (
            state.generation != self._generation
            or state.articles - self.articles.next_position > FAR_BEHIND_ARTICLES
        )

    def sync(self) -> None:
        """Read the rows that others have recorded since."""
        state = self._backend.read_state()
        if state.generation != self._generation:
            self._packed_sketches.clear()
            self._packed_bytes, self._generation = 0, state.generation
            self._unpacked_positions, self._unpacked = np.zeros(0, np.int64), None
            self.articles = self._make_lookup()
        if state.articles and not self.articles.article_count:
            self._load_runs()
        if state.articles > self.articles.next_position:
            for rows in self._backend.iter_rows(self.articles.next_position):
                self.add_rows(rows)
        if not self.articles.next_position <= state.articles <= MAX_POSITION:
            raise self._make_damage_error(
                f"its count of articles is {state.articles}, and it holds one at position "
                f"{self.articles.next_position - 1}"
            )
        self.articles.update_count(state.articles)

    def _load_runs(self) -> None:
        """Add the articles of the stored runs that are not damaged; the others are read from their rows."""
        for position in self._backend.list_runs():
            try:
                stored = self._backend.read_run_columns(position)
                first = self.articles.article_count
                columns = unpack_columns(check_run_part(stored, (first, first + self.articles.run_articles)))
                self.articles.add(*columns, keys=None)
            except ValueError:
                return

    def _load_run_keys(self, first: int, end: int) -> KeyRun:
        """Return the stored run of a range of slots; build it from its rows where it is damaged or missing."""
        positions, levels = self.articles.positions[first:end], self.articles.marks[first:end]
        try:
            stored = self._backend.read_run_keys(int(positions[0]))
            return unpack_key_run(check_run_part(stored, (first, end)), end - first)
        except ValueError:
            places, keys = np.flatnonzero(levels), self._read_keys(int(positions[0]), int(positions[-1]))
            if len(keys.salient) != len(places):
                raise self._make_damage_error("the keys of an article are missing") from None
            return build_key_run(keys, places, levels[places])

    def _read_keys(self, first: int, last: int) -> LookupKeys:
        """Return the keys of the rows from one position to another."""
        found = []
        for rows in self._backend.iter_rows(first):
            found += [row.keys for row in rows if row.mark and row.position <= last]
            if rows[-1].position >= last:
                break
        return self.parse_keys(b"".join(found))

    def find_run_faults(self) -> Iterator[str]:
        """Yield a sentence for each damaged run. Such a run makes the index open slowly, but changes no answer."""
        size = self.articles.run_articles
        for k, position in enumerate(self._backend.list_runs()):
            slots = (k * size, (k + 1) * size)
            try:
                unpack_columns(check_run_part(self._backend.read_run_columns(position), slots))
                unpack_key_run(check_run_part(self._backend.read_run_keys(position), slots), size)
            except ValueError as error:
                yield f"the run that begins at position {position} is damaged: {error}"

    def store_runs(self) -> None:
        """Store the runs that are not stored yet, within a transaction, at most `MAX_RUNS_STORED`."""
        if all(run.is_stored for run in self.articles.runs):
            return
        stored, written = set(self._backend.list_runs()), 0
        for run in self.articles.runs:
            position = int(self.articles.positions[run.first])
            # A run counts as stored when a later transaction finds it there: this one may still fail.
            run.is_stored = position in stored
            if run.keys and not run.is_stored and written < MAX_RUNS_STORED:
                parts = pack_columns(self.articles.get_columns(run)), pack_key_run(run.keys)
                self._backend.write_key_run(
                    position, *(add_checksum(part, (run.first, run.end)) for part in parts)
                )
                written += 1

    def add_recorded(self, rows: Sequence[IndexRow], sketches: Mapping[int, bytes]) -> None:
        """Add rows that were recorded by this process, with their packed sketches."""
        self.add_rows(rows)
        self._store_sketches({row.position: row.keys + sketches[row.position] for row in rows if row.mark})

    def get_sketches(self, positions: np.ndarray, days: np.ndarray, threads: int = 1) -> Sketches:
        """Return the sketches at the given rising positions and days; IndexingError where one is missing or damaged.

        The sketches of the last call are kept: most of them are wanted again.
        """
        is_new = ~np.isin(positions, self._unpacked_positions, assume_unique=True)
        sketches = self._unpack_sketches(positions[is_new], days[is_new], threads)
        if not is_new.all():
            kept = np.searchsorted(self._unpacked_positions, positions[~is_new])
            sketches = concat_sketches([select_sketches(self._unpacked, kept), sketches])
            order = np.argsort(np.concatenate([positions[~is_new], positions[is_new]]))
            if (order[1:] < order[:-1]).any():
                sketches = select_sketches(sketches, order)
            sketches = sketches._replace(days=days)
        self._keep_unpacked(positions, sketches)
        return sketches

    def _keep_unpacked(self, positions: np.ndarray, sketches: Sketches) -> None:
        """Keep sketches for the next call, unless they are too large."""
        if sum(array.nbytes for array in sketches) <= UNPACKED_BYTES:
            self._unpacked_positions, self._unpacked = positions, sketches

    def _unpack_sketches(self, positions: np.ndarray, days: np.ndarray, threads: int) -> Sketches:
        """Return the sketches at the given positions and days from their packed bytes."""
        wanted = positions.tolist()
        missing = [position for position in wanted if position not in self._packed_sketches]
        found = self._backend.get_packed_sketches(missing) if missing else {}
        try:
            parts = [self._packed_sketches.get(position) or found[position] for position in wanted]
            width = KEY_BYTES * (self._salient + self._bands)
            keys = self.parse_keys(b"".join(part[:width] for part in parts))
            sketches = unpack_sketches([part[width:] for part in parts], days, *keys, threads)
        except (KeyError, ValueError) as error:
            is_missing = isinstance(error, KeyError)
            fault = f"it has no sketch of the article at position {error}" if is_missing else str(error)
            raise self._make_damage_error(fault) from error
        self._store_sketches(found)
        return sketches

    def parse_keys(self, data: bytes) -> LookupKeys:
        """Return the keys of articles from their bytes; IndexingError where bytes are missing."""
        if len(data) % (KEY_BYTES * (self._salient + self._bands)):
            raise self._make_damage_error("the keys of an article are cut short")
        table = np.frombuffer(data, "<u4").reshape(-1, self._salient + self._bands)
        return LookupKeys(
            np.ascontiguousarray(table[:, : self._salient]), np.ascontiguousarray(table[:, self._salient :])
        )

    def add_rows(self, rows: Sequence[IndexRow]) -> None:
        """Add the next rows; if one is impossible, raise IndexingError and add none."""
        try:
            self.articles.add(
                positions=np.array([row.position for row in rows], np.int64),
                days=read_days(rows),
                leaders=np.array([row.leader for row in rows], np.int64),
                follows=np.array([row.follows for row in rows], np.int64),
                relations=np.array([row.relation for row in rows], np.int64),
                marks=np.array([row.mark for row in rows], np.int64),
                keys=self.parse_keys(b"".join(row.keys for row in rows if row.mark)),
            )
        except ValueError as error:
            raise self._make_damage_error(str(error)) from error

    def _make_damage_error(self, fault: str) -> IndexingError:
        """Return the error of a damaged index."""
        return make_damage_error(self._backend.name, fault)

    def _store_sketches(self, parts: Mapping[int, bytes]) -> None:
        """Cache keys and sketches, and drop the oldest where they exceed the limit."""
        self._packed_sketches.update(parts)
        self._packed_bytes += sum(map(len, parts.values()))
        while self._packed_bytes > CACHE_BYTES:
            self._packed_bytes -= len(self._packed_sketches.popitem(last=False)[1])


def read_days(rows: Sequence[IndexRow]) -> np.ndarray:
    """Return the days (float64) of rows, NaN where they are unknown."""
    return np.array([np.nan if row.published is None else row.published for row in rows], np.float64)


def pack_columns(columns: ArticleColumns) -> bytes:
    """Return the columns of the articles of a run as bytes."""
    return b"".join(column.astype(kind).tobytes() for column, kind in zip(columns, COLUMN_TYPES, strict=True))


def unpack_columns(data: memoryview) -> ArticleColumns:
    """Return the columns that `pack_columns` packed into these bytes; ValueError if bytes are missing."""
    count, rest = divmod(len(data), sum(kind.itemsize for kind in COLUMN_TYPES))
    if rest:
        raise ValueError("the columns of a run are cut short")
    columns, start = [], 0
    for kind in COLUMN_TYPES:
        columns.append(np.frombuffer(data, kind, count, start))
        start += count * kind.itemsize
    return ArticleColumns(*columns)


def add_checksum(part: bytes, slots: tuple[int, int]) -> bytes:
    """Return a part of a run as it is stored: after its checksum and the range of its slots."""
    data = RUN_SLOTS.pack(*slots) + part
    return compute_checksum(data).to_bytes(CHECKSUM_BYTES, "little", signed=True) + data


def check_run_part(stored: bytes | None, slots: tuple[int, int]) -> memoryview:
    """Return a part without what `add_checksum` added; ValueError if it is missing, damaged or of other slots."""
    checksum, data = (stored or b"")[:CHECKSUM_BYTES], memoryview(stored or b"")[CHECKSUM_BYTES:]
    if len(data) < RUN_SLOTS.size or RUN_SLOTS.unpack_from(data) != slots:
        raise ValueError("a part of a run is missing, or of another run")
    if compute_checksum(data) != int.from_bytes(checksum, "little", signed=True):
        raise ValueError("a part of a run does not match its checksum")
    return data[RUN_SLOTS.size :]
