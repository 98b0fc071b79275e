"""A wire story that six outlets carry, with cuts: each copy leads to the article that its words come from."""

import csv
import io
import json
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from commands import written
from newsmaker import name, sentence

from dedup import deduplicate
from dedup.cli.main import cli
from dedup.origins.formats import format_csv, format_graphml, format_json
from dedup.origins.trace import Story, trace_origins

RANDOM = Random(5)
CAST = [name(RANDOM) for _ in range(4)]
WIRE = [sentence(RANDOM, CAST) for _ in range(16)]
OWN = [sentence(RANDOM, CAST) for _ in range(5)]


def article(name: str, hour: int, sentences: list[str], **others: Any) -> dict[str, Any]:
    """Return an article of one hour of a day."""
    return {
        "id": name,
        "title": "Bridge of Tollan shut",
        "text": " ".join(sentences),
        "published": f"2031-05-04T{hour:02d}:00:00Z",
        "source": name,
        **others,
    }


ARTICLES = [
    article("wire", 1, WIRE),
    article("whole", 2, WIRE),
    article("edited", 3, [*WIRE, *OWN]),
    article("cut of edited", 4, [*WIRE[8:], *OWN]),
    article("cut", 5, WIRE[:12]),
    article("copy of cut", 6, [*WIRE[:12], "More soon."]),
]


@pytest.fixture(scope="module")
def story() -> Story:
    """Return the graph of the one story."""
    result = deduplicate(ARTICLES)
    assert result.source is not None
    [found] = trace_origins(result, result.source)
    return found


def test_each_copy_leads_to_the_earliest_article_that_it_carries(story: Story) -> None:
    parents = {edge.child: (edge.parent, edge.relation) for edge in story.edges}

    assert parents == {
        "whole": ("wire", "exact"),
        "edited": ("wire", "copy"),
        "cut of edited": ("edited", "copy"),
        "cut": ("wire", "copy"),
        "copy of cut": ("wire", "copy"),
    }


def test_an_edge_says_how_much_of_each_is_carried(story: Story) -> None:
    shares = {edge.child: (edge.child_share, edge.parent_share) for edge in story.edges}

    assert shares["whole"] == (1.0, 1.0)
    assert shares["cut"][0] == 1.0 > shares["cut"][1]
    assert shares["edited"][0] < 1.0 == shares["edited"][1]


def test_articles_that_edges_join_have_one_origin(story: Story) -> None:
    assert [article.id for article in story.articles] == [article["id"] for article in ARTICLES]
    assert story.origin_count == 1


def test_json_has_nodes_and_edges(story: Story) -> None:
    graph = json.loads(format_json([story]))

    assert {node["id"] for node in graph["nodes"]} == {article["id"] for article in ARTICLES}
    assert {(edge["source"], edge["target"]) for edge in graph["edges"]} >= {("wire", "cut")}
    [described] = graph["graph"]["stories"]
    assert described.items() >= {"story": "wire", "tellings": 6, "origins": 1, "count": "1 of 6"}.items()


def test_graphml_is_xml_with_declared_attributes(story: Story) -> None:
    root = ET.fromstring(format_graphml([story]))  # noqa: S314 - our own

    space = "{http://graphml.graphdrawing.org/xmlns}"
    declared = {key.get("id") for key in root.iter(f"{space}key")}
    assert len(list(root.iter(f"{space}node"))) == 6
    assert {data.get("key") for data in root.iter(f"{space}data")} <= declared


def test_csv_has_an_edge_a_row(story: Story) -> None:
    rows = list(csv.DictReader(io.StringIO(format_csv([story]))))

    assert [row["child"] for row in rows] == [edge.child for edge in story.edges]


@pytest.mark.parametrize("extension", ["json", "graphml", "csv"])
def test_the_command_writes_the_graph(extension: str, tmp_path: Path) -> None:
    corpus, output = written(tmp_path / "news.jsonl", ARTICLES), tmp_path / f"graph.{extension}"

    done = CliRunner().invoke(cli, ["origins", str(corpus), "-o", str(output)])

    assert (done.exit_code, "5 copies traced, in 1 story" in done.stderr) == (0, True), done.stderr
    assert "copy of cut" in output.read_text()


def test_another_extension_is_a_usage_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["origins", str(tmp_path), "-o", "graph.dot"])

    assert (done.exit_code, "must end in .json, .graphml, .csv" in done.stderr) == (2, True)
