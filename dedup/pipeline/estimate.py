"""A sample of a corpus → what a run over all of it would take: articles, candidates, time, memory, disk; with ranges.

In: a `CorpusSample`: so many articles, read from so many bytes of all, with what a trial run over them counted. Out: an
`RunEstimate`. Each figure is a `EstimateRange` that should hold the truth nineteen times in twenty for counts; time and memory
depend on the machine besides, and their ranges are wide. `dedup.pipeline.sampling` takes samples; this module is arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dedup.matching.lsh_probability import compute_candidate_probabilities
from dedup.settings.settings import Settings
from dedup.sketches.spill import compute_sketch_budget

__all__ = ["CorpusSample", "EstimateRange", "RunEstimate", "estimate_costs"]

STANDARD_ERRORS = 2.0
"""Standard errors to either side of an estimate."""
MIN_MARGIN = 0.05
"""No estimate from a part is surer than this."""
UNEVENNESS_FACTOR = 2.0
"""The beginnings of files may be denser or sparser than the rest of them by so much."""
PROCESS_BYTES = 280e6
"""What a run takes before the first article: the interpreter, the kernels, the word weights."""
INDEX_BYTES_PER_KEY = (30, 110)
"""Bytes that the index takes for each key of an article in reach, by how full its table is, and whether it is just made anew."""
SKETCH_COPIES = (1.0, 1.6)
"""So many times the sketches are held: Arrow and the allocator keep what they free for a while."""
IN_FLIGHT_BYTES = (60e6, 250e6)
"""What the batches take that are being read and sketched, once a corpus is larger than they are."""
RESULT_BYTES_PER_ARTICLE = (150, 500)
"""What is remembered of an article beside its sketch: evidence, id, title, source."""
SPILL_COPIES = (1.0, 2.0, 2.0)
"""So many times sketches lie in files, where they do: once more where they are put in order."""
SPEED_VARIATION = 2.0
"""A machine is now and then so much slower, or faster, than it was during the trial."""


@dataclass(frozen=True, slots=True)
class EstimateRange:
    """An estimate, and between what the truth should lie."""

    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True)
class CorpusSample:
    """What was read of a corpus, and what a trial run over it counted."""

    total_bytes: int
    """Of all files, as they lie on the disk."""
    read_bytes: int
    """Of the articles in the sample, as they lie on the disk."""
    articles: int
    size_deviation: float
    """Standard deviation of the bytes of an article, by their mean; 0 where all was read."""
    is_uniform: bool
    """The articles were drawn from everywhere; otherwise they are the beginnings of files."""
    is_whole: bool
    """It is all of the corpus."""
    unpacked_bytes: int
    """Of the texts in the sample."""
    sketch_bytes: int
    share_in_window: float
    """The greatest share of the articles that lie within one window for copies; all, where many have no date."""
    verified: int
    """Candidates that the trial run verified."""
    kept: int
    preparing_seconds: float
    """To read and sketch the sample, with one thread."""
    deciding_seconds: float
    """To verify and cluster it, with one thread."""


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """What a run would take."""

    articles: EstimateRange
    candidates: EstimateRange
    """Verified for each article, on average."""
    seconds: EstimateRange
    memory_bytes: EstimateRange
    files_bytes: EstimateRange
    """Of sketches that lie in files as long as a run lasts."""
    disk_bytes: EstimateRange
    """What `dedup filter` would write: from what the sample kept, to everything."""
    odds: Mapping[float, float]
    """For each Jaccard similarity, the odds that a pair of copies is looked at."""
    sampled: int
    """Articles in the sample."""


def estimate_costs(sample: CorpusSample, settings: Settings, threads: int) -> RunEstimate:
    """Return what a run over a corpus would take, by a sample of it; all is 0 where the sample is empty."""
    articles = estimate_articles(sample)
    candidates = estimate_candidates(sample, settings, articles)
    each = sample.unpacked_bytes / max(sample.articles, 1)
    kept = min(sample.kept / max(sample.articles, 1), 1.0)
    return RunEstimate(
        articles=articles,
        candidates=candidates,
        seconds=estimate_seconds(sample, articles, candidates, threads),
        memory_bytes=estimate_memory(sample, settings, articles),
        files_bytes=estimate_spill_bytes(sample, settings, articles),
        disk_bytes=EstimateRange(0.0, articles.expected * each * kept, articles.high * each),
        odds=compute_candidate_probabilities(settings),
        sampled=sample.articles,
    )


def estimate_articles(sample: CorpusSample) -> EstimateRange:
    """Return how many articles there are.

    >>> sample = CorpusSample(1000, 100, 10, 0.3, True, False, 90, 50, 1.0, 5, 9, 1.0, 1.0)
    >>> estimate_articles(sample)
    EstimateRange(low=81.0, expected=100.0, high=119.0)
    """
    if sample.is_whole or not sample.articles:
        return EstimateRange(*[float(sample.articles)] * 3)
    expected = sample.total_bytes * sample.articles / max(sample.read_bytes, 1)
    margin = max(STANDARD_ERRORS * sample.size_deviation / math.sqrt(sample.articles), MIN_MARGIN)
    low, high = (1 - margin, 1 + margin) if sample.is_uniform else (1 / UNEVENNESS_FACTOR, UNEVENNESS_FACTOR)
    whole = float(sample.articles)
    return make_range_around(
        max(float(round(expected * low)), whole), float(round(expected)), float(round(expected * high))
    )


def estimate_candidates(sample: CorpusSample, settings: Settings, articles: EstimateRange) -> EstimateRange:
    """Return how many candidates an article has in all of the corpus.

    Among articles drawn evenly they grow with the corpus, but only kept articles are candidates, and where stories come again
    these grow more slowly: the least allows for that. The beginning of a file may be as dense as the whole, if
    it is in order of time, or as sparse as an even sample.
    """
    here = sample.verified / max(sample.articles, 1)
    if sample.is_whole or not sample.articles:
        return EstimateRange(here, here, here)
    bound = 2.0 * settings.max_candidates  # of kept articles, and of their witnesses
    low, expected, high = (
        min(here * (n - 1) / max(sample.articles - 1, 1), bound)
        for n in (articles.low, articles.expected, articles.high)
    )
    noise = (
        1
        + STANDARD_ERRORS / math.sqrt(max(sample.verified, 1))
        + STANDARD_ERRORS / math.sqrt(sample.articles)
    )
    if sample.is_uniform:
        return make_range_around(
            math.sqrt(here * low) / noise / UNEVENNESS_FACTOR, expected, min(high * noise, bound)
        )
    return make_range_around(here / noise, math.sqrt(here * expected), min(high * noise, bound))


def make_range_around(low: float, expected: float, high: float) -> EstimateRange:
    """Return the range, which holds what is expected."""
    return EstimateRange(min(low, expected), expected, max(high, expected))


def estimate_seconds(
    sample: CorpusSample, articles: EstimateRange, candidates: EstimateRange, threads: int
) -> EstimateRange:
    """Return how long a run takes: every article is prepared once, and each candidate costs the same."""
    preparing = sample.preparing_seconds / max(sample.articles, 1)
    each = sample.deciding_seconds / max(sample.verified, sample.articles, 1)

    def compute_seconds(n: float, verified: float, slowdown: float) -> float:
        """Return the seconds for so many articles, with so many candidates each."""
        return slowdown * n * (preparing + each * max(verified, 1.0)) / threads

    return make_range_around(
        compute_seconds(articles.low, candidates.low, 1 / SPEED_VARIATION),
        compute_seconds(articles.expected, candidates.expected, 1.0),
        # the threads may have to share what they need, and the least of them is one
        compute_seconds(articles.high, candidates.high, SPEED_VARIATION) * math.sqrt(threads),
    )


def estimate_memory(sample: CorpusSample, settings: Settings, articles: EstimateRange) -> EstimateRange:
    """Return how much memory a run takes at its peak: the process, sketches, the index of what is in reach, the results."""
    sketch = sample.sketch_bytes / max(sample.articles, 1)
    index = (settings.salient_terms + settings.bands) * sample.share_in_window
    low, high = (
        PROCESS_BYTES
        + min(n * sketch, compute_sketch_budget(settings.memory)) * copies
        + n * (index * each_key + results)
        + min(n * sketch, at_work)
        for n, copies, each_key, results, at_work in zip(
            (articles.low, articles.high),
            SKETCH_COPIES,
            INDEX_BYTES_PER_KEY,
            RESULT_BYTES_PER_ARTICLE,
            IN_FLIGHT_BYTES,
            strict=True,
        )
    )
    return EstimateRange(low, (low + high) / 2, high)


def estimate_spill_bytes(sample: CorpusSample, settings: Settings, articles: EstimateRange) -> EstimateRange:
    """Return how many bytes of sketches go to files while a run lasts, for want of memory."""
    sketch = sample.sketch_bytes / max(sample.articles, 1)
    room, counts = compute_sketch_budget(settings.memory), (articles.low, articles.expected, articles.high)
    return EstimateRange(
        *(
            0.0 if n * sketch <= room else n * sketch * times
            for n, times in zip(counts, SPILL_COPIES, strict=True)
        )
    )
