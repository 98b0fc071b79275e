"""Find for each article of a cluster the earlier article that its wording comes from.

The parent of an article is the earliest one whose wording it repeats, measured by shared word 3-shingles. It
is compared with every earlier article of the cluster, not only with the kept one. An article that repeats the wording of
none may still share a part of its words with one, which is then its parent by the relation `PARTIAL`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from dedup.io.corpus import Corpus
from dedup.origins.attribution import NO_ATTRIBUTION, Attribution, find_attribution
from dedup.origins.edit_log import strip_suffix
from dedup.origins.independence import (
    PARTIAL,
    Credit,
    OriginMerge,
    find_credits,
    find_merges,
    find_unknown_origins,
    number_origins,
)
from dedup.origins.named_sources import find_named_sources
from dedup.origins.publishers import find_group, find_publisher, load_default_groups
from dedup.origins.shared_shingles import iter_shared_counts
from dedup.pipeline.inputs import ArticleInput
from dedup.pipeline.results import Result
from dedup.settings.settings import Settings
from dedup.sketches.shingles import build_shingle_sets
from dedup.text.boilerplate.passages import remove_learned_passages
from dedup.text.boilerplate.rules import clean_text_lines, clean_titles
from dedup.text.tokenizer import tokenize_articles

__all__ = ["OriginEdge", "Story", "StoryArticle", "find_parents", "trace_origins"]

SHINGLE_WORDS = 3
RUN_WORDS = 6
"""The words of a run that independent reporters rarely share: three words are often an idiom, and more often in English than in
German. From 5 to 10 words, the model of `dedup.origins.shared_origin` is as good; with 3 it is worse in another language."""
SAME_SHARE = 0.02
"""Shares of words that differ by at most this much count as equal; the earlier article is then the parent."""
PARTIAL_SHARE = 0.3
"""The smallest share of the shorter text of two that makes the later one partial. Of 186 pairs of German news by different
publishers that share this much without being copies, and both credit agencies, 185 credit the same; of those that share .2 to
.3, 45 of 54 do."""
MIN_PARTIAL_SHINGLES = 30
"""The fewest shingles that a partial article shares: about three sentences, which is more than one quotation."""


def make_empty_set() -> np.ndarray:
    """Return a set of no shingles."""
    return np.zeros(0, np.uint32)


@dataclass(frozen=True, slots=True)
class StoryArticle:
    """An article of a story."""

    id: str
    title: str | None
    source: str | None
    published: datetime | None
    publisher: str | None
    """The registered domain, or the name of the source."""
    shingles: np.ndarray
    """uint32, sorted: the hashes of its word 3-shingles, without boilerplate."""
    text_hash: int
    group: str | None = None
    """The group of its publisher, if known."""
    attribution: Attribution = NO_ATTRIBUTION
    """The agencies and the byline that it credits."""
    unquoted: np.ndarray = field(default_factory=make_empty_set)
    """uint32, sorted: the hashes of its runs of `RUN_WORDS` words that are not inside a quotation."""
    named_sources: frozenset[str] = frozenset()
    """The outlets and agencies that it names as sources in its opening."""
    seen: int = 0
    """Its position in the corpus, in the order in which it was read."""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class OriginEdge:
    """An article and the earlier article that its wording comes from."""

    child: str
    parent: str
    relation: str
    """The relation of the child to the parent: exact, copy, excerpt, extension or partial."""
    child_share: float
    """The share of the child's shingles that the parent has."""
    parent_share: float
    """The share of the parent's shingles that the child has."""
    seen_first: str = ""
    """The id of the one that comes first in the corpus; by their dates, the parent is first."""


@dataclass(frozen=True, slots=True)
class Story:
    """A cluster as a graph of its articles, earliest first."""

    canonical: str
    articles: tuple[StoryArticle, ...]
    edges: tuple[OriginEdge, ...]
    merges: tuple[OriginMerge, ...]
    """The reasons why articles share an origin."""
    origins: tuple[int, ...]
    """By article: the number of its independent origin, from 0."""
    credits: tuple[Credit, ...]
    """By article: whether it credits an agency."""
    unknown: frozenset[int] = frozenset()
    """The origins of which nothing is known: they may repeat another."""

    @property
    def origin_count(self) -> int:
        """Return the number of independent origins: at least 1, and without the unknown ones."""
        return max(len(set(self.origins) - self.unknown), 1)

    @property
    def count_text(self) -> str:
        """Return the number of origins and of tellings: "3 of 41"."""
        return f"{self.origin_count} of {len(self.articles)}"

    @property
    def first_claimed(self) -> StoryArticle | None:
        """Return the article with the earliest date; None if none has a date."""
        return self.articles[0] if self.articles[0].published else None

    @property
    def first_seen(self) -> StoryArticle:
        """Return the article that comes first in the corpus."""
        return min(self.articles, key=lambda article: article.seen)

    @property
    def lag(self) -> timedelta | None:
        """Return the time from the first to the last dated article; None with fewer than two."""
        dates = [article.published for article in self.articles if article.published]
        return max(dates) - min(dates) if len(dates) > 1 else None


def trace_origins(
    result: Result, source: Corpus | ArticleInput, groups: Mapping[str, str] | None = None
) -> list[Story]:
    """Return the graph of each cluster of two or more, largest first; the articles are read again.

    `groups` maps publishers to the group that owns them; None stands for the well-known ones.
    """
    return trace_clusters(result, source, result.list_cluster_positions(), groups)


def trace_clusters(
    result: Result,
    source: Corpus | ArticleInput,
    clusters: Sequence[Sequence[int]],
    groups: Mapping[str, str] | None = None,
) -> list[Story]:
    """Return the graph of each of some clusters, given as positions, in their order; the articles are read again."""
    is_in_cluster = np.zeros(len(result.articles), bool)
    is_in_cluster[[a for cluster in clusters for a in cluster]] = True
    groups = load_default_groups() if groups is None else groups
    articles = read_story_articles(result, source.read_again(), is_in_cluster, groups)
    return [
        build_story(
            sort_by_date([articles[a] for a in sorted(cluster)]),
            result.articles["id"][cluster[0]].as_py(),
            result.settings,
        )
        for cluster in clusters
    ]


def read_story_articles(
    result: Result,
    batches: Iterable[pa.RecordBatch],
    is_selected: np.ndarray,
    groups: Mapping[str, str],
) -> dict[int, StoryArticle]:
    """Return the articles at the positions in `is_selected` (n, bool), by position."""
    articles: dict[int, StoryArticle] = {}
    start = 0
    for batch in batches:
        rows = np.flatnonzero(is_selected[start : start + batch.num_rows])
        if len(rows):
            positions = (start + rows).tolist()
            ids = result.articles["id"].take(pa.array(positions)).to_pylist()
            selected = make_story_articles(batch.take(pa.array(rows)), ids, result.settings, groups)
            articles |= {a: replace(article, seen=a) for a, article in zip(positions, selected, strict=True)}
        start += batch.num_rows
    return articles


def make_story_articles(
    batch: pa.RecordBatch, ids: Sequence[str], settings: Settings, groups: Mapping[str, str]
) -> list[StoryArticle]:
    """Return the articles of a batch, with their ids in the result."""
    shingles, runs, text_hashes = hash_wording(batch, settings)
    articles = []
    for a, (name, row) in enumerate(zip(ids, batch.to_pylist(), strict=True)):
        publisher = find_publisher(row["source"], row["url"])
        articles.append(
            StoryArticle(
                id=name,
                title=row["title"],
                source=row["source"],
                published=row["published"],
                publisher=publisher,
                shingles=shingles[a],
                text_hash=int(text_hashes[a]),
                group=find_group(row["source"], publisher, groups),
                attribution=find_attribution(row["text"], row["source"]),
                unquoted=runs[a],
                named_sources=find_named_sources(row["title"], row["text"]),
                url=row["url"],
            )
        )
    return articles


def hash_wording(
    batch: pa.RecordBatch, settings: Settings
) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Return the shingles of each article of a batch (uint32, sorted), its runs outside quotations and the hash of its text.

    Shingles and hash are those of its sketch. The rest of a sketch would take as long again.
    """
    titles, texts = clean_titles(batch["title"]), clean_text_lines(batch["text"])
    words = tokenize_articles(titles, remove_learned_passages(texts, batch["source"], settings.boilerplate))
    shingles, offsets, _, _, text_hashes = build_shingle_sets(*words, SHINGLE_WORDS)
    runs, run_offsets, quoted, quoted_offsets, _ = build_shingle_sets(*words, RUN_WORDS)
    unquoted = [
        np.delete(all_runs, np.searchsorted(all_runs, inside))
        for all_runs, inside in zip(
            np.split(runs, run_offsets[1:-1]), np.split(quoted, quoted_offsets[1:-1]), strict=True
        )
    ]
    return np.split(shingles, offsets[1:-1]), unquoted, text_hashes


def sort_by_date(articles: Sequence[StoryArticle]) -> list[StoryArticle]:
    """Return the articles by date, undated ones last; equal dates keep their order."""
    return sorted(
        articles,
        key=lambda article: (article.published is None, article.published and article.published.timestamp()),
    )


def build_story(articles: Sequence[StoryArticle], canonical: str, settings: Settings) -> Story:
    """Return the graph of a story; `articles` must be sorted, earliest first."""
    edges = find_parents(articles, settings)
    merges = find_merges(articles, edges)
    origins = number_origins(articles, merges)
    return Story(
        canonical,
        tuple(articles),
        tuple(edges),
        tuple(merges),
        tuple(origins),
        find_credits(articles, edges),
        find_unknown_origins(articles, origins),
    )


def find_parents(articles: Sequence[StoryArticle], settings: Settings) -> list[OriginEdge]:
    """Return an edge for each article that repeats the wording of an earlier one, or a part of it.

    The parent is the article with the largest share of the child's words; of several within `SAME_SHARE` of
    the largest, the latest version of the child, or else the earliest article. A part counts only if the child repeats
    the wording of no earlier article.
    """
    lengths = np.array([len(article.shingles) for article in articles], np.int64)
    hashes = np.array([article.text_hash for article in articles], np.uint64)
    ids = number_values([strip_suffix(article.id) for article in articles])
    urls = number_values([article.url for article in articles])
    edges = []
    for child, shared in enumerate(iter_shared_counts([article.shingles for article in articles])):
        if not shared.any():
            continue
        child_shares = shared / lengths[child]
        is_exact = hashes[:child] == hashes[child]
        relations = classify_wording(shared, lengths[child], lengths[:child], is_exact, settings)
        is_match = (relations != "") & (relations != PARTIAL)
        is_match = is_match if is_match.any() else relations != ""
        best = np.max(child_shares, where=is_match, initial=0.0)
        matches = np.flatnonzero(is_match & (child_shares >= best - SAME_SHARE))
        is_version = (ids[matches] == ids[child]) | (urls[matches] == urls[child])
        for parent in (*matches[is_version][-1:], *matches)[:1]:
            pair = articles[parent], articles[child]
            edges.append(
                OriginEdge(
                    articles[child].id,
                    articles[parent].id,
                    str(relations[parent]),
                    float(child_shares[parent]),
                    float(shared[parent] / lengths[parent]),
                    min(pair, key=lambda article: article.seen).id,
                )
            )
    return edges


def number_values(values: Sequence[str | None]) -> np.ndarray:
    """Return a number for each value (n, int64): the same for the same one, and another for each None."""
    numbers: dict[str | int, int] = {}
    return np.array(
        [numbers.setdefault(n if value is None else value, len(numbers)) for n, value in enumerate(values)],
        np.int64,
    )


def classify_wording(
    shared: np.ndarray,
    child_length: int,
    parent_lengths: np.ndarray,
    is_exact: np.ndarray,
    settings: Settings,
) -> np.ndarray:
    """Return the relation of an article to each of n others by the shingles that they share (n, strings), "" for none.

    `is_exact` says whether the texts are the same.
    """
    child_shares, parent_shares = shared / child_length, shared / np.maximum(parent_lengths, 1)
    jaccard = shared / (child_length + parent_lengths - shared)
    larger = np.maximum(child_shares, parent_shares)
    return np.select(
        [
            shared == 0,
            is_exact,
            jaccard >= settings.copy_jaccard,
            child_shares >= settings.excerpt_containment,
            parent_shares >= settings.excerpt_containment,
            (larger >= PARTIAL_SHARE) & (shared >= MIN_PARTIAL_SHINGLES),
        ],
        ["", "exact", "copy", "excerpt", "extension", PARTIAL],
        "",
    )
