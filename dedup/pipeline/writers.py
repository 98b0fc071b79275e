"""Results → lines of JSON: clusters, kept and dropped articles, each article with what became of it.

In: a `Result`, and its corpus, which is read a second time so that no article is held in memory in
between. Out: records and lines for `dedup.io.atomic_write`. The articles themselves are written as they were read.
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
"""So many articles are taken from their table at once, and so many of these are made rows of at once."""
SPOOL_BYTES = 16 << 20
"""Canonical articles beyond so many bytes wait on the disk for their place among the clusters."""


class RereadableCorpus(Protocol):
    """A corpus that can be read twice: as batches of articles, and as the records that they were."""

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of articles."""

    def iter_records(self) -> Iterator[Record]:
        """Yield the articles as they stood in their files, in the same order."""


class ArticleDecisions(Protocol):
    """What became of the articles of a corpus, by position."""

    @property
    def ids(self) -> list[str]:
        """Return the ids."""

    @property
    def kept_positions(self) -> np.ndarray:
        """Return the positions of the articles kept."""

    def verdict(self, a: int) -> dict[str, Any]:
        """Return the `dedup` object of an article."""

    def get_evidence(self, a: int) -> dict[str, float]:
        """Return the evidence against an article that is dropped."""


class ProbeAborted(Exception):  # noqa: N818 - it never leaves this module
    """A file was opened only to see whether it can be."""


def iter_cluster_lines(result: Result, corpus: RereadableCorpus) -> Iterator[bytes]:
    """Yield each cluster of two or more as a line of JSON, largest first, with its canonical in full."""
    positions, ends = result.flatten_cluster_positions()
    heads = positions[np.concatenate([[0], ends[:-1]])] if len(ends) else positions
    bounds = np.zeros((len(result.articles), 2), np.int64)
    wanted = np.zeros(len(result.articles), bool)
    wanted[heads] = True
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as shelf:
        for position, record in enumerate(corpus.iter_records()):
            if wanted[position]:
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
    """Return one cluster as a line of JSON, with its canonical as a line of JSON that it was."""
    head = to_json_line({"cluster": cluster, "size": 1 + len(members), "storyline": storyline})
    return b'%b,"canonical":%b,"members":%b}' % (head[:-1], canonical, to_json_line(members))


def make_cluster_member(match: Match, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a duplicate as it stands in its cluster: what it is, and why it is there; `row` is what is remembered of it."""
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
    """Yield every article in the order of input, its fields untouched, with its `dedup` object."""
    for position, record in iter_numbered_records(result, corpus):
        yield record.with_dedup(result.verdict(position))


def iter_kept_records(result: ArticleDecisions, corpus: RereadableCorpus) -> Iterator[Record]:
    """Yield the articles that are kept, in the order of input, as they were read."""
    is_kept = make_kept_mask(result)
    return (record for position, record in iter_numbered_records(result, corpus) if is_kept[position])


def iter_dropped_lines(result: ArticleDecisions, corpus: RereadableCorpus) -> Iterator[bytes]:
    """Yield the articles that are dropped, in the order of input, each with why in its `dedup` object."""
    is_kept = make_kept_mask(result)
    for position, record in iter_numbered_records(result, corpus):
        if not is_kept[position]:
            yield record.with_dedup({**result.verdict(position), "evidence": result.get_evidence(position)})


def iter_numbered_records(result: ArticleDecisions, corpus: RereadableCorpus) -> Iterator[tuple[int, Record]]:
    """Yield each article with its position."""
    return zip(range(len(result.ids)), corpus.iter_records(), strict=True)


def make_kept_mask(result: ArticleDecisions) -> np.ndarray:
    """Return for each position whether its article is kept."""
    mask = np.zeros(len(result.ids), bool)
    mask[result.kept_positions] = True
    return mask


def iter_identity_rows(result: Result, positions: np.ndarray) -> Iterator[dict[str, Any]]:
    """Yield what is remembered of the articles at some positions (int64): id, title, source, published."""
    for start in range(0, len(positions), ROWS_PER_TAKE):
        taken = result.articles.take(pa.array(positions[start : start + ROWS_PER_TAKE]))
        for batch in taken.to_batches(max_chunksize=ROWS_PER_CONVERSION):
            yield from batch.to_pylist()


def describe_clusters(
    result: Result, corpus: RereadableCorpus, max_clusters: int
) -> list[list[dict[str, Any]]]:
    """Return the articles of the largest clusters, at most so many, canonical first, for people to read.

    An article is what is remembered of it, with its relation and score; one without a title has its first
    words for one. A canonical that is one of several chapters of a storyline has a `chapter`: see `find_chapter_numbers`.
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
    """Return (place, count) of each wanted kept article among the chapters of its storyline, where there are several."""
    found = {
        a: (n, len(stories)) for stories in result.list_chapters() for n, a in enumerate(stories, start=1)
    }
    return {a: found[a] for a in positions if a in found}


def read_openings(
    corpus: RereadableCorpus, positions: Iterable[int], learned: BoilerplateProfile | None
) -> dict[int, str]:
    """Return the first words of the articles at some positions, for those that have no title."""
    wanted = sorted(positions)
    found: dict[int, str] = {}
    start = 0
    for batch in corpus if wanted else ():
        for position in wanted:
            if start <= position < start + batch.num_rows:
                article = batch.slice(position - start, 1)
                found[position] = format_opening(remove_boilerplate(article, learned)[0].as_py())
        start += batch.num_rows
    return found


def check_output_path(path: str | None, corpus: Corpus | None = None) -> None:
    """Raise `OutputError` where a file cannot be written, or is one of a corpus, before the long work and not after it."""
    if path in (None, "-") or (Path(str(path)).exists() and not Path(str(path)).is_file()):
        return
    if corpus and corpus.has_file(str(path)):
        raise OutputError(f"cannot write {path}: it is one of the files that are read")
    with suppress(ProbeAborted), open_atomic(path):
        raise ProbeAborted
