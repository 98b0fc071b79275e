"""Decide which articles of a story share an origin, with the evidence of each merge.

A copy shares the origin of its parent. Articles in other words share one if they credit the same agency, or belong to one
publisher or group of publishers. Otherwise `dedup.origins.shared_origin` estimates a probability from the words outside
quotations and the sources that two articles share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from dedup.origins.credit_forms import CONTRIBUTION
from dedup.origins.shared_origin import OriginModel, SharedEvidence, find_shared_evidence, load_origin_model

if TYPE_CHECKING:
    from dedup.origins.trace import OriginEdge, StoryArticle

__all__ = [
    "CREDITED",
    "PARTIAL",
    "UNCREDITED_COPY",
    "UNKNOWN",
    "Credit",
    "OriginMerge",
    "find_credits",
    "find_merges",
    "find_unknown_origins",
    "number_origins",
]

CREDITED, UNCREDITED_COPY, UNKNOWN = "credited", "uncredited copy of a credited text", "unknown"
PARTIAL = "partial"
"""The relation of an article that shares a part of its words with an earlier one."""
CONTRIBUTION_PROBABILITY = 0.6
"""Two articles that credit one agency, at least one of them only for a contribution. A guess: reporters add to it."""
MERGE_PROBABILITY = 0.5
"""Merges from this probability on join two articles."""
TEXT_FROM_CHILD = frozenset(["exact", "copy"])
"""Relations in which the parent has the words of the child too, so that a credit of the child holds for the parent."""


@dataclass(frozen=True, slots=True)
class OriginMerge:
    """Two articles of one origin, and the reason."""

    first: str
    """The id of the earlier article."""
    second: str
    because: str
    """For people: "copy of wire", "same agency (dpa)", "same group (Funke)", "same quotation (…)"."""
    probability: float | None = None
    """That both have one origin; None if it is certain."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Whether an article credits an agency."""

    status: str
    """`CREDITED`, `UNCREDITED_COPY` or `UNKNOWN`."""
    agencies: tuple[str, ...] = ()
    """The agencies that it credits, or that the credited text does."""
    credited_by: str | None = None
    """The id of the credited text; None unless the status is `UNCREDITED_COPY`."""


def find_merges(
    articles: Sequence[StoryArticle], edges: Iterable[OriginEdge], model: OriginModel | None = None
) -> list[OriginMerge]:
    """Return the merges that join articles of a story; `articles` must be sorted, earliest first.

    `model` estimates the probability of weak evidence; None stands for that of the package.

    Edges come first, then certain evidence, then weak evidence, the most probable first. A merge is left out if the two
    already share an origin.
    """
    edges = list(edges)
    certain = [
        OriginMerge(edge.parent, edge.child, f"{name_copy(edge.relation)} of {edge.parent}")
        for edge in edges
        if edge.relation != PARTIAL
    ]
    first: dict[tuple[str, str], tuple[str, bool]] = {}
    contributions = []
    for article in articles:
        for kind, name, is_weak in iter_merge_keys(article):
            earlier, earlier_weak = first.setdefault((kind, name), (article.id, is_weak))
            if earlier != article.id:
                because = f"same {kind} ({name})"
                if is_weak or earlier_weak:
                    contributions.append(OriginMerge(earlier, article.id, because, CONTRIBUTION_PROBABILITY))
                else:
                    certain.append(OriginMerge(earlier, article.id, because))
    origins = OriginSets(article.id for article in articles)
    kept = [merge for merge in certain if origins.join(merge.first, merge.second)]
    weak = [*contributions, *iter_weak_merges(articles, edges, origins, model or load_origin_model())]
    weak.sort(key=lambda merge: -(merge.probability or 0))
    return kept + [merge for merge in weak if origins.join(merge.first, merge.second)]


def iter_weak_merges(
    articles: Sequence[StoryArticle], edges: Iterable[OriginEdge], origins: OriginSets, model: OriginModel
) -> Iterator[OriginMerge]:
    """Yield a merge for each pair of different origins that has one origin with `MERGE_PROBABILITY` or more."""
    parents = {edge.child: edge.parent for edge in edges}
    for first, second in combinations(articles, 2):
        if origins.find_leader(first.id) != origins.find_leader(second.id):
            evidence = find_shared_evidence(first, second)
            probability = model.estimate(evidence)
            if probability >= MERGE_PROBABILITY:
                is_partial = parents.get(second.id) == first.id
                because = f"partial copy of {first.id}" if is_partial else describe_evidence(evidence)
                yield OriginMerge(first.id, second.id, because, probability)


def describe_evidence(evidence: SharedEvidence) -> str:
    """Return the evidence in words.

    >>> describe_evidence(SharedEvidence(0.12, ("cnn.com",)))
    'same source (cnn.com), 12 % of the wording'
    """
    wording = f"{evidence.wording:.0%} of the wording".replace("%", " %")
    return (
        f"same source ({', '.join(evidence.sources)}), {wording}" if evidence.sources else f"shares {wording}"
    )


def name_copy(relation: str) -> str:
    """Return the noun for an article with this relation."""
    return {"exact": "exact copy"}.get(relation, relation)


class OriginSets:
    """The disjoint sets of articles that share an origin (union-find)."""

    def __init__(self, ids: Iterable[str]) -> None:
        self.leaders = {name: name for name in ids}

    def find_leader(self, name: str) -> str:
        """Return the article that stands for the set of an article."""
        while self.leaders[name] != name:
            self.leaders[name] = name = self.leaders[self.leaders[name]]
        return name

    def join(self, first: str, second: str) -> bool:
        """Join the sets of two articles; return False if they were one."""
        kept, other = self.find_leader(first), self.find_leader(second)
        self.leaders[other] = kept
        return kept != other


def iter_merge_keys(article: StoryArticle) -> Iterator[tuple[str, str, bool]]:
    """Yield (kind, name, whether the evidence is weak) for all that other articles of one origin may share.

    Quotations come longest first, so that the same articles always merge for the same reason.
    """
    if article.group:
        yield "group", article.group, False
    elif article.publisher:
        yield "publisher", article.publisher, False
    for credit in article.attribution.credits:
        yield "agency", credit.agency, credit.kind == CONTRIBUTION


def number_origins(articles: Sequence[StoryArticle], merges: Iterable[OriginMerge]) -> list[int]:
    """Return the number of the origin of each article, from 0 in the order of the articles."""
    origins = OriginSets(article.id for article in articles)
    for merge in merges:
        origins.join(merge.first, merge.second)
    numbers: dict[str, int] = {}
    return [numbers.setdefault(origins.find_leader(article.id), len(numbers)) for article in articles]


def find_unknown_origins(articles: Sequence[StoryArticle], origins: Sequence[int]) -> frozenset[int]:
    """Return the numbers of the origins of which nothing is known.

    Such an origin is one article that nothing ties to another, without publisher, agency and byline: it may repeat any
    of the others in other words.
    """
    sizes = Counter(origins)
    return frozenset(
        origin
        for article, origin in zip(articles, origins, strict=True)
        if sizes[origin] == 1
        and not (article.publisher or article.attribution.credits or article.attribution.byline)
    )


def find_credits(articles: Sequence[StoryArticle], edges: Iterable[OriginEdge]) -> tuple[Credit, ...]:
    """Return the credit of each article.

    An article without a credit is an uncredited copy if its wording comes from a credited article, directly or through
    others, or if a credited article is an exact copy or a copy of it. A part of its words is not enough.
    """
    neighbours: dict[str, list[str]] = {article.id: [] for article in articles}
    for edge in edges:
        if edge.relation != PARTIAL:
            neighbours[edge.parent].append(edge.child)
        if edge.relation in TEXT_FROM_CHILD:
            neighbours[edge.child].append(edge.parent)
    agencies = {
        article.id: tuple(credit.agency for credit in article.attribution.credits) for article in articles
    }
    found = {name: Credit(CREDITED, names) for name, names in agencies.items() if names}
    waiting = list(found)
    for name in waiting:  # breadth first, so that the nearest credited text is named
        for other in neighbours[name]:
            if other not in found:
                found[other] = Credit(UNCREDITED_COPY, found[name].agencies, found[name].credited_by or name)
                waiting.append(other)
    return tuple(found.get(article.id, Credit(UNKNOWN)) for article in articles)
