"""A wire story in twelve outlets of three groups, an independent report, a correction and a silent change."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import called, on_terminal, written
from wire_newsroom import OWNERS, make_newsroom

from dedup import Result, deduplicate
from dedup.cli.main import cli
from dedup.errors import InputError
from dedup.origins.formats import format_json
from dedup.origins.independence import CREDITED, UNCREDITED_COPY, UNKNOWN
from dedup.origins.trace import Story


@pytest.fixture(scope="module")
def result() -> Result:
    """Return the clusters of the newsroom, at the level of storylines: the report is in other words."""
    return deduplicate(make_newsroom(), level="storyline")


@pytest.fixture(scope="module")
def story(result: Result) -> Story:
    """Return the one story of the newsroom."""
    [found] = result.origins(publishers=OWNERS)
    return found


def test_the_wire_and_the_report_are_two_origins_of_fifteen_tellings(story: Story) -> None:
    assert story.count_text == "2 of 15"
    assert story.unknown == frozenset()
    alone = [a.id for a, o in zip(story.articles, story.origins, strict=True) if story.origins.count(o) == 1]
    assert alone == ["lotse/bridge"]


def test_every_outlet_that_drops_the_credit_is_an_uncredited_copy(story: Story) -> None:
    statuses = {a.id: credit for a, credit in zip(story.articles, story.credits, strict=True)}

    assert statuses["anker-1/bridge"].status == CREDITED
    assert statuses["anker-2/bridge"].status == UNCREDITED_COPY
    assert statuses["kompass-4/bridge"].agencies == ("dpa",)
    assert statuses["lotse/bridge"].status == UNKNOWN


def test_the_groups_are_one_origin_each_even_where_no_words_are_shared() -> None:
    articles = [
        {**article, "text": article["text"].replace("Quelle: dpa", "")} for article in make_newsroom()
    ]
    articles[12] |= {"source": "anker-2", "url": "https://anker-2.example/own"}

    [story] = deduplicate(articles, level="storyline").origins(publishers=OWNERS)

    assert story.count_text == "1 of 15"
    assert "same group (Anker)" in {merge.because for merge in story.merges}


def test_without_sources_and_credits_nothing_is_claimed() -> None:
    articles = [
        {"id": a["id"], "text": a["text"].replace("Quelle: dpa", ""), "title": a["title"]}
        for a in make_newsroom()
    ]

    [story] = deduplicate(articles, level="storyline").origins()

    assert (story.origin_count, len(story.unknown)) == (1, 1)
    assert (story.first_claimed, story.first_seen.id) == (None, "anker-1/bridge")


def test_the_earliest_by_date_and_the_first_seen_are_both_named() -> None:
    articles = make_newsroom()
    articles[5]["published"] = "2031-05-05T01:00:00Z"

    [story] = deduplicate(articles, level="storyline").origins(publishers=OWNERS)

    assert story.first_claimed is not None
    assert (story.first_claimed.id, story.first_seen.id) == ("boje-2/bridge", "anker-1/bridge")
    [edge] = [edge for edge in story.edges if edge.child == "anker-1/bridge"]
    assert (edge.parent, edge.seen_first) == ("boje-2/bridge", "anker-1/bridge")


def test_equal_dates_make_no_loop() -> None:
    articles = [{**article, "published": "2031-05-05T08:00:00Z"} for article in make_newsroom()]

    [story] = deduplicate(articles, level="storyline").origins()

    places = {article.id: number for number, article in enumerate(story.articles)}
    assert story.edges
    assert all(places[edge.parent] < places[edge.child] for edge in story.edges)
    assert json.loads(format_json([story]))["graph"]["stories"][0]["lag_seconds"] == 0


def test_a_result_of_unknown_articles_asks_for_them(result: Result) -> None:
    from dataclasses import replace

    with pytest.raises(InputError, match="does not know its articles"):
        replace(result, source=None).origins()


def test_the_command_writes_the_count_and_the_reasons(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", make_newsroom())
    owners = tmp_path / "owners.csv"
    owners.write_text("domain,group\n" + "".join(f"{d},{g}\n" for d, g in OWNERS.items()))

    done = called("origins", corpus, "--publishers", owners, "--level", "storyline")

    assert done.exit_code == 0, done.stderr
    graph = json.loads(done.stdout)
    [story] = graph["graph"]["stories"]
    assert (story["count"], story["first_claimed"], story["lag_seconds"]) == (
        "2 of 15",
        "anker-1/bridge",
        46800,
    )
    assert {merge["probability"] for merge in story["merges"]} == {None}
    nodes = {node["id"]: node for node in graph["nodes"]}
    assert nodes["anker-1/bridge"]["passages"] == "Quelle: dpa"
    assert nodes["boje-1/bridge"]["group"] == "Boje"


def test_a_terminal_gets_a_row_for_each_story(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", make_newsroom())

    shown = on_terminal("origins", corpus, "--level", "storyline")

    header, row = (line.split() for line in shown.splitlines()[:2])
    assert header == ["story", "tellings", "origins", "first", "outlet", "lag"]
    assert {"15", "2", "anker-1", "+13"} <= set(row)


def test_a_domain_of_two_groups_is_one_sentence(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", make_newsroom())
    owners = tmp_path / "owners.csv"
    owners.write_text("domain,group\nanker-1.example,Anker\nwww.anker-1.example,Boje\n")

    done = CliRunner().invoke(cli, ["origins", str(corpus), "--publishers", str(owners)])

    assert done.exit_code == 1
    assert done.stderr.strip() == f"Error: {owners} gives anker-1.example two groups: Anker and Boje"


def test_articles_without_sources_and_dates_are_unknown_to_the_command_too(tmp_path: Path) -> None:
    bare = [
        {"id": each["id"], "text": each["text"].replace("Quelle: dpa", "")} for each in make_newsroom()[:3]
    ]
    corpus, reuse = written(tmp_path / "news.jsonl", bare), tmp_path / "reuse.json"

    done = called("origins", corpus, "--reuse", reuse, "-q")

    graph = json.loads(done.stdout)
    [story] = graph["graph"]["stories"]
    assert (story["first_claimed"], story["lag_seconds"]) == (None, None)
    assert {(node["credit"], node["publisher"], node["agencies"]) for node in graph["nodes"]} == {
        (UNKNOWN, None, None)
    }
    assert json.loads(reuse.read_text(encoding="utf-8")) == []


def test_a_corpus_without_stories_has_an_empty_graph(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", make_newsroom()[:1])

    graph = json.loads(called("origins", corpus, "-q").stdout)

    assert (graph["graph"]["stories"], graph["nodes"], graph["edges"]) == ([], [], [])
