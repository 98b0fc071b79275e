"""Write results as JSON lines: clusters, kept and dropped articles, or every article with its decision.

The corpus is read a second time, so no article is kept in memory in between. Articles are written as they
were read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from dedup.errors import OutputError
from dedup.io.atomic_write import open_atomic
from dedup.io.corpus import Corpus
from dedup.io.records import Record, to_json_line
from dedup.io.remote import is_url
from dedup.matching.classifier import Match
from dedup.pipeline.results import Result
from dedup.text.boilerplate.passages import remove_boilerplate
from dedup.text.boilerplate.profile import BoilerplateProfile
from dedup.text.shared_passages import format_opening

__all__ = [
    "RereadableCorpus",
    "check_output_path",
    "describe_clusters",
    "format_cluster_line",
    "iter_annotated_lines",
    "iter_cluster_lines",
    "iter_dropped_lines",
    "iter_kept_records",
    "make_cluster_member",
]

ROWS_PER_TAKE, ROWS_PER_CONVERSION = 1 << 16, 1 << 12
"""Articles taken from their table at a time, and articles converted to dicts at a time."""
SPOOL_BYTES = 16 << 20
"""Canonical articles beyond this size wait on disk until their cluster is written."""


class RereadableCorpus(Protocol):
    """A corpus that can be read twice: as batches of articles and as their records."""

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of articles."""

    def iter_records(self) -> Iterator[Record]:
        """Yield the articles as records of their files, in the same order."""


class ArticleDecisions(Protocol):
    """The decisions on the articles of a corpus, by position."""

    @property
    def ids(self) -> list[str]:
        """Return the ids."""

    @property
    def kept_positions(self) -> np.ndarray:
        """Return the positions of the kept articles."""

    def verdict(self, a: int) -> dict[str, Any]:
        """Return the `dedup` object of an article."""

    def get_evidence(self, a: int) -> dict[str, float]:
        """Return the evidence for the match of a dropped article."""


class ProbeAborted(Exception):  # noqa: N818 - it never leaves this module
    """Raised to close a file that was opened only to check that it can be written."""


def iter_cluster_lines(result: Result, corpus: RereadableCorpus) -> Iterator[bytes]:
    """Yield each cluster of two or more as a JSON line, largest first, with the full canonical article."""
    positions, ends = result.flatten_cluster_positions()
    heads = positions[np.concatenate([[0], ends[:-1]])] if len(ends) else positions
    bounds = np.zeros((len(result.articles), 2), np.int64)
    is_head = np.zeros(len(result.articles), bool)
    is_head[heads] = True
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as shelf:
        for position, record in enumerate(corpus.iter_records()):
            if is_head[position]:
                article = record.to_line().strip()
                bounds[position] = shelf.tell(), len(article)
                shelf.write(article)
        rows = zip(positions, iter_identity_rows(result, positions), strict=True)
        for size in np.diff(ends, prepend=0):
            (head, first), *others = islice(rows, size)
            start, length = bounds[head]
            shelf.seek(start)
            members = [
                make_cluster_member(result.make_match(a, row["id"], first["id"]), row) for a, row in others
            ]
            storyline = result.ids[result.assignments.storylines[head]]
            yield format_cluster_line(first["id"], storyline, shelf.read(length), members)


def format_cluster_line(
    cluster: str, storyline: str, canonical: bytes, members: list[dict[str, Any]]
) -> bytes:
    """Return one cluster as a JSON line; `canonical` is the JSON line of its kept article."""
    head = to_json_line({"cluster": cluster, "size": 1 + len(members), "storyline": storyline})
    return b'%b,"canonical":%b,"members":%b}' % (head[:-1], canonical, to_json_line(members))


def make_cluster_member(match: Match, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a duplicate as in its cluster's JSON; `row` has its title, source and date."""
    return {
        "id": match.id,
        "title": row["title"],
        "source": row["source"],
        "published": row["published"],
        "relation": match.relation,
        "score": match.score,
        "evidence": match.evidence,
    }


def iter_annotated_lines(result: ArticleDecisions, corpus: RereadableCorpus) -> Iterator[bytes]:
    """Yield every article in input order, its fields unchanged, with its `dedup` object."""
    for position, record in iter_numbered_records(result, corpus):
        yield record.with_dedup(result.verdict(position))


def iter_kept_records(result: ArticleDecisions, corpus: RereadableCorpus) -> Iterator[Record]:
    """Yield the kept articles in input order, unchanged."""
    is_kept = make_kept_mask(result)
    return (record for position, record in iter_numbered_records(result, corpus) if is_kept[position])


def iter_dropped_lines(result: ArticleDecisions, corpus: RereadableCorpus) -> Iterator[bytes]:
    """Yield the dropped articles in input order, each with the reason in its `dedup` object."""
    is_kept = make_kept_mask(result)
    for position, record in iter_numbered_records(result, corpus):
        if not is_kept[position]:
            yield record.with_dedup({**result.verdict(position), "evidence": result.get_evidence(position)})


def iter_numbered_records(result: ArticleDecisions, corpus: RereadableCorpus) -> Iterator[tuple[int, Record]]:
    """Yield each article with its position."""
    return zip(range(len(result.ids)), corpus.iter_records(), strict=True)


def make_kept_mask(result: ArticleDecisions) -> np.ndarray:
    """Return for each position whether its article is kept (bool)."""
    mask = np.zeros(len(result.ids), bool)
    mask[result.kept_positions] = True
    return mask


def iter_identity_rows(result: Result, positions: np.ndarray) -> Iterator[dict[str, Any]]:
    """Yield id, title, source and published of the articles at these positions (int64)."""
    for start in range(0, len(positions), ROWS_PER_TAKE):
        rows = result.articles.take(pa.array(positions[start : start + ROWS_PER_TAKE]))
        for batch in rows.to_batches(max_chunksize=ROWS_PER_CONVERSION):
            yield from batch.to_pylist()


def describe_clusters(
    result: Result, corpus: RereadableCorpus, max_clusters: int
) -> list[list[dict[str, Any]]]:
    """Return the articles of the largest `max_clusters` clusters, canonical first, for people to read.

    Each article has its identity columns, relation and score; without a title it has its first words as
    title. A canonical in a storyline of several chapters has the key "chapter", from `find_chapter_numbers`.
    """
    groups = result.list_cluster_positions()[:max_clusters]
    members = list(chain.from_iterable(groups))
    chapters = find_chapter_numbers(result, [group[0] for group in groups])
    leads = [int(result.assignments.storylines[a]) for a in chapters]
    positions = list(dict.fromkeys([*members, *leads]))
    rows = list(iter_identity_rows(result, np.array(positions, np.int64)))
    untitled = [position for position, row in zip(positions, rows, strict=True) if not row["title"]]
    first_words = read_openings(corpus, untitled, result.settings.boilerplate)
    articles = {
        position: {**row, **result.verdict(position), "title": row["title"] or first_words[position]}
        for position, row in zip(positions, rows, strict=True)
    }
    for (a, (place, count)), lead in zip(chapters.items(), leads, strict=True):
        articles[a]["chapter"] = {"place": place, "count": count, "title": articles[lead]["title"]}
    return [[articles[a] for a in group] for group in groups]


def find_chapter_numbers(result: Result, positions: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return (number, count) for each of `positions` that is one of several chapters of a storyline."""
    chapter_numbers = {
        a: (n, len(stories)) for stories in result.list_chapters() for n, a in enumerate(stories, start=1)
    }
    return {a: chapter_numbers[a] for a in positions if a in chapter_numbers}


def read_openings(
    corpus: RereadableCorpus, positions: Iterable[int], learned: BoilerplateProfile | None
) -> dict[int, str]:
    """Return the first words of the articles at these positions."""
    sorted_positions = sorted(positions)
    openings: dict[int, str] = {}
    start = 0
    for batch in corpus if sorted_positions else ():
        for position in sorted_positions:
            if start <= position < start + batch.num_rows:
                article = batch.slice(position - start, 1)
                openings[position] = format_opening(remove_boilerplate(article, learned)[0].as_py())
        start += batch.num_rows
    return openings


def check_output_path(path: str | None, corpus: Corpus | None = None) -> None:
    """Raise `OutputError` early if a file cannot be written or belongs to the corpus."""
    if path in (None, "-") or (
        not is_url(path) and Path(str(path)).exists() and not Path(str(path)).is_file()
    ):
        return
    if corpus and corpus.has_file(str(path)):
        raise OutputError(f"cannot write {path}: it is one of the files that are read")
    with suppress(ProbeAborted), open_atomic(path):
        raise ProbeAborted
