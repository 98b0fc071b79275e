"""Estimate the articles, candidates, time, memory and disk of a run from a sample of the corpus.

A `CorpusSample` has the sampled share of the corpus and the counts of a trial run; `dedup.pipeline.sampling`
makes it. Each value of a `RunEstimate` is an `EstimateRange`. Ranges of counts should contain the true value
in 19 of 20 runs; those of time and memory are wide, because they also depend on the machine.
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
"""Standard errors on either side of an estimate."""
MIN_MARGIN = 0.05
"""The smallest relative margin of an estimate from part of a corpus."""
UNEVENNESS_FACTOR = 2.0
"""The factor by which the beginnings of files may differ from the rest."""
PROCESS_BYTES = 280e6
"""Memory before the first article: the interpreter, the kernels and the word weights."""
INDEX_BYTES_PER_KEY = (30, 110)
"""Memory of the index for each key of an article in the window; it depends on how full the hash table is and
whether it is being resized."""
SKETCH_COPIES = (1.0, 1.6)
"""How many times the sketches are in memory: Arrow and the allocator release memory late."""
IN_FLIGHT_BYTES = (60e6, 250e6)
"""Memory of the batches that are being read and sketched, for a corpus larger than that."""
RESULT_BYTES_PER_ARTICLE = (150, 500)
"""Memory of an article besides its sketch: evidence, id, title and source."""
SPILL_COPIES = (1.0, 2.0, 2.0)
"""How many times the sketches are in files, if they are: sorting makes a second copy."""
SPEED_VARIATION = 2.0
"""The factor by which a machine may be slower or faster than during the trial run."""


@dataclass(frozen=True, slots=True)
class EstimateRange:
    """An estimate, and the range that should contain the true value."""

    low: float
    expected: float
    high: float


@dataclass(frozen=True, slots=True)
class CorpusSample:
    """A sample of a corpus, and the counts of a trial run over it."""

    total_bytes: int
    """Size of all files on disk."""
    read_bytes: int
    """Size of the sampled articles on disk."""
    articles: int
    size_deviation: float
    """Standard deviation of the article sizes divided by their mean; 0 for a whole corpus."""
    is_uniform: bool
    """Whether the articles come from all over the corpus, instead of from the beginnings of files."""
    is_whole: bool
    """Whether the sample is the whole corpus."""
    unpacked_bytes: int
    """Size of the sampled texts."""
    sketch_bytes: int
    share_in_window: float
    """The largest share of the articles within one window for copies; 1 if many have no date."""
    verified: int
    """Candidates that the trial run verified."""
    kept: int
    preparing_seconds: float
    """Time to read and sketch the sample with one thread."""
    deciding_seconds: float
    """Time to verify and cluster the sample with one thread."""


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """The estimated cost of a run."""

    articles: EstimateRange
    candidates: EstimateRange
    """Verified candidates per article, on average."""
    seconds: EstimateRange
    memory_bytes: EstimateRange
    files_bytes: EstimateRange
    """Sketches in temporary files."""
    disk_bytes: EstimateRange
    """Output of `dedup filter`: from the articles that the sample kept to all articles."""
    odds: Mapping[float, float]
    """By Jaccard similarity: the probability that a pair of copies is compared."""
    sampled: int
    """Articles in the sample."""


def estimate_costs(sample: CorpusSample, settings: Settings, threads: int) -> RunEstimate:
    """Return the estimated cost of a run; all zeros for an empty sample."""
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
    """Return the number of articles in the corpus.

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
    """Return the number of candidates per article in the whole corpus.

    Only kept articles are candidates. In an even sample their number grows with the corpus, but more slowly
    where stories repeat, which the lower bound allows for. The beginning of a file may be as dense as the
    whole corpus, if it is sorted by date, or as sparse as an even sample.
    """
    here = sample.verified / max(sample.articles, 1)
    if sample.is_whole or not sample.articles:
        return EstimateRange(here, here, here)
    bound = 2.0 * settings.max_candidates  # for kept articles and for their witnesses
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
    """Return the range from `low` to `high`, widened to contain `expected`."""
    return EstimateRange(min(low, expected), expected, max(high, expected))


def estimate_seconds(
    sample: CorpusSample, articles: EstimateRange, candidates: EstimateRange, threads: int
) -> EstimateRange:
    """Return the duration of a run: every article is prepared once, and each candidate costs the same."""
    preparing = sample.preparing_seconds / max(sample.articles, 1)
    each = sample.deciding_seconds / max(sample.verified, sample.articles, 1)

    def compute_seconds(n: float, verified: float, slowdown: float) -> float:
        """Return the seconds for `n` articles with `verified` candidates each."""
        return slowdown * n * (preparing + each * max(verified, 1.0)) / threads

    return make_range_around(
        compute_seconds(articles.low, candidates.low, 1 / SPEED_VARIATION),
        compute_seconds(articles.expected, candidates.expected, 1.0),
        # threads compete for memory, so the upper bound assumes a speed-up of only their square root
        compute_seconds(articles.high, candidates.high, SPEED_VARIATION) * math.sqrt(threads),
    )


def estimate_memory(sample: CorpusSample, settings: Settings, articles: EstimateRange) -> EstimateRange:
    """Return the peak memory of a run: the process, the sketches, the index of the window and the results."""
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
    """Return the size of the sketches that a run stores in files because they exceed the memory setting."""
    sketch = sample.sketch_bytes / max(sample.articles, 1)
    room, counts = compute_sketch_budget(settings.memory), (articles.low, articles.expected, articles.high)
    return EstimateRange(
        *(
            0.0 if n * sketch <= room else n * sketch * times
            for n, times in zip(counts, SPILL_COPIES, strict=True)
        )
    )
