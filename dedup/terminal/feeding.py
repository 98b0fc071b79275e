"""An index at work for the command line: it is opened, fed from a corpus or a stream, and its answers are written as they come.

In: options. Out: articles on stdout or added to files, a line or two of talk on stderr. A stream has no end, so nothing of it
waits for one: a batch is written and flushed as soon as it is recorded.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click

from dedup.terminal.progress import announce_compiling, bar, interruptible, prepare
from dedup.terminal.talk import REJECTS, report_answers, tell

if TYPE_CHECKING:
    from dedup.corpus import Corpus
    from dedup.index.answers import Answer
    from dedup.index.index import Index
    from dedup.settings import Settings
    from dedup.streaming import Answered

__all__ = ["Doors", "Pace", "answer", "fed", "open_index", "outcome"]

JSON_LINES = {"", ".jsonl", ".ndjson"}
"""What a stream can be added to, by its extension."""
TAIL = 1 << 16


@dataclass(frozen=True, slots=True)
class Doors:
    """Where a filter's articles go."""

    output: str | None
    dropped: str | None
    rejects: str | None
    annotate: bool
    new_only: bool
    quiet: bool


class Pace(NamedTuple):
    """When a batch of a stream is answered: it is full, or has waited so long."""

    articles: int
    seconds: float


def open_index(place: str, settings: Settings) -> Index:
    """Return the index at a place; one that was made with other settings than the defaults brings them along."""
    prepare()
    from dedup.index.index import Index
    from dedup.settings import Settings as Defaults

    ranking = [name for name in ("keep", "sources") if getattr(settings, name) != getattr(Defaults(), name)]
    if ranking:
        option = ranking[0].replace("_", "-")
        raise click.UsageError(f"--{option} has no say with --index: whoever came first is kept.")
    own = Defaults(threads=settings.threads, memory=settings.memory, work_dir=settings.work_dir)
    if settings != own:
        return Index.open(place, settings)
    index = Index.open(place)
    index.settings = replace(index.settings, threads=settings.threads)
    return index


def answer(corpus: Corpus, index: Index, *, quiet: bool) -> tuple[list[Answer], float]:
    """Return the answers to the articles of a corpus, and how many seconds they took."""
    announce_compiling(quiet=quiet)
    start = time.perf_counter()
    with bar(corpus, shown=sys.stderr.isatty() and not quiet) as advance:
        given = interruptible(lambda: index.answers(corpus, advance))
    return given, time.perf_counter() - start


def fed(
    place: str,
    settings: Settings,
    pace: Pace,
    doors: Doors,
    fields: Mapping[str, str] | None = None,
    *,
    strict: bool = False,
) -> None:
    """Answer the lines of standard input as they arrive, until they end or SIGTERM comes."""
    from dedup import streaming
    from dedup.errors import InputError

    announce_compiling(quiet=doors.quiet)
    outcomes: Counter[str] = Counter()
    start, refused = time.perf_counter(), 0
    with open_index(place, settings) as index, outlets(doors) as (kept, dropped, rejects):
        timing = streaming.Pace(pace.articles, pace.seconds)
        feed = streaming.Feed(sys.stdin.fileno(), index, fields or {}, timing)
        with stopped_by(signal.SIGTERM, feed):
            for answered in feed:
                outcomes.update(outcome(found) for _, found in answered.answers)
                refused += len(answered.rejects)
                pass_on(answered, doors, kept, dropped)
                if answered.rejects and strict:
                    first = answered.rejects[0]
                    raise InputError(f"{first.path}:{first.line}: {first.reason}")
                rejects.write(answered.rejects)
        seconds = time.perf_counter() - start
        if refused:
            tell(
                f"{refused:,} could not be read; they are in {rejects.place}, with the reasons",
                quiet=doors.quiet,
            )
        report_answers(outcomes, seconds, index, feed.warnings, quiet=doors.quiet)


def pass_on(answered: Answered, doors: Doors, kept: IO[bytes], dropped: IO[bytes] | None) -> None:
    """Write the articles of a batch where they belong."""
    from dedup.index.answers import evidence_of, is_kept, verdict_of

    for record, found in answered.answers:
        keeps = is_kept(found, new_only=doors.new_only)
        if doors.annotate:
            kept.write(record.with_dedup(verdict_of(found)) + b"\n")
        elif keeps:
            kept.write(record.line() + b"\n")
        if dropped is not None and not keeps:
            dropped.write(record.with_dedup({**verdict_of(found), "evidence": evidence_of(found)}) + b"\n")
    if dropped is not None:
        dropped.flush()
    kept.flush()


def outcome(found: Answer) -> str:
    """Return the word for what became of an article: "kept", or the relation; "again" if it came before."""
    if found.again:
        return "again"
    return found.match.relation if found.match else "kept"


class Rejects:
    """The file of what could not be read: made when it is first needed, and then added to."""

    def __init__(self, place: str, stack: ExitStack) -> None:
        self.place = place
        self._stack = stack
        self._file: IO[bytes] | None = None

    def write(self, rejects: list[Any]) -> None:
        """Add some rejects."""
        from dedup.output import reject_line

        if not rejects:
            return
        self._file = self._file or self._stack.enter_context(added_to(self.place))
        self._file.writelines(reject_line(reject) + b"\n" for reject in rejects)
        self._file.flush()


@contextmanager
def outlets(doors: Doors) -> Iterator[tuple[IO[bytes], IO[bytes] | None, Rejects]]:
    """Give the files for what is kept, what is dropped, and what could not be read."""
    with ExitStack() as stack:
        given = (doors.output, doors.dropped)
        kept, dropped = (
            stack.enter_context(added_to(place)) if place not in (None, "-") else None for place in given
        )
        out = sys.stdout.buffer
        beside = REJECTS if doors.output in (None, "-") else f"{doors.output}.rejects.jsonl"
        yield (
            kept or out,
            dropped or (out if doors.dropped == "-" else None),
            Rejects(doors.rejects or beside, stack),
        )


@contextmanager
def added_to(place: str | None) -> Iterator[IO[bytes]]:
    """Give a file of JSON Lines to add to; a last line that was cut off by a crash is taken out first."""
    from dedup.errors import OutputError

    path = Path(str(place))
    if path.suffix not in JSON_LINES:
        raise click.UsageError(
            f"A stream is written as lines of JSON: name {path.stem}.jsonl, not {path.name}."
        )
    try:
        file = path.open("ab+")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    with file:
        if file.seekable():
            cut_off_line(file)
        yield file


def cut_off_line(file: IO[bytes]) -> None:
    """Take a last line without an end out of a file."""
    end = file.seek(0, os.SEEK_END)
    start = end
    while start > 0:
        start = max(0, start - TAIL)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            file.truncate(start + found + 1)
            return
    file.truncate(0)


@contextmanager
def stopped_by(number: int, feed: Any) -> Iterator[None]:
    """Let a signal end a feed after what has arrived."""
    before = signal.signal(number, lambda *_: feed.stop())
    try:
        yield
    finally:
        signal.signal(number, before)
