"""Match one corpus against another: press releases against news, or a test set against a training set.

Articles of one corpus are never compared with each other. Candidates come from the same index of bands and terms as in a
run, so a pair that shares few words may be missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import numpy as np
import pyarrow as pa

from dedup.io.corpus import Corpus
from dedup.matching.classifier import NO_RELATION
from dedup.matching.pair_scoring import classify_pairs, iter_candidate_pairs
from dedup.pipeline.deduplicate import deduplicate_ids, make_sketch_store, sketch_batches
from dedup.pipeline.inputs import ArticleInput
from dedup.settings.settings import RELATIONS, Settings
from dedup.sketches.sketch import Sketches
from dedup.text.boilerplate.passages import remove_boilerplate
from dedup.text.shared_passages import find_shared_passages

__all__ = ["MIN_SHARE", "CorpusMatch", "match_corpora"]

MIN_SHARE = 0.2
"""By default, pairs that share this much of either article are matches, even if none is a copy of the other."""
MAX_PASSAGES = 3
A_FIRST, B_FIRST = "a to b", "b to a"


@dataclass(frozen=True, slots=True)
class CorpusMatch:
    """An article of corpus A and an article of corpus B that shares text with it."""

    a: str
    b: str
    relation: str | None
    """The relation of A's article to B's, seen from A: an excerpt is a part of B's article. None if none applies."""
    score: float
    """The score of the relation, or 0."""
    a_share: float
    """The share of the words (3-shingles) of A's article that B's has."""
    b_share: float
    direction: str | None
    """"a to b" if A's article is older, "b to a" if it is younger; None if a date is missing or both are equal."""
    lag_seconds: int | None
    """How much later B's article is; negative if it is older."""
    passages: tuple[str, ...]
    """The longest passages of A's article that B's has too."""


@dataclass(frozen=True, slots=True)
class MatchedPair:
    """A match by position, before the texts are read again."""

    a: int
    b: int
    relation: int
    score: float
    a_share: float
    b_share: float


def match_corpora(
    first: Corpus | ArticleInput,
    second: Corpus | ArticleInput,
    settings: Settings,
    *,
    min_share: float = MIN_SHARE,
) -> Iterator[CorpusMatch]:
    """Yield the matches of each article of the first corpus, in its order, the largest share first."""
    store = make_sketch_store(settings)
    identities, sketches = sketch_batches(chain(first, second), settings, None, store)
    count = sum(batch.num_rows for batch in first.read_again())
    ids = [rename_ids(identities, sketches, part) for part in (slice(0, count), slice(count, None))]
    pairs = find_matched_pairs(sketches, count, settings, min_share)
    wanted = [sorted({pair.a for pair in pairs}), sorted({pair.b - count for pair in pairs})]
    texts = [
        read_texts(source, positions, settings)
        for source, positions in zip((first, second), wanted, strict=True)
    ]
    dates = identities["published"].to_pylist()
    for pair in pairs:
        yield CorpusMatch(
            ids[0][pair.a],
            ids[1][pair.b - count],
            None if pair.relation == NO_RELATION else RELATIONS[pair.relation],
            pair.score,
            pair.a_share,
            pair.b_share,
            *compare_dates(dates[pair.a], dates[pair.b]),
            tuple(find_shared_passages(texts[0][pair.a], texts[1][pair.b - count], MAX_PASSAGES)),
        )


def rename_ids(identities: pa.Table, sketches: Sketches, part: slice) -> list[str]:
    """Return the ids of one corpus as a run gives them: unique but for repeats of the input."""
    table = identities.slice(part.start, None if part.stop is None else part.stop - part.start)
    unique, _, _ = deduplicate_ids(table, sketches.content_hashes[part])
    names: list[str] = unique["id"].to_pylist()
    return names


def find_matched_pairs(
    sketches: Sketches, count: int, settings: Settings, min_share: float
) -> list[MatchedPair]:
    """Return the pairs of articles of A (the first `count`) and of B that match, in the order of A."""
    total = len(sketches.text_hashes)
    is_first = np.arange(total) < count
    order = np.concatenate([np.arange(count, total), np.arange(count)])
    matches: list[MatchedPair] = []
    for pairs in iter_candidate_pairs(sketches, order, settings, query_mask=is_first, index_mask=~is_first):
        relations, scores, shares = classify_pairs(sketches, pairs, settings)
        is_match = (relations != NO_RELATION) | (shares.max(axis=1, initial=0) >= min_share)
        matches += [
            MatchedPair(
                int(pairs[k, 1]),
                int(pairs[k, 0]),
                int(relations[k]),
                float(scores[k]),
                *map(float, shares[k]),
            )
            for k in np.flatnonzero(is_match)
        ]
    return sorted(matches, key=lambda pair: (pair.a, -max(pair.a_share, pair.b_share), pair.b))


def read_texts(source: Corpus | ArticleInput, positions: Sequence[int], settings: Settings) -> dict[int, str]:
    """Return the texts without boilerplate of the articles at these positions (in rising order)."""
    texts: dict[int, str] = {}
    start = 0
    for batch in source.read_again():
        inside = [a for a in positions if start <= a < start + batch.num_rows]
        if inside:
            rows = batch.take(pa.array([a - start for a in inside]))
            texts.update(zip(inside, remove_boilerplate(rows, settings.boilerplate).to_pylist(), strict=True))
        start += batch.num_rows
    return texts


def compare_dates(a: datetime | None, b: datetime | None) -> tuple[str | None, int | None]:
    """Return the direction and the lag of two dates.

    >>> compare_dates(datetime(2031, 5, 4), datetime(2031, 5, 5))
    ('a to b', 86400)
    """
    if a is None or b is None:
        return None, None
    lag = round((b - a).total_seconds())
    return (A_FIRST if lag > 0 else B_FIRST if lag < 0 else None), lag
