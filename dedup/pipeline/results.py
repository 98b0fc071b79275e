"""The result of a run: clusters, kept and dropped articles, storylines, for people and for programs.

A `Result` holds the decisions as arrays, by position. It builds clusters, matches and tables when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.errors import DedupError, InputError
from dedup.io.atomic_write import open_atomic
from dedup.io.corpus import Corpus
from dedup.io.records import Reject
from dedup.matching.assignments import Assignments
from dedup.matching.classifier import FOLLOWUP, NO_RELATION, REWRITE, Match
from dedup.matching.evidence_columns import EVIDENCE_NAMES, FEATURES_START
from dedup.pipeline.decision_table import build_decision_table, make_id_array
from dedup.pipeline.inputs import ArticleInput, Articles, open_articles, restore_ids
from dedup.pipeline.notebook_html import ClusterRow, ResultCounts, format_counts, render_result
from dedup.settings.settings import RELATIONS, Settings

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

FOLLOWUP_NAME = RELATIONS[FOLLOWUP]
MODEL_RELATIONS = RELATIONS[REWRITE:]
"""The relations that a model decides."""
UNDATED_SORT_KEY = np.iinfo(np.int64).max
"""Sorts an undated article after all dates."""
SCORE_DIGITS = 4
"""Scores and evidence are shown with this many digits."""
MAX_SHOWN_CLUSTERS = 10
"""A notebook shows this many clusters of a result."""
TEXT_CHARACTERS = 16_000_000
"""A report page holds at most this many characters of texts."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A story: the article that is kept and those that repeat it, in rank order."""

    canonical: Any
    duplicates: tuple[Match, ...]
    storyline: Any = ""
    """The id of the first article of the affair: the canonical's own where it is the first."""

    @property
    def size(self) -> int:
        """Return the number of articles, including the canonical: 1 where nothing repeats it."""
        return 1 + len(self.duplicates)

    @property
    def ids(self) -> tuple[Any, ...]:
        """Return the ids of all articles, the canonical first."""
        return (self.canonical, *(match.id for match in self.duplicates))


@dataclass(frozen=True, repr=False)
class Result:
    """The decisions on a corpus of n articles, by position in the order of input.

    `result[id]` is the cluster of an article, `len(result)` the number of clusters of two or more. Iteration yields
    (id, match) of every article. pandas, polars and DuckDB read a result as a table: see `to_arrow`.
    """

    articles: pa.Table
    """n rows: id, title, source, published. Ids are strings here, and unique unless an article was given twice."""
    assignments: Assignments
    order: np.ndarray
    """The positions in rank order, without the repeats of articles that were given twice."""
    duplicate_of_input: np.ndarray
    """n, int64: the position where the same article (same id, same text) was first given; -1 where this is the first."""
    settings: Settings
    warnings: dict[str, int] = field(default_factory=dict)
    """Sentences for the user, each with the number of times it applied."""
    source: Corpus | ArticleInput | None = None
    """Where the articles came from; it holds those that were rejected, and reads the texts again for a report."""
    original_ids: Sequence[pa.Array | list[Any]] | None = None
    """The ids as they were given, in groups; None where all are strings."""

    @cached_property
    def ids(self) -> list[Any]:
        """Return the ids by position, with the type that they were given with."""
        ids: list[str] = self.articles["id"].to_pylist()
        return ids if self.original_ids is None else restore_ids(ids, self.original_ids)

    @property
    def rejects(self) -> Sequence[Reject]:
        """Return the articles that could not be used, each with the reason."""
        return self.source.rejects if self.source else []

    @cached_property
    def kept(self) -> list[Any]:
        """Return the ids of the articles kept, in the order of input."""
        return [self.ids[a] for a in self.kept_positions.tolist()]

    @property
    def kept_positions(self) -> np.ndarray:
        """Return the positions of the articles kept."""
        return np.flatnonzero((self.assignments.relations == NO_RELATION) & (self.duplicate_of_input < 0))

    @cached_property
    def dropped(self) -> list[Match]:
        """Return the match of each article that is dropped, in the order of input: what it repeats, and why."""
        return [self.get_match(a) for a in np.flatnonzero(self.assignments.relations != NO_RELATION).tolist()]

    @cached_property
    def links(self) -> list[Match]:
        """Return the match of each kept article that follows another, in the order of input; its relation is `followup`."""
        followers = self.assignments.is_follower() & (self.duplicate_of_input < 0)
        return [self.get_link(a) for a in np.flatnonzero(followers).tolist()]

    @cached_property
    def storylines(self) -> list[tuple[Any, ...]]:
        """Return the ids of the kept articles of each storyline of two or more, in rank order; the longest first."""
        return [tuple(self.ids[a] for a in stories) for stories in self.list_storyline_positions()]

    def list_storyline_positions(self) -> list[list[int]]:
        """Return the positions of the kept articles of each storyline of two or more, as `storylines` has their ids."""
        kept = self.order[self.assignments.relations[self.order] == NO_RELATION]
        members: dict[int, list[int]] = {}
        for a, first in zip(kept.tolist(), self.assignments.storylines[kept].tolist(), strict=True):
            members.setdefault(first, []).append(a)
        return sorted((stories for stories in members.values() if len(stories) > 1), key=len, reverse=True)

    def list_chapters(self) -> list[list[int]]:
        """Return the same positions, each storyline sorted by date, with its undated articles last."""
        dates = pc.fill_null(self.articles["published"].cast(pa.int64()), UNDATED_SORT_KEY).to_pylist()
        return [sorted(stories, key=dates.__getitem__) for stories in self.list_storyline_positions()]

    def count_followups(self) -> tuple[int, int]:
        """Return the number of kept articles that follow another, and the number of their storylines."""
        followers = self.assignments.is_follower() & (self.duplicate_of_input < 0)
        return int(np.count_nonzero(followers)), len(np.unique(self.assignments.storylines[followers]))

    @cached_property
    def clusters(self) -> list[Cluster]:
        """Return the clusters of two or more, largest first; those of one size by the rank of their canonical."""
        return [self.make_cluster(members) for members in self.list_cluster_positions()]

    def make_cluster(self, members: Sequence[int]) -> Cluster:
        """Return the cluster of the articles at some positions, the canonical first."""
        return Cluster(
            self.ids[members[0]],
            tuple(self.get_match(a) for a in members[1:]),
            self.ids[self.assignments.storylines[members[0]]],
        )

    def list_cluster_positions(self) -> list[list[int]]:
        """Return the positions of each cluster of two or more, canonical first, largest cluster first."""
        positions, ends = self.flatten_cluster_positions()
        return [group.tolist() for group in np.split(positions, ends[:-1])] if len(ends) else []

    def flatten_cluster_positions(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions (int64) of all clusters end to end, and where each ends.

        For many clusters the two arrays take a tenth of the memory of lists.
        """
        made = self.assignments
        members = self.order[made.relations[self.order] != NO_RELATION]
        leaders = made.leaders[members]
        rank, sizes = (
            np.empty(len(self.articles), np.int64),
            np.bincount(leaders, minlength=len(self.articles)),
        )
        rank[self.order] = np.arange(len(self.order))
        heads = np.flatnonzero(sizes)
        heads = heads[np.lexsort((rank[heads], -sizes[heads]))]
        place = rank
        place[heads] = np.arange(len(heads))
        by_group = np.argsort(place[np.concatenate([heads, leaders])], kind="stable")
        return np.concatenate([heads, members])[by_group], np.cumsum(1 + sizes[heads])

    def get_match(self, a: int) -> Match:
        """Return why the article at position `a` is dropped; it must be one that is."""
        return self.make_match(a, self.ids[a], self.ids[self.assignments.leaders[a]])

    def make_match(self, a: int, name: str, canonical: str) -> Match:
        """Return why the article at position `a` is dropped, given its id and that of the article it repeats."""
        return Match(
            id=name,
            canonical=canonical,
            relation=RELATIONS[self.assignments.relations[a]],
            score=self.get_score(a),
            evidence=self.get_evidence(a),
        )

    def get_link(self, a: int) -> Match:
        """Return how the article at position `a` follows the first of its storyline; it must be kept, and not be the first."""
        return Match(
            id=self.ids[a],
            canonical=self.ids[self.assignments.storylines[a]],
            relation=FOLLOWUP_NAME,
            score=self.get_score(a),
            evidence=to_evidence_dict(self.assignments.get_evidence_rows(a), FOLLOWUP_NAME),
        )

    def get_evidence(self, a: int) -> dict[str, float]:
        """Return the evidence against the article at position `a`, which must have been dropped."""
        return to_evidence_dict(
            self.assignments.get_evidence_rows(a), RELATIONS[self.assignments.relations[a]]
        )

    def get_score(self, a: int) -> float:
        """Return the score of the article at position `a`, rounded as it is shown."""
        return round(float(self.assignments.scores[a]), SCORE_DIGITS)

    def verdict(self, a: int) -> dict[str, Any]:
        """Return the `dedup` object of the article at position `a`, as it is written out."""
        made = self.assignments
        is_kept = made.relations[a] == NO_RELATION
        first = int(made.storylines[a])
        return build_verdict_object(
            self.ids[made.leaders[a]],
            None if is_kept else RELATIONS[made.relations[a]],
            None if is_kept else self.get_score(a),
            self.ids[first],
            (self.ids[first], self.get_score(a)) if is_kept and first != a else None,
        )

    def __iter__(self) -> Iterator[tuple[Any, Match | None]]:
        """Yield (id, match) in the order of input; the match is None where the article is kept."""
        for a, article in enumerate(self.ids):
            yield article, None if self.assignments.relations[a] == NO_RELATION else self.get_match(a)

    @cached_property
    def positions(self) -> dict[Any, int]:
        """Return the position of each id: the first, where an article was given twice."""
        return {name: a for a, name in reversed(list(enumerate(self.ids)))}

    def get_position(self, name: Any) -> int:
        """Return the position of an article; KeyError where no article has the id."""
        if name not in self.positions:
            raise KeyError(f"no article has the id {name!r}; ids look like {self.ids[:1]!r:.60}")
        return self.positions[name]

    def match(self, name: Any) -> Match | None:
        """Return why the article with an id is dropped, or None where it is kept; KeyError where there is none."""
        a = self.get_position(name)
        return None if self.assignments.relations[a] == NO_RELATION else self.get_match(a)

    def __getitem__(self, name: Any) -> Cluster:
        """Return the cluster of the article with an id, of one article where nothing repeats it."""
        leader = int(self.assignments.leaders[self.get_position(name)])
        members = self.order[self.assignments.leaders[self.order] == leader]
        return self.make_cluster([leader, *members[members != leader].tolist()])

    def __contains__(self, name: object) -> bool:
        """Return whether an article has the id."""
        return name in self.positions

    def __len__(self) -> int:
        """Return the number of clusters of two or more articles."""
        return len(self.flatten_cluster_positions()[1])

    def __bool__(self) -> bool:
        """Return True: a result without clusters is a result too."""
        return True

    def to_arrow(self) -> pa.Table:
        """Return a row for each article, in the order of input.

        The columns are id, cluster (the id of the article that is kept for it), canonical (whether that is this one),
        relation and score (null where it is kept), storyline (the id of its first article) and follows (the id of the
        article that a kept one follows, or null). Ids have the type that they were given with.
        """
        ids = self.articles["id"].combine_chunks() if self.original_ids is None else make_id_array(self.ids)
        return build_decision_table(ids, self.assignments, SCORE_DIGITS)

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows of `to_arrow` as a pandas data frame; DedupError where pandas is not installed."""
        try:
            return self.to_arrow().to_pandas(integer_object_nulls=True)
        except ImportError as error:
            raise DedupError("to_pandas needs pandas; install it with: pip install pandas") from error

    def to_polars(self) -> pl.DataFrame:
        """Return the rows of `to_arrow` as a polars data frame; DedupError where polars is not installed."""
        try:
            import polars as pl
        except ImportError as error:
            raise DedupError("to_polars needs polars; install it with: pip install polars") from error
        return pl.DataFrame(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows of `to_arrow` as an Arrow stream."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def report(self, path: str | Path, articles: Articles | None = None, *, name: str = "articles") -> None:
        """Write a page to look through in a browser, as `dedup report` does.

        The articles are read again, so give them once more where they came from an iterator. `name` is the title of the
        page. InputError where the articles are not at hand, OutputError where the file cannot be written.
        """
        from dedup import __version__
        from dedup.reports.html.page import build_report_page

        source: Any = self.source if articles is None else self.reopen(articles)
        if source is None:
            raise InputError(
                "this result does not know its articles; give them: result.report(path, articles)"
            )
        page = build_report_page(
            replace(self, original_ids=None),
            source,
            name=name,
            version=__version__,
            budget=TEXT_CHARACTERS,
            oddities=[f"{count:,} {sentence}" for sentence, count in self.warnings.items()],
        )
        with open_atomic(str(path)) as file:
            file.write(page)

    def reopen(self, articles: Articles) -> Corpus | ArticleInput:
        """Return the source of the articles, read once; InputError where they are not as many as in this result."""
        source = open_articles(articles, on_error="reject")
        count = sum(batch.num_rows for batch in source)
        if count != len(self.articles):
            raise InputError(f"these are {count} articles, and the result is of {len(self.articles)}")
        return source

    def count_all(self) -> ResultCounts:
        """Return how many articles, kept and dropped ones, clusters and storylines there are."""
        kept = len(self.kept_positions)
        return ResultCounts(
            articles=len(self.articles),
            kept=kept,
            dropped=len(self.articles) - kept,
            clusters=len(self),
            storylines=len(self.list_storyline_positions()),
        )

    def __repr__(self) -> str:
        """Return the counts, and the level at which they hold."""
        return f"<Result of {format_counts(self.count_all())}; level={self.settings.level!r}>"

    def _repr_html_(self) -> str:
        """Return the counts and the largest clusters as HTML, for notebooks."""
        groups = self.list_cluster_positions()[:MAX_SHOWN_CLUSTERS]
        return render_result(self.count_all(), list(self.iter_cluster_rows(groups)))

    def iter_cluster_rows(self, groups: Iterable[Sequence[int]]) -> Iterator[ClusterRow]:
        """Yield what is shown of each cluster, given the positions of its articles."""
        for first, *others in groups:
            yield ClusterRow(
                str(self.ids[first]),
                self.articles["title"][first].as_py() or "",
                1 + len(others),
                [RELATIONS[self.assignments.relations[a]] for a in others],
            )


def build_verdict_object(
    cluster: str,
    relation: str | None,
    score: float | None,
    storyline: str,
    follows: tuple[str, float] | None,
) -> dict[str, Any]:
    """Return the `dedup` object of an article; `follows` is the kept article that a kept one follows, and the probability."""
    verdict: dict[str, Any] = {
        "cluster": cluster,
        "canonical": relation is None,
        "relation": relation,
        "score": score,
        "storyline": storyline,
    }
    if follows:
        verdict["follows"] = {"id": follows[0], "probability": follows[1]}
    return verdict


def to_evidence_dict(row: np.ndarray, relation: str) -> dict[str, float]:
    """Return a row of evidence by name, rounded; the features of the models only where a model decided."""
    names = EVIDENCE_NAMES if relation in MODEL_RELATIONS else EVIDENCE_NAMES[:FEATURES_START]
    return dict(zip(names, np.round(np.asarray(row, np.float64), SCORE_DIGITS).tolist(), strict=False))
