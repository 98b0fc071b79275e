"""Tellings share an origin through an edge, a publisher, or an agency."""

from typing import Any

import numpy as np

from dedup.origins.trace import OriginEdge, Telling, find_parents, number_origins
from dedup.settings.settings import Settings


def telling(name: str, shingles: range = range(0), **others: Any) -> Telling:
    """Return a telling of which only some parts are known."""
    known: dict[str, Any] = {"publisher": None, "agencies": frozenset(), **others}
    words = np.array(shingles, np.uint64)
    return Telling(
        name, None, None, None, shingles=words, text_hash=len(words) * 1000 + sum(shingles), **known
    )


def test_tellings_without_a_tie_are_independent() -> None:
    assert number_origins([telling("a"), telling("b")], []) == [0, 1]


def test_an_edge_a_publisher_and_an_agency_join() -> None:
    tellings = [
        telling("a", publisher="bugle.example"),
        telling("b", agencies=frozenset(["AP"])),
        telling("c", publisher="bugle.example"),
        telling("d", agencies=frozenset(["AP", "AFP"])),
        telling("e"),
        telling("f"),
    ]

    assert number_origins(tellings, [OriginEdge("f", "e", "copy", 1.0, 1.0)]) == [0, 1, 0, 1, 2, 2]


def test_the_parent_is_the_one_with_most_of_the_words_and_not_the_kept_one() -> None:
    tellings = [telling("wire", range(100)), telling("edited", range(160)), telling("copy", range(40, 160))]

    [_, edge] = find_parents(tellings, Settings())

    assert (edge.child, edge.parent, edge.child_share, edge.parent_share) == ("copy", "edited", 1.0, 0.75)


def test_a_telling_in_other_words_has_no_parent() -> None:
    assert (
        find_parents([telling("a", range(50)), telling("b", range(45, 99)), telling("c")], Settings()) == []
    )
