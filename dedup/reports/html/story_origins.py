"""Pack the origins of the listed clusters: who carries whose words, the reason of each merge, and the credits.

Articles are numbered within their cluster, in the order of the page. A story of more than `MAX_TRACED_ARTICLES` articles
is not traced, because each of its articles would be compared with every earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dedup.io.corpus import Corpus
from dedup.pipeline.inputs import ArticleInput
from dedup.pipeline.results import Result

if TYPE_CHECKING:
    from dedup.origins.trace import Story

__all__ = ["MAX_TRACED_ARTICLES", "list_story_origins", "pack_story"]

MAX_TRACED_ARTICLES = 1_000
"""The most articles of a story whose origins are traced: half a million comparisons, a few seconds."""
THOUSANDTHS = 1_000
"""The factor by which the page stores shares and probabilities as integers."""


def list_story_origins(
    result: Result,
    corpus: Corpus | ArticleInput,
    clusters: Sequence[Sequence[int]],
    groups: Mapping[str, str] | None = None,
) -> list[dict[str, Any] | None]:
    """Return the packed origins of each cluster, None for one that is too large; the corpus is read again.

    `groups` maps publishers to the group that owns them; None stands for the well-known ones.
    """
    from dedup.origins.trace import trace_clusters

    small = [cluster for cluster in clusters if len(cluster) <= MAX_TRACED_ARTICLES]
    stories = iter(trace_clusters(result, corpus, small, groups))
    return [
        pack_story(next(stories), cluster) if len(cluster) <= MAX_TRACED_ARTICLES else None
        for cluster in clusters
    ]


def pack_story(story: Story, cluster: Sequence[int]) -> dict[str, Any]:
    """Return the origins of a story with its articles numbered as in `cluster`, their positions in the corpus."""
    numbers = {a: n for n, a in enumerate(cluster)}
    by_id: dict[str, int] = {}
    for article in story.articles:
        by_id.setdefault(article.id, numbers[article.seen])
    return {
        "count": story.origin_count,
        "unknown": sorted(story.unknown),
        "order": [numbers[article.seen] for article in story.articles],
        "origins": list(story.origins),
        "edges": [
            [
                by_id[edge.parent],
                by_id[edge.child],
                edge.relation,
                round(edge.child_share * THOUSANDTHS),
                round(edge.parent_share * THOUSANDTHS),
                by_id[edge.seen_first],
            ]
            for edge in story.edges
        ],
        "merges": pack_merges(story, by_id),
        "credits": list(pack_credits(story, by_id)),
    }


def pack_merges(story: Story, by_id: Mapping[str, int]) -> list[list[Any]]:
    """Return (first, second, reason, probability) of the merges of articles that are not copies of each other."""
    copies = {(edge.parent, edge.child) for edge in story.edges}
    return [
        [
            by_id[merge.first],
            by_id[merge.second],
            merge.because,
            None if merge.probability is None else round(merge.probability * THOUSANDTHS),
        ]
        for merge in story.merges
        if (merge.first, merge.second) not in copies
    ]


def pack_credits(story: Story, by_id: Mapping[str, int]) -> Iterable[list[Any]]:
    """Yield (agencies, credited article, passages, byline) of each article; the second is None if it credits them itself."""
    for article, credit in zip(story.articles, story.credits, strict=True):
        yield [
            list(credit.agencies),
            None if credit.credited_by is None else by_id[credit.credited_by],
            [each.passage for each in article.attribution.credits],
            article.attribution.byline,
        ]
