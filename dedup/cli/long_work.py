"""Run long work with a progress bar on stderr, and stop at once on Ctrl-C."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dedup.cli.messages import MIN_RATE_ARTICLES, MIN_RATE_SECONDS
from dedup.formatting import format_count

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.pipeline.deduplicate import SketchedCorpus
    from dedup.pipeline.results import Result
    from dedup.settings.settings import Settings
    from dedup.text.boilerplate.profile import BoilerplateProfile

__all__ = [
    "TimedResult",
    "compile_missing_kernels",
    "learn_with_progress",
    "prepare_libraries",
    "run_and_keep_sketches",
    "run_interruptibly",
    "run_with_progress",
]

BAR_DELAY_SECONDS = 2.0
"""A bar appears after this many seconds, so short runs have none."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TimedResult:
    """A result and the time it took."""

    result: Result
    seconds: float


def run_with_progress(corpus: Corpus, settings: Settings, *, quiet: bool) -> TimedResult:
    """Deduplicate a corpus with a progress bar."""
    from dedup.pipeline.deduplicate import deduplicate

    compile_missing_kernels(quiet=quiet)
    start = time.perf_counter()
    with show_progress(corpus, enabled=sys.stderr.isatty() and not quiet) as advance:
        result = run_interruptibly(lambda: deduplicate(corpus, settings, progress=advance))
    return TimedResult(result, time.perf_counter() - start)


def run_and_keep_sketches(
    corpus: Corpus, settings: Settings, *, quiet: bool
) -> tuple[SketchedCorpus, TimedResult]:
    """Deduplicate a corpus like `run_with_progress`, and also return its sketches."""
    from dedup.pipeline.deduplicate import cluster_sketches, sketch_corpus

    compile_missing_kernels(quiet=quiet)
    start = time.perf_counter()
    with show_progress(corpus, enabled=sys.stderr.isatty() and not quiet) as advance:
        sketched = run_interruptibly(lambda: sketch_corpus(corpus, settings, advance))
        result = run_interruptibly(lambda: cluster_sketches(sketched, settings))
    return sketched, TimedResult(result, time.perf_counter() - start)


def learn_with_progress(corpus: Corpus, *, quiet: bool) -> BoilerplateProfile:
    """Learn the boilerplate of a corpus with a progress bar."""
    from dedup.text.boilerplate.learn import learn_boilerplate

    compile_missing_kernels(quiet=quiet)
    with show_progress(corpus, enabled=sys.stderr.isatty() and not quiet) as advance:
        return run_interruptibly(lambda: learn_boilerplate(corpus, progress=advance))


def prepare_libraries() -> None:
    """Set up Arrow for one long run, before other modules import it.

    Arrow allocates from the system, which returns freed memory. It also imports pandas if that is installed, although the
    command line does not use it, and has no setting against it.
    """
    with skip_imports("pandas"):
        import pyarrow as pa

        pa.array([0])  # imports pandas now
    if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
        pa.set_memory_pool(pa.system_memory_pool())


# None in `sys.modules` is not enough: pyarrow, compiled by Cython, would use it as pandas and fail.
@dataclass(frozen=True, slots=True)
class ImportSkipper(MetaPathFinder):
    """A finder that makes some modules look as if they were not installed."""

    modules: tuple[str, ...]

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        """Raise ModuleNotFoundError for a skipped module; leave the others to the next finder."""
        if name in self.modules:
            raise ModuleNotFoundError(f"the import of {name} is skipped", name=name)


@contextmanager
def skip_imports(*modules: str) -> Iterator[None]:
    """Make modules that are not loaded yet look as if they were not installed."""
    finder = ImportSkipper(modules)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def compile_missing_kernels(*, quiet: bool) -> None:
    """Compile the kernels if there are none for this CPU and these sources, and say so on a terminal."""
    from dedup.jit.kernel_library import find_library, load_library

    if not quiet and sys.stderr.isatty() and find_library() is None:
        click.echo("Compiling for this CPU, once: about a minute …", err=True)
    load_library()


def run_interruptibly(work: Callable[[], T]) -> T:
    """Return the result of `work`; Ctrl-C interrupts it even while it runs compiled code.

    Python handles signals only in its main thread and between two bytecodes, so the work runs in another thread.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run_work() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            failed.append(error)

    worker = threading.Thread(target=run_work, name="dedup", daemon=True)
    worker.start()
    worker.join()
    if failed:
        raise failed[0]
    return done[0]


@contextmanager
def show_progress(corpus: Corpus, *, enabled: bool) -> Iterator[Callable[[int], None] | None]:
    """Yield a function that adds a number of articles to the progress bar; None if there is no bar."""
    if not enabled:
        yield None
        return
    progress = build_progress_bar()
    task = progress.add_task("reading", total=corpus.total_bytes, counts="")
    start, articles = time.perf_counter(), 0

    def update_bar(more: int) -> None:
        nonlocal articles
        articles += more
        stage = "comparing" if corpus.bytes_read == corpus.total_bytes else "reading"
        progress.update(
            task,
            completed=corpus.bytes_read,
            description=stage,
            counts=format_progress(articles, time.perf_counter() - start),
        )

    later = threading.Timer(BAR_DELAY_SECONDS, progress.start)
    later.daemon = True
    later.start()
    try:
        yield update_bar
    finally:
        later.cancel()
        progress.stop()


def format_progress(articles: int, seconds: float) -> str:
    """Return how many articles have been read, and the rate if it can be measured."""
    has_rate = articles >= MIN_RATE_ARTICLES and seconds >= MIN_RATE_SECONDS
    return format_count(articles, "article") + (f", {articles / seconds:,.0f}/s" if has_rate else "")


def build_progress_bar() -> Any:
    """Return a progress bar that disappears when the work ends."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[counts]}", style="dim"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
