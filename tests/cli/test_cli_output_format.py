"""One rule for all commands: a table on a terminal, JSON in a pipe, and --format for everything else."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from commands import ROOT, called, environment, lines_of, on_terminal, process, raw_on_terminal, written
from newsmaker import story, version

from dedup.cli.render import RELATION_STYLES
from dedup.settings.settings import Settings, dump_settings

ARTICLES = [
    {"id": "a", "source": "Norwire", **story(1)},
    {"id": "b", **version(1, "cut", 3)},
    {"id": "c", **story(2)},
]
CUBE = (0, 95, 135, 175, 215, 255)
"""The levels of red, green and blue of the colours 16 to 231 of a terminal."""
MIN_CONTRAST = 4.0
"""As for large text in WCAG 2.2 (3), and some more."""


@pytest.fixture
def news(tmp_path: Path) -> Path:
    return written(tmp_path / "news.jsonl", ARTICLES)


@pytest.fixture
def index(news: Path, tmp_path: Path) -> Path:
    assert called("filter", news, "--index", tmp_path / "seen.db").exit_code == 0
    return tmp_path / "seen.db"


def read_parquet(content: bytes) -> list[dict[str, Any]]:
    return pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_records_come_in_every_format(news: Path) -> None:
    by_default = lines_of(called("cluster", news).stdout)

    answers = {
        name: called("cluster", news, "--format", name) for name in ("json", "jsonl", "csv", "parquet")
    }

    assert json.loads(answers["json"].stdout) == lines_of(answers["jsonl"].stdout) == by_default
    assert [json.loads(row["members"]) for row in read_csv(answers["csv"].stdout)] == [
        by_default[0]["members"]
    ]
    assert [row["cluster"] for row in read_parquet(answers["parquet"].stdout_bytes)] == ["a"]


def test_kept_articles_come_in_every_format(news: Path) -> None:
    kept = lines_of(called("filter", news).stdout)

    assert [article["id"] for article in kept] == ["a", "c"]
    assert json.loads(called("filter", news, "--format", "json").stdout) == kept
    assert [row["id"] for row in read_csv(called("filter", news, "--format", "csv").stdout)] == ["a", "c"]
    assert "a  " in called("filter", news, "--format", "table").stdout


def test_no_records_are_an_empty_array(tmp_path: Path) -> None:
    nothing = written(tmp_path / "none.jsonl", [])

    assert called("cluster", nothing, "--format", "json").stdout == "[]\n"


def test_a_document_is_one_row_in_the_formats_of_rows(news: Path) -> None:
    document = json.loads(called("explain", news, "a", "b", "--format", "json").stdout)

    (line,) = lines_of(called("explain", news, "a", "b", "--format", "jsonl").stdout)
    (row,) = read_csv(called("explain", news, "a", "b", "--format", "csv").stdout)
    (record,) = read_parquet(called("explain", news, "a", "b", "--format", "parquet").stdout_bytes)

    assert line == document
    assert row["relation"] == record["relation"] == document["relation"] == "excerpt"


def test_settings_have_a_row_each() -> None:
    rows = read_csv(called("settings", "--rows", "3", "--format", "csv").stdout)

    assert [row["setting"] for row in rows] == list(dump_settings(Settings()))
    assert {row["setting"]: (row["value"], row["from"]) for row in rows}["rows"] == ("3", "option")


@pytest.mark.parametrize(
    "command", [("plan",), ("evaluate", "--gold", "id"), ("boilerplate",)], ids=lambda c: c[0]
)
def test_other_commands_know_the_formats_too(command: tuple[str, ...], news: Path) -> None:
    name, *options = command

    table = called(name, news, *options, "--format", "table")
    rows = called(name, news, *options, "--format", "jsonl")

    assert (table.exit_code, rows.exit_code) == (0, 0), table.stderr + rows.stderr
    assert "{" not in table.stdout
    assert all(isinstance(row, dict) for row in lines_of(rows.stdout))


def test_an_index_is_shown_and_exported_in_every_format(index: Path) -> None:
    stats = json.loads(called("index", "stats", index, "--format", "json").stdout)
    decisions = lines_of(called("index", "export", index).stdout)

    assert lines_of(called("index", "stats", index, "--format", "jsonl").stdout) == [stats]
    assert [row["id"] for row in read_csv(called("index", "export", index, "--format", "csv").stdout)] == [
        decision["id"] for decision in decisions
    ]
    assert "excerpt" in called("index", "export", index, "--format", "table").stdout


def test_json_is_short_for_the_format(news: Path) -> None:
    assert called("plan", news, "--json", "--format", "csv").exit_code == 2
    assert json.loads(called("settings", "--json").stdout) == json.loads(
        called("settings", "--format", "json").stdout
    )


def test_a_terminal_gets_tables(news: Path, index: Path) -> None:
    assert "{" not in on_terminal("filter", news)
    assert "{" not in on_terminal("index", "export", index)
    assert "{" not in on_terminal("settings")


def test_only_the_first_articles_fill_a_terminal(tmp_path: Path) -> None:
    many = written(tmp_path / "many.jsonl", [{**story(n), "id": f"n{n}"} for n in range(60)])

    kept = len(called("filter", many).stdout.splitlines())
    assert f"… and {kept - 40} more (use -o to get all)" in on_terminal("filter", many)


def test_a_format_fits_the_extension_of_the_output(news: Path, tmp_path: Path) -> None:
    fits = called("cluster", news, "--format", "csv", "-o", tmp_path / "clusters.csv")
    bare = called("cluster", news, "--format", "csv", "-o", tmp_path / "clusters")
    refused = called("cluster", news, "--format", "csv", "-o", tmp_path / "clusters.parquet")

    assert (fits.exit_code, bare.exit_code, refused.exit_code) == (0, 0, 2)
    assert (tmp_path / "clusters").read_bytes() == (tmp_path / "clusters.csv").read_bytes()
    assert not (tmp_path / "clusters.parquet").exists()


def test_parquet_is_not_written_to_a_terminal(news: Path) -> None:
    assert "PAR1" not in raw_on_terminal("cluster", news, "--format", "parquet")


@pytest.mark.parametrize("name", ["json", "jsonl", "csv"])
def test_no_format_lets_a_title_command_the_terminal(name: str, tmp_path: Path) -> None:
    evil = written(tmp_path / "evil.jsonl", [{**a, "title": "Mayor\x1b[2J resigns"} for a in ARTICLES])

    assert "\x1b[2J" not in raw_on_terminal("filter", evil, "--format", name)


def test_colours_can_be_forced_into_a_pipe_and_kept_from_a_terminal(news: Path) -> None:
    plain = process("cluster", news, "--format", "table")
    forced = process(
        "cluster", news, "--format", "table", env=environment(FORCE_COLOR="1", TERM="xterm-256color")
    )

    assert "\x1b[" not in plain.stdout
    assert "\x1b[38;5;" in forced.stdout
    assert "\x1b[38;5;" in raw_on_terminal("cluster", news)
    assert "\x1b[38;5;" not in raw_on_terminal("cluster", news, NO_COLOR="1")


def compute_luminance(number: int) -> float:
    """Return the relative luminance of a colour of the terminal (WCAG 2.2)."""
    levels = (CUBE[(number - 16) // 36], CUBE[(number - 16) // 6 % 6], CUBE[(number - 16) % 6])
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (n / 255 for n in levels)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("style", RELATION_STYLES.values())
def test_colours_stand_out_from_white_and_from_black(style: str) -> None:
    (number,) = re.findall(r"^color\((\d+)\)$", style)
    luminance = compute_luminance(int(number))

    assert 1.05 / (luminance + 0.05) > MIN_CONTRAST
    assert (luminance + 0.05) / 0.05 > MIN_CONTRAST


def test_tables_use_no_colour_that_a_light_background_swallows() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "dedup" / "cli" / "render").rglob("*.py")]

    assert sources
    assert [
        found
        for source in sources
        for found in re.findall(r'"(?:bold |italic )?(?:yellow|cyan|green)"', source)
    ] == []
