"""A wire story that six outlets carry, with cuts: each copy leads to the article that its words come from."""

import csv
import io
import json
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from commands import called, lines_of, on_terminal, written
from newsmaker import name, sentence

from dedup import deduplicate
from dedup.cli.main import cli
from dedup.io.articles import to_batches
from dedup.origins.formats import format_graphml, format_json, iter_rows
from dedup.origins.trace import Story, hash_wording, trace_origins
from dedup.pipeline.deduplicate import sketch_with_settings
from dedup.settings.settings import Settings

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


def test_a_control_character_does_not_break_graphml() -> None:
    result = deduplicate([{**each, "title": "Bridge\x08\uffff & \x1b[2J 😀"} for each in ARTICLES])

    graph = format_graphml(result.origins())

    assert "Bridge\ufffd\ufffd & \ufffd[2J" in "".join(ET.fromstring(graph.encode()).itertext())  # noqa: S314 - our own


def test_a_row_has_an_article_and_the_one_that_it_repeats(story: Story) -> None:
    rows = {row["id"]: row for row in iter_rows([story])}

    assert list(rows) == [article["id"] for article in ARTICLES]
    assert (rows["wire"]["parent"], rows["wire"]["relation"], rows["wire"]["child_share"]) == (
        None,
        None,
        None,
    )
    assert {name: row["parent"] for name, row in rows.items() if row["parent"]} == {
        edge.child: edge.parent for edge in story.edges
    }


@pytest.mark.parametrize("extension", ["json", "graphml", "csv", "jsonl", "parquet", "json.gz"])
def test_the_command_writes_the_graph(extension: str, tmp_path: Path) -> None:
    corpus, output = written(tmp_path / "news.jsonl", ARTICLES), tmp_path / f"graph.{extension}"

    done = CliRunner().invoke(cli, ["origins", str(corpus), "-o", str(output)])

    assert (done.exit_code, "5 copies traced, in 1 story" in done.stderr) == (0, True), done.stderr
    assert output.stat().st_size > 0
    assert extension in {"parquet", "json.gz"} or "copy of cut" in output.read_text()


@pytest.mark.parametrize("format_", ["jsonl", "csv", "parquet"])
def test_each_format_of_rows_has_the_same_articles(format_: str, tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", ARTICLES)

    done = called("origins", corpus, "--format", format_, "-q")

    assert done.exit_code == 0, done.stderr
    if format_ == "parquet":
        rows = pq.read_table(io.BytesIO(done.stdout_bytes)).to_pylist()
    else:
        rows = lines_of(done.stdout) if format_ == "jsonl" else list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["id"], row["parent"] or None) for row in rows] == [
        ("wire", None),
        ("whole", "wire"),
        ("edited", "wire"),
        ("cut of edited", "edited"),
        ("cut", "wire"),
        ("copy of cut", "wire"),
    ]


def test_a_pipe_gets_the_graph_and_a_format_the_table(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", ARTICLES)

    assert json.loads(called("origins", corpus, "-q").stdout)["directed"]
    assert "graphml" in called("origins", corpus, "-q", "--format", "graphml").stdout
    assert called("origins", corpus, "-q", "--format", "table").stdout.split()[:2] == ["story", "tellings"]


def test_a_formula_in_a_title_is_no_formula_in_a_spreadsheet(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", [{**each, "title": "=1+1"} for each in ARTICLES])

    assert ",'=1+1," in called("origins", corpus, "-q", "--format", "csv").stdout


@pytest.mark.parametrize("format_", ["graphml", "csv", "json"])
def test_no_format_lets_a_title_command_the_terminal(format_: str, tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", [{**each, "title": "\x9b2J"} for each in ARTICLES])

    shown = on_terminal("origins", corpus, "-q", "--format", format_)

    assert "copy of cut" in shown
    assert "\x9b" not in shown


@pytest.mark.parametrize(
    ("output", "format_"), [("graph.csv", "graphml"), ("graph.json", "table"), ("graph.graphml", "csv")]
)
def test_a_format_must_fit_the_output(output: str, format_: str, tmp_path: Path) -> None:
    done = called("origins", tmp_path, "-o", tmp_path / output, "--format", format_)

    assert (done.exit_code, "--format" in done.stderr) == (2, True)


def test_another_extension_is_a_usage_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["origins", str(tmp_path), "-o", "graph.dot"])

    assert (done.exit_code, "must end in .json, .graphml, .jsonl" in done.stderr) == (2, True)


def test_the_wording_is_that_of_the_sketch() -> None:
    (batch,) = to_batches(
        [*ARTICLES, {"id": "empty", "text": ""}, {"id": "titled", "title": "Bridge", "text": "(dpa)"}]
    )

    shingles, _, hashes = hash_wording(batch, Settings())

    sketches = sketch_with_settings(batch, Settings())
    offsets = sketches.shingle_offsets
    assert [each.tolist() for each in shingles] == [
        sketches.shingles[offsets[a] : offsets[a + 1]].tolist() for a in range(batch.num_rows)
    ]
    assert hashes.tolist() == sketches.text_hashes.tolist()
