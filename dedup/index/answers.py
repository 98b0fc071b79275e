"""Rows of an index → answers that people and programs read; and what the versions of an id are called."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dedup.errors import IndexingError
from dedup.index.storage.backend import IndexRow, StorageBackend
from dedup.matching.classifier import NO_RELATION, Match
from dedup.matching.evidence import EVIDENCE_COUNT
from dedup.pipeline.results import FOLLOWUP_NAME, SCORE_DIGITS, build_verdict_object, to_evidence_dict
from dedup.settings.settings import RELATIONS

EVIDENCE_BYTES = 4 * EVIDENCE_COUNT
"""Of a match: float32."""
FORMAT_1_EVIDENCE_BYTES = 4 * 27
"""Of a match in an index of the first format, whose columns are the first ones of today."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an index says of an article."""

    id: str
    """As it was given."""
    version: int
    """1, or more where the id came before with another text."""
    match: Match | None
    """What it repeats, and why; None: it is new, and kept."""
    again: bool
    """The same id and text came before, and this is the answer of that time."""
    storyline: str
    """The name of the first article of its affair; its own where it begins one."""
    link: Match | None = None
    """Of a kept article that follows another: which one, and why; its relation is `followup`."""

    @property
    def name(self) -> str:
        """Return what matches call the article."""
        return format_version_name(self.id, self.version)


@dataclass(frozen=True, slots=True)
class CorpusAnswers:
    """What an index says of the articles of a corpus, by position: what `dedup.pipeline.writers` writes out."""

    by_position: Sequence[Answer]
    new_only: bool = False
    """An article that came before is not kept again."""

    @property
    def ids(self) -> list[str]:
        """Return what matches call the articles."""
        return [answer.name for answer in self.by_position]

    @property
    def kept_positions(self) -> np.ndarray:
        """Return the positions of the articles kept."""
        return np.flatnonzero([is_kept(answer, new_only=self.new_only) for answer in self.by_position])

    def verdict(self, a: int) -> dict[str, Any]:
        """Return the `dedup` object of the article at position `a`."""
        return build_answer_verdict(self.by_position[a])

    def get_evidence(self, a: int) -> dict[str, float]:
        """Return the evidence against the article at position `a`."""
        return get_answer_evidence(self.by_position[a])


def is_kept(answer: Answer, *, new_only: bool = False) -> bool:
    """Return whether an article is passed on; with `new_only`, not a second time."""
    return answer.match is None and not (new_only and answer.again)


def build_answer_verdict(answer: Answer) -> dict[str, Any]:
    """Return the `dedup` object of an article as it is written out; `again` is in it where it is true."""
    match, link = answer.match, answer.link
    found = build_verdict_object(
        match.canonical if match else answer.name,
        match.relation if match else None,
        match.score if match else None,
        answer.storyline,
        (link.canonical, link.score) if link else None,
    )
    return {**found, **({"again": True} if answer.again else {})}


def get_answer_evidence(answer: Answer) -> dict[str, float]:
    """Return the evidence against an article; none if it is kept."""
    return answer.match.evidence if answer.match else {}


def find_history(backend: StorageBackend, article: str) -> list[Answer]:
    """Return what was decided on an article, given by its id or by the name of one version, in the order of versions."""
    return build_past_answers(
        backend, backend.get_rows_by_id([article]) or find_version_rows(backend, article)
    )


def find_cluster_answers(backend: StorageBackend, article: str) -> list[Answer]:
    """Return the kept article of the story of which an article of some name is, and then all that repeat it."""
    found = find_version_rows(backend, article)
    if not found:
        return []
    leader = found[0].leader
    return build_past_answers(backend, [*backend.get_rows_at([leader]), *backend.get_duplicates(leader)])


def find_version_rows(backend: StorageBackend, article: str) -> list[IndexRow]:
    """Return the row of the article that matches call so, if there is one."""
    rows = backend.get_rows_by_id(sorted({article, parse_base_id(article)}))
    return [row for row in rows if format_version_name(row.id, row.version) == article]


def build_past_answers(backend: StorageBackend, rows: Sequence[IndexRow]) -> list[Answer]:
    """Return what rows say, as it was answered when they came."""
    return build_answers(backend, rows, {row.position for row in rows})


def build_answers(backend: StorageBackend, rows: Sequence[IndexRow], fresh: set[int]) -> list[Answer]:
    """Return what rows say; an article that stands twice in a batch came before, the second time."""
    kept = fetch_related_rows(backend, rows)
    answers = []
    for row in rows:
        answers.append(build_answer(row, kept, again=row.position not in fresh))
        fresh.discard(row.position)
    return answers


def fetch_related_rows(backend: StorageBackend, rows: Sequence[IndexRow]) -> Mapping[int, IndexRow]:
    """Return the rows of the articles that some articles repeat, and of those that these or those follow, by position."""
    known = {row.position: row for row in rows}
    for column in ("leader", "follows"):
        others = sorted({getattr(row, column) for row in known.values()} - known.keys())
        known |= {row.position: row for row in (backend.get_rows_at(others) if others else [])}
    return known


def build_answer(row: IndexRow, kept: Mapping[int, IndexRow], *, again: bool) -> Answer:
    """Return what a row says of its article; `kept` holds the rows of what it repeats and follows, by position."""
    match, link = read_row_match(row, kept), read_row_link(row, kept)
    leader = kept.get(row.leader)
    first = kept.get(leader.follows) if leader else None
    if not first:
        raise make_damaged_row_error(row)
    return Answer(row.id, row.version, match, again, format_version_name(first.id, first.version), link)


def check_match(row: IndexRow, kept: Mapping[int, IndexRow]) -> None:
    """Raise IndexingError where what a row says of its match, to one of some `kept` rows, cannot be."""
    if row.leader not in kept or not 0 <= row.relation < len(RELATIONS) or not has_valid_evidence(row):
        raise make_damaged_row_error(row)


def has_valid_evidence(row: IndexRow) -> bool:
    """Return whether the score and the evidence of a match or link are some."""
    return (
        0 <= row.score <= 1
        and len(row.evidence) in {EVIDENCE_BYTES, FORMAT_1_EVIDENCE_BYTES}
        and bool(np.isfinite(np.frombuffer(row.evidence, "<f4")).all())
    )


def make_damaged_row_error(row: IndexRow) -> IndexingError:
    """Return the error of an index that says of an article what cannot be."""
    return IndexingError(
        f"the index is damaged: what it says of article {row.id!r} cannot be; `dedup index verify` says more"
    )


def read_row_match(row: IndexRow, kept: Mapping[int, IndexRow]) -> Match | None:
    """Return the match that a row records; None if its article is kept."""
    if row.relation == NO_RELATION:
        return None
    check_match(row, kept)
    return build_recorded_match(row, kept[row.leader], RELATIONS[row.relation])


def read_row_link(row: IndexRow, kept: Mapping[int, IndexRow]) -> Match | None:
    """Return how a kept article follows another, as its row records it; None if it is dropped or follows none."""
    if row.relation != NO_RELATION or row.follows == row.position:
        return None
    if row.follows not in kept or not has_valid_evidence(row):
        raise make_damaged_row_error(row)
    return build_recorded_match(row, kept[row.follows], FOLLOWUP_NAME)


def build_recorded_match(row: IndexRow, other: IndexRow, relation: str) -> Match:
    """Return the match or link with another article that a row records."""
    return Match(
        id=format_version_name(row.id, row.version),
        canonical=format_version_name(other.id, other.version),
        relation=relation,
        score=round(row.score, SCORE_DIGITS),
        evidence=to_evidence_dict(np.frombuffer(row.evidence, "<f4"), relation),
    )


def format_version_name(article_id: str, version: int) -> str:
    """Return what an article is called whose id came before with other texts, as in a run without an index.

    >>> format_version_name("a", 1), format_version_name("a", 2)
    ('a', 'a#2')
    """
    return article_id if version == 1 else f"{article_id}#{version}"


def parse_base_id(name: str) -> str:
    """Return the id of which a name could be a later version; the name itself where it could not.

    >>> parse_base_id("a#2"), parse_base_id("a")
    ('a', 'a')
    """
    base, _, number = name.rpartition("#")
    return base if number.isdecimal() else name


def find_new_articles(
    keys: Sequence[tuple[str, int]], before: Sequence[IndexRow], is_id: Callable[[str], bool]
) -> tuple[list[int], list[int]]:
    """Return the places of the articles of a batch, given as (id, telling), that did not come before, and their versions.

    `before` are the rows of all versions of these ids, and of the ids of which these could be later versions;
    `is_id` says whether a name is the id of an article that was given one like it.
    """
    seen = {(row.id, row.telling) for row in before}
    names = {format_version_name(row.id, row.version) for row in before}
    latest: dict[str, int] = {}
    for row in before:
        latest[row.id] = max(row.version, latest.get(row.id, 0))
    new, versions = [], []
    for a, key in enumerate(keys):
        if key in seen:
            continue
        version = latest.get(key[0], 0) + 1
        while (name := format_version_name(key[0], version)) in names or (version > 1 and is_id(name)):
            version += 1
        seen.add(key)
        names.add(name)
        latest[key[0]] = version
        new.append(a)
        versions.append(version)
    return new, versions
