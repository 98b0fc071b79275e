"""A result and its sketches → the pairs about which a person's answer is worth most, with what a person must see of them.

In: what a run found, and the pairs that were judged before. Out: `Question`s: pairs nearest the threshold on both sides,
no two of one story; and among them, every tenth, one that the model is sure of, so that answers can be checked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa

from dedup.evaluation.near_threshold import Nearby, matched_pairs, missed_pairs, nearest_pairs
from dedup.io.schema import SCHEMA
from dedup.pipeline.results import Result
from dedup.sketches.sketch import Sketches
from dedup.text.boilerplate.passages import plain
from dedup.text.boilerplate.profile import Learned
from dedup.text.shared_passages import single_words

__all__ = ["Question", "Seen", "chosen", "only_in", "seen"]

CHECK_EVERY = 10
POOL = 40
"""So many pairs for each question are looked through, to find some of different stories."""
LEAD_WORDS = 90
MOST_NAMED = 12


class Question(NamedTuple):
    """A pair to ask about, by position."""

    kept: int
    other: int
    log_odds: float
    expected: bool | None
    """Whether a check should be answered as belonging together at the level; None where the answer is wanted for itself."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person is shown of an article."""

    id: str
    title: str | None
    source: str | None
    published: datetime | None
    lead: str
    """The first words of the text, furniture left out."""
    text: str


def chosen(
    result: Result, sketches: Sketches, judged: Collection[frozenset[str]], most: int
) -> list[Question]:
    """Return at most so many questions, those nearest the threshold first, of pairs that were not judged before."""
    wanted = nearest_pairs(result, sketches, most * POOL)
    sure = certain(result, sketches)
    used: set[int] = set()
    near = fresh(wanted, result, judged, used)
    checks = fresh(sure, result, judged, used)
    questions: list[Question] = []
    while len(questions) < most:
        check = len(questions) % CHECK_EVERY == CHECK_EVERY - 1
        pair = next(checks, None) if check else next(near, None)
        if pair is None and check:
            pair, check = next(near, None), False
        if pair is None:
            break
        expected = pair.matched if check else None
        questions.append(Question(pair.kept, pair.other, pair.log_odds, expected))
    return questions


def certain(result: Result, sketches: Sketches) -> list[Nearby]:
    """Return rewrites and misses by turns, those first that lie furthest from the threshold."""
    matches = sorted(matched_pairs(result), key=lambda pair: -pair.log_odds)
    misses = sorted(missed_pairs(result, sketches), key=lambda pair: pair.log_odds)
    return [pair for both in zip(matches, misses, strict=False) for pair in both]


def fresh(
    pairs: Iterable[Nearby], result: Result, judged: Collection[frozenset[str]], used: set[int]
) -> Iterator[Nearby]:
    """Yield pairs that were not judged before, none of a story that was used; note what is."""
    leaders = result.assignments.leaders
    for pair in pairs:
        stories = {int(leaders[pair.kept]), int(leaders[pair.other])}
        if stories & used or frozenset((result.ids[pair.kept], result.ids[pair.other])) in judged:
            continue
        used |= stories
        yield pair


def seen(
    corpus: Iterable[pa.RecordBatch], result: Result, positions: Iterable[int], learned: Learned | None
) -> dict[int, Seen]:
    """Return what is shown of the articles at some positions, from another pass over the corpus."""
    wanted = sorted(set(positions))
    found: dict[int, Seen] = {}
    start = 0
    for batch in corpus:
        for position in wanted:
            if start <= position < start + batch.num_rows:
                article = batch.slice(position - start, 1)
                found[position] = seen_of(result.ids[position], article, learned)
        start += batch.num_rows
    return found


def seen_of(name: str, article: pa.RecordBatch, learned: Learned | None) -> Seen:
    """Return what is shown of one article, a batch of one."""
    row: Mapping[str, Any] = article.select(SCHEMA.names).to_pylist()[0]
    text = plain(article, learned)[0].as_py() or row["text"]
    words = single_words(text)
    end = words[LEAD_WORDS - 1].end if len(words) > LEAD_WORDS else len(text)
    return Seen(
        id=name,
        title=row["title"],
        source=row["source"],
        published=row["published"],
        lead=text[:end].strip() + (" …" if end < len(text) else ""),
        text=text,
    )


def only_in(one: Seen, other: Seen) -> list[str]:
    """Return the names and numbers of the title and lead of one article that the other has nowhere, in their order.

    A name is a word with a capital letter; so now and then a word is taken for one.
    """
    theirs = {word.folded for word in single_words(f"{other.title or ''}\n{other.text}")}
    told = f"{one.title or ''}\n{one.lead}"
    missing: dict[str, str] = {}
    for word in single_words(told):
        written = told[word.start : word.end]
        if (written[0].isupper() or written[0].isdecimal()) and word.folded not in theirs:
            missing.setdefault(word.folded, written)
    return list(missing.values())[:MOST_NAMED]
