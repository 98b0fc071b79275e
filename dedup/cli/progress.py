"""Long work under the eyes of a person: a progress bar, a word on what takes long, and a prompt Ctrl-C.

In: a corpus and settings. Out: the result, and how long it took. All of it goes to stderr, and bars only
to a terminal.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from dedup.io.corpus import Corpus
    from dedup.pipeline.deduplicate import SketchedCorpus
    from dedup.pipeline.results import Result
    from dedup.settings.settings import Settings
    from dedup.text.boilerplate.profile import BoilerplateProfile

__all__ = [
    "TimedResult",
    "learn_with_progress",
    "prepare_libraries",
    "run_and_keep_sketches",
    "run_interruptibly",
    "run_with_progress",
    "warn_if_uncompiled",
]

BAR_DELAY_SECONDS = 2.0
"""Seconds of work before a bar is shown: what is over at once needs none."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TimedResult:
    """A result, and the time it took."""

    result: Result
    seconds: float
    compiled: bool
    """Kernels were compiled in it, so the time says little."""


def run_with_progress(corpus: Corpus, settings: Settings, *, quiet: bool) -> TimedResult:
    """Return what becomes of a corpus under the settings."""
    from dedup.pipeline.deduplicate import deduplicate

    compiled = warn_if_uncompiled(quiet=quiet)
    start = time.perf_counter()
    with show_progress(corpus, enabled=sys.stderr.isatty() and not quiet) as advance:
        result = run_interruptibly(lambda: deduplicate(corpus, settings, progress=advance))
    return TimedResult(result, time.perf_counter() - start, compiled)


def run_and_keep_sketches(
    corpus: Corpus, settings: Settings, *, quiet: bool
) -> tuple[SketchedCorpus, TimedResult]:
    """Return a corpus, sketched, and what becomes of it: as `run_with_progress`, for those who go on with the sketches."""
    from dedup.pipeline.deduplicate import cluster_sketches, sketch_corpus

    compiled = warn_if_uncompiled(quiet=quiet)
    start = time.perf_counter()
    with show_progress(corpus, enabled=sys.stderr.isatty() and not quiet) as advance:
        given = run_interruptibly(lambda: sketch_corpus(corpus, settings, advance))
        result = run_interruptibly(lambda: cluster_sketches(given, settings))
    return given, TimedResult(result, time.perf_counter() - start, compiled)


def learn_with_progress(corpus: Corpus, *, quiet: bool) -> BoilerplateProfile:
    """Return the boilerplate of the sources of a corpus."""
    from dedup.text.boilerplate.learn import learn_boilerplate

    with show_progress(corpus, enabled=sys.stderr.isatty() and not quiet) as advance:
        return run_interruptibly(lambda: learn_boilerplate(corpus, progress=advance))


def prepare_libraries() -> None:
    """Make the libraries ready for one long run in a process of its own, before anything is imported that loads them.

    Arrow asks the system for memory, which keeps what is freed for the next batch and is given it back when it is told to.
    It looks for pandas once, to take its columns; numba for the BLAS of scipy, to offer it to kernels, and for the functions
    of cffi. That takes a quarter of a second where all are installed, and the command line has no use for any.
    """
    with skip_imports("pandas"):
        import pyarrow as pa

        pa.array([0])  # it looks now
    with skip_imports("scipy", "scipy.linalg", "cffi"):
        import_module("numba.np.arraymath")
        import_module("numba.core.typing.cffi_utils")
    if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ:
        pa.set_memory_pool(pa.system_memory_pool())


@dataclass(frozen=True, slots=True)
class ImportSkipper(MetaPathFinder):
    """Stands before those who find modules, and says of some that they are not installed."""

    modules: tuple[str, ...]

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        """Raise ModuleNotFoundError for what is hidden; leave all other modules to those who come next."""
        if name in self.modules:
            raise ModuleNotFoundError(f"{name} is of no use here", name=name)


@contextmanager
def skip_imports(*modules: str) -> Iterator[None]:
    """Let nobody find some modules that are not loaded yet."""
    finder = ImportSkipper(modules)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def warn_if_uncompiled(*, quiet: bool) -> bool:
    """Return whether kernels have yet to be compiled, and say so on a terminal."""
    from dedup.jit import are_kernels_compiled

    missing = not are_kernels_compiled()
    if missing and not quiet and sys.stderr.isatty():
        click.echo("Compiling kernels; this happens once, and takes about half a minute …", err=True)
    return missing


def run_interruptibly(work: Callable[[], T]) -> T:
    """Return what `work` returns; Ctrl-C is heard at once, even while `work` is in compiled code.

    Python hears of a signal only in its main thread and between two steps, so the work is another thread's.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run_work() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again, where it is waited for
            failed.append(error)

    worker = threading.Thread(target=run_work, name="dedup", daemon=True)
    worker.start()
    worker.join()
    if failed:
        raise failed[0]
    return done[0]


@contextmanager
def show_progress(corpus: Corpus, *, enabled: bool) -> Iterator[Callable[[int], None] | None]:
    """Give a function that draws how many more articles have been read; None where nothing is shown."""
    if not enabled:
        yield None
        return
    progress = build_progress_bar()
    task = progress.add_task("reading", total=corpus.total_bytes, articles=0, rate=0.0)
    start, articles = time.perf_counter(), 0

    def update_bar(more: int) -> None:
        nonlocal articles
        articles += more
        elapsed = time.perf_counter() - start
        stage = "comparing" if corpus.bytes_read == corpus.total_bytes else "reading"
        progress.update(
            task, completed=corpus.bytes_read, description=stage, articles=articles, rate=articles / elapsed
        )

    later = threading.Timer(BAR_DELAY_SECONDS, progress.start)
    later.daemon = True
    later.start()
    try:
        yield update_bar
    finally:
        later.cancel()
        progress.stop()


def build_progress_bar() -> Any:
    """Return a bar that vanishes at the end of the work."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[articles]:,} articles, {task.fields[rate]:,.0f}/s", style="dim"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
