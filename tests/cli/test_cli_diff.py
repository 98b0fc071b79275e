"""`dedup diff`: facts that agree and differ, and what changed between versions."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import called, on_terminal, written
from wire_newsroom import make_newsroom


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return the newsroom as a file."""
    return written(tmp_path / "news.jsonl", make_newsroom())


def diff(corpus: Path, *names: str) -> dict[str, Any]:
    """Return the comparison as JSON."""
    done = called("diff", corpus, *names, "--level", "storyline", "--quiet")
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_one_id_stands_for_its_story(corpus: Path) -> None:
    found = diff(corpus, "lotse/bridge")

    differing = {
        fact["about"]: [(value["written"], value["articles"][0]) for value in fact["values"]]
        for fact in found["facts"]
        if fact["status"] == "differ"
    }
    assert len(found["articles"]) == 15
    assert differing["people"] == [("Twelve people", "anker-1/bridge"), ("14 people", "lotse/bridge")]
    assert differing["euro"] == [
        ("2.5 million euros", "anker-1/bridge"),
        ("4.1 million euros", "boje-2/bridge#2"),
    ]


def test_several_ids_stand_for_themselves_and_their_versions(corpus: Path) -> None:
    found = diff(corpus, "boje-2", "lotse")

    assert [article["id"] for article in found["articles"]] == [
        "lotse/bridge",
        "boje-2/bridge",
        "boje-2/bridge#2",
    ]


def test_a_correction_has_a_note_and_a_silent_change_has_none(corpus: Path) -> None:
    logs = {log["key"]: log["edits"] for log in diff(corpus, "lotse/bridge")["versions"]}

    assert [edit["is_noted"] for edit in logs["anker-1/bridge"]] == [True]
    [silent] = logs["boje-2/bridge"]
    assert (silent["is_noted"], silent["changes"][0]["removed"], silent["changes"][0]["added"]) == (
        False,
        "2.5",
        "4.1",
    )


def test_a_terminal_gets_tables(corpus: Path) -> None:
    shown = on_terminal("diff", corpus, "lotse/bridge", "--level", "storyline")

    assert "They differ" in shown
    assert "Twelve people" in shown
    assert "[-2.5-]{+4.1+}" in shown
    assert "1 change, without a note" in shown


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nobody", "Error: there is no article 'nobody' in the corpus"),
        ("anker", "ids begin with 'anker': anker-1/bridge, anker-2/bridge"),
    ],
)
def test_a_wrong_id_is_one_sentence(name: str, message: str, corpus: Path) -> None:
    done = called("diff", corpus, name, "--quiet")

    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert message in done.stderr
