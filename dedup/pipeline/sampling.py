"""Draw a bounded sample of the articles in files, without reading most of their content.

A small corpus is read completely. From uncompressed JSON Lines, random lines are drawn: the line after a
random byte of a random file. Of other formats, the beginnings of some files are read. A trial run over the
sample counts candidates and measures time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Unpack

import numpy as np
import pyarrow as pa

from dedup.errors import InputError
from dedup.io.corpus import Corpus
from dedup.io.discovery import STDIN, InputFile, find_input_files
from dedup.io.read_options import ReadOptions
from dedup.io.remote import is_url
from dedup.pipeline.deduplicate import cluster_sketches, sketch_corpus
from dedup.pipeline.estimate import CorpusSample
from dedup.settings.settings import Settings

__all__ = ["MAX_SAMPLE_ARTICLES", "sample_corpus"]

MAX_SAMPLE_ARTICLES = 2_000
WHOLE_CORPUS_BYTES = 8 << 20
"""A corpus of at most this size is read completely."""
MAX_SAMPLE_FILES = 50
"""The most files of other formats that are sampled."""
MIN_DATED_SHARE = 7 / 8
"""If a smaller share of the articles has a date, an index removes no article from the window."""
MAX_LINE_BYTES = 1 << 20
SAMPLE_BATCH_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class DrawnArticles:
    """The sampled articles, and their share of the corpus."""

    batches: list[pa.RecordBatch]
    read_bytes: int
    size_deviation: float
    is_uniform: bool
    is_whole: bool


def sample_corpus(
    paths: Sequence[str | Path],
    settings: Settings,
    *,
    max_articles: int = MAX_SAMPLE_ARTICLES,
    whole_bytes: int = WHOLE_CORPUS_BYTES,
    **reading: Unpack[ReadOptions],
) -> CorpusSample:
    """Return a sample of at most `max_articles`, or the whole of a corpus of at most `whole_bytes`.

    The random seed is that of the settings. Raise `InputError` if there is nothing to sample.
    """
    sources = find_input_files(paths)
    if any(source.path == STDIN for source in sources):
        raise InputError("standard input can be read only once: name files or folders to plan for")
    sizes = [source.read_stamp()[0] for source in sources]
    random = Random(settings.seed)  # noqa: S311 - a sample, not a secret
    drawn_articles = (
        read_whole_corpus(paths, reading, sum(sizes))
        if sum(sizes) <= whole_bytes
        else sample_lines(sources, sizes, max_articles, random, reading)
        if all(has_cheap_lines(source) for source in sources)
        else sample_file_heads(sources, sizes, max_articles, random, reading)
    )
    return run_trial(drawn_articles, sum(sizes), settings)


def has_cheap_lines(source: InputFile) -> bool:
    """Return whether lines can be read from anywhere in a file at little cost."""
    return source.format == "lines" and not source.compression and not is_url(source.path)


def run_trial(drawn_articles: DrawnArticles, total: int, settings: Settings) -> CorpusSample:
    """Return the sample with the counts of a trial run over it."""
    start = time.perf_counter()
    corpus = sketch_corpus(drawn_articles.batches, settings)
    ready = time.perf_counter()
    result = cluster_sketches(corpus, settings)
    done = time.perf_counter()
    return CorpusSample(
        total_bytes=total,
        read_bytes=drawn_articles.read_bytes,
        articles=len(result.ids),
        size_deviation=drawn_articles.size_deviation,
        is_uniform=drawn_articles.is_uniform,
        is_whole=drawn_articles.is_whole,
        unpacked_bytes=sum(batch.nbytes for batch in drawn_articles.batches),
        sketch_bytes=sum(array.nbytes for array in corpus.sketches),
        share_in_window=compute_share_in_window(corpus.sketches.days, settings.copy_window_days),
        verified=int(result.assignments.verified.sum()),
        kept=len(result.kept),
        preparing_seconds=ready - start,
        deciding_seconds=done - ready,
    )


def compute_share_in_window(days: np.ndarray, window: float) -> float:
    """Return the largest share of articles within one window; 1 if more than an eighth have no date.

    >>> compute_share_in_window(np.array([0.0, 10.0, 20.0, 100.0]), 30.0)
    0.75
    """
    dated = np.sort(days[~np.isnan(days)])
    if len(dated) < MIN_DATED_SHARE * len(days) or not len(days):
        return 1.0
    within = np.searchsorted(dated, dated + window, "right") - np.arange(len(dated))
    return float((within.max(initial=0) + len(days) - len(dated)) / len(days))


def read_whole_corpus(paths: Sequence[str | Path], reading: ReadOptions, total: int) -> DrawnArticles:
    """Return all articles of a corpus."""
    return DrawnArticles(list(Corpus(paths, **reading)), total, 0.0, is_uniform=True, is_whole=True)


def sample_lines(
    sources: Sequence[InputFile],
    sizes: Sequence[int],
    max_articles: int,
    random: Random,
    reading: ReadOptions,
) -> DrawnArticles:
    """Return articles from lines drawn at random from all files, no line twice."""
    lines_by_place: dict[tuple[int, int], bytes] = {}
    for _ in range(max_articles):
        number = random.choices(range(len(sources)), sizes)[0]
        numbered_line = read_line_after(sources[number].path, random.randrange(sizes[number]))
        if numbered_line:
            lines_by_place.setdefault((number, numbered_line[0]), numbered_line[1])
    lengths = np.array([len(line) for line in lines_by_place.values()], np.float64)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.jsonl"
        path.write_bytes(b"".join(lines_by_place.values()))
        batches = list(Corpus([path], **reading))
    deviation = float(lengths.std() / lengths.mean()) if len(lengths) else 0.0
    return DrawnArticles(batches, int(lengths.sum()), deviation, is_uniform=True, is_whole=False)


def read_line_after(path: str, offset: int) -> tuple[int, bytes] | None:
    """Return (offset, line) of the first line that begins after an offset; None if it is too long.

    After the last line comes the first.
    """
    with Path(path).open("rb") as file:
        file.seek(offset)
        if not file.readline(MAX_LINE_BYTES).endswith(b"\n") or not file.read(1):
            file.seek(0)
        else:
            file.seek(-1, 1)
        start = file.tell()
        line = file.readline(MAX_LINE_BYTES)
    if len(line) == MAX_LINE_BYTES:
        return None
    return start, line.rstrip(b"\n") + b"\n"


def sample_file_heads(
    sources: Sequence[InputFile],
    sizes: Sequence[int],
    max_articles: int,
    random: Random,
    reading: ReadOptions,
) -> DrawnArticles:
    """Return articles from the beginnings of some of the files."""
    chosen = random.sample(range(len(sources)), min(MAX_SAMPLE_FILES, len(sources)))
    batches: list[pa.RecordBatch] = []
    read, whole = 0, len(chosen) == len(sources)
    for number in chosen:
        corpus = Corpus([sources[number].path], batch_bytes=SAMPLE_BATCH_BYTES, **reading)
        file_batches, ended = take_first_batches(corpus, max_articles // len(chosen))
        batches += file_batches
        # A plain file is read far ahead of the articles taken from it.
        ahead = (
            corpus.bytes_read if sources[number].compression else sum(batch.nbytes for batch in file_batches)
        )
        read += sizes[number] if ended else max(min(ahead, corpus.bytes_read), 1)
        whole &= ended
    return DrawnArticles(batches, read, 0.0, is_uniform=False, is_whole=whole)


def take_first_batches(corpus: Corpus, max_articles: int) -> tuple[list[pa.RecordBatch], bool]:
    """Return batches with at least `max_articles` articles if there are as many, and whether these are all."""
    batches: list[pa.RecordBatch] = []
    count = 0
    for batch in corpus:
        if count >= max_articles:
            return batches, False
        batches.append(batch)
        count += batch.num_rows
    return batches, True
