"""Count for each outlet which texts it carries: of an agency that it credits, or whose text it copies, or of another outlet.

An article counts for each agency that it credits. If it credits none but copies a credited text, it counts for the agencies of
that text, as an uncredited copy. Otherwise it counts for the outlet of the article that it repeats, and whether it
names that outlet is unknown. An article that neither credits an agency nor repeats another outlet is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from statistics import median
from typing import Any

from dedup.origins.agency_table import load_aliases
from dedup.origins.independence import CREDITED, UNCREDITED_COPY, Credit
from dedup.origins.trace import OriginEdge, Story, StoryArticle

__all__ = ["AGENCY", "OUTLET", "Reuse", "describe_reuse", "list_reuse", "sum_reuse_by_origin"]

AGENCY, OUTLET = "agency", "outlet"
SHARE_DIGITS = 4


@dataclass(frozen=True, slots=True)
class CarriedArticle:
    """An article that carries the text of an agency or of another outlet."""

    outlet: str | None
    origin: str
    kind: str
    status: str
    """The status of its credit."""
    share: float | None
    """The share of its words that the article of another outlet has; None if it repeats none of the corpus."""
    published: datetime | None


@dataclass(frozen=True, slots=True)
class Reuse:
    """The articles in which an outlet carries the texts of one origin."""

    outlet: str | None
    """The name of the source, or else the domain; None for articles without either."""
    origin: str
    """The agency, or the outlet whose articles are repeated."""
    kind: str
    """`AGENCY` or `OUTLET`."""
    articles: int
    outlets: int
    """The number of outlets: 1 unless the origins of several outlets are summed."""
    share: float | None
    """The median share of words, of the articles that repeat an earlier one; None if there is none."""
    first: datetime | None
    """The earliest date; None if no article has one."""
    last: datetime | None
    credited: int
    uncredited: int
    """Copies of a credited text that do not credit the agency."""
    unknown: int
    """Copies of another outlet's text that credits no agency."""


def list_reuse(stories: Iterable[Story]) -> list[Reuse]:
    """Return a row for each outlet and each origin that it carries, most articles first."""
    return sum_reuse(stories, lambda carried: (carried.outlet, carried.origin, carried.kind))


def sum_reuse_by_origin(stories: Iterable[Story]) -> list[Reuse]:
    """Return a row for each origin, over all outlets that carry it, most articles first."""
    return sum_reuse(stories, lambda carried: (None, carried.origin, carried.kind))


def describe_reuse(row: Reuse) -> dict[str, Any]:
    """Return a row of `list_reuse` as a record, with rounded numbers."""
    record = asdict(row)
    del record["outlets"]
    return {**record, "share": None if row.share is None else round(row.share, SHARE_DIGITS)}


def sum_reuse(
    stories: Iterable[Story], make_key: Callable[[CarriedArticle], tuple[str | None, str, str]]
) -> list[Reuse]:
    """Return a row for each key of the articles that are carried."""
    groups: dict[tuple[str | None, str, str], list[CarriedArticle]] = {}
    for story in stories:
        for carried in iter_carried(story):
            groups.setdefault(make_key(carried), []).append(carried)
    rows = [make_reuse(*key, articles) for key, articles in groups.items()]
    return sorted(rows, key=lambda row: (-row.articles, row.outlet or "", row.origin, row.kind))


def make_reuse(outlet: str | None, origin: str, kind: str, articles: Sequence[CarriedArticle]) -> Reuse:
    """Return the row of articles with one outlet and origin."""
    shares = [each.share for each in articles if each.share is not None]
    dates = [each.published for each in articles if each.published]
    statuses = [each.status for each in articles]
    credited, uncredited = statuses.count(CREDITED), statuses.count(UNCREDITED_COPY)
    return Reuse(
        outlet,
        origin,
        kind,
        len(articles),
        len({each.outlet for each in articles}),
        median(shares) if shares else None,
        min(dates, default=None),
        max(dates, default=None),
        credited,
        uncredited,
        len(articles) - credited - uncredited,
    )


def iter_carried(story: Story) -> Iterator[CarriedArticle]:
    """Yield each article of a story that carries another text, once for each origin."""
    articles = {article.id: article for article in story.articles}
    edges = {edge.child: edge for edge in story.edges}
    for article, credit in zip(story.articles, story.credits, strict=True):
        edge = find_edge_from_outlet(article, articles, edges)
        share = edge.child_share if edge else None
        for origin, kind in find_carried_origins(article, credit, articles[edge.parent] if edge else None):
            yield CarriedArticle(get_outlet(article), origin, kind, credit.status, share, article.published)


def find_edge_from_outlet(
    article: StoryArticle, articles: Mapping[str, StoryArticle], edges: Mapping[str, OriginEdge]
) -> OriginEdge | None:
    """Return the edge by which the text of an article came to its outlet; None if it has no earlier text of another.

    An outlet's own earlier version, or its other copy, is passed over.
    """
    edge = edges.get(article.id)
    while edge and is_same_outlet(article, articles[edge.parent]):
        edge = edges.get(edge.parent)
    return edge


def is_same_outlet(first: StoryArticle, second: StoryArticle) -> bool:
    """Return whether two articles are by one outlet; articles without a source are not told apart."""
    return get_outlet(first) == get_outlet(second) or first.publisher == second.publisher


def find_carried_origins(
    article: StoryArticle, credit: Credit, parent: StoryArticle | None
) -> list[tuple[str, str]]:
    """Return (name, kind) of the agencies whose text an article carries, or else of the outlet that it repeats."""
    if credit.agencies:
        own = get_outlet(article)
        agency = load_aliases().get(own or "", own)
        return [(name, AGENCY) for name in credit.agencies if name != agency]
    outlet = get_outlet(parent) if parent else None
    return [(outlet, OUTLET)] if outlet else []


def get_outlet(article: StoryArticle) -> str | None:
    """Return the source of an article, or else its publisher."""
    return (article.source or "").strip() or article.publisher
