"""Articles share an origin through their wording, an agency, a publisher, a group or a quotation, each with its reason."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dedup.origins.attribution import AgencyCredit, Attribution
from dedup.origins.credit_forms import CONTRIBUTION
from dedup.origins.independence import (
    CONTRIBUTION_PROBABILITY,
    CREDITED,
    PARTIAL,
    UNCREDITED_COPY,
    UNKNOWN,
    find_credits,
    find_merges,
    find_unknown_origins,
    number_origins,
)
from dedup.origins.shared_origin import MAX_PROBABILITY, OriginModel
from dedup.origins.trace import OriginEdge, StoryArticle, find_parents, sort_by_date
from dedup.settings.settings import Settings


def article(name: str, shingles: range = range(0), **others: Any) -> StoryArticle:
    """Return an article of which only some parts are known."""
    words = np.array(shingles, np.uint64)
    return StoryArticle(
        name,
        None,
        None,
        shingles=words,
        text_hash=len(words) * 1000 + sum(shingles),
        **{"publisher": None, "published": None, **others},
    )


def credit(*names: str, kind: str = "source") -> Attribution:
    """Return an attribution to agencies."""
    return Attribution(tuple(AgencyCredit(name, kind, name) for name in names))


def edge(child: str, parent: str, relation: str = "copy") -> OriginEdge:
    """Return an edge between two articles of the same words."""
    return OriginEdge(child, parent, relation, 1.0, 1.0)


def numbers(articles: list[StoryArticle], *edges: OriginEdge) -> list[int]:
    """Return the numbers of the origins."""
    return number_origins(articles, find_merges(articles, edges))


def test_articles_without_a_tie_are_independent() -> None:
    assert numbers([article("a"), article("b")]) == [0, 1]


def test_an_edge_a_publisher_and_an_agency_join() -> None:
    articles = [
        article("a", publisher="bugle.example"),
        article("b", attribution=credit("AP")),
        article("c", publisher="bugle.example"),
        article("d", attribution=credit("AP", "AFP")),
        article("e"),
        article("f"),
    ]

    assert numbers(articles, edge("f", "e")) == [0, 1, 0, 1, 2, 2]


def test_a_merge_says_why() -> None:
    articles = [
        article("a", group="Anker", publisher="a.example"),
        article("b", attribution=credit("dpa")),
        article("c", group="Anker", publisher="c.example"),
        article("d", attribution=credit("dpa")),
        article("e"),
    ]

    reasons = {m.second: (m.first, m.because, m.probability) for m in find_merges(articles, [edge("e", "b")])}

    assert reasons == {
        "c": ("a", "same group (Anker)", None),
        "d": ("b", "same agency (dpa)", None),
        "e": ("b", "copy of b", None),
    }


def runs(*parts: range) -> np.ndarray:
    """Return a set of runs of words."""
    return np.concatenate([np.arange(part.start, part.stop, dtype=np.uint32) for part in parts])


def test_a_contribution_is_weak_evidence() -> None:
    articles = [
        article("a", attribution=credit("AP")),
        article("b", attribution=credit("AP", kind=CONTRIBUTION)),
    ]

    [merge] = find_merges(articles, [])

    assert (merge.because, merge.probability) == ("same agency (AP)", CONTRIBUTION_PROBABILITY)


def test_words_outside_quotations_and_a_source_join_by_their_probability() -> None:
    articles = [
        article("a", unquoted=runs(range(100)), publisher="a.example"),
        article("b", unquoted=runs(range(90, 190)), publisher="b.example"),
        article("c", unquoted=runs(range(500, 600)), named_sources=frozenset(["b.example"])),
        article("d", unquoted=runs(range(700, 800)), publisher="d.example"),
    ]
    model = OriginModel(wording=30.0, source=3.0, intercept=-2.0)

    merges = find_merges(articles, [], model)

    assert [(merge.first, merge.second, merge.because, merge.probability) for merge in merges] == [
        ("a", "b", "shares 10 % of the wording", 0.73),
        ("b", "c", "same source (b.example), 0 % of the wording", 0.73),
    ]


def test_weak_evidence_below_one_half_joins_nothing() -> None:
    articles = [article("a", unquoted=runs(range(100))), article("b", unquoted=runs(range(98, 198)))]

    assert find_merges(articles, [], OriginModel(wording=30.0, source=3.0, intercept=-2.0)) == []


def test_the_more_probable_of_two_merges_is_named() -> None:
    articles = [
        article("a", unquoted=runs(range(100))),
        article("b", unquoted=runs(range(92, 192))),
        article("c", unquoted=runs(range(92, 100), range(180, 192), range(300, 380))),
    ]

    merges = find_merges(articles, [], OriginModel(wording=30.0, source=3.0, intercept=-2.0))

    assert [(merge.first, merge.second) for merge in merges] == [("b", "c"), ("a", "b")]


def test_certain_evidence_is_named_rather_than_weak_evidence() -> None:
    articles = [
        article("a", unquoted=runs(range(100)), attribution=credit("dpa")),
        article("b", unquoted=runs(range(100)), attribution=credit("dpa")),
    ]

    [merge] = find_merges(articles, [])

    assert (merge.because, merge.probability) == ("same agency (dpa)", None)


def test_an_article_of_which_nothing_is_known_is_an_unknown_origin() -> None:
    articles = [article("a", publisher="a.example"), article("b"), article("c"), article("d")]
    origins = numbers(articles, edge("d", "c"))

    assert find_unknown_origins(articles, origins) == {1}


def test_a_copy_of_a_credited_text_is_uncredited_and_others_are_unknown() -> None:
    articles = [article("a", attribution=credit("dpa")), article("b"), article("c"), article("d")]

    found = find_credits(articles, [edge("b", "a"), edge("c", "b", "excerpt")])

    assert [each.status for each in found] == [CREDITED, UNCREDITED_COPY, UNCREDITED_COPY, UNKNOWN]
    assert (found[2].agencies, found[2].credited_by) == (("dpa",), "a")


def test_a_credit_of_a_later_copy_holds_for_the_parent_but_that_of_an_extension_does_not() -> None:
    later = article("b", attribution=credit("AP"))

    copied = find_credits([article("a"), later], [edge("b", "a", "copy")])
    extended = find_credits([article("a"), later], [edge("b", "a", "extension")])

    assert [copied[0].status, extended[0].status] == [UNCREDITED_COPY, UNKNOWN]


def test_the_parent_is_the_one_with_most_of_the_words_and_not_the_kept_one() -> None:
    articles = [article("wire", range(100)), article("edited", range(160)), article("copy", range(40, 160))]

    [_, found] = find_parents(articles, Settings())

    assert (found.child, found.parent, found.child_share, found.parent_share) == ("copy", "edited", 1.0, 0.75)


def test_an_article_in_other_words_has_no_parent() -> None:
    assert (
        find_parents([article("a", range(50)), article("b", range(45, 99)), article("c")], Settings()) == []
    )


def test_an_article_with_a_part_of_the_words_is_partial_if_it_repeats_no_other() -> None:
    articles = [article("a", range(100)), article("b", range(60, 160)), article("c", range(62, 160))]

    edges = find_parents(articles, Settings())

    assert [(edge.child, edge.parent, edge.relation) for edge in edges] == [
        ("b", "a", PARTIAL),
        ("c", "b", "copy"),
    ]


def test_a_few_shared_words_of_a_short_text_are_no_part() -> None:
    assert find_parents([article("a", range(60)), article("b", range(40, 100))], Settings()) == []


def test_a_partial_copy_shares_the_origin_but_not_the_credit() -> None:
    articles = [
        article("a", unquoted=runs(range(100)), attribution=credit("dpa")),
        article("b", unquoted=runs(range(60, 160))),
        article("c", unquoted=runs(range(60, 160))),
    ]
    edges = [edge("b", "a", PARTIAL), edge("c", "b")]

    [merge, other] = sorted(find_merges(articles, edges), key=lambda merge: merge.second)

    assert (merge.because, merge.probability) == ("partial copy of a", MAX_PROBABILITY)
    assert (other.because, other.probability) == ("copy of b", None)
    assert [each.status for each in find_credits(articles, edges)] == [CREDITED, UNKNOWN, UNKNOWN]


def test_a_part_that_is_all_quotations_joins_nothing() -> None:
    articles = [article("a", unquoted=runs(range(100))), article("b", unquoted=runs(range(200, 300)))]

    assert find_merges(articles, [edge("b", "a", PARTIAL)]) == []


def test_an_earlier_version_of_the_article_is_its_parent_before_an_article_of_another_outlet() -> None:
    versions = [
        article("other", range(100)),
        article("a", range(100), url="https://a.example/1"),
        article("b", range(99), url="https://a.example/1"),
        article("a#2", range(98)),
    ]

    edges = find_parents(versions, Settings())

    assert [(edge.child, edge.parent) for edge in edges] == [("a", "other"), ("b", "a"), ("a#2", "a")]


FIRST_DAY = datetime(2031, 1, 1, tzinfo=UTC)
DATES = st.one_of(st.none(), st.integers(0, 72).map(lambda hours: FIRST_DAY + timedelta(hours=hours)))


@given(st.lists(st.tuples(st.integers(0, 3), DATES), min_size=2, max_size=9))
def test_edges_make_no_loop_whatever_dates_are_claimed(claims: list[tuple[int, datetime | None]]) -> None:
    articles = sort_by_date(
        [
            article(f"{number}", range(start, 100 + start), published=date, seen=number)
            for number, (start, date) in enumerate(claims)
        ]
    )

    edges = find_parents(articles, Settings())

    places = {each.id: place for place, each in enumerate(articles)}
    assert len(edges) == len(articles) - 1
    assert all(places[edge.parent] < places[edge.child] for edge in edges)
    assert set(number_origins(articles, find_merges(articles, edges))) == {0}


def test_an_undated_article_is_never_the_parent_of_a_dated_one() -> None:
    articles = sort_by_date(
        [article("undated", range(100)), article("dated", range(100), published=FIRST_DAY)]
    )

    [edge] = find_parents(articles, Settings())

    assert (edge.parent, edge.child) == ("dated", "undated")
