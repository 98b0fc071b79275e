import sys
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from newsmaker import planned, story, version
from sagas import CHAPTERS, STORYLINES, linked, saga

from dedup.errors import DedupError, InputError
from dedup.matching.evidence_columns import EVIDENCE_NAMES, FEATURES_START
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


def test_a_result_is_as_long_as_it_has_clusters_and_is_never_false(result: Result) -> None:
    assert len(result) == 2
    assert len(deduplicate([])) == 0
    assert deduplicate([])


def test_an_id_leads_to_its_cluster_and_its_match(result: Result) -> None:
    assert result["a1"] == result["a3"] == result.clusters[0]
    assert result["alone"] == Cluster("alone", (), "alone")
    assert result.match("a3") == result.clusters[0].duplicates[1]
    assert result.match("a1") is None
    assert "a3" in result


def test_an_unknown_id_is_a_key_error_that_shows_an_id(result: Result) -> None:
    assert 7 not in result
    for look_up in (result.match, result.__getitem__):
        with pytest.raises(KeyError, match=r"no article has the id 7; ids look like \['b2'\]"):
            look_up(7)


@pytest.mark.parametrize("name", ["result", "running"])
def test_the_table_has_the_verdict_on_each_article(name: str, request: pytest.FixtureRequest) -> None:
    found = request.getfixturevalue(name)

    rows = found.to_arrow().to_pylist()

    for a, row in enumerate(rows):
        verdict = found.verdict(a)
        follows = verdict.pop("follows", {}).get("id")
        assert row == {"id": found.ids[a], **verdict, "follows": follows}
    assert len(rows) == len(found.ids)


def test_an_empty_result_is_an_empty_table() -> None:
    assert deduplicate([]).to_arrow().num_rows == 0


def test_a_result_is_a_frame_of_any_library(result: Result) -> None:
    table = result.to_arrow()

    assert result.to_pandas().equals(table.to_pandas())
    assert result.to_polars().equals(pl.DataFrame(table))
    assert pl.DataFrame(result).equals(result.to_polars())
    assert pa.table(result) == table


def test_whole_numbers_stay_whole_beside_nulls() -> None:
    numbers: Any = {article["id"]: n for n, article in enumerate(saga())}
    articles = [{**article, "id": numbers[article["id"]]} for article in saga()]
    storylines = {numbers[lead]: [numbers[name] for name in names] for lead, names in STORYLINES.items()}

    found = linked(deduplicate(articles), storylines).to_pandas()

    assert pd.api.types.is_integer_dtype(found["id"])
    assert {type(value) for value in found["follows"]} <= {int, type(None)}


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_library_that_is_missing_is_named(
    result: Result, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ImportError

    class Table:
        to_pandas = refuse

    monkeypatch.setitem(sys.modules, "polars", None)
    monkeypatch.setattr(Result, "to_arrow", lambda _: Table())

    with pytest.raises(DedupError, match=f"pip install {library}"):
        getattr(result, f"to_{library}")()


def test_a_result_shows_its_counts(result: Result) -> None:
    assert repr(result) == (
        "<Result of 6 articles: 3 kept, 3 dropped; 2 clusters, 0 storylines; level='story'>"
    )


def test_a_notebook_shows_the_largest_clusters_escaped() -> None:
    articles = [
        {"id": f"<{n}-{k}>", **story(n), "title": "<script>alert(1)</script> & more"}
        for n in range(12)
        for k in range(2)
    ]

    shown = deduplicate(articles)._repr_html_()

    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in shown
    assert "-0&gt;</td>" in shown
    assert shown.count("<tr>") == 1 + 10
    assert "… and 2 more clusters" in shown


def test_a_report_is_written_of_articles_in_memory(tmp_path: Path) -> None:
    articles = [{"id": n, **story(1)} for n in range(3)]

    deduplicate(articles).report(tmp_path / "page.html", name="Norwire & Sons")

    page = (tmp_path / "page.html").read_text()
    assert page.lower().startswith("<!doctype html>")
    assert "Norwire &amp; Sons" in page


def test_a_report_needs_the_articles_again_where_they_are_gone(tmp_path: Path) -> None:
    articles = [{"id": n, **story(1)} for n in range(3)]
    found = deduplicate(iter(articles))

    with pytest.raises(InputError, match="only once"):
        found.report(tmp_path / "page.html")
    with pytest.raises(InputError, match="these are 2 articles, and the result is of 3"):
        found.report(tmp_path / "page.html", articles[:2])
    found.report(tmp_path / "page.html", articles)

    assert (tmp_path / "page.html").stat().st_size > 0
