"""`dedup match`: the articles of one corpus that share text with those of another."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from commands import called, lines_of, on_terminal, written
from wire_newsroom import OWN_REPORT, WIRE, make_newsroom


def release(name: str, sentences: list[str], **others: Any) -> dict[str, Any]:
    """Return a press release."""
    return {"id": name, "text": " ".join(sentences), "published": "2031-05-05T06:00:00Z", **others}


RELEASES = [
    release("whole", WIRE),
    release("whole again", WIRE),
    release(
        "half",
        [*WIRE[:5], *(f"Item {n} of the agenda of the harbour board was put off again." for n in range(9))],
    ),
    release("late", OWN_REPORT, published="2031-05-07T06:00:00Z"),
    release(
        "other", ["The choir of Wexmere sings in the market hall on Sunday, and admission is free for all."]
    ),
]


@pytest.fixture
def corpora(tmp_path: Path) -> tuple[Path, Path]:
    """Return the releases and the newsroom as files."""
    return written(tmp_path / "a.jsonl", RELEASES), written(tmp_path / "b.jsonl", make_newsroom())


def matches(*arguments: str | Path) -> list[dict[str, Any]]:
    """Return the matches of two corpora."""
    done = called("match", *arguments, "--quiet")
    assert done.exit_code == 0, done.stderr
    return lines_of(done.stdout)


def test_each_release_is_matched_with_the_articles_that_use_it(corpora: tuple[Path, Path]) -> None:
    found = matches(*corpora)

    used = [match for match in found if match["a"] == "whole"]
    assert {match["b"] for match in used} == {a["id"] for a in make_newsroom()[:12]} | {
        "anker-1/bridge#2",
        "boje-2/bridge#2",
    }
    assert {match["direction"] for match in used} == {"a to b"}
    assert "other" not in {match["a"] for match in found}


def test_articles_of_one_corpus_are_never_compared(corpora: tuple[Path, Path]) -> None:
    assert not {match["b"] for match in matches(*corpora)} & {article["id"] for article in RELEASES}


def test_a_match_has_the_share_of_either_article_and_the_passages(corpora: tuple[Path, Path]) -> None:
    [cut] = [m for m in matches(*corpora) if (m["a"], m["b"]) == ("whole", "anker-3/bridge")]

    assert cut["relation"] == "extension"
    assert cut["b_share"] == 1.0 > cut["a_share"] > 0.7
    assert cut["passages"][0].startswith("The bridge of Tollan was shut on Monday")
    assert cut["lag_seconds"] == 4 * 3600


def test_a_shared_part_is_listed_without_a_relation(corpora: tuple[Path, Path]) -> None:
    found = [match for match in matches(*corpora) if match["a"] == "half"]
    strict = [match for match in matches(*corpora, "--min-share", "0.9") if match["a"] == "half"]

    assert found
    assert {match["relation"] for match in found} == {None}
    assert strict == []


def test_an_older_article_turns_the_direction(corpora: tuple[Path, Path]) -> None:
    [found] = [match for match in matches(*corpora) if match["a"] == "late"]

    assert (found["b"], found["relation"], found["direction"]) == ("lotse/bridge", "exact", "b to a")


def test_csv_has_a_row_for_each_match(corpora: tuple[Path, Path], tmp_path: Path) -> None:
    output = tmp_path / "reuse.csv"

    done = called("match", *corpora, "-o", output)

    assert done.exit_code == 0
    rows = list(csv.DictReader(output.read_text(encoding="utf-8").splitlines()))
    assert f"{len(rows)} pairs with shared text, of 4 articles of" in done.stderr
    assert rows[0].keys() >= {"a", "b", "relation", "a_share", "b_share", "direction", "passages"}


def test_a_rewrite_is_found_at_the_level_of_stories(tmp_path: Path) -> None:
    first = written(
        tmp_path / "a.jsonl", [RELEASES[0] | {"title": "Bridge of Tollan shut after a barge strikes a pier"}]
    )
    second = written(tmp_path / "b.jsonl", [make_newsroom()[12]])

    assert matches(first, second) == []
    assert matches(first, second, "--level", "storyline")[0]["relation"] in {"rewrite", "followup"}


def test_an_output_never_replaces_a_corpus(corpora: tuple[Path, Path]) -> None:
    done = called("match", *corpora, "-o", corpora[1])

    assert done.exit_code == 1
    assert "it is one of the files that are read" in done.stderr


def test_a_terminal_gets_a_table_and_a_pipe_lines(corpora: tuple[Path, Path]) -> None:
    table = called("match", *corpora, "-q", "--format", "table").stdout

    assert table.split()[:6] == ["a", "b", "relation", "a_share", "b_share", "direction"]
    assert on_terminal("match", *corpora, "-q").split()[:6] == table.split()[:6]
    assert json.loads(called("match", *corpora, "-q", "--format", "json").stdout) == matches(*corpora)


def test_parquet_has_a_list_of_passages(corpora: tuple[Path, Path]) -> None:
    done = called("match", *corpora, "-q", "--format", "parquet")

    rows = pq.read_table(io.BytesIO(done.stdout_bytes)).to_pylist()
    assert [row["passages"] for row in rows] == [match["passages"] for match in matches(*corpora)]


def test_a_format_must_fit_the_output(corpora: tuple[Path, Path], tmp_path: Path) -> None:
    done = called("match", *corpora, "-o", tmp_path / "reuse.csv", "--format", "parquet")

    assert (done.exit_code, "does not fit" in done.stderr) == (2, True)


def test_the_summary_says_why_articles_could_not_be_read(corpora: tuple[Path, Path]) -> None:
    with corpora[1].open("a", encoding="utf-8") as file:
        file.write('{"id": "torn", "te\n' + '{"id": "without"}\n' * 3)

    said = called("match", *corpora).stderr

    assert f"4 articles could not be read: {corpora[1]}:" in said
    assert "broken JSON" in said
    assert said.rstrip().endswith("…")


def test_the_second_corpus_may_have_fields_of_other_names(corpora: tuple[Path, Path], tmp_path: Path) -> None:
    renamed = [{"nr": a["id"], "raw": a["text"], "day": a["published"]} for a in make_newsroom()]
    other = written(tmp_path / "c.jsonl", renamed)

    found = matches(
        corpora[0], other, "--field-b", "id=nr", "--field-b", "text=raw", "--field-b", "published=day"
    )

    assert found == matches(*corpora)


def test_the_help_names_the_level_that_match_has_by_default() -> None:
    assert "[default: text]" in " ".join(called("match", "--help").stdout.split())
