"""Select the pairs that are most useful to label, and read their articles for a person to compare.

The pairs are those nearest the threshold on both sides that have no label yet, no two of the same story.
Every tenth pair is a check, one that the model is certain of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa

from dedup.evaluation.near_threshold import (
    NearThresholdPair,
    find_missed_pairs,
    find_nearest_pairs,
    list_matched_pairs,
)
from dedup.io.schema import SCHEMA
from dedup.pipeline.results import Result
from dedup.sketches.sketch import Sketches
from dedup.text.boilerplate.passages import remove_boilerplate
from dedup.text.boilerplate.profile import BoilerplateProfile
from dedup.text.shared_passages import split_words

__all__ = ["Question", "ReviewArticle", "find_own_terms", "read_review_articles", "select_questions"]

CHECK_EVERY = 10
PAIRS_PER_QUESTION = 40
"""Pairs considered for each question, so that enough of them are of different stories."""
REVIEW_LEAD_WORDS = 90
MAX_NAMES = 12


class Question(NamedTuple):
    """A pair to ask about, by position."""

    kept: int
    other: int
    log_odds: float
    expected: bool | None
    """For a check, the model's answer: whether the two belong together at the level. Otherwise None."""


@dataclass(frozen=True, slots=True)
class ReviewArticle:
    """An article as a reviewer sees it."""

    id: str
    title: str | None
    source: str | None
    published: datetime | None
    lead: str
    """The first words of the text, without boilerplate."""
    text: str


def select_questions(
    result: Result, sketches: Sketches, judged: Collection[frozenset[str]], limit: int
) -> list[Question]:
    """Return at most `limit` questions about pairs without a label, nearest the threshold first."""
    nearest = find_nearest_pairs(result, sketches, limit * PAIRS_PER_QUESTION)
    sure = rank_certain_pairs(result, sketches)
    used: set[int] = set()
    near = filter_unjudged_pairs(nearest, result, judged, used)
    checks = filter_unjudged_pairs(sure, result, judged, used)
    questions: list[Question] = []
    while len(questions) < limit:
        check = len(questions) % CHECK_EVERY == CHECK_EVERY - 1
        pair = next(checks, None) if check else next(near, None)
        if pair is None and check:
            pair, check = next(near, None), False
        if pair is None:
            break
        expected = pair.matched if check else None
        questions.append(Question(pair.kept, pair.other, pair.log_odds, expected))
    return questions


def rank_certain_pairs(result: Result, sketches: Sketches) -> list[NearThresholdPair]:
    """Return matches and misses alternately, furthest from the threshold first."""
    matches = sorted(list_matched_pairs(result), key=lambda pair: -pair.log_odds)
    misses = sorted(find_missed_pairs(result, sketches), key=lambda pair: pair.log_odds)
    return [pair for both in zip(matches, misses, strict=False) for pair in both]


def filter_unjudged_pairs(
    pairs: Iterable[NearThresholdPair], result: Result, judged: Collection[frozenset[str]], used: set[int]
) -> Iterator[NearThresholdPair]:
    """Yield pairs without a label whose stories are not in `used`, and add their stories to it."""
    leaders = result.assignments.leaders
    for pair in pairs:
        stories = {int(leaders[pair.kept]), int(leaders[pair.other])}
        if stories & used or frozenset((result.ids[pair.kept], result.ids[pair.other])) in judged:
            continue
        used |= stories
        yield pair


def read_review_articles(
    corpus: Iterable[pa.RecordBatch],
    result: Result,
    positions: Iterable[int],
    learned: BoilerplateProfile | None,
) -> dict[int, ReviewArticle]:
    """Return the articles at these positions as a reviewer sees them; this reads the corpus again."""
    ordered = sorted(set(positions))
    review_articles: dict[int, ReviewArticle] = {}
    start = 0
    for batch in corpus:
        for position in ordered:
            if start <= position < start + batch.num_rows:
                article = batch.slice(position - start, 1)
                review_articles[position] = make_review_article(result.ids[position], article, learned)
        start += batch.num_rows
    return review_articles


def make_review_article(
    name: str, article: pa.RecordBatch, learned: BoilerplateProfile | None
) -> ReviewArticle:
    """Return an article (a batch of one) as a reviewer sees it."""
    row: Mapping[str, Any] = article.select(SCHEMA.names).to_pylist()[0]
    text = remove_boilerplate(article, learned)[0].as_py() or row["text"]
    words = split_words(text)
    end = words[REVIEW_LEAD_WORDS - 1].end if len(words) > REVIEW_LEAD_WORDS else len(text)
    return ReviewArticle(
        id=name,
        title=row["title"],
        source=row["source"],
        published=row["published"],
        lead=text[:end].strip() + (" …" if end < len(text) else ""),
        text=text,
    )


def find_own_terms(one: ReviewArticle, other: ReviewArticle) -> list[str]:
    """Return the names and numbers in the title and lead of one article that the other lacks, in text order.

    Any capitalised word counts as a name.
    """
    other_words = {word.folded for word in split_words(f"{other.title or ''}\n{other.text}")}
    shown_text = f"{one.title or ''}\n{one.lead}"
    missing: dict[str, str] = {}
    for word in split_words(shown_text):
        written = shown_text[word.start : word.end]
        if (written[0].isupper() or written[0].isdecimal()) and word.folded not in other_words:
            missing.setdefault(word.folded, written)
    return list(missing.values())[:MAX_NAMES]
