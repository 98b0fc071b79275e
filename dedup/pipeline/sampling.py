"""Paths → a bounded sample of the articles in their files, most of which is never read.

In: a corpus's paths and a seed. Out: a `Sample`, after a trial run over it. A small corpus is read as a whole. Of plain
JSON Lines, lines are drawn from all over: the one after a random byte, of all files alike. Of other files, some are
drawn and their beginnings read.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa

from dedup.errors import InputError
from dedup.io.corpus import Corpus
from dedup.io.discovery import STDIN, Source, find_sources
from dedup.pipeline.deduplicate import decided, prepared
from dedup.pipeline.estimate import Sample
from dedup.settings.settings import Settings

__all__ = ["MOST_ARTICLES", "sampled"]

MOST_ARTICLES = 2_000
WHOLE_BYTES = 8 << 20
"""A corpus of no more bytes is read as a whole."""
MOST_FILES = 50
"""So many files of other kinds are begun."""
MOST_UNDATED = 7 / 8
"""With fewer dates than for this share of the articles an index lets go of nothing."""
LONGEST_LINE = 1 << 20
BATCH = 1 << 20


@dataclass(frozen=True, slots=True)
class Drawn:
    """Articles, and what they are of the whole."""

    batches: list[pa.RecordBatch]
    read_bytes: int
    deviation: float
    evenly: bool
    complete: bool


def sampled(
    paths: Sequence[str | Path],
    settings: Settings,
    *,
    fields: Mapping[str, str] | None = None,
    most: int = MOST_ARTICLES,
    whole: int = WHOLE_BYTES,
) -> Sample:
    """Return a sample of a corpus: at most so many articles, or all where there are no more bytes than `whole`.

    The seed is that of the settings. `InputError` where there is nothing to sample.
    """
    sources = find_sources(paths)
    if any(source.path == STDIN for source in sources):
        raise InputError("standard input can be read only once: name files or folders to plan for")
    sizes = [Path(source.path).stat().st_size for source in sources]
    random = Random(settings.seed)  # noqa: S311 - a sample, not a secret
    drawn = (
        everything(paths, fields, sum(sizes))
        if sum(sizes) <= whole
        else lines_drawn(sources, sizes, most, random, fields)
        if all(source.format == "lines" and not source.packing for source in sources)
        else beginnings(sources, sizes, most, random, fields)
    )
    return tried(drawn, sum(sizes), settings)


def tried(drawn: Drawn, total: int, settings: Settings) -> Sample:
    """Return a sample, after a trial run over it."""
    start = time.perf_counter()
    given = prepared(drawn.batches, settings)
    ready = time.perf_counter()
    result = decided(given, settings)
    done = time.perf_counter()
    return Sample(
        total_bytes=total,
        read_bytes=drawn.read_bytes,
        articles=len(result.ids),
        deviation=drawn.deviation,
        evenly=drawn.evenly,
        complete=drawn.complete,
        unpacked_bytes=sum(batch.nbytes for batch in drawn.batches),
        sketch_bytes=sum(array.nbytes for array in given.sketches),
        in_reach=share_in_reach(given.sketches.days, settings.copy_window_days),
        verified=int(result.assignments.verified.sum()),
        kept=len(result.kept),
        preparing_seconds=ready - start,
        deciding_seconds=done - ready,
    )


def share_in_reach(days: np.ndarray, window: float) -> float:
    """Return the greatest share of articles dated within one window; 1 where more than an eighth have no date.

    >>> share_in_reach(np.array([0.0, 10.0, 20.0, 100.0]), 30.0)
    0.75
    """
    dated = np.sort(days[~np.isnan(days)])
    if len(dated) < MOST_UNDATED * len(days) or not len(days):
        return 1.0
    within = np.searchsorted(dated, dated + window, "right") - np.arange(len(dated))
    return float((within.max(initial=0) + len(days) - len(dated)) / len(days))


def everything(paths: Sequence[str | Path], fields: Mapping[str, str] | None, total: int) -> Drawn:
    """Return all of a corpus."""
    return Drawn(list(Corpus(paths, fields=fields)), total, 0.0, evenly=True, complete=True)


def lines_drawn(
    sources: Sequence[Source],
    sizes: Sequence[int],
    most: int,
    random: Random,
    fields: Mapping[str, str] | None,
) -> Drawn:
    """Return articles from lines drawn from all over the files, no line twice."""
    places: dict[tuple[int, int], bytes] = {}
    for _ in range(most):
        number = random.choices(range(len(sources)), sizes)[0]
        found = line_after(sources[number].path, random.randrange(sizes[number]))
        if found:
            places.setdefault((number, found[0]), found[1])
    lengths = np.array([len(line) for line in places.values()], np.float64)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.jsonl"
        path.write_bytes(b"".join(places.values()))
        batches = list(Corpus([path], fields=fields))
    deviation = float(lengths.std() / lengths.mean()) if len(lengths) else 0.0
    return Drawn(batches, int(lengths.sum()), deviation, evenly=True, complete=False)


def line_after(path: str, place: int) -> tuple[int, bytes] | None:
    """Return the line that begins after a place, with where it begins; the first after the last; None where it is too long."""
    with Path(path).open("rb") as file:
        file.seek(place)
        if not file.readline(LONGEST_LINE).endswith(b"\n") or not file.read(1):
            file.seek(0)
        else:
            file.seek(-1, 1)
        start = file.tell()
        line = file.readline(LONGEST_LINE)
    if len(line) == LONGEST_LINE:
        return None
    return start, line.rstrip(b"\n") + b"\n"


def beginnings(
    sources: Sequence[Source],
    sizes: Sequence[int],
    most: int,
    random: Random,
    fields: Mapping[str, str] | None,
) -> Drawn:
    """Return articles from the beginnings of some files."""
    chosen = random.sample(range(len(sources)), min(MOST_FILES, len(sources)))
    batches: list[pa.RecordBatch] = []
    read, whole = 0, len(chosen) == len(sources)
    for number in chosen:
        corpus = Corpus([sources[number].path], fields=fields, batch_bytes=BATCH)
        found, ended = first_of(corpus, most // len(chosen))
        batches += found
        # A plain file is read far ahead of what has been taken from it.
        ahead = corpus.bytes_read if sources[number].packing else sum(batch.nbytes for batch in found)
        read += sizes[number] if ended else max(min(ahead, corpus.bytes_read), 1)
        whole &= ended
    return Drawn(batches, read, 0.0, evenly=False, complete=whole)


def first_of(corpus: Corpus, most: int) -> tuple[list[pa.RecordBatch], bool]:
    """Return batches until there are so many articles (the last one may hold more), and whether that is all."""
    batches: list[pa.RecordBatch] = []
    taken = 0
    for batch in corpus:
        if taken >= most:
            return batches, False
        batches.append(batch)
        taken += batch.num_rows
    return batches, True
