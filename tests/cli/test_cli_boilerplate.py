"""`dedup boilerplate`: what is learned, as a file to read, and what the other commands make of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import called, lines_of, on_terminal, written
from newsmaker import story

from dedup import __version__, learn_boilerplate, read_articles, read_boilerplate

BUGLE = "Tarn Hollow Bugle"
CARD = "The card costs four crowns a month, and the first month is ours."


@pytest.fixture
def boilerplate(stubs: Path, tmp_path: Path) -> Path:
    """Return a file of what was learned of the stubs."""
    path = tmp_path / "boilerplate.json"
    answer = called("boilerplate", stubs, "-o", path)
    assert answer.exit_code == 0, answer.stderr
    assert answer.stdout == ""
    assert answer.stderr == "5 passages of 1 source learned from 6 articles\n"
    return path


def test_a_pipe_gets_the_file(stubs: Path, boilerplate: Path) -> None:
    answer = called("boilerplate", stubs)

    content = json.loads(answer.stdout)
    assert answer.stdout == boilerplate.read_text(encoding="utf-8")
    assert (content["dedup"], content["articles"]) == (__version__, 6)
    assert content["sources"][BUGLE][CARD] == 6
    assert read_boilerplate(boilerplate) == learn_boilerplate(read_articles(stubs))


def test_the_order_of_input_and_standard_input_change_nothing(stubs: Path, boilerplate: Path) -> None:
    backwards = b"".join(reversed(stubs.read_bytes().splitlines(keepends=True)))

    assert called("boilerplate", "-", stdin=backwards).stdout == boilerplate.read_text(encoding="utf-8")


def test_articles_without_a_source_and_without_sense_are_counted(stubs: Path, tmp_path: Path) -> None:
    more = [{"text": "Alone."}, {"text": "On no day.", "source": BUGLE}]
    more += [{"text": "New.", "source": name, "published": "2026-04-11"} for name in ("Post", "Voice")]
    corpus = written(tmp_path / "news.jsonl", [*stubs.read_bytes().splitlines(), "broken", *more])

    answer = called(
        "boilerplate",
        corpus,
        "-o",
        tmp_path / "f.json",
        "--rejects",
        tmp_path / "rejects",
        "--max-rejects",
        "100%",
    )

    assert answer.stderr.endswith(
        "learned from 8 articles; skipped 1 article without a source; skipped 1 article without a date; "
        "skipped 2 sources covering less than two weeks\n"
    )
    assert answer.stderr.startswith("1 article could not be read")
    assert len(lines_of((tmp_path / "rejects").read_bytes())) == 1


def test_a_terminal_gets_a_table(stubs: Path, newsroom: Path) -> None:
    seen = on_terminal("boilerplate", stubs)

    assert "        6  Tarn Hollow Bugle  The card costs four crowns a month" in seen
    assert "5 passages of 1 source learned from 6 articles" in seen
    assert on_terminal("boilerplate", newsroom).startswith("0 passages of 0 sources learned")
    assert json.loads(on_terminal("boilerplate", stubs, "--json", columns=300))["articles"] == 6


@pytest.mark.parametrize("setting", ["option", "environment"])
def test_stubs_are_kept_apart(setting: str, stubs: Path, boilerplate: Path) -> None:
    given: dict[str, Any] = {"DEDUP_BOILERPLATE": str(boilerplate)} if setting == "environment" else {}
    options: list[str | Path] = ["--boilerplate", boilerplate] if setting == "option" else []

    assert len(lines_of(called("filter", stubs).stdout)) == 1
    assert len(lines_of(called("filter", stubs, *options, **given).stdout)) == 6
    assert called("cluster", stubs, *options, **given).stdout == ""


def test_boilerplate_can_be_edited(stubs: Path, boilerplate: Path) -> None:
    content = json.loads(boilerplate.read_text(encoding="utf-8"))
    del content["sources"][BUGLE][CARD]
    boilerplate.write_text(json.dumps(content), encoding="utf-8")

    left_out = explained(stubs, boilerplate)

    assert len(left_out) == 4
    assert CARD not in left_out


def test_an_explanation_shows_what_was_left_out(stubs: Path, boilerplate: Path) -> None:
    answer = json.loads(
        called("explain", stubs, "bugle-1", "bugle-2", "--boilerplate", boilerplate, "--json").stdout
    )

    assert CARD in explained(stubs, boilerplate)
    asked: list[str | Path] = [stubs, "bugle-1", "bugle-2", "--boilerplate", boilerplate, "--min-words", "30"]
    assert "words besides its boilerplate, and texts of fewer" in " ".join(
        called("explain", *asked).stdout.split()
    )
    assert answer["passages"] == [], "nothing else is in both"
    assert "learned  " in on_terminal("explain", stubs, "bugle-1", "bugle-2", "--boilerplate", boilerplate)


def explained(corpus: Path, boilerplate: Path) -> list[str]:
    """Return the passages that an explanation calls learned, the same for both articles."""
    answer = json.loads(
        called("explain", corpus, "bugle-1", "bugle-2", "--boilerplate", boilerplate, "--json").stdout
    )
    assert answer["relation"] is None
    one, other = (
        [piece["passage"] for piece in answer[side]["boilerplate"] if piece["rule"] == "learned"]
        for side in ("kept", "other")
    )
    assert one == other
    return one


def test_an_opening_is_no_boilerplate(stubs: Path, boilerplate: Path, tmp_path: Path) -> None:
    text = f"{CARD}\n{story(1)['text']}"
    articles = [{"id": name, "text": text, "source": BUGLE} for name in ("a", "b")]
    corpus = written(tmp_path / "news.jsonl", articles)

    first_words = " ".join(story(1)["text"].split()[:6])

    assert first_words in on_terminal("cluster", corpus, "--boilerplate", boilerplate)
    answer = json.loads(called("explain", corpus, "a", "b", "--boilerplate", boilerplate, "--json").stdout)
    assert answer["kept"]["opening"].startswith(first_words)


def test_scores_and_settings_take_boilerplate(stubs: Path, boilerplate: Path, tmp_path: Path) -> None:
    told = [{**article, "story": article["id"]} for article in lines_of(stubs.read_bytes())]
    corpus = written(tmp_path / "told.jsonl", told)

    scores = json.loads(
        called("evaluate", corpus, "--gold", "story", "--boilerplate", boilerplate, "--json").stdout
    )
    settings = json.loads(called("settings", "--boilerplate", boilerplate, "--json").stdout)["settings"]

    assert scores["clusters"] == 6
    assert settings["boilerplate"] == read_boilerplate(boilerplate).digest
    assert f"{settings['boilerplate']} (5 passages of 1 source)" in on_terminal(
        "settings", "--boilerplate", boilerplate, columns=200
    )
    assert json.loads(called("settings").stdout)["settings"]["boilerplate"] is None


@pytest.mark.parametrize("place", ["no/such/folder/f.json", "/dev/full"])
def test_a_file_that_cannot_be_written_is_an_error(place: str, stubs: Path) -> None:
    answer = called("boilerplate", stubs, "-o", place)

    assert answer.exit_code == 1
    assert answer.stderr.startswith(f"Error: cannot write {place}: ")


def test_boilerplate_is_written_plain(stubs: Path, tmp_path: Path) -> None:
    answer = called("boilerplate", stubs, "-o", tmp_path / "f.json.gz")

    assert answer.exit_code == 2
    assert "Boilerplate cannot be written compressed" in answer.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["boilerplate -o", "cluster -o", "filter --dropped", "filter --rejects"])
def test_no_corpus_is_replaced_by_what_is_none(command: str, stubs: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "news.jsonl"
    corpus.write_bytes(stubs.read_bytes())

    answer = called(*command.split(), corpus, tmp_path)

    assert answer.exit_code == 1
    assert answer.stderr == f"Error: cannot write {corpus}: it is one of the files that are read\n"
    assert corpus.read_bytes() == stubs.read_bytes()


def test_a_run_that_fails_leaves_the_old_file(
    stubs: Path, boilerplate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = boilerplate.read_bytes()
    monkeypatch.setattr("dedup.text.boilerplate.profile.encode_profile", lambda *_: 1 / 0)

    answer = called("boilerplate", stubs, "-o", boilerplate)

    assert answer.exit_code == 1
    assert boilerplate.read_bytes() == before
    assert list(boilerplate.parent.iterdir()) == [boilerplate]
