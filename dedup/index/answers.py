"""Turn rows of an index into answers for people and programs, and name the versions of an id."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dedup.errors import IndexingError
from dedup.index.storage.backend import IndexRow, StorageBackend, make_damage_error
from dedup.matching.classifier import NO_RELATION, Match
from dedup.matching.evidence_columns import EVIDENCE_COUNT
from dedup.pipeline.results import FOLLOWUP_NAME, SCORE_DIGITS, build_verdict_object, to_evidence_dict
from dedup.settings.settings import RELATIONS

EVIDENCE_BYTES = 4 * EVIDENCE_COUNT
"""The evidence of a match: float32."""
FORMAT_1_EVIDENCE_BYTES = 4 * 27
"""The evidence of a match in an index of the first format: the first columns of today's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision of an index on an article."""

    id: str
    """As given."""
    version: int
    """1 for the first text of an id, 2 for the second, and so on."""
    match: Match | None
    """The kept article that it repeats, and the evidence; None if it is new, and kept."""
    again: bool
    """Whether the index already had the same id and text; then this is the earlier answer."""
    storyline: str
    """The name of the first article of its storyline; its own where it begins one."""
    link: Match | None = None
    """For a kept article that follows another: that one, and the evidence; its relation is `followup`."""

    @property
    def name(self) -> str:
        """Return the name of the article in matches: its id, and its version after the first."""
        return format_version_name(self.id, self.version)


@dataclass(frozen=True, slots=True)
class CorpusAnswers:
    """The answers of an index for a corpus, by position, for `dedup.pipeline.writers` to write."""

    by_position: Sequence[Answer]
    new_only: bool = False
    """Whether an article that the index already had counts as not kept."""

    @property
    def ids(self) -> list[str]:
        """Return the names of the articles in matches."""
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
    """Return whether an article is passed on; with `new_only`, it is passed on only once."""
    return answer.match is None and not (new_only and answer.again)


def build_answer_verdict(answer: Answer) -> dict[str, Any]:
    """Return the `dedup` object of an article as it is written; it holds `again` only where that is true."""
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
    """Return the decisions on an article, given by its id or the name of one version, in the order of versions."""
    return build_past_answers(
        backend, backend.get_rows_by_id([article]) or find_version_rows(backend, article)
    )


def find_cluster_answers(backend: StorageBackend, article: str) -> list[Answer]:
    """Return the kept article of the story of the named article, and then all articles that repeat it."""
    found = find_version_rows(backend, article)
    if not found:
        return []
    leader = found[0].leader
    return build_past_answers(backend, [*backend.get_rows_at([leader]), *backend.get_duplicates(leader)])


def find_version_rows(backend: StorageBackend, article: str) -> list[IndexRow]:
    """Return the row of the article with this name in matches, in a list; empty if there is none."""
    rows = backend.get_rows_by_id(sorted({article, parse_base_id(article)}))
    return [row for row in rows if format_version_name(row.id, row.version) == article]


def build_past_answers(backend: StorageBackend, rows: Sequence[IndexRow]) -> list[Answer]:
    """Return the answers that were given when the articles of the rows came."""
    return build_answers(backend, rows, {row.position for row in rows})


def build_answers(backend: StorageBackend, rows: Sequence[IndexRow], fresh: set[int]) -> list[Answer]:
    """Return the answers for rows; the articles at the positions in `fresh` are new.

    If a new article is in the rows twice, only the first answer says that it is new.
    """
    kept = fetch_leaders_and_followed(backend, rows)
    answers = []
    for row in rows:
        answers.append(build_answer(row, kept, backend.name, again=row.position not in fresh))
        fresh.discard(row.position)
    return answers


def fetch_leaders_and_followed(backend: StorageBackend, rows: Sequence[IndexRow]) -> Mapping[int, IndexRow]:
    """Return the rows, those of the articles that they repeat, and those of the articles that either follow, by position."""
    known = {row.position: row for row in rows}
    for column in ("leader", "follows"):
        others = sorted({getattr(row, column) for row in known.values()} - known.keys())
        known |= {row.position: row for row in (backend.get_rows_at(others) if others else [])}
    return known


def build_answer(row: IndexRow, kept: Mapping[int, IndexRow], name: str, *, again: bool) -> Answer:
    """Return the answer for a row of the index `name`; `kept` holds the rows of all articles that it refers to."""
    match, link = read_row_match(row, kept, name), read_row_link(row, kept, name)
    leader = kept.get(row.leader)
    first = kept.get(leader.follows) if leader else None
    if not first:
        raise make_damaged_row_error(row, name)
    return Answer(row.id, row.version, match, again, format_version_name(first.id, first.version), link)


def check_match(row: IndexRow, kept: Mapping[int, IndexRow], name: str) -> None:
    """Raise IndexingError where the match of a row is impossible, or its article is not among the `kept` rows."""
    if row.leader not in kept or not 0 <= row.relation < len(RELATIONS) or not has_valid_evidence(row):
        raise make_damaged_row_error(row, name)


def has_valid_evidence(row: IndexRow) -> bool:
    """Return whether the score of a match or link is in [0, 1] and its evidence complete and finite."""
    return (
        0 <= row.score <= 1
        and len(row.evidence) in {EVIDENCE_BYTES, FORMAT_1_EVIDENCE_BYTES}
        and bool(np.isfinite(np.frombuffer(row.evidence, "<f4")).all())
    )


def make_damaged_row_error(row: IndexRow, name: str) -> IndexingError:
    """Return the error of an index with an impossible row."""
    return make_damage_error(name, f"its row of article {row.id!r} is impossible")


def read_row_match(row: IndexRow, kept: Mapping[int, IndexRow], name: str) -> Match | None:
    """Return the match that a row records; None if its article is kept."""
    if row.relation == NO_RELATION:
        return None
    check_match(row, kept, name)
    return build_recorded_match(row, kept[row.leader], RELATIONS[row.relation])


def read_row_link(row: IndexRow, kept: Mapping[int, IndexRow], name: str) -> Match | None:
    """Return the link of a kept article to another, as its row records it; None if it is dropped or follows no other."""
    if row.relation != NO_RELATION or row.follows == row.position:
        return None
    if row.follows not in kept or not has_valid_evidence(row):
        raise make_damaged_row_error(row, name)
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
    """Return the name of a version of an article, as in a run without an index.

    >>> format_version_name("a", 1), format_version_name("a", 2)
    ('a', 'a#2')
    """
    return article_id if version == 1 else f"{article_id}#{version}"


def parse_base_id(name: str) -> str:
    """Return the id whose later version a name could be; the name itself where there is no such id.

    >>> parse_base_id("a#2"), parse_base_id("a")
    ('a', 'a')
    """
    base, _, number = name.rpartition("#")
    return base if number.isdecimal() else name


def find_new_articles(
    keys: Sequence[tuple[str, int]], before: Sequence[IndexRow], is_id: Callable[[str], bool]
) -> tuple[list[int], list[int]]:
    """Return the slots of the articles of a batch, given as (id, telling), that the index does not have, and their versions.

    `before` holds the rows of all versions of these ids, and of the ids whose later versions these could name. `is_id` returns
    whether a name is the id of an article: no version takes such a name.
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
