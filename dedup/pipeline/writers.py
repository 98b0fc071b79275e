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
from dedup.io.atomic_write import atomic_output
from dedup.io.corpus import Corpus
from dedup.io.records import Record, json_line
from dedup.matching.classifier import Match
from dedup.pipeline.results import Result
from dedup.text.boilerplate.passages import plain
from dedup.text.boilerplate.profile import Learned
from dedup.text.shared_passages import opening

__all__ = [
    "Readable",
    "annotated",
    "check_place",
    "cluster_line",
    "cluster_lines",
    "described",
    "dropped",
    "kept",
    "member",
]

TAKEN, ROWS = 1 << 16, 1 << 12
"""So many articles are taken from their table at once, and so many of these are made rows of at once."""
IN_MEMORY = 16 << 20
"""Canonical articles beyond so many bytes wait on the disk for their place among the clusters."""


class Readable(Protocol):
    """A corpus that can be read twice: as batches of articles, and as the records that they were."""

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Yield batches of articles."""

    def records(self) -> Iterator[Record]:
        """Yield the articles as they stood in their files, in the same order."""


class Verdicts(Protocol):
    """What became of the articles of a corpus, by position."""

    @property
    def ids(self) -> list[str]:
        """Return the ids."""

    @property
    def kept_positions(self) -> np.ndarray:
        """Return the positions of the articles kept."""

    def verdict(self, a: int) -> dict[str, Any]:
        """Return the `dedup` object of an article."""

    def evidence(self, a: int) -> dict[str, float]:
        """Return the evidence against an article that is dropped."""


class Abandoned(Exception):  # noqa: N818 - it never leaves this module
    """A file was opened only to see whether it can be."""


def cluster_lines(result: Result, corpus: Readable) -> Iterator[bytes]:
    """Yield each cluster of two or more as a line of JSON, largest first, with its canonical in full."""
    positions, ends = result.grouped()
    heads = positions[np.concatenate([[0], ends[:-1]])] if len(ends) else positions
    bounds = np.zeros((len(result.articles), 2), np.int64)
    wanted = np.zeros(len(result.articles), bool)
    wanted[heads] = True
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as shelf:
        for position, record in enumerate(corpus.records()):
            if wanted[position]:
                article = record.line().strip()
                bounds[position] = shelf.tell(), len(article)
                shelf.write(article)
        rows = zip(positions, rows_at(result, positions), strict=True)
        for size in np.diff(ends, prepend=0):
            (head, first), *others = islice(rows, size)
            start, length = bounds[head]
            shelf.seek(start)
            members = [member(result.match_of(a, row["id"], first["id"]), row) for a, row in others]
            storyline = result.ids[result.assignments.storylines[head]]
            yield cluster_line(first["id"], storyline, shelf.read(length), members)


def cluster_line(cluster: str, storyline: str, canonical: bytes, members: list[dict[str, Any]]) -> bytes:
    """Return one cluster as a line of JSON, with its canonical as a line of JSON that it was."""
    head = json_line({"cluster": cluster, "size": 1 + len(members), "storyline": storyline})
    return b'%b,"canonical":%b,"members":%b}' % (head[:-1], canonical, json_line(members))


def member(match: Match, row: Mapping[str, Any]) -> dict[str, Any]:
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


def annotated(result: Verdicts, corpus: Readable) -> Iterator[bytes]:
    """Yield every article in the order of input, its fields untouched, with its `dedup` object."""
    for position, record in numbered(result, corpus):
        yield record.with_dedup(result.verdict(position))


def kept(result: Verdicts, corpus: Readable) -> Iterator[Record]:
    """Yield the articles that are kept, in the order of input, as they were read."""
    is_kept = kept_mask(result)
    return (record for position, record in numbered(result, corpus) if is_kept[position])


def dropped(result: Verdicts, corpus: Readable) -> Iterator[bytes]:
    """Yield the articles that are dropped, in the order of input, each with why in its `dedup` object."""
    is_kept = kept_mask(result)
    for position, record in numbered(result, corpus):
        if not is_kept[position]:
            yield record.with_dedup({**result.verdict(position), "evidence": result.evidence(position)})


def numbered(result: Verdicts, corpus: Readable) -> Iterator[tuple[int, Record]]:
    """Yield each article with its position."""
    return zip(range(len(result.ids)), corpus.records(), strict=True)


def kept_mask(result: Verdicts) -> np.ndarray:
    """Return for each position whether its article is kept."""
    mask = np.zeros(len(result.ids), bool)
    mask[result.kept_positions] = True
    return mask


def rows_at(result: Result, positions: np.ndarray) -> Iterator[dict[str, Any]]:
    """Yield what is remembered of the articles at some positions (int64): id, title, source, published."""
    for start in range(0, len(positions), TAKEN):
        taken = result.articles.take(pa.array(positions[start : start + TAKEN]))
        for batch in taken.to_batches(max_chunksize=ROWS):
            yield from batch.to_pylist()


def described(result: Result, corpus: Readable, most: int) -> list[list[dict[str, Any]]]:
    """Return the articles of the largest clusters, at most so many, canonical first, for people to read.

    An article is what is remembered of it, with its relation and score; one without a title has its first
    words for one. A canonical that is one of several chapters of a storyline has a `chapter`: see `chapter_places`.
    """
    groups = result.groups()[:most]
    members = list(chain.from_iterable(groups))
    chapters = chapter_places(result, [group[0] for group in groups])
    leads = [int(result.assignments.storylines[a]) for a in chapters]
    positions = list(dict.fromkeys([*members, *leads]))
    rows = list(rows_at(result, np.array(positions, np.int64)))
    untitled = [position for position, row in zip(positions, rows, strict=True) if not row["title"]]
    first_words = openings(corpus, untitled, result.settings.furniture)
    articles = {
        position: {**row, **result.verdict(position), "title": row["title"] or first_words[position]}
        for position, row in zip(positions, rows, strict=True)
    }
    for (a, (place, count)), lead in zip(chapters.items(), leads, strict=True):
        articles[a]["chapter"] = {"place": place, "count": count, "title": articles[lead]["title"]}
    return [[articles[a] for a in group] for group in groups]


def chapter_places(result: Result, wanted: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return (place, count) of each wanted kept article among the chapters of its storyline, where there are several."""
    found = {a: (n, len(stories)) for stories in result.chapters() for n, a in enumerate(stories, start=1)}
    return {a: found[a] for a in wanted if a in found}


def openings(corpus: Readable, positions: Iterable[int], learned: Learned | None) -> dict[int, str]:
    """Return the first words of the articles at some positions, for those that have no title."""
    wanted = sorted(positions)
    found: dict[int, str] = {}
    start = 0
    for batch in corpus if wanted else ():
        for position in wanted:
            if start <= position < start + batch.num_rows:
                article = batch.slice(position - start, 1)
                found[position] = opening(plain(article, learned)[0].as_py())
        start += batch.num_rows
    return found


def check_place(path: str | None, corpus: Corpus | None = None) -> None:
    """Raise `OutputError` where a file cannot be written, or is one of a corpus, before the long work and not after it."""
    if path in (None, "-") or (Path(str(path)).exists() and not Path(str(path)).is_file()):
        return
    if corpus and corpus.holds(str(path)):
        raise OutputError(f"cannot write {path}: it is one of the files that are read")
    with suppress(Abandoned), atomic_output(path):
        raise Abandoned
