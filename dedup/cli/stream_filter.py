"""An index at work for the command line: it is opened, fed from a corpus or a stream, and its answers are written as they come.

In: options. Out: articles on stdout or added to files, a line or two of talk on stderr. A stream has no end, so nothing of it
waits for one: a batch is written and flushed as soon as it is recorded.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from dedup.cli.messages import AGAIN, REJECTS, report_answers, tell
from dedup.cli.progress import announce_compiling, bar, interruptible, prepare

if TYPE_CHECKING:
    from dedup.index.answers import Answer
    from dedup.index.index import Index
    from dedup.index.stream import Answered
    from dedup.io.corpus import Corpus
    from dedup.settings.settings import Settings

__all__ = ["Doors", "Pace", "answer", "fed", "open_index", "outcomes_of"]

JSON_LINES = {"", ".jsonl", ".ndjson"}
"""What a stream can be added to, by its extension."""
TAIL = 1 << 16
BLANK = b" \t\r\0"
"""What may stand before a line that was cut off; a file system that lost power may leave zeros."""


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
    """Return the index at a place; one that was made with other settings than the defaults brings them along.

    But not another level than the one that somebody asks for in so many words, be it the default.
    """
    prepare()
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
        return Index.open(place, settings)
    index = Index.open(place)
    try:
        if is_asked_for("level"):
            check_level(index.settings.level, settings.level, index.home.name)
    except BaseException:
        index.close()
        raise
    index.settings = replace(index.settings, **free)
    return index


def is_asked_for(option: str) -> bool:
    """Return whether an option of the present command was given, on the command line or by the environment or a file."""
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source(option) if context else None
    return source not in {None, ParameterSource.DEFAULT}


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
    from dedup.errors import InputError
    from dedup.index import stream

    if sys.stdin is None:
        raise InputError("standard input is closed")
    announce_compiling(quiet=doors.quiet)
    outcomes: Counter[str] = Counter()
    start, refused = time.perf_counter(), 0
    with open_index(place, settings) as index, outlets(doors) as (kept, dropped, rejects):
        timing = stream.Pace(pace.articles, pace.seconds)
        feed = stream.Feed(sys.stdin.fileno(), index, fields or {}, timing)
        with stopped_by(signal.SIGTERM, feed):
            for answered in feed:
                outcomes += outcomes_of((found for _, found in answered.answers), new_only=doors.new_only)
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

    passed, withheld = [], []
    for record, found in answered.answers:
        keeps = is_kept(found, new_only=doors.new_only)
        if doors.annotate:
            passed.append(record.with_dedup(verdict_of(found)) + b"\n")
        elif keeps:
            passed.append(record.line() + b"\n")
        if dropped is not None and not keeps:
            withheld.append(record.with_dedup({**verdict_of(found), "evidence": evidence_of(found)}) + b"\n")
    if dropped is not None:
        put(dropped, withheld)
    put(kept, passed)


def put(file: IO[bytes], lines: Iterable[bytes]) -> None:
    """Write lines, and let none of them wait; OutputError says which file takes no more."""
    with named(file):
        file.writelines(lines)
        file.flush()


@contextmanager
def named(file: IO[bytes]) -> Iterator[None]:
    """Say of which file it is that the system will not write it; of stdout the caller knows."""
    from dedup.errors import OutputError

    try:
        yield
    except OSError as error:
        if file is sys.stdout.buffer:
            raise
        raise OutputError(f"cannot write {file.name}: {error.strerror}") from error


def outcomes_of(given: Iterable[Answer], *, new_only: bool) -> Counter[str]:
    """Return how many articles there are, how many were kept, dropped by each relation, and how many came before."""
    outcomes: Counter[str] = Counter()
    for found in given:
        outcomes["articles"] += 1
        outcomes[AGAIN] += found.again
        if found.match:
            outcomes[found.match.relation] += 1
        elif not (new_only and found.again):
            outcomes["kept"] += 1
    return outcomes


class Rejects:
    """The file of what could not be read: made when it is first needed, and then added to."""

    def __init__(self, place: str, stack: ExitStack) -> None:
        self.place = place
        self._stack = stack
        self._file: IO[bytes] | None = None

    def write(self, rejects: list[Any]) -> None:
        """Add some rejects."""
        from dedup.io.atomic_write import reject_line

        if not rejects:
            return
        self._file = self._file or self._stack.enter_context(added_to(self.place))
        put(self._file, [reject_line(reject) + b"\n" for reject in rejects])


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
    """Give a file of JSON Lines to add to, or what else takes bytes; a last line that a crash cut off is taken out first."""
    from dedup.errors import OutputError

    path = Path(str(place))
    if path.suffix not in JSON_LINES:
        raise click.UsageError(
            f"A stream is written as lines of JSON: name {path.stem}.jsonl, not {path.name}."
        )
    try:
        if path.is_file():
            mend(path)
        file = path.open("ab")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield file
    finally:
        with named(file):
            file.close()


def mend(path: Path) -> None:
    """Take a last line that was cut off out of a file, and give one that is whole its end; OutputError where it is neither."""
    from dedup.errors import OutputError

    with path.open("rb+") as file:
        start = end = file.seek(0, os.SEEK_END)
        line, size = b"", TAIL
        while start > 0 and b"\n" not in line:
            start, size = max(0, end - size), 2 * size
            file.seek(start)
            line = file.read(end - start)
        line = line[line.rfind(b"\n") + 1 :]
        if not line:
            return
        if is_object(line):
            file.write(b"\n")
        elif line.strip(BLANK)[:1] in (b"{", b""):
            file.truncate(end - len(line))
        else:
            raise OutputError(f"cannot add to {path}: it does not hold lines of JSON")


def is_object(line: bytes) -> bool:
    """Return whether a line is a whole object of JSON: one that was cut off never is."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


@contextmanager
def stopped_by(number: int, feed: Any) -> Iterator[None]:
    """Let a signal end a feed after what has arrived."""
    before = signal.signal(number, lambda *_: feed.stop())
    try:
        yield
    finally:
        signal.signal(number, before)
