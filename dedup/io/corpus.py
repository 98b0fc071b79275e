"""Read a corpus (files, folders and standard input) in two passes.

The first pass gives articles, a batch at a time, for the pipeline. The second gives the records as they stood in their
files, in the same order and number, for the output. So no article is held in memory in between, and the records are
written as they were read. A record that cannot be read is a Reject, or an error where the caller is strict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import pyarrow as pa

from dedup.errors import InputError
from dedup.io.batching import split_and_merge_batches
from dedup.io.discovery import InputFile, find_input_files, make_unreadable_error
from dedup.io.file_bytes import ByteChunks, CorruptFileError, decompress_file, decompress_stream
from dedup.io.line_blocks import MAX_HEAD_BYTES
from dedup.io.missing_fields import FieldUse
from dedup.io.read_options import ReadOptions, build_read_rules
from dedup.io.readers import read_file_articles, read_file_records
from dedup.io.records import MAX_REJECT_CHARACTERS, Record, Reject
from dedup.io.rejects import LineSet, RejectList
from dedup.io.remote import is_url
from dedup.io.row_cache import CachedRows, RowCache
from dedup.io.schema import BATCH_BYTES
from dedup.io.source_file import SourceFile, add_examples
from dedup.io.stream_spool import StreamSpool

__all__ = ["Corpus", "Record", "Reject", "read_articles"]

MAX_ARTICLE_BYTES = 64 << 20
"""No news article is longer. A longer record is a sign of a broken file, and parsing it would take several times its
size."""

SPECIAL_FILES_WARNING = "named pipes, sockets or devices in a folder, which were skipped, such as {}"
CORRUPT_FILES_WARNING = "files damaged or cut off, so that articles are missing, such as {}"

RejectCallback = Callable[[InputFile, int | None, str, bytes | str], None]


def read_articles(*paths: str | Path, strict: bool = False, **options: Unpack[ReadOptions]) -> Corpus:
    """Return the articles of files and folders; "-" is JSON Lines from standard input.

    `fields` maps our names to theirs: `{"text": "body"}`. `preset` names the export that the fields belong to, such as
    "newsapi", or "none". `delimiter` is the character between the columns of CSV. `day_first` says whether 03/04/2026
    is the third of April, and `date_format` is a pattern of `strptime`. With `strict`, the first record that cannot be
    read is an InputError; otherwise it is in the `rejects` of the corpus.
    """
    return Corpus(paths, strict=strict, **options)


class Corpus:
    """Iterate over the articles of files, as often as you like.

    `rejects`, `warnings` (sentences with their counts) and `corrupt_files` (a reject for each file that breaks off, so
    that articles are missing) are those of the latest iteration. `bytes_read` of `total_bytes` is its progress; the
    total is None where standard input is read. Memory stays bounded by a few batches, each of about `batch_bytes`.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        strict: bool = False,
        max_article_bytes: int = MAX_ARTICLE_BYTES,
        batch_bytes: int = BATCH_BYTES,
        **options: Unpack[ReadOptions],
    ) -> None:
        self._rules = build_read_rules(options)
        self._skipped: list[str] = []
        self._sources = find_input_files(paths, accept_pipes=True, skipped=self._skipped)
        self._strict = strict
        self._max_article_bytes = max_article_bytes
        self._batch_bytes = batch_bytes
        self._spools = {file.path: StreamSpool(file.path) for file in self._sources if file.is_stream}
        self._reset()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield the articles in the order of the input, as batches of SCHEMA."""
        return split_and_merge_batches(self._iter_articles(), self._batch_bytes)

    def read_again(self) -> Iterator[pa.RecordBatch]:
        """Yield the articles once more; InputError where a file has changed since they were read."""
        stamps, counts = self._stamps, self._counts
        for number in range(len(self._sources)):
            self._check_unchanged(number)
        yield from self
        for number, source in enumerate(self._sources):
            if (_read_stamp(source), self._counts[number]) != (stamps[number], counts[number]):
                raise _make_changed_error(source)

    def has_file(self, path: str | Path) -> bool:
        """Return whether a path is one of the files, or leads to one."""
        files = [source.path for source in self._sources if not source.is_stream]
        if is_url(path):
            return str(path) in files
        local = (file for file in files if not is_url(file))
        return Path(path).exists() and any(Path(path).samefile(file) for file in local)

    def iter_records(self) -> Iterator[Record]:
        """Yield the articles as they stood in their files; InputError where a file has changed in between."""
        if not self._complete:
            for _ in self:
                pass
        for number in range(len(self._sources)):
            self._check_unchanged(number)
            count = 0
            for record in self._iter_article_records(number):
                count += 1
                yield record
            self._check_unchanged(number, count)

    @property
    def total_bytes(self) -> int | None:
        """The size of all files, as they lie on the disk; None where standard input or a named pipe is among them."""
        return None if self._spools else sum(_read_stamp(source)[0] for source in self._sources)

    @property
    def file_count(self) -> int:
        """The number of files, standard input counted as one."""
        return len(self._sources)

    @property
    def warnings(self) -> Counter[str]:
        """The warnings of the latest iteration: sentences, often with an example, and their counts."""
        counts = add_examples(self._warnings, self._examples)
        if self._skipped:
            counts[SPECIAL_FILES_WARNING.format(self._skipped[0])] = len(self._skipped)
        if self.corrupt_files:
            counts[CORRUPT_FILES_WARNING.format(self.corrupt_files[0].path)] = len(self.corrupt_files)
        if self._complete and (articles := sum(self._counts)):
            for ours in self._field_use.missing:
                counts[f"articles without the field {self._field_use.describe_missing(ours)}"] = articles
        return counts

    def _check_unchanged(self, number: int, count: int | None = None) -> None:
        """Raise InputError where a file, or the number of its articles, is not as in the first pass."""
        source = self._sources[number]
        if _read_stamp(source) != self._stamps[number] or count not in (None, self._counts[number]):
            raise _make_changed_error(source)

    def _reset(self) -> None:
        """Clear the findings of the latest iteration."""
        self._rejects = RejectList()
        self.rejects: Sequence[Reject] = self._rejects
        self.corrupt_files: list[Reject] = []
        self._warnings: Counter[str] = Counter()
        self._examples: dict[str, str] = {}
        self._field_use = FieldUse(self._rules.fields)
        self._row_cache = RowCache()
        self.bytes_read = 0
        self._complete = False
        self._stamps: list[tuple[int, int]] = []
        self._counts: list[int] = []
        self._rejected_lines: list[LineSet] = []

    def _iter_articles(self) -> Iterator[pa.RecordBatch]:
        """Yield the articles of one file after the other, and keep the facts that the second pass needs."""
        self._reset()
        done = 0
        for number, source in enumerate(self._sources):
            stamp = _read_stamp(source)
            self._stamps.append(stamp)
            self._counts.append(0)
            self._rejected_lines.append(LineSet())
            reading = self._make_reader(number, self._add_reject, done)
            try:
                for batch in read_file_articles(reading):
                    self._counts[-1] += batch.num_rows
                    yield batch
            except CorruptFileError as damage:
                self._add_reject(source, damage.line, str(damage), damage.partial_line)
                self.corrupt_files.append(self.rejects[-1])
            done += stamp[0]
        if not any(self._counts):
            self._field_use.check_text()
        self._complete = True

    def _iter_article_records(self, number: int) -> Iterator[Record]:
        """Yield the records of a file that the first pass took for articles."""
        rejected = self._rejected_lines[number]
        try:
            for line, record in read_file_records(self._make_reader(number, _skip_reject)):
                if line not in rejected:
                    yield record
        except CorruptFileError:
            return

    def _make_reader(
        self, number: int, reject: RejectCallback, bytes_before: int | None = None
    ) -> SourceFile:
        """Return a file to read; in the first pass, `bytes_before` is the size of the files before it."""
        source = self._sources[number]

        def report_progress(position: int) -> None:
            if bytes_before is not None:
                self.bytes_read = bytes_before + position

        def read_decompressed() -> ByteChunks:
            if source.is_stream:
                return decompress_stream(
                    self._spools[source.path].open(), source.compression, report_progress
                )
            return decompress_file(source, report_progress)

        return SourceFile(
            source,
            rules=self._rules,
            cached_rows=CachedRows(self._row_cache, number),
            batch_bytes=self._batch_bytes,
            max_article_bytes=self._max_article_bytes,
            read_decompressed=read_decompressed,
            report_progress=report_progress,
            reject=partial(reject, source),
            **self._make_notes(is_first_pass=bytes_before is not None),
        )

    def _make_notes(self, *, is_first_pass: bool) -> dict[str, Any]:
        """Return the counters in which a reader notes warnings; none in the second pass."""
        if not is_first_pass:
            return {}
        return {"warnings": self._warnings, "examples": self._examples, "field_use": self._field_use}

    def _add_reject(self, source: InputFile, line: int | None, reason: str, record: bytes | str) -> None:
        """Add a reject; raise InputError where the caller is strict."""
        if self._strict:
            place = source.path if line is None else f"{source.path}:{line}"
            raise InputError(f"{place}: {reason}")
        text = record if isinstance(record, str) else record[:MAX_HEAD_BYTES].decode(errors="replace")
        self._rejects.append(Reject(source.path, line, reason, text[:MAX_REJECT_CHARACTERS]))
        if line is not None:
            self._rejected_lines[-1].add(line)


def _skip_reject(_source: InputFile, _line: int | None, _reason: str, _record: bytes | str) -> None:
    """Ignore a reject in the second pass: the first has reported it."""


def _make_changed_error(source: InputFile) -> InputError:
    """Return the error for a file that has changed."""
    return InputError(f"{source.path} was changed while it was being read; run again")


def _read_stamp(source: InputFile) -> tuple[int, int]:
    """Return the size of a file and a number that changes with its content; zeros for a stream, which is kept."""
    try:
        return source.read_stamp()
    except OSError as error:
        raise make_unreadable_error(source.path, error) from error
