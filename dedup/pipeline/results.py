"""Hold the result of a run: clusters, kept and dropped articles, and storylines.

A `Result` stores the decisions as arrays, by position, and builds clusters, matches and tables on demand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dedup.errors import DedupError, InputError
from dedup.formatting import format_warning
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

    from dedup.origins.trace import Story

FOLLOWUP_NAME = RELATIONS[FOLLOWUP]
MODEL_RELATIONS = RELATIONS[REWRITE:]
"""The relations that a model decides."""
UNDATED_SORT_KEY = np.iinfo(np.int64).max
"""The key that sorts undated articles after all dates."""
SCORE_DIGITS = 4
"""Decimals of scores and evidence in the output."""
MAX_SHOWN_CLUSTERS = 10
"""The number of clusters that a notebook shows."""
TEXT_CHARACTERS = 16_000_000
"""The most characters of texts in a report page."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A story: the kept article and its duplicates, in rank order."""

    canonical: Any
    duplicates: tuple[Match, ...]
    storyline: Any = ""
    """The id of the first article of the storyline, which may be the canonical itself."""

    @property
    def size(self) -> int:
        """Return the number of articles, including the canonical."""
        return 1 + len(self.duplicates)

    @property
    def ids(self) -> tuple[Any, ...]:
        """Return the ids of all articles, the canonical first."""
        return (self.canonical, *(match.id for match in self.duplicates))


@dataclass(frozen=True, repr=False)
class Result:
    """The decisions on a corpus of n articles, by position in input order.

    `result[id]` is the cluster of an article, and `len(result)` is the number of clusters of two or more.
    Iteration yields (id, match) for every article. pandas, polars and DuckDB read a result as a table: see
    `to_arrow`.
    """

    articles: pa.Table
    """n rows: id, title, source, published. Ids are strings here, and unique except for repeats of the input.
    """
    assignments: Assignments
    order: np.ndarray
    """The positions in rank order, without repeats of the input."""
    duplicate_of_input: np.ndarray
    """n, int64: the position of the first copy of the same article (same id and text), or -1 if this is the first."""
    settings: Settings
    warnings: dict[str, int] = field(default_factory=dict)
    """Sentences for the user, each with the number of times it applied."""
    source: Corpus | ArticleInput | None = None
    """The source of the articles; it lists the rejects, and can be read again for a report."""
    original_ids: Sequence[pa.Array | list[Any]] | None = None
    """The original ids, in groups; None if all are strings."""

    @cached_property
    def ids(self) -> list[Any]:
        """Return the ids by position, with their original types."""
        ids: list[str] = self.articles["id"].to_pylist()
        return ids if self.original_ids is None else restore_ids(ids, self.original_ids)

    @property
    def rejects(self) -> Sequence[Reject]:
        """Return the articles that could not be used, each with the reason."""
        return self.source.rejects if self.source else []

    @cached_property
    def kept(self) -> list[Any]:
        """Return the ids of the kept articles, in input order."""
        return [self.ids[a] for a in self.kept_positions.tolist()]

    @property
    def kept_positions(self) -> np.ndarray:
        """Return the positions of the kept articles."""
        return np.flatnonzero((self.assignments.relations == NO_RELATION) & (self.duplicate_of_input < 0))

    @cached_property
    def dropped(self) -> list[Match]:
        """Return the match of each dropped article, in input order: the article that it repeats, and the reason."""
        return [self.get_match(a) for a in np.flatnonzero(self.assignments.relations != NO_RELATION).tolist()]

    @cached_property
    def links(self) -> list[Match]:
        """Return the match of each kept article that follows another, in input order; the relation is "followup"."""
        followers = self.assignments.is_follower() & (self.duplicate_of_input < 0)
        return [self.get_link(a) for a in np.flatnonzero(followers).tolist()]

    @cached_property
    def storylines(self) -> list[tuple[Any, ...]]:
        """Return the ids of the kept articles of each storyline of two or more, in rank order, longest first."""
        return [tuple(self.ids[a] for a in stories) for stories in self.list_storyline_positions()]

    def list_storyline_positions(self) -> list[list[int]]:
        """Return the positions of the articles in `storylines`."""
        kept = self.order[self.assignments.relations[self.order] == NO_RELATION]
        members: dict[int, list[int]] = {}
        for a, first in zip(kept.tolist(), self.assignments.storylines[kept].tolist(), strict=True):
            members.setdefault(first, []).append(a)
        return sorted((stories for stories in members.values() if len(stories) > 1), key=len, reverse=True)

    def list_chapters(self) -> list[list[int]]:
        """Return the positions of the articles in `storylines`, each storyline sorted by date, undated articles last."""
        dates = pc.fill_null(self.articles["published"].cast(pa.int64()), UNDATED_SORT_KEY).to_pylist()
        return [sorted(stories, key=dates.__getitem__) for stories in self.list_storyline_positions()]

    def count_followups(self) -> tuple[int, int]:
        """Return the number of kept articles that follow another, and the number of their storylines."""
        followers = self.assignments.is_follower() & (self.duplicate_of_input < 0)
        return int(np.count_nonzero(followers)), len(np.unique(self.assignments.storylines[followers]))

    @cached_property
    def clusters(self) -> list[Cluster]:
        """Return the clusters of two or more, largest first; equal sizes are ordered by the rank of the canonical."""
        return [self.make_cluster(members) for members in self.list_cluster_positions()]

    def make_cluster(self, members: Sequence[int]) -> Cluster:
        """Return the cluster of the articles at these positions, canonical first."""
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
        """Return the positions (int64) of all clusters in one array, and where each cluster ends.

        For many clusters, the two arrays take a tenth of the memory of lists.
        """
        assignments = self.assignments
        members = self.order[assignments.relations[self.order] != NO_RELATION]
        leaders = assignments.leaders[members]
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
        """Return the match of the article at position `a`, which must be dropped."""
        return self.make_match(a, self.ids[a], self.ids[self.assignments.leaders[a]])

    def make_match(self, a: int, name: str, canonical: str) -> Match:
        """Return the match of the dropped article at position `a`, given its id and that of its canonical."""
        return Match(
            id=name,
            canonical=canonical,
            relation=RELATIONS[self.assignments.relations[a]],
            score=self.get_score(a),
            evidence=self.get_evidence(a),
        )

    def get_link(self, a: int) -> Match:
        """Return how the kept article at position `a` follows the first of its storyline, which must be another article."""
        return Match(
            id=self.ids[a],
            canonical=self.ids[self.assignments.storylines[a]],
            relation=FOLLOWUP_NAME,
            score=self.get_score(a),
            evidence=to_evidence_dict(self.assignments.get_evidence_rows(a), FOLLOWUP_NAME),
        )

    def get_evidence(self, a: int) -> dict[str, float]:
        """Return the evidence for the match of the article at position `a`, which must be dropped."""
        return to_evidence_dict(
            self.assignments.get_evidence_rows(a), RELATIONS[self.assignments.relations[a]]
        )

    def get_score(self, a: int) -> float:
        """Return the score of the article at position `a`, rounded for output."""
        return round(float(self.assignments.scores[a]), SCORE_DIGITS)

    def verdict(self, a: int) -> dict[str, Any]:
        """Return the `dedup` object of the article at position `a`, as in the output."""
        decisions = self.assignments
        is_kept = decisions.relations[a] == NO_RELATION
        first = int(decisions.storylines[a])
        return build_verdict_object(
            self.ids[decisions.leaders[a]],
            None if is_kept else RELATIONS[decisions.relations[a]],
            None if is_kept else self.get_score(a),
            self.ids[first],
            (self.ids[first], self.get_score(a)) if is_kept and first != a else None,
        )

    def __iter__(self) -> Iterator[tuple[Any, Match | None]]:
        """Yield (id, match) in input order; the match of a kept article is None."""
        for a, article in enumerate(self.ids):
            yield article, None if self.assignments.relations[a] == NO_RELATION else self.get_match(a)

    @cached_property
    def positions(self) -> dict[Any, int]:
        """Return the position of each id; for a repeat of the input, that of the first copy."""
        return {name: a for a, name in reversed(list(enumerate(self.ids)))}

    def get_position(self, name: Any) -> int:
        """Return the position of an article; raise `KeyError` for an unknown id."""
        if name not in self.positions:
            raise KeyError(f"no article has the id {name!r}; ids look like {self.ids[:1]!r:.60}")
        return self.positions[name]

    def match(self, name: Any) -> Match | None:
        """Return the match of the article with this id, or None if it is kept; raise `KeyError` for an unknown id."""
        a = self.get_position(name)
        return None if self.assignments.relations[a] == NO_RELATION else self.get_match(a)

    def __getitem__(self, name: Any) -> Cluster:
        """Return the cluster of the article with this id; it may be the only one."""
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
        """Return one row per article, in input order.

        The columns are id, cluster (the id of its kept article), canonical (whether it is kept), relation and
        score (null if it is kept), storyline (the id of the storyline's first article) and follows (the id of
        the article that it follows, or null). Ids have their original type.
        """
        ids = self.articles["id"].combine_chunks() if self.original_ids is None else make_id_array(self.ids)
        return build_decision_table(ids, self.assignments, SCORE_DIGITS)

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows of `to_arrow` as a pandas data frame; raise `DedupError` if pandas is not installed."""
        try:
            return self.to_arrow().to_pandas(integer_object_nulls=True)
        except ImportError as error:
            raise DedupError("to_pandas needs pandas; install it with: pip install pandas") from error

    def to_polars(self) -> pl.DataFrame:
        """Return the rows of `to_arrow` as a polars data frame; raise `DedupError` if polars is not installed."""
        try:
            import polars as pl
        except ImportError as error:
            raise DedupError("to_polars needs polars; install it with: pip install polars") from error
        return pl.DataFrame(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows of `to_arrow` as an Arrow stream."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def report(self, path: str | Path, articles: Articles | None = None, *, name: str = "articles") -> None:
        """Write an HTML page to browse the clusters, as `dedup report` does.

        The articles are read again, so pass them if they came from an iterator. `name` is the title of the
        page. Raise `InputError` if the articles are not available, `OutputError` if the file cannot be
        written.
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
            oddities=[format_warning(words, count) for words, count in self.warnings.items()],
        )
        with open_atomic(str(path)) as file:
            file.write(page)

    def origins(
        self, articles: Articles | None = None, *, publishers: Mapping[str, str] | None = None
    ) -> list[Story]:
        """Return the origins of each cluster of two or more, largest first, as `dedup origins` does.

        The articles are read again, so pass them if they came from an iterator. `publishers` maps a domain or
        the name of a source to the group that owns it, beside the well-known groups. Raise `InputError` if the
        articles are not available.
        """
        from dedup.origins.publishers import add_publisher_groups
        from dedup.origins.trace import trace_origins

        return trace_origins(self, self.find_source(articles), add_publisher_groups(publishers or {}))

    def find_source(self, articles: Articles | None) -> Corpus | ArticleInput:
        """Return the source of the articles, or that of `articles`; raise `InputError` if there is none."""
        source = self.source if articles is None else self.reopen(articles)
        if source is None:
            raise InputError("this result does not know its articles; give them as the argument articles")
        return source

    def reopen(self, articles: Articles) -> Corpus | ArticleInput:
        """Return the source of the articles, already read once; raise `InputError` if their number differs."""
        source = open_articles(articles, on_error="reject")
        count = sum(batch.num_rows for batch in source)
        if count != len(self.articles):
            raise InputError(f"these are {count} articles, and the result is of {len(self.articles)}")
        return source

    def count_all(self) -> ResultCounts:
        """Return the numbers of articles, kept and dropped ones, clusters and storylines."""
        kept = len(self.kept_positions)
        return ResultCounts(
            articles=len(self.articles),
            kept=kept,
            dropped=len(self.articles) - kept,
            clusters=len(self),
            storylines=len(self.list_storyline_positions()),
        )

    def __repr__(self) -> str:
        """Return the counts and the level."""
        return f"<Result of {format_counts(self.count_all())}; level={self.settings.level!r}>"

    def _repr_html_(self) -> str:
        """Return the counts and the largest clusters as HTML, for notebooks."""
        groups = self.list_cluster_positions()[:MAX_SHOWN_CLUSTERS]
        return render_result(self.count_all(), list(self.iter_cluster_rows(groups)))

    def iter_cluster_rows(self, groups: Iterable[Sequence[int]]) -> Iterator[ClusterRow]:
        """Yield the table row of each cluster, given the positions of its articles."""
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
    """Return the `dedup` object of an article.

    `follows` is the id of the article that a kept one follows, and the probability; None if it follows none.
    """
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
    """Return a row of evidence by name, rounded; features of the models only if a model decided."""
    names = EVIDENCE_NAMES if relation in MODEL_RELATIONS else EVIDENCE_NAMES[:FEATURES_START]
    return dict(zip(names, np.round(np.asarray(row, np.float64), SCORE_DIGITS).tolist(), strict=False))
