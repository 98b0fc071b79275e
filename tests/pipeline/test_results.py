from typing import Any

import pytest
from newsmaker import planned, story, version
from sagas import CHAPTERS, STORYLINES, linked, saga

from dedup.matching.evidence import EVIDENCE_NAMES, FEATURES_START
from dedup.pipeline.deduplicate import deduplicate
from dedup.pipeline.results import Cluster, Result
from dedup.settings.settings import Settings

DAY = 86_400 * 22_000


@pytest.fixture(scope="module")
def result() -> Result:
    """Return a result of two clusters, of three and two articles, and one article alone, not by rank."""
    return deduplicate(
        [
            {"id": "b2", **version(2, "extended", 1), "published": DAY + 1},
            {"id": "alone", **story(3), "published": DAY},
            {"id": "a3", **version(1, "cut", 1), "published": DAY + 9},
            {"id": "a1", **story(1), "published": DAY + 7},
            {"id": "b1", **story(2), "published": DAY},
            {"id": "a2", **story(1), "published": DAY + 8},
        ]
    )


def test_kept_and_dropped_stand_in_the_order_of_input(result: Result) -> None:
    assert result.kept == ["alone", "a1", "b1"]
    assert [match.id for match in result.dropped] == ["b2", "a3", "a2"]


def test_clusters_stand_by_size_and_their_members_by_rank(result: Result) -> None:
    assert [cluster.ids for cluster in result.clusters] == [("a1", "a2", "a3"), ("b1", "b2")]
    assert [cluster.size for cluster in result.clusters] == [3, 2]
    assert isinstance(result.clusters[0], Cluster)


def test_clusters_of_one_size_stand_by_the_rank_of_who_is_kept() -> None:
    articles = [{"id": f"{n} {k}", **story(n), "published": DAY - n} for n in range(5) for k in range(2)]

    found = deduplicate(articles)

    assert [cluster.canonical for cluster in found.clusters] == ["4 0", "3 0", "2 0", "1 0", "0 0"]


def test_each_duplicate_of_a_cluster_says_why(result: Result) -> None:
    exact, part = result.clusters[0].duplicates

    assert (exact.id, exact.canonical, exact.relation, exact.score) == ("a2", "a1", "exact", 1.0)
    assert (part.id, part.canonical, part.relation) == ("a3", "a1", "excerpt")
    assert part.evidence["contained"] == part.score == 1.0


def test_a_match_of_words_shows_the_evidence_that_decided(result: Result) -> None:
    assert tuple(result.dropped[0].evidence) == EVIDENCE_NAMES[:FEATURES_START]


def test_a_rewrite_shows_all_the_evidence() -> None:
    found = deduplicate(planned(80, seed=1))

    rewrites = [match for match in found.dropped if match.relation == "rewrite"]

    assert rewrites
    assert all(tuple(match.evidence) == EVIDENCE_NAMES for match in rewrites)


def test_numbers_are_rounded_to_four_places(result: Result) -> None:
    numbers = [n for match in result.dropped for n in (match.score, *match.evidence.values())]

    assert all(n == round(n, 4) for n in numbers)


def test_a_result_is_gone_through_in_the_order_of_input(result: Result) -> None:
    found = list(result)

    assert [name for name, _ in found] == ["b2", "alone", "a3", "a1", "b1", "a2"]
    assert [match for _, match in found if match] == result.dropped
    assert [name for name, match in found if not match] == result.kept


@pytest.mark.parametrize(
    ("position", "verdict"),
    [
        (1, {"cluster": "alone", "canonical": True, "relation": None, "score": None, "storyline": "alone"}),
        (3, {"cluster": "a1", "canonical": True, "relation": None, "score": None, "storyline": "a1"}),
        (5, {"cluster": "a1", "canonical": False, "relation": "exact", "score": 1.0, "storyline": "a1"}),
    ],
)
def test_a_verdict_is_what_is_written_beside_an_article(
    result: Result, position: int, verdict: dict[str, Any]
) -> None:
    assert result.verdict(position) == verdict


@pytest.fixture(scope="module")
def running() -> Result:
    """Return a result of two storylines, of nine stories and of two."""
    return linked(deduplicate(saga()), STORYLINES)


def test_storylines_stand_by_length_and_their_articles_by_rank(running: Result) -> None:
    assert running.storylines == [tuple(f"c{n}" for n in range(1, CHAPTERS + 1)), ("e1", "e2")]


def test_chapters_are_the_storylines_by_date_with_undated_ones_last() -> None:
    articles = saga()
    longest = {**articles[4], "text": f"{articles[4]['text']} {story(30)['text']}"}
    result = linked(
        deduplicate([*articles[:4], longest, *articles[5:]], Settings(keep="longest")), STORYLINES
    )

    assert result.storylines[0][0] == "c5"
    assert [[result.ids[a] for a in chapters] for chapters in result.list_chapters()] == [
        [f"c{n}" for n in range(1, CHAPTERS + 1)],
        ["e1", "e2"],
    ]


def test_followups_are_counted_once_each_and_so_are_their_storylines(running: Result) -> None:
    assert running.count_followups() == (9, 2)
    assert len(running.links) == 9


def test_a_link_says_whom_a_kept_article_follows_and_how_likely(running: Result) -> None:
    link = running.links[0]

    assert (link.id, link.canonical, link.relation, link.score) == ("c2", "c1", "followup", 0.9)
    assert tuple(link.evidence) == EVIDENCE_NAMES


def test_the_verdict_on_a_follower_names_whom_it_follows(running: Result) -> None:
    verdict = running.verdict(running.ids.index("c2"))

    assert verdict["storyline"] == "c1"
    assert verdict["follows"] == {"id": "c1", "probability": 0.9}


def test_a_cluster_belongs_to_the_storyline_of_the_article_that_is_kept(running: Result) -> None:
    assert {cluster.canonical: cluster.storyline for cluster in running.clusters} == {"c1": "c1", "c3": "c1"}


def test_where_followups_join_there_is_nothing_left_to_follow() -> None:
    result = deduplicate(planned(60, seed=1), Settings(level="storyline"))

    assert result.links == []
    assert result.list_chapters() == []
    assert result.count_followups() == (0, 0)


def test_what_is_remembered_of_an_article_is_who_it_is(result: Result) -> None:
    assert result.articles.column_names == ["id", "title", "source", "published"]
    assert result.articles.num_rows == 6
