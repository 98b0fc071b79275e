"""StoryArticles share an origin through an edge, a publisher, or an agency."""

from typing import Any

import numpy as np

from dedup.origins.trace import OriginEdge, StoryArticle, find_parents, number_origins
from dedup.settings.settings import Settings


def article(name: str, shingles: range = range(0), **others: Any) -> StoryArticle:
    """Return an article of which only some parts are known."""
    known: dict[str, Any] = {"publisher": None, "agencies": frozenset(), **others}
    words = np.array(shingles, np.uint64)
    return StoryArticle(
        name, None, None, None, shingles=words, text_hash=len(words) * 1000 + sum(shingles), **known
    )


def test_articles_without_a_tie_are_independent() -> None:
    assert number_origins([article("a"), article("b")], []) == [0, 1]


def test_an_edge_a_publisher_and_an_agency_join() -> None:
    articles = [
        article("a", publisher="bugle.example"),
        article("b", agencies=frozenset(["AP"])),
        article("c", publisher="bugle.example"),
        article("d", agencies=frozenset(["AP", "AFP"])),
        article("e"),
        article("f"),
    ]

    assert number_origins(articles, [OriginEdge("f", "e", "copy", 1.0, 1.0)]) == [0, 1, 0, 1, 2, 2]


def test_the_parent_is_the_one_with_most_of_the_words_and_not_the_kept_one() -> None:
    articles = [article("wire", range(100)), article("edited", range(160)), article("copy", range(40, 160))]

    [_, edge] = find_parents(articles, Settings())

    assert (edge.child, edge.parent, edge.child_share, edge.parent_share) == ("copy", "edited", 1.0, 0.75)


def test_an_article_in_other_words_has_no_parent() -> None:
    assert (
        find_parents([article("a", range(50)), article("b", range(45, 99)), article("c")], Settings()) == []
    )
