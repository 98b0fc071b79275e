"""The reuse of texts: a row for each outlet and each origin, its credits, its dates, and the page."""

import csv
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from browsing import PATIENCE
from commands import called, lines_of, written
from playwright.sync_api import Browser, expect
from wire_newsroom import make_newsroom

from dedup import deduplicate
from dedup.origins.reuse import AGENCY, OUTLET, Reuse, list_reuse, sum_reuse_by_origin
from dedup.origins.trace import Story

HOSTILE = "<img src=x onerror=alert(1)>"
COUNTS = ("articles", "credited", "uncredited", "unknown")


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    """Return the one story of the newsroom, which carries an agency."""
    return deduplicate(make_newsroom(), level="storyline").origins()


@pytest.fixture(scope="module")
def uncredited() -> list[Story]:
    """Return the same story without any credit."""
    articles = [
        {**each, "text": each["text"].replace("Quelle: dpa", "")}
        for each in make_newsroom()
        if "lotse" not in each["id"]
    ]
    return deduplicate(articles, level="storyline").origins()


def counts(rows: list[Reuse]) -> dict[str | None, tuple[int, ...]]:
    """Return the counts of rows by outlet."""
    return {row.outlet: tuple(getattr(row, name) for name in COUNTS) for row in rows}


def test_each_outlet_carries_the_agency_with_a_credit_or_without(stories: list[Story]) -> None:
    rows = list_reuse(stories)

    assert {(row.origin, row.kind) for row in rows} == {("dpa", AGENCY)}
    found = counts(rows)
    assert found["anker-1"] == (2, 2, 0, 0)
    assert found["boje-2"] == (2, 0, 2, 0)
    assert found["kompass-4"] == (1, 0, 1, 0)
    assert "lotse" not in found


def test_the_share_is_the_median_of_the_articles_that_repeat_another(stories: list[Story]) -> None:
    rows = {row.outlet: row for row in list_reuse(stories)}

    assert rows["anker-2"].share == 1.0
    assert rows["anker-4"].share is not None
    assert 0.8 < rows["anker-4"].share < 1.0


def test_a_row_has_the_first_and_the_last_date(stories: list[Story]) -> None:
    [row] = [row for row in list_reuse(stories) if row.outlet == "anker-1"]

    assert (row.first, row.last) == (
        datetime(2031, 5, 5, 8, tzinfo=UTC),
        datetime(2031, 5, 5, 21, tzinfo=UTC),
    )


def test_the_origins_are_summed_over_their_outlets(stories: list[Story]) -> None:
    [row] = sum_reuse_by_origin(stories)

    assert (row.origin, row.outlets, row.articles) == ("dpa", 12, 14)
    assert row.credited + row.uncredited == 14


def test_without_a_credit_the_origin_is_the_outlet_whose_text_is_repeated(uncredited: list[Story]) -> None:
    rows = list_reuse(uncredited)

    assert {row.kind for row in rows} == {OUTLET}
    origins = {row.outlet: row.origin for row in rows}
    assert (origins["boje-1"], origins["anker-4"]) == ("anker-1", "anker-1")
    assert origins["boje-4"] == "anker-4", "which added the sentence that boje-4 has too"
    assert "anker-1" not in counts(rows), "its own correction is no reuse"
    assert counts(rows)["boje-2"] == (2, 0, 0, 2)


def test_articles_without_sources_and_credits_are_not_counted(uncredited: list[Story]) -> None:
    nameless = [
        replace(story, articles=tuple(replace(each, source=None, publisher=None) for each in story.articles))
        for story in uncredited
    ]

    assert list_reuse(nameless) == []


def test_an_agency_does_not_carry_itself() -> None:
    articles = [{**each, "source": "dpa", "url": None} for each in make_newsroom()[:1]] + make_newsroom()[1:3]

    rows = list_reuse(deduplicate(articles).origins())

    assert [(row.outlet, row.origin) for row in rows] == [("anker-2", "dpa"), ("anker-3", "dpa")]


@pytest.mark.parametrize("extension", ["csv", "json", "jsonl"])
def test_the_command_writes_a_row_for_each_pair(extension: str, tmp_path: Path) -> None:
    corpus, output = written(tmp_path / "news.jsonl", make_newsroom()), tmp_path / f"reuse.{extension}"

    done = called("origins", corpus, "--level", "storyline", "--reuse", output, "-q")

    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["graph"]["stories"]
    text = output.read_text(encoding="utf-8")
    if extension == "csv":
        rows: list[dict[str, Any]] = list(csv.DictReader(text.splitlines()))
    else:
        rows = json.loads(text) if extension == "json" else lines_of(text)
    assert len(rows) == 12
    assert [*rows[0]] == ["outlet", "origin", "kind", "articles", "share", "first", "last", *COUNTS[1:]]
    assert sum(int(row["uncredited"]) for row in rows) == 10


@pytest.mark.parametrize("name", ["reuse.pdf", "reuse"])
def test_an_unknown_extension_is_a_usage_error(name: str, tmp_path: Path) -> None:
    done = called("origins", tmp_path, "--reuse", tmp_path / name)

    assert (done.exit_code, "--reuse must end in .html, .csv" in done.stderr) == (2, True)


def test_a_corpus_without_stories_has_an_empty_page(tmp_path: Path) -> None:
    corpus, page = written(tmp_path / "news.jsonl", make_newsroom()[12:13]), tmp_path / "reuse.html"

    assert called("origins", corpus, "--reuse", page, "-q").exit_code == 0
    assert "0 articles in 0 stories" in page.read_text(encoding="utf-8")


def test_the_page_is_sorted_by_a_click_and_shows_names_as_text(browser: Browser, tmp_path: Path) -> None:
    articles = [{**each, "url": None} for each in make_newsroom()[:4]]
    articles[1]["source"] = HOSTILE
    corpus, path = written(tmp_path / "news.jsonl", articles), tmp_path / "reuse.html"
    assert called("origins", corpus, "--reuse", path, "-q").exit_code == 0
    complaints: list[str] = []
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))

    page.goto(path.as_uri())
    width = page.evaluate("document.documentElement.scrollWidth")
    page.get_by_label("sort by").nth(1).select_option("outlet")
    by_name = page.locator("section").nth(1).locator("tbody th").all_inner_texts()
    page.set_viewport_size({"width": 1280, "height": 740})
    button = page.locator("section").nth(1).get_by_role("button", name="credited", exact=True)
    button.click()
    by_credit = page.locator("section").nth(1).locator("tbody th").all_inner_texts()
    button.click()
    expect(page.locator("section").nth(1).locator("tbody th").last).to_have_text("anker-1")
    page.close()

    assert complaints == []
    assert width <= 360
    assert by_name == [HOSTILE, "anker-1", "anker-3", "anker-4"]
    assert by_credit[0] == "anker-1"
