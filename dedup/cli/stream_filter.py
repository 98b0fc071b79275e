"""An index at work for the command line: it is opened, fed from a corpus or a stream, and its answers are written as they come.

In: options. Out: articles on stdout or added to files, a line or two of talk on stderr. A stream has no end, so nothing of it
waits for one: a batch is written and flushed as soon as it is recorded.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dedup.cli.messages import DEFAULT_REJECTS_FILE, SEEN_BEFORE, echo_status, report_index_answers
from dedup.cli.progress import prepare_libraries, run_interruptibly, show_progress, warn_if_uncompiled

if TYPE_CHECKING:
    from dedup.index.answers import Answer
    from dedup.index.index import Index
    from dedup.index.stream import AnsweredBatch, BatchLimits
    from dedup.io.corpus import Corpus
    from dedup.settings.settings import Settings

__all__ = [
    "FilterOutputs",
    "add_corpus_to_index",
    "count_outcomes",
    "filter_stream",
    "open_index",
]

JSONL_EXTENSIONS = {"", ".jsonl", ".ndjson"}
"""What a stream can be added to, by its extension."""


@dataclass(frozen=True, slots=True)
class FilterOutputs:
    """Where a filter's articles go."""

    output: str | None
    dropped: str | None
    rejects: str | None
    annotate: bool
    new_only: bool
    quiet: bool


def open_index(location: str, settings: Settings) -> Index:
    """Return the index at a place; one that was made with other settings than the defaults brings them along.

    But not another level than the one that somebody asks for in so many words, be it the default.
    """
    prepare_libraries()
    from dedup.index.compatibility import check_level
    from dedup.index.index import Index, check_undated
    from dedup.settings.settings import Settings as Defaults

    ranking = [name for name in ("keep", "sources") if getattr(settings, name) != getattr(Defaults(), name)]
    if ranking:
        option = ranking[0].replace("_", "-")
        raise click.UsageError(f"--{option} has no say with --index: whoever came first is kept.")
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
    """Return whether an option of the present command was given, on the command line or by the environment or a file."""
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source(option) if context else None
    return source not in {None, ParameterSource.DEFAULT}


def add_corpus_to_index(corpus: Corpus, index: Index, *, quiet: bool) -> tuple[list[Answer], float]:
    """Return the answers to the articles of a corpus, and how many seconds they took."""
    warn_if_uncompiled(quiet=quiet)
    start = time.perf_counter()
    with show_progress(corpus, enabled=sys.stderr.isatty() and not quiet) as advance:
        given = run_interruptibly(lambda: index.decide_corpus(corpus, advance))
    return given, time.perf_counter() - start


def filter_stream(
    location: str,
    settings: Settings,
    limits: BatchLimits,
    outputs: FilterOutputs,
    fields: Mapping[str, str] | None = None,
    *,
    strict: bool = False,
) -> None:
    """Answer the lines of standard input as they arrive, until they end or SIGTERM comes."""
    from dedup.errors import InputError
    from dedup.index import stream

    if sys.stdin is None:
        raise InputError("standard input is closed")
    warn_if_uncompiled(quiet=outputs.quiet)
    outcomes: Counter[str] = Counter()
    start, refused = time.perf_counter(), 0
    with open_index(location, settings) as index, open_outputs(outputs) as (kept, dropped, rejects):
        feed = stream.ArticleStream(sys.stdin.fileno(), index, fields or {}, limits)
        with stop_on_signal(signal.SIGTERM, feed):
            for answered in feed:
                outcomes += count_outcomes(
                    (found for _, found in answered.answers), new_only=outputs.new_only
                )
                refused += len(answered.rejects)
                write_answers(answered, outputs, kept, dropped)
                if answered.rejects and strict:
                    first = answered.rejects[0]
                    raise InputError(f"{first.path}:{first.line}: {first.reason}")
                rejects.write(answered.rejects)
        seconds = time.perf_counter() - start
        if refused:
            echo_status(
                f"{refused:,} could not be read; they are in {rejects.path}, with the reasons",
                quiet=outputs.quiet,
            )
        report_index_answers(outcomes, seconds, index, feed.warnings, quiet=outputs.quiet)


def write_answers(
    batch: AnsweredBatch, outputs: FilterOutputs, kept: IO[bytes], dropped: IO[bytes] | None
) -> None:
    """Write the articles of a batch where they belong."""
    from dedup.index.answers import build_answer_verdict, get_answer_evidence, is_kept

    passed, withheld = [], []
    for record, found in batch.answers:
        keeps = is_kept(found, new_only=outputs.new_only)
        if outputs.annotate:
            passed.append(record.with_dedup(build_answer_verdict(found)) + b"\n")
        elif keeps:
            passed.append(record.to_line() + b"\n")
        if dropped is not None and not keeps:
            withheld.append(
                record.with_dedup({**build_answer_verdict(found), "evidence": get_answer_evidence(found)})
                + b"\n"
            )
    if dropped is not None:
        write_and_flush(dropped, withheld)
    write_and_flush(kept, passed)


def write_and_flush(file: IO[bytes], lines: Iterable[bytes]) -> None:
    """Write lines, and let none of them wait; OutputError says which file takes no more."""
    with convert_write_errors(file):
        file.writelines(lines)
        file.flush()


@contextmanager
def convert_write_errors(file: IO[bytes]) -> Iterator[None]:
    """Say of which file it is that the system will not write it; of stdout the caller knows."""
    from dedup.errors import OutputError

    try:
        yield
    except OSError as error:
        if file is sys.stdout.buffer:
            raise
        raise OutputError(f"cannot write {file.name}: {error.strerror}") from error


def count_outcomes(answers: Iterable[Answer], *, new_only: bool) -> Counter[str]:
    """Return how many articles there are, how many were kept, dropped by each relation, and how many came before."""
    outcomes: Counter[str] = Counter()
    for found in answers:
        outcomes["articles"] += 1
        outcomes[SEEN_BEFORE] += found.again
        if found.match:
            outcomes[found.match.relation] += 1
        elif not (new_only and found.again):
            outcomes["kept"] += 1
    return outcomes


class RejectFile:
    """The file of what could not be read: made when it is first needed, and then added to."""

    def __init__(self, path: str, stack: ExitStack) -> None:
        self.path = path
        self._stack = stack
        self._file: IO[bytes] | None = None

    def write(self, rejects: list[Any]) -> None:
        """Add some rejects."""
        from dedup.io.atomic_write import format_reject_line

        if not rejects:
            return
        self._file = self._file or self._stack.enter_context(open_for_append(self.path))
        write_and_flush(self._file, [format_reject_line(reject) + b"\n" for reject in rejects])


@contextmanager
def open_outputs(outputs: FilterOutputs) -> Iterator[tuple[IO[bytes], IO[bytes] | None, RejectFile]]:
    """Give the files for what is kept, what is dropped, and what could not be read."""
    with ExitStack() as stack:
        given = (outputs.output, outputs.dropped)
        kept, dropped = (
            stack.enter_context(open_for_append(place)) if place not in (None, "-") else None
            for place in given
        )
        out = sys.stdout.buffer
        beside = DEFAULT_REJECTS_FILE if outputs.output in (None, "-") else f"{outputs.output}.rejects.jsonl"
        yield (
            kept or out,
            dropped or (out if outputs.dropped == "-" else None),
            RejectFile(outputs.rejects or beside, stack),
        )


@contextmanager
def open_for_append(name: str | None) -> Iterator[IO[bytes]]:
    """Give a file of JSON Lines to add to, or what else takes bytes; a last line that a crash cut off is taken out first."""
    from dedup.errors import OutputError
    from dedup.io.partial_line import truncate_partial_line

    path = Path(str(name))
    if path.suffix not in JSONL_EXTENSIONS:
        raise click.UsageError(
            f"A stream is written as lines of JSON: name {path.stem}.jsonl, not {path.name}."
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
    """Let a signal end a feed after what has arrived."""
    before = signal.signal(number, lambda *_: feed.stop())
    try:
        yield
    finally:
        signal.signal(number, before)
