"""`dedup explain`: a verdict in a sentence, with what it rests on."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from commands import called, on_terminal, raw_on_terminal, written
from newsmaker import story, version

from dedup.matching.evidence_columns import EVIDENCE_NAMES
from dedup.reports.explanation import Explanation


def explained(*arguments: str | Path) -> dict[str, Any]:
    """Return the explanation that a program gets."""
    answer = called("explain", *arguments, "--json")
    assert answer.exit_code == 0, answer.stderr
    return dict(json.loads(answer.stdout))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a corpus of a story, its cut copy, its rewording, and ids that begin alike."""
    return written(
        tmp_path / "news.jsonl",
        [
            {"id": "first", **story(1)},
            {"id": "cut", **version(1, "cut", 3)},
            {"id": "other-1", **story(2)},
            {"id": "other-2", **story(3)},
            {"id": "short", "text": "Too short to tell."},
            {"id": "twin", **story(4)},
            {"id": "twin", **story(5)},
            {"id": "late", **story(1), "published": "2032-01-01"},
        ],
    )


def test_json_holds_the_whole_explanation(newsroom: Path) -> None:
    found = explained(newsroom, "ferry-aground-1", "ferry-aground-2")

    assert set(found) == set(Explanation.__dataclass_fields__)
    assert [feature["name"] for feature in found["features"]] == list(EVIDENCE_NAMES)
    assert found["relation"] == "rewrite"
    assert found["verdict"].startswith("ferry-aground-2 is a rewrite of ferry-aground-1: the probability")
    assert "Vossgard" in found["names"]
    assert "212" in found["numbers"]


def test_the_earlier_article_is_the_kept_one(newsroom: Path) -> None:
    one, other = "harbour-fire-1", "harbour-fire-3"

    assert explained(newsroom, one, other) == explained(newsroom, other, one)
    assert explained(newsroom, other, one)["kept"]["id"] == one


def test_an_explanation_agrees_with_the_run(newsroom: Path) -> None:
    for line in map(json.loads, called("cluster", newsroom).stdout.splitlines()):
        for member in line["members"]:
            found = explained(newsroom, line["cluster"], member["id"])
            values = {feature["name"]: feature["value"] for feature in found["features"]}

            assert found["relation"] == member["relation"]
            assert found["score"] == pytest.approx(member["score"], abs=1e-4)
            assert {name: values[name] for name in member["evidence"]} == pytest.approx(
                member["evidence"], abs=2e-4
            )


def test_a_beginning_of_an_id_is_enough(corpus: Path) -> None:
    assert explained(corpus, "fir", "cu")["verdict"].startswith("cut is an excerpt of first: ")


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        (("first", "nobody"), "there is no article 'nobody' in the corpus\n"),
        (("first", "othr-1"), "there is no article 'othr-1' in the corpus; did you mean 'other-1'?\n"),
        (("first", "other"), "2 ids begin with 'other': other-1, other-2; give more"),
        (("first", "twin#3"), "there is no article 'twin#3' in the corpus"),
    ],
)
def test_an_id_that_is_none_is_an_error(ids: tuple[str, str], says: str, corpus: Path) -> None:
    answer = called("explain", corpus, *ids)

    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"Error: {says}")


def test_an_id_given_twice_is_numbered(corpus: Path) -> None:
    found = explained(corpus, "twin", "twin#2")

    assert {found["kept"]["title"], found["other"]["title"]} == {story(4)["title"], story(5)["title"]}


@pytest.mark.parametrize(
    ("ids", "options", "says"),
    [
        (("first", "short"), [], "the shorter has 4 words, and texts of fewer than 8 never match"),
        (("first", "other-1"), [], "the probability that they tell the same story is"),
        (("first", "late"), [], "days apart, and copies at most 30 days (copy_window_days)"),
        (("first", "cut"), ["--relations", "exact"], "the setting relations has only exact"),
    ],
)
def test_no_match_has_a_reason(ids: tuple[str, str], options: list[str], says: str, corpus: Path) -> None:
    found = explained(corpus, *ids, *options)

    assert found["relation"] is None
    assert found["score"] is None
    assert " does not repeat " in found["verdict"]
    assert says in found["verdict"]


def test_a_rewrite_too_late_is_told_so(newsroom: Path) -> None:
    found = explained(newsroom, "ferry-aground-1", "ferry-aground-2", "--window-days", "0.1")

    assert "but they are 0.2 days apart, and rewrites at most 0.1 days (window_days)" in found["verdict"]


def test_a_template_is_told_so(newsroom: Path) -> None:
    found = explained(newsroom, "weather-averstone", "weather-brackwater")

    assert "one form with other facts in it" in found["verdict"]
    assert found["passages"][0] == max(found["passages"], key=lambda passage: len(passage.split()))


def test_what_was_left_out_is_shown(newsroom: Path) -> None:
    found = explained(newsroom, "harbour-fire-1", "harbour-fire-3")

    rules = {piece["rule"] for piece in found["other"]["boilerplate"]}
    assert {"caption", "more", "plea"} & rules


def test_a_match_that_no_lookup_would_find_is_told_so(corpus: Path) -> None:
    options = ["--shared-terms", "32", "--bands", "1", "--rows", "16"]

    found = explained(corpus, "first", "cut", *options)

    assert found["relation"] == "excerpt"
    assert found["candidates"] == (found["lookup"][0] >= 32 or found["lookup"][1] > 0)


def test_two_files_need_no_ids(tmp_path: Path) -> None:
    for name, change in (("a", "as sent"), ("b", "cut")):
        (tmp_path / f"{name}.txt").write_text(version(1, change, 3)["text"])

    found = explained(tmp_path / "a.txt", tmp_path / "b.txt")

    assert found["relation"] in {"excerpt", "extension"}


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["news.jsonl"], 2, "Name a corpus and two ids"),
        (
            ["news.jsonl", "news.jsonl"],
            1,
            "these files hold 16 articles, not one each; name a corpus and two ids",
        ),
        (["news.jsonl", "first"], 1, "there is no file or folder first"),
    ],
)
def test_what_is_no_pair_is_an_error(
    arguments: list[str], status: int, says: str, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(corpus.parent)

    answer = called("explain", *arguments)

    assert answer.exit_code == status
    assert says in answer.stderr


def test_a_terminal_gets_a_page_to_read(newsroom: Path) -> None:
    seen = on_terminal("explain", newsroom, "harbour-fire-1", "harbour-fire-3")

    assert seen.startswith(
        "harbour-fire-3 is a copy of harbour-fire-1: they share 84% of their 3-word shingles."
    )
    for heading in (
        "Shared passages",
        "Shared names and numbers",
        "Boilerplate",
        "Openings",
        "Shared wording",
        "Evidence weighed by the model",
    ):
        assert heading in seen
    assert "kept    Fire destroys fish warehouse" in seen
    assert "“A fire tore through a cold-storage warehouse" in seen
    assert re.search(r" … .*\n? *.*site is closed” \(\d+ words\)", seen)
    assert max(len(line) for line in seen.splitlines()) <= 100


def test_a_pipe_gets_a_page_to_read_with_marks_for_colours(newsroom: Path) -> None:
    seen = called("explain", newsroom, "ferry-aground-1", "ferry-aground-2").stdout

    assert seen.startswith("ferry-aground-2 is a rewrite of ferry-aground-1: the probability")
    assert "\x1b" not in seen
    assert "_Threnlow_" in seen
    assert "*5*:*30* a.m." in seen
    assert max(len(line) for line in seen.splitlines()) <= 100


def test_colours_stand_for_the_marks_unless_none_are_wanted(newsroom: Path) -> None:
    pair = ("explain", newsroom, "ferry-aground-1", "ferry-aground-2")

    coloured, plain = raw_on_terminal(*pair), raw_on_terminal(*pair, NO_COLOR="1")

    assert "\x1b[38;5;30mThrenlow\x1b[0m" in coloured
    assert "_Threnlow_" not in coloured
    assert "_Threnlow_" in plain
    assert not re.search(r"\x1b\[[0-9;]*38;5;[0-9]+m", plain)


def test_json_can_be_asked_for_on_a_terminal(newsroom: Path) -> None:
    assert json.loads(on_terminal("explain", newsroom, "tram-collision-1", "tram-collision-2", "--json"))


def test_lines_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    corpus = written(tmp_path / "news.jsonl", ["broken", {"id": "a", **story(1)}, {"id": "b", **story(2)}])

    assert called("explain", corpus, "a", "b").stderr == "1 article could not be read\n"
