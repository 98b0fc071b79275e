"""Filter a corpus or a stream through an index.

A stream may never end, so each batch is written and flushed as soon as the index has recorded it.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Unpack

import click
from click.core import ParameterSource

from dedup.cli.long_work import compile_missing_kernels, prepare_libraries, run_interruptibly, show_progress
from dedup.cli.messages import SEEN_BEFORE, iter_lines_for_output, report_index_answers
from dedup.cli.output_paths import STDOUT
from dedup.cli.rejects import (
    MAX_SHOWN_REASONS,
    RejectOptions,
    check_reject_share,
    echo_reject_count,
    get_rejects_path,
)

if TYPE_CHECKING:
    from dedup.index.answers import Answer
    from dedup.index.index import Index
    from dedup.index.stream import AnsweredBatch, BatchLimits
    from dedup.io.corpus import Corpus
    from dedup.io.read_options import ReadOptions
    from dedup.io.records import Reject
    from dedup.settings.settings import Settings

__all__ = [
    "FilterOutputs",
    "add_corpus_to_index",
    "count_outcomes",
    "filter_stream",
    "open_index",
]

JSONL_EXTENSIONS = {"", ".jsonl", ".ndjson"}
"""Extensions of files to which a stream can be appended."""


@dataclass(frozen=True, slots=True)
class FilterOutputs:
    """Where the articles of a filter go."""

    output: str | None
    dropped: str | None
    rejects: RejectOptions
    annotate: bool
    new_only: bool
    in_place: bool
    quiet: bool
    format: str | None = None
    """The format of `output`; None for that of its extension."""


def open_index(location: str, settings: Settings) -> Index:
    """Open an index; one that exists keeps its settings, unless others are given.

    `IndexingError` if the given settings differ from its own, even if the given level is the default.
    """
    prepare_libraries()
    from dedup.index.compatibility import check_level
    from dedup.index.index import Index, check_undated
    from dedup.settings.settings import Settings as Defaults

    ranking = [name for name in ("keep", "sources") if getattr(settings, name) != getattr(Defaults(), name)]
    if ranking:
        option = ranking[0].replace("_", "-")
        raise click.UsageError(
            f"--{option} cannot be combined with --index, which keeps the article that arrived first."
        )
    check_undated(settings)
    free = {name: getattr(settings, name) for name in ("threads", "memory", "work_dir", "undated")}
    if settings != Defaults(**free):
        return Index.open(location, settings)
    index = Index.open(location)
    try:
        if is_option_set("level"):
            check_level(index.settings.level, settings.level, index.backend.name)
    except BaseException:
        index.close()
        raise
    index.settings = replace(index.settings, **free)
    return index


def is_option_set(option: str) -> bool:
    """Return whether an option of the running command is set on the command line, in the environment or in a file."""
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source(option) if context else None
    return source not in {None, ParameterSource.DEFAULT}


def add_corpus_to_index(corpus: Corpus, index: Index, *, quiet: bool) -> tuple[list[Answer], float]:
    """Return the answers to the articles of a corpus, and how many seconds they took."""
    compile_missing_kernels(quiet=quiet)
    start = time.perf_counter()
    with show_progress(corpus, enabled=sys.stderr.isatty() and not quiet) as advance:
        answers = run_interruptibly(lambda: index.decide_corpus(corpus, advance))
    return answers, time.perf_counter() - start


def filter_stream(
    location: str,
    settings: Settings,
    limits: BatchLimits,
    outputs: FilterOutputs,
    *,
    strict: bool = False,
    **options: Unpack[ReadOptions],
) -> None:
    """Filter the lines of standard input as they arrive, until they end or SIGTERM arrives."""
    from dedup.errors import InputError
    from dedup.index import stream

    if sys.stdin is None:
        raise InputError("standard input is closed")
    compile_missing_kernels(quiet=outputs.quiet)
    outcomes: Counter[str] = Counter()
    start = time.perf_counter()
    with open_index(location, settings) as index, open_outputs(outputs) as (kept, dropped, rejects):
        feed = stream.ArticleStream(sys.stdin.fileno(), index, options, limits)
        with stop_on_signal(signal.SIGTERM, feed):
            for answered in feed:
                outcomes += count_outcomes(
                    (answer for _, answer in answered.answers), new_only=outputs.new_only
                )
                write_answers(answered, outputs, kept, dropped)
                if answered.rejects and strict:
                    first = answered.rejects[0]
                    raise InputError(f"{first.path}:{first.line}: {first.reason}")
                rejects.write(answered.rejects)
        seconds = time.perf_counter() - start
        echo_reject_count(rejects.count, rejects.path, quiet=outputs.quiet)
        report_index_answers(outcomes, seconds, index, feed.warnings, quiet=outputs.quiet)
    check_reject_share(rejects.first, rejects.count, outcomes["articles"], outputs.rejects.max_share)


def write_answers(
    batch: AnsweredBatch, outputs: FilterOutputs, kept: IO[bytes], dropped: IO[bytes] | None
) -> None:
    """Write the articles of a batch to the outputs."""
    from dedup.index.answers import build_answer_verdict, get_answer_evidence, is_kept

    kept_lines, dropped_lines = [], []
    for record, answer in batch.answers:
        keeps = is_kept(answer, new_only=outputs.new_only)
        if outputs.annotate:
            kept_lines.append(record.with_dedup(build_answer_verdict(answer)))
        elif keeps:
            kept_lines.append(record.to_line())
        if dropped is not None and not keeps:
            verdict = {**build_answer_verdict(answer), "evidence": get_answer_evidence(answer)}
            dropped_lines.append(record.with_dedup(verdict))
    if dropped is not None:
        write_and_flush(dropped, iter_lines_for_output(outputs.dropped, dropped_lines))
    write_and_flush(kept, iter_lines_for_output(outputs.output, kept_lines))


def write_and_flush(file: IO[bytes], lines: Iterable[Any]) -> None:
    """Write lines without their newlines, and flush them; `OutputError` names the file that cannot be written."""
    with convert_write_errors(file):
        file.writelines(line + b"\n" for line in lines)
        file.flush()


@contextmanager
def convert_write_errors(file: IO[bytes]) -> Iterator[None]:
    """Convert an OSError of a file to an `OutputError` that names it; errors of stdout pass unchanged."""
    from dedup.errors import OutputError

    try:
        yield
    except OSError as error:
        if file is sys.stdout.buffer:
            raise
        raise OutputError(f"cannot write {file.name}: {error.strerror}") from error


def count_outcomes(answers: Iterable[Answer], *, new_only: bool) -> Counter[str]:
    """Count all articles, those kept, those dropped by relation, and those that the index has seen before."""
    outcomes: Counter[str] = Counter()
    for answer in answers:
        outcomes["articles"] += 1
        outcomes[SEEN_BEFORE] += answer.again
        if answer.match:
            outcomes[answer.match.relation] += 1
        elif not (new_only and answer.again):
            outcomes["kept"] += 1
    return outcomes


class RejectFile:
    """The file of rejects; it is created by the first reject, and appended to."""

    def __init__(self, path: str, stack: ExitStack) -> None:
        self.path = path
        self.count = 0
        self.first: list[Reject] = []
        """The first rejects, for the error message."""
        self._stack = stack
        self._file: IO[bytes] | None = None

    def write(self, rejects: list[Reject]) -> None:
        """Append rejects to the file."""
        from dedup.io.atomic_write import format_reject_line

        if not rejects:
            return
        self.count += len(rejects)
        self.first = [*self.first, *rejects][:MAX_SHOWN_REASONS]
        self._file = self._file or self._stack.enter_context(open_for_append(self.path))
        write_and_flush(self._file, map(format_reject_line, rejects))


@contextmanager
def open_outputs(outputs: FilterOutputs) -> Iterator[tuple[IO[bytes], IO[bytes] | None, RejectFile]]:
    """Yield the files for kept articles, dropped articles and rejects."""
    with ExitStack() as stack:
        kept, dropped = (
            stack.enter_context(open_for_append(path)) if path not in {None, STDOUT} else None
            for path in (outputs.output, outputs.dropped)
        )
        stdout = sys.stdout.buffer
        yield (
            kept or stdout,
            dropped or (stdout if outputs.dropped == STDOUT else None),
            RejectFile(outputs.rejects.path or get_rejects_path(outputs.output), stack),
        )


@contextmanager
def open_for_append(name: str | None) -> Iterator[IO[bytes]]:
    """Yield a file of JSON Lines to append to, or a device; a last line that a crash truncated is removed first."""
    from dedup.errors import OutputError
    from dedup.io.partial_line import truncate_partial_line

    path = Path(str(name))
    if path.suffix not in JSONL_EXTENSIONS:
        raise click.UsageError(
            f"A stream can only be appended to uncompressed JSON Lines: name a file such as kept.jsonl, not {path.name}."
        )
    try:
        if path.is_file():
            truncate_partial_line(path)
        file = path.open("ab")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield file
    finally:
        with convert_write_errors(file):
            file.close()


@contextmanager
def stop_on_signal(number: int, feed: Any) -> Iterator[None]:
    """Stop a feed on a signal, once the articles already read are finished."""
    before = signal.signal(number, lambda *_: feed.stop())
    try:
        yield
    finally:
        signal.signal(number, before)
