"""A corpus → the furniture of its sources: what one source prints again and again under different headlines.

In: batches of articles, twice: the first pass counts hashes, the second fetches the words of those that made it. Out:
`Learned`. Of each passage (`dedup.recurring`) sixteen bytes are held until it is counted, so a corpus takes far less memory
than its clustering. What the rules of `dedup.furniture` leave out is not learned again.

A passage is furniture where it stands under as many different headlines of its source as the square root of all of
them, and under five: a share alone would ask too much of a source with many articles, and a number alone too little. A story
that is printed many times has one headline. One that is told under ever new headlines has a day or two, so on five different
days the passage must have stood too, or on all days of its source. Of a text without a headline, the beginning is it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.articles import to_batches
from dedup.corpus import Corpus
from dedup.fields import SCHEMA
from dedup.furniture import cleaned_lines, cleaned_titles
from dedup.learned import Learned
from dedup.recurring import Passages, is_known, marks_of, passages_of
from dedup.words import utf8

__all__ = ["learn_furniture"]

LEAST = 5
"""Headlines, and days."""
DAY = 86_400
OPENING = 80
"""So many characters of a text are its headline where it has none."""
SPACES = re.compile(r"[ \t\r\v\f]+")

Progress = Callable[[int], None]
"""Is told how many more articles have been counted."""


class Seen(NamedTuple):
    """What is held of some articles, and of their passages."""

    sources: np.ndarray
    """uint64, of each article: a hash."""
    headlines: np.ndarray
    """uint64, of each article: a hash."""
    days: np.ndarray
    """int64, of each article: days since 1970; undated ones share a day."""
    rows: np.ndarray
    """int64, of each passage: its article."""
    keys: np.ndarray
    """uint64, of each passage."""


def learn_furniture(articles: Any, *, progress: Progress | None = None) -> Learned:
    """Return what recurs in the articles of each source and is no story.

    `articles` is what `deduplicate` takes. Articles without a source teach nothing. The result does not depend on their
    order, nor on how often an article is given. Errors: `InputError` for what cannot be read.
    """
    batches = articles if isinstance(articles, Corpus) else list(to_batches(articles))
    seen, skipped = tallied(batches, progress)
    keys, counts = furniture_among(seen)
    return Learned(worded(batches, keys, counts), len(seen.sources), skipped)


def tallied(batches: Iterable[pa.RecordBatch], progress: Progress | None) -> tuple[Seen, int]:
    """Return what the first pass sees, and how many articles have no source."""
    parts = [seen_in(pa.RecordBatch.from_pylist([], SCHEMA))]
    articles = skipped = 0
    for batch in batches:
        part = seen_in(sourced(batch))
        parts.append(part._replace(rows=part.rows + articles))
        articles += len(part.sources)
        skipped += batch.num_rows - len(part.sources)
        if progress:
            progress(batch.num_rows)
    return Seen(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True))), skipped


def sourced(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the articles of a batch that have a source."""
    return batch.filter(pc.not_equal(pc.fill_null(batch["source"], ""), ""))


def read(batch: pa.RecordBatch) -> tuple[pa.StringArray, Passages]:
    """Return the texts of a batch without what rules leave out, and their passages."""
    texts = cleaned_lines(batch["text"])
    return texts, passages_of(texts, batch["source"])


def seen_in(batch: pa.RecordBatch) -> Seen:
    """Return what is held of a batch."""
    texts, passages = read(batch)
    titles = pc.utf8_trim_whitespace(pc.utf8_lower(cleaned_titles(pc.fill_null(batch["title"], ""))))
    openings = pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(texts), 0, OPENING)
    headlines = pc.if_else(pc.equal(titles, ""), openings, titles)
    seconds = pc.fill_null(pc.cast(batch["published"], pa.int64()), -1)
    return Seen(
        marks_of(batch["source"]),
        marks_of(headlines),
        seconds.to_numpy(zero_copy_only=False) // DAY,
        passages.rows.astype(np.int64),
        passages.keys,
    )


def furniture_among(seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    """Return the keys of the passages that are furniture, sorted, and the number of headlines of each."""
    keys, counts = np.unique(seen.keys, return_counts=True)
    often = is_known(seen.keys, keys[counts >= LEAST])
    keys, rows = seen.keys[often], seen.rows[often]
    known, headlines = distinct(keys, seen.headlines[rows])
    _, days = distinct(keys, seen.days[rows])
    _, first = np.unique(keys, return_index=True)
    sources, all_headlines = distinct(seen.sources, seen.headlines)
    _, all_days = distinct(seen.sources, seen.days)
    source = np.searchsorted(sources, seen.sources[rows[first]])
    enough = np.maximum(np.sqrt(all_headlines), LEAST)[source]
    made = (headlines >= enough) & (days >= np.minimum(all_days, LEAST)[source])
    return known[made], headlines[made]


def distinct(keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different keys, sorted, and how many different values each has.

    >>> distinct(np.array([7, 3, 7, 7]), np.array([1, 1, 2, 2]))
    (array([3, 7]), array([1, 2]))
    """
    order = np.lexsort((values, keys))
    keys, values = keys[order], values[order]
    new = np.ones(len(keys), bool)
    new[1:] = (keys[1:] != keys[:-1]) | (values[1:] != values[:-1])
    found, counts = np.unique(keys[new], return_counts=True)
    return found, counts


def worded(
    batches: Iterable[pa.RecordBatch], keys: np.ndarray, counts: np.ndarray
) -> dict[str, dict[str, int]]:
    """Return for each source the passages with some keys, which are sorted, and their counts."""
    sources: dict[str, dict[str, int]] = {}
    missing = np.ones(len(keys), bool)
    for batch in batches:
        if not missing.any():
            continue  # a corpus is read to its end, for its rejects
        articles = sourced(batch)
        texts, passages = read(articles)
        data, _ = utf8(texts)
        found = np.flatnonzero(is_known(passages.keys, keys[missing]))
        _, first = np.unique(passages.keys[found], return_index=True)
        for place in found[first].tolist():
            row = int(passages.rows[place])
            n = int(np.searchsorted(keys, passages.keys[place]))
            start, end = passages.spans[place].tolist()
            passage = SPACES.sub(" ", data[start:end].tobytes().decode())
            sources.setdefault(articles["source"][row].as_py(), {})[passage] = int(counts[n])
            missing[n] = False
    return sources
