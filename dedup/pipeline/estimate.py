"""A sample of a corpus → what a run over all of it would take: articles, candidates, time, memory, disk; with ranges.

In: a `Sample`: so many articles, read from so many bytes of all, with what a trial run over them counted. Out: an
`Estimate`. Each figure is a `Range` that should hold the truth nineteen times in twenty for counts; time and memory
depend on the machine besides, and their ranges are wide. `dedup.pipeline.sampling` takes samples; this module is arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dedup.matching.lsh_probability import candidate_odds
from dedup.settings.settings import Settings
from dedup.sketches.spill import room_in

__all__ = ["Estimate", "Range", "Sample", "estimate"]

SURE = 2.0
"""Standard errors to either side of an estimate."""
LEAST_MARGIN = 0.05
"""No estimate from a part is surer than this."""
UNEVEN = 2.0
"""The beginnings of files may be denser or sparser than the rest of them by so much."""
PROCESS_BYTES = 280e6
"""What a run takes before the first article: the interpreter, the kernels, the word weights."""
INDEX_BYTES_EACH_KEY = (30, 110)
"""Bytes that the index takes for each key of an article in reach, by how full its table is, and whether it is just made anew."""
HOLDING = (1.0, 1.6)
"""So many times the sketches are held: Arrow and the allocator keep what they free for a while."""
AT_WORK_BYTES = (60e6, 250e6)
"""What the batches take that are being read and sketched, once a corpus is larger than they are."""
RESULT_BYTES = (150, 500)
"""What is remembered of an article beside its sketch: evidence, id, title, source."""
FILED = (1.0, 2.0, 2.0)
"""So many times sketches lie in files, where they do: once more where they are put in order."""
SLOWER = 2.0
"""A machine is now and then so much slower, or faster, than it was during the trial."""


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate, and between what the truth should lie."""

    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What was read of a corpus, and what a trial run over it counted."""

    total_bytes: int
    """Of all files, as they lie on the disk."""
    read_bytes: int
    """Of the articles in the sample, as they lie on the disk."""
    articles: int
    deviation: float
    """Standard deviation of the bytes of an article, by their mean; 0 where all was read."""
    evenly: bool
    """The articles were drawn from everywhere; otherwise they are the beginnings of files."""
    complete: bool
    """It is all of the corpus."""
    unpacked_bytes: int
    """Of the texts in the sample."""
    sketch_bytes: int
    in_reach: float
    """The greatest share of the articles that lie within one window for copies; all, where many have no date."""
    verified: int
    """Candidates that the trial run verified."""
    kept: int
    preparing_seconds: float
    """To read and sketch the sample, with one thread."""
    deciding_seconds: float
    """To verify and cluster it, with one thread."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would take."""

    articles: Range
    candidates: Range
    """Verified for each article, on average."""
    seconds: Range
    memory_bytes: Range
    files_bytes: Range
    """Of sketches that lie in files as long as a run lasts."""
    disk_bytes: Range
    """What `dedup filter` would write: from what the sample kept, to everything."""
    odds: Mapping[float, float]
    """For each Jaccard similarity, the odds that a pair of copies is looked at."""
    sampled: int
    """Articles in the sample."""


def estimate(sample: Sample, settings: Settings, threads: int) -> Estimate:
    """Return what a run over a corpus would take, by a sample of it; all is 0 where the sample is empty."""
    articles = articles_of(sample)
    candidates = candidates_of(sample, settings, articles)
    each = sample.unpacked_bytes / max(sample.articles, 1)
    kept = min(sample.kept / max(sample.articles, 1), 1.0)
    return Estimate(
        articles=articles,
        candidates=candidates,
        seconds=seconds_of(sample, articles, candidates, threads),
        memory_bytes=memory_of(sample, settings, articles),
        files_bytes=files_of(sample, settings, articles),
        disk_bytes=Range(0.0, articles.expected * each * kept, articles.high * each),
        odds=candidate_odds(settings),
        sampled=sample.articles,
    )


def articles_of(sample: Sample) -> Range:
    """Return how many articles there are.

    >>> sample = Sample(1000, 100, 10, 0.3, True, False, 90, 50, 1.0, 5, 9, 1.0, 1.0)
    >>> articles_of(sample)
    Range(low=81.0, expected=100.0, high=119.0)
    """
    if sample.complete or not sample.articles:
        return Range(*[float(sample.articles)] * 3)
    expected = sample.total_bytes * sample.articles / max(sample.read_bytes, 1)
    margin = max(SURE * sample.deviation / math.sqrt(sample.articles), LEAST_MARGIN)
    low, high = (1 - margin, 1 + margin) if sample.evenly else (1 / UNEVEN, UNEVEN)
    whole = float(sample.articles)
    return around(
        max(float(round(expected * low)), whole), float(round(expected)), float(round(expected * high))
    )


def candidates_of(sample: Sample, settings: Settings, articles: Range) -> Range:
    """Return how many candidates an article has in all of the corpus.

    Among articles drawn evenly they grow with the corpus, but only kept articles are candidates, and where stories come again
    these grow more slowly: the least allows for that. The beginning of a file may be as dense as the whole, if
    it is in order of time, or as sparse as an even sample.
    """
    here = sample.verified / max(sample.articles, 1)
    if sample.complete or not sample.articles:
        return Range(here, here, here)
    bound = 2.0 * settings.max_candidates  # of kept articles, and of their witnesses
    low, expected, high = (
        min(here * (n - 1) / max(sample.articles - 1, 1), bound)
        for n in (articles.low, articles.expected, articles.high)
    )
    noise = 1 + SURE / math.sqrt(max(sample.verified, 1)) + SURE / math.sqrt(sample.articles)
    if sample.evenly:
        return around(math.sqrt(here * low) / noise / UNEVEN, expected, min(high * noise, bound))
    return around(here / noise, math.sqrt(here * expected), min(high * noise, bound))


def around(low: float, expected: float, high: float) -> Range:
    """Return the range, which holds what is expected."""
    return Range(min(low, expected), expected, max(high, expected))


def seconds_of(sample: Sample, articles: Range, candidates: Range, threads: int) -> Range:
    """Return how long a run takes: every article is prepared once, and each candidate costs the same."""
    preparing = sample.preparing_seconds / max(sample.articles, 1)
    each = sample.deciding_seconds / max(sample.verified, sample.articles, 1)

    def taken(n: float, verified: float, pace: float) -> float:
        """Return the seconds for so many articles, with so many candidates each."""
        return pace * n * (preparing + each * max(verified, 1.0)) / threads

    return around(
        taken(articles.low, candidates.low, 1 / SLOWER),
        taken(articles.expected, candidates.expected, 1.0),
        # the threads may have to share what they need, and the least of them is one
        taken(articles.high, candidates.high, SLOWER) * math.sqrt(threads),
    )


def memory_of(sample: Sample, settings: Settings, articles: Range) -> Range:
    """Return how much memory a run takes at its peak: the process, sketches, the index of what is in reach, the results."""
    sketch = sample.sketch_bytes / max(sample.articles, 1)
    index = (settings.salient_terms + settings.bands) * sample.in_reach
    low, high = (
        PROCESS_BYTES
        + min(n * sketch, room_in(settings.memory)) * copies
        + n * (index * each_key + results)
        + min(n * sketch, at_work)
        for n, copies, each_key, results, at_work in zip(
            (articles.low, articles.high),
            HOLDING,
            INDEX_BYTES_EACH_KEY,
            RESULT_BYTES,
            AT_WORK_BYTES,
            strict=True,
        )
    )
    return Range(low, (low + high) / 2, high)


def files_of(sample: Sample, settings: Settings, articles: Range) -> Range:
    """Return how many bytes of sketches go to files while a run lasts, for want of memory."""
    sketch = sample.sketch_bytes / max(sample.articles, 1)
    room, counts = room_in(settings.memory), (articles.low, articles.expected, articles.high)
    return Range(
        *(0.0 if n * sketch <= room else n * sketch * times for n, times in zip(counts, FILED, strict=True))
    )
