"""Learn the boilerplate of each source: passages that it prints again and again under different headlines.

There are two passes over the corpus: the first counts the hashes of passages, the second collects the words of those that
are boilerplate. Each passage takes sixteen bytes until it is counted, so learning takes far less memory than clustering.
The boilerplate that the rules recognise (`dedup.text.boilerplate.rules`) is not learned again.

A passage is boilerplate if it appears under as many different headlines of its source as the square root of all of them,
and at least under five: a share alone would ask too much of a source with many articles, and a number alone too little. A
story that is printed many times has one headline. A story that runs under ever new headlines ends sometime, so the
passage must also appear on five different days, and the time from the first to the last must be half of the time that the
source covers: at least two weeks, at most 90 days. So undated articles are not used, nor sources that cover less than two
weeks. Without a headline, the beginning of the text counts as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.io.articles import ProgressCallback, to_batches
from dedup.io.corpus import Corpus
from dedup.io.schema import SCHEMA
from dedup.text.boilerplate.passages import Passages, find_passages, hash_strings, is_in_sorted
from dedup.text.boilerplate.profile import (
    MAX_SOURCE_NAME_CHARACTERS,
    BoilerplateProfile,
    normalize_line_spaces,
)
from dedup.text.boilerplate.rules import clean_text_lines, clean_titles
from dedup.text.tokenizer import get_utf8_buffers

__all__ = ["learn_boilerplate"]

MIN_HEADLINES_AND_DAYS = 5
"""The minimum number of headlines, and of days, of a passage."""
MIN_SPAN_DAYS = 14
"""The minimum days from the first to the last: few stories run for so long in the same words."""
SUFFICIENT_SPAN_DAYS = 90
"""The days from the first to the last that suffice for an archive of any length."""
SECONDS_PER_DAY = 86_400
OPENING_CHARACTERS = 80
"""The number of characters of a text that count as its headline if it has none."""


class PassageObservations(NamedTuple):
    """The hashes of articles and of their passages."""

    sources: np.ndarray
    """Articles, uint64: the hash of the source."""
    headlines: np.ndarray
    """Articles, uint64: the hash of the headline."""
    days: np.ndarray
    """Articles, int64: days since 1970."""
    rows: np.ndarray
    """Passages, int64: the index of the article."""
    keys: np.ndarray
    """Passages, uint64: the key."""


def learn_boilerplate(articles: Any, *, progress: ProgressCallback | None = None) -> BoilerplateProfile:
    """Return the boilerplate of each source in the articles.

    `articles` is anything that `deduplicate` takes. Articles without a source or a date are not used. The result does not
    depend on their order or on repetitions. Raise `InputError` if a file cannot be read, or changes between the two
    passes.
    """
    batches = articles if isinstance(articles, Corpus) else list(to_batches(articles))
    observations, sourceless, undated = collect_observations(batches, progress)
    keys, counts, short_lived_sources = find_recurring_passages(observations)
    second_pass = batches.read_again() if isinstance(batches, Corpus) else batches
    sources = collect_passage_texts(second_pass, keys, counts) if len(keys) else {}
    return BoilerplateProfile(sources, len(observations.sources), sourceless, undated, short_lived_sources)


def collect_observations(
    batches: Iterable[pa.RecordBatch], progress: ProgressCallback | None
) -> tuple[PassageObservations, int, int]:
    """Return the observations of the first pass, the articles without a source, and those with a source but no date."""
    parts = [extract_observations(pa.RecordBatch.from_pylist([], SCHEMA))]
    articles = sourceless = undated = 0
    for batch in batches:
        with_source = select_with_source(batch)
        part = extract_observations(select_with_date(with_source))
        parts.append(part._replace(rows=part.rows + articles))
        articles += len(part.sources)
        sourceless += batch.num_rows - with_source.num_rows
        undated += with_source.num_rows - len(part.sources)
        if progress:
            progress(batch.num_rows)
    return (
        PassageObservations(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True))),
        sourceless,
        undated,
    )


def select_with_source(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the articles of a batch whose source has a name that a boilerplate file can hold."""
    names = pc.fill_null(batch["source"], "")
    empty = pc.equal(pc.utf8_trim_whitespace(names), "")
    return batch.filter(pc.and_not(pc.less_equal(pc.utf8_length(names), MAX_SOURCE_NAME_CHARACTERS), empty))


def select_with_date(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the articles of a batch that have a date."""
    return batch.filter(pc.is_valid(batch["published"]))


def read_passages(batch: pa.RecordBatch) -> tuple[pa.StringArray, Passages]:
    """Return the texts of a batch without the boilerplate that rules recognise, and their passages."""
    texts = clean_text_lines(batch["text"])
    return texts, find_passages(texts, batch["source"])


def extract_observations(batch: pa.RecordBatch) -> PassageObservations:
    """Return the observations of a batch."""
    texts, passages = read_passages(batch)
    titles = pc.utf8_trim_whitespace(pc.utf8_lower(clean_titles(pc.fill_null(batch["title"], ""))))
    openings = pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(texts), 0, OPENING_CHARACTERS)
    headlines = pc.if_else(pc.equal(titles, ""), openings, titles)
    return PassageObservations(
        hash_strings(batch["source"]),
        hash_strings(headlines),
        pc.cast(batch["published"], pa.int64()).to_numpy(zero_copy_only=False) // SECONDS_PER_DAY,
        passages.rows.astype(np.int64),
        passages.keys,
    )


def find_recurring_passages(observations: PassageObservations) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the keys of the passages that are boilerplate, sorted, and the number of headlines of each.

    The third value is the number of sources that cover too few days.
    """
    keys, counts = np.unique(observations.keys, return_counts=True)
    is_frequent = is_in_sorted(observations.keys, keys[counts >= MIN_HEADLINES_AND_DAYS])
    keys, rows = observations.keys[is_frequent], observations.rows[is_frequent]
    frequent_keys, headlines, _ = count_distinct_values(keys, observations.headlines[rows])
    _, days, spans = count_distinct_values(keys, observations.days[rows])
    _, first_rows = np.unique(keys, return_index=True)
    sources, all_headlines, _ = count_distinct_values(observations.sources, observations.headlines)
    _, _, lifetimes = count_distinct_values(observations.sources, observations.days)
    source_index = np.searchsorted(sources, observations.sources[rows[first_rows]])
    min_headlines = np.maximum(np.sqrt(all_headlines), MIN_HEADLINES_AND_DAYS)[source_index]
    min_span = np.clip(lifetimes / 2, MIN_SPAN_DAYS, SUFFICIENT_SPAN_DAYS)[source_index]
    is_boilerplate = (headlines >= min_headlines) & (days >= MIN_HEADLINES_AND_DAYS) & (spans >= min_span)
    return frequent_keys[is_boilerplate], headlines[is_boilerplate], int((lifetimes < MIN_SPAN_DAYS).sum())


def count_distinct_values(keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distinct keys, sorted, with the number of distinct values of each, and their range.

    >>> count_distinct_values(np.array([7, 3, 7, 7]), np.array([1, 1, 5, 5]))
    (array([3, 7]), array([1, 2]), array([0, 4]))
    """
    order = np.lexsort((values, keys))
    keys, values = keys[order], values[order]
    is_distinct = np.ones(len(keys), bool)
    is_distinct[1:] = (keys[1:] != keys[:-1]) | (values[1:] != values[:-1])
    values = values[is_distinct]
    distinct_keys, first, counts = np.unique(keys[is_distinct], return_index=True, return_counts=True)
    return distinct_keys, counts, values[first + counts - 1] - values[first]


def collect_passage_texts(
    batches: Iterable[pa.RecordBatch], keys: np.ndarray, counts: np.ndarray
) -> dict[str, dict[str, int]]:
    """Return by source the passages with the sorted `keys`, each with its count."""
    sources: dict[str, dict[str, int]] = {}
    is_missing = np.ones(len(keys), bool)
    for batch in batches:
        if not is_missing.any():
            continue  # read the corpus to its end, to report its rejects
        articles = select_with_date(select_with_source(batch))
        texts, passages = read_passages(articles)
        data, _ = get_utf8_buffers(texts)
        matches = np.flatnonzero(is_in_sorted(passages.keys, keys[is_missing]))
        _, first = np.unique(passages.keys[matches], return_index=True)
        for p in matches[first].tolist():
            row = int(passages.rows[p])
            n = int(np.searchsorted(keys, passages.keys[p]))
            start, end = passages.spans[p].tolist()
            passage = normalize_line_spaces(data[start:end].tobytes().decode())
            sources.setdefault(articles["source"][row].as_py(), {})[passage] = int(counts[n])
            is_missing[n] = False
    return sources
