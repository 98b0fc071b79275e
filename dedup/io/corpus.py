"""A corpus: files, folders and standard input, read twice.

The first pass gives articles, a batch at a time, for the pipeline; the second gives the records as they stood
in their files, in the same order and number, for the output. So no article is held in memory in between, and
what is written is what was read. What cannot be read is never lost in silence: it is a Reject, or an error
where the caller is strict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa

from dedup.errors import InputError
from dedup.io.batching import regrouped
from dedup.io.decompress import Damaged, Pieces, Spool, pieces
from dedup.io.discovery import STDIN, Source, find_sources, unreadable
from dedup.io.file_reader import Reading
from dedup.io.line_blocks import HEAD_SHOWN
from dedup.io.readers import articles_of, records_of
from dedup.io.records import RECORD_SHOWN, Record, Reject
from dedup.io.schema import BATCH_BYTES, names_of

__all__ = ["Corpus", "Record", "Reject", "read_articles"]

ARTICLE_BYTES = 64 << 20
"""No news article is longer: what is longer is a broken file, and parsing it would take several times its
size."""

Refuse = Callable[[Source, int | None, str, bytes | str], None]


def read_articles(
    *paths: str | Path, fields: Mapping[str, str] | None = None, strict: bool = False
) -> Corpus:
    """Return the articles of files and folders; "-" is JSON Lines from standard input.

    `fields` maps our names to theirs: `{"text": "body"}`. With `strict`, the first line that cannot be read
    is an InputError; otherwise it is among the corpus's `rejects`.
    """
    return Corpus(paths, fields=fields, strict=strict)


class Corpus:
    """The articles of some files, which can be iterated over again and again.

    `rejects` and `warnings` (a sentence → how often) are those of the latest iteration. `bytes_read` of
    `total_bytes` tells its progress; the total is None where standard input is read. Memory stays bounded by
    a few batches, each of about `batch_bytes`.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        fields: Mapping[str, str] | None = None,
        strict: bool = False,
        max_article_bytes: int = ARTICLE_BYTES,
        batch_bytes: int = BATCH_BYTES,
    ) -> None:
        self._names = names_of(fields or {})
        self._sources = find_sources(paths)
        self._strict = strict
        self._longest = max_article_bytes
        self._size = batch_bytes
        self._spool = Spool() if any(source.path == STDIN for source in self._sources) else None
        self._start()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the articles in the order of the input, as batches of SCHEMA."""
        return regrouped(self._articles(), self._size)

    def again(self) -> Iterator[pa.RecordBatch]:
        """Yield the articles once more; InputError where a file has changed since they were read."""
        stamps, counts = self._stamps, self._counts
        for number in range(len(self._sources)):
            self._check_unchanged(number)
        yield from self
        for number, source in enumerate(self._sources):
            if (_stamp(source), self._counts[number]) != (stamps[number], counts[number]):
                raise _changed(source)

    def holds(self, path: str | Path) -> bool:
        """Return whether a path is one of the files, or leads to one."""
        files = (source.path for source in self._sources if source.path != STDIN)
        return Path(path).exists() and any(Path(path).samefile(file) for file in files)

    def records(self) -> Iterator[Record]:
        """Yield the articles as they stood in their files; InputError where a file has changed in between."""
        if not self._complete:
            for _ in self:
                pass
        for number in range(len(self._sources)):
            self._check_unchanged(number)
            count = 0
            for record in self._kept_records(number):
                count += 1
                yield record
            self._check_unchanged(number, count)

    @property
    def total_bytes(self) -> int | None:
        """The size of all files, as they lie on the disk; None where standard input is among them."""
        return None if self._spool else sum(_stamp(source)[0] for source in self._sources)

    def _check_unchanged(self, number: int, count: int | None = None) -> None:
        """Raise InputError where a file, or the number of its articles, is not as in the first pass."""
        source = self._sources[number]
        if _stamp(source) != self._stamps[number] or count not in (None, self._counts[number]):
            raise _changed(source)

    def _start(self) -> None:
        """Forget what the latest iteration found."""
        self.rejects: list[Reject] = []
        self.warnings: Counter[str] = Counter()
        self.bytes_read = 0
        self._complete = False
        self._stamps: list[tuple[int, int]] = []
        self._counts: list[int] = []
        self._refused: list[set[int]] = []

    def _articles(self) -> Iterator[pa.RecordBatch]:
        """Yield the articles of one file after the other, and take note of what the second pass must know."""
        self._start()
        done = 0
        for source in self._sources:
            stamp = _stamp(source)
            self._stamps.append(stamp)
            self._counts.append(0)
            self._refused.append(set())
            reading = self._reading(source, self._refuse, done)
            try:
                for batch in articles_of(reading):
                    self._counts[-1] += batch.num_rows
                    yield batch
            except Damaged as damage:
                self._refuse(source, damage.line, str(damage), damage.tail)
            done += stamp[0]
        self._complete = True

    def _kept_records(self, number: int) -> Iterator[Record]:
        """Yield the records of a file that the first pass took for articles."""
        refused = self._refused[number]
        try:
            for line, record in records_of(self._reading(self._sources[number], _ignore)):
                if line not in refused:
                    yield record
        except Damaged:
            return

    def _reading(self, source: Source, refuse: Refuse, done: int | None = None) -> Reading:
        """Return a file to be read; `done` bytes of those before it have been, in the first pass."""

        def advance(position: int) -> None:
            if done is not None:
                self.bytes_read = done + position

        def unpacked() -> Pieces:
            if self._spool and source.path == STDIN:
                return self._spool.pieces(advance)
            return pieces(source, advance)

        return Reading(
            source,
            names=self._names,
            size=self._size,
            longest=self._longest,
            unpacked=unpacked,
            advance=advance,
            refuse=partial(refuse, source),
            warnings=Counter() if done is None else self.warnings,
        )

    def _refuse(self, source: Source, line: int | None, reason: str, record: bytes | str) -> None:
        """Keep what is no article among the rejects; InputError where the caller is strict."""
        if self._strict:
            place = source.path if line is None else f"{source.path}:{line}"
            raise InputError(f"{place}: {reason}")
        text = record if isinstance(record, str) else record[:HEAD_SHOWN].decode(errors="replace")
        self.rejects.append(Reject(source.path, line, reason, text[:RECORD_SHOWN]))
        if line is not None:
            self._refused[-1].add(line)


def _ignore(_source: Source, _line: int | None, _reason: str, _record: bytes | str) -> None:
    """Pass over in the second pass what the first has reported."""


def _changed(source: Source) -> InputError:
    """Return the error that says that a file is not as it was."""
    return InputError(f"{source.path} was changed while it was being read; run again")


def _stamp(source: Source) -> tuple[int, int]:
    """Return the size of a file and when it was last changed; standard input stays as it is."""
    if source.path == STDIN:
        return 0, 0
    try:
        state = Path(source.path).stat()
    except OSError as error:
        raise unreadable(source.path, error) from error
    return state.st_size, state.st_mtime_ns
