"""A corpus → the boilerplate of its sources: what one source prints again and again under different headlines.

In: batches of articles, twice: the first pass counts hashes, the second fetches the words of those that made it. Out:
`BoilerplateProfile`. Of each passage (`dedup.text.boilerplate.passages`) sixteen bytes are held until it is counted, so a
corpus takes far less memory than its clustering. What the rules of `dedup.text.boilerplate.rules` leave out is not learned
again.

A passage is boilerplate where it stands under as many different headlines of its source as the square root of all of
them, and under five: a share alone would ask too much of a source with many articles, and a number alone too little. A
story that is printed many times has one headline. One that is told under ever new headlines has its time, so the
passage must have stood on five different days too, and from the first of them to the last lies half of the time of its
source: two weeks at least, but 90 days are enough. So what is undated teaches nothing, nor does a source of less than
two weeks. Of a text without a headline, the beginning is it.
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
from dedup.text.boilerplate.profile import MAX_SOURCE_NAME_CHARACTERS, BoilerplateProfile, normalize_spaces
from dedup.text.boilerplate.rules import clean_text_lines, clean_titles
from dedup.text.tokenizer import get_utf8_buffers

__all__ = ["learn_boilerplate"]

MIN_HEADLINES_AND_DAYS = 5
"""Headlines, and days."""
MIN_SPAN_DAYS = 14
"""Days from the first to the last: few stories are told for so long, in the same words."""
SUFFICIENT_SPAN_DAYS = 90
"""Days that are enough, however old the archive."""
SECONDS_PER_DAY = 86_400
OPENING_CHARACTERS = 80
"""So many characters of a text are its headline where it has none."""


class PassageObservations(NamedTuple):
    """What is held of some articles, and of their passages."""

    sources: np.ndarray
    """uint64, of each article: a hash."""
    headlines: np.ndarray
    """uint64, of each article: a hash."""
    days: np.ndarray
    """int64, of each article: days since 1970."""
    rows: np.ndarray
    """int64, of each passage: its article."""
    keys: np.ndarray
    """uint64, of each passage."""


def learn_boilerplate(articles: Any, *, progress: ProgressCallback | None = None) -> BoilerplateProfile:
    """Return what recurs in the articles of each source and is no story.

    `articles` is what `deduplicate` takes. Articles without a source or without a date teach nothing. The result does
    not depend on their order, nor on how often an article is given. Errors: `InputError` for what cannot be read, and
    for a file that is changed between the two passes.
    """
    batches = articles if isinstance(articles, Corpus) else list(to_batches(articles))
    seen, skipped, undated = collect_observations(batches, progress)
    keys, counts, short = find_recurring_passages(seen)
    again = batches.read_again() if isinstance(batches, Corpus) else batches
    sources = collect_passage_texts(again, keys, counts) if len(keys) else {}
    return BoilerplateProfile(sources, len(seen.sources), skipped, undated, short)


def collect_observations(
    batches: Iterable[pa.RecordBatch], progress: ProgressCallback | None
) -> tuple[PassageObservations, int, int]:
    """Return what the first pass sees, and how many articles have no source, and a source but no date."""
    parts = [extract_observations(pa.RecordBatch.from_pylist([], SCHEMA))]
    articles = skipped = undated = 0
    for batch in batches:
        named = select_with_source(batch)
        part = extract_observations(select_with_date(named))
        parts.append(part._replace(rows=part.rows + articles))
        articles += len(part.sources)
        skipped += batch.num_rows - named.num_rows
        undated += named.num_rows - len(part.sources)
        if progress:
            progress(batch.num_rows)
    return (
        PassageObservations(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True))),
        skipped,
        undated,
    )


def select_with_source(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the articles of a batch whose source has a name that a file of boilerplate may hold."""
    names = pc.fill_null(batch["source"], "")
    empty = pc.equal(pc.utf8_trim_whitespace(names), "")
    return batch.filter(pc.and_not(pc.less_equal(pc.utf8_length(names), MAX_SOURCE_NAME_CHARACTERS), empty))


def select_with_date(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the articles of a batch that have a date."""
    return batch.filter(pc.is_valid(batch["published"]))


def read_passages(batch: pa.RecordBatch) -> tuple[pa.StringArray, Passages]:
    """Return the texts of a batch without what rules leave out, and their passages."""
    texts = clean_text_lines(batch["text"])
    return texts, find_passages(texts, batch["source"])


def extract_observations(batch: pa.RecordBatch) -> PassageObservations:
    """Return what is held of a batch."""
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

    Also how many sources lie over too few days to have any.
    """
    keys, counts = np.unique(observations.keys, return_counts=True)
    often = is_in_sorted(observations.keys, keys[counts >= MIN_HEADLINES_AND_DAYS])
    keys, rows = observations.keys[often], observations.rows[often]
    known, headlines, _ = count_distinct_values(keys, observations.headlines[rows])
    _, days, spread = count_distinct_values(keys, observations.days[rows])
    _, first = np.unique(keys, return_index=True)
    sources, all_headlines, _ = count_distinct_values(observations.sources, observations.headlines)
    _, _, lifetime = count_distinct_values(observations.sources, observations.days)
    source = np.searchsorted(sources, observations.sources[rows[first]])
    enough = np.maximum(np.sqrt(all_headlines), MIN_HEADLINES_AND_DAYS)[source]
    long = np.clip(lifetime / 2, MIN_SPAN_DAYS, SUFFICIENT_SPAN_DAYS)[source]
    made = (headlines >= enough) & (days >= MIN_HEADLINES_AND_DAYS) & (spread >= long)
    return known[made], headlines[made], int((lifetime < MIN_SPAN_DAYS).sum())


def count_distinct_values(keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the different keys, sorted, how many different values each has, and how far apart these lie.

    >>> count_distinct_values(np.array([7, 3, 7, 7]), np.array([1, 1, 5, 5]))
    (array([3, 7]), array([1, 2]), array([0, 4]))
    """
    order = np.lexsort((values, keys))
    keys, values = keys[order], values[order]
    new = np.ones(len(keys), bool)
    new[1:] = (keys[1:] != keys[:-1]) | (values[1:] != values[:-1])
    values = values[new]
    found, first, counts = np.unique(keys[new], return_index=True, return_counts=True)
    return found, counts, values[first + counts - 1] - values[first]


def collect_passage_texts(
    batches: Iterable[pa.RecordBatch], keys: np.ndarray, counts: np.ndarray
) -> dict[str, dict[str, int]]:
    """Return for each source the passages with some keys, which are sorted, and their counts."""
    sources: dict[str, dict[str, int]] = {}
    missing = np.ones(len(keys), bool)
    for batch in batches:
        if not missing.any():
            continue  # a corpus is read to its end, for its rejects
        articles = select_with_date(select_with_source(batch))
        texts, passages = read_passages(articles)
        data, _ = get_utf8_buffers(texts)
        found = np.flatnonzero(is_in_sorted(passages.keys, keys[missing]))
        _, first = np.unique(passages.keys[found], return_index=True)
        for place in found[first].tolist():
            row = int(passages.rows[place])
            n = int(np.searchsorted(keys, passages.keys[place]))
            start, end = passages.spans[place].tolist()
            passage = normalize_spaces(data[start:end].tobytes().decode())
            sources.setdefault(articles["source"][row].as_py(), {})[passage] = int(counts[n])
            missing[n] = False
    return sources
